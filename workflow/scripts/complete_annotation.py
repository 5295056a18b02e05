"""Rule complete_annotation: an annotation with the isoforms that the ranker, or the network that writes, adds to it.

input: annotation (cleaned), accepted (its transcripts that fit the genome), model and isoforms (files of one folder
    each), fasta, fai, junctions (the user's file, or none), seqid_map (file, if any)
output: gff3
params: isoforms (config key isoforms), settings (of config key predict), species, lineage, contigs (names or None for
    all)
config: predict.batch_size, which changes speed and memory only
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.genome.junctions import JunctionReads
    from phytoscribe.prediction.completion import complete_annotation

    given, params, junctions = snakemake.input, snakemake.params, None
    if given.junctions:
        junctions = JunctionReads.of_file(given.junctions[0], read_index(given.fai), read_seqid_map(params.seqid_map))
    complete_annotation(
        fasta=given.fasta,
        annotation=given.annotation,
        accepted=given.accepted,
        model_folder=Path(given.model[0]).parent,
        isoform_folder=Path(given.isoforms[0]).parent,
        isoforms=params.isoforms,
        predict={**params.settings, "batch_size": snakemake.config["predict"]["batch_size"]},
        species=params.species,
        lineage=params.lineage,
        chosen=params.contigs,
        output=snakemake.output.gff3,
        threads=snakemake.threads,
        junctions=junctions,
    )


run_script(main, snakemake)
