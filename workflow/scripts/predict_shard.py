"""Rule predict_shard: genes of the contigs of one shard.

input: model (files of one folder), isoforms (files of the ranker, or none), classes (file of the classifier, or none),
    fasta, fai, junctions (the user's file, or none), seqid_map (file, if any),
    evidence (junctions and their weights, or none), proteins (aligned, and their weights, or none)
output: genes (JSON lines), tracks (probabilities along the contigs; none with predict.tracks off)
params: settings (of config key predict: see PREDICTION_SETTINGS in predict.smk), species, lineage, contigs (names or
    None for all), shard, isoforms (config key isoforms), compared (whether genes from DNA alone are written too)
config: predict.batch_size, which changes speed and memory only and is therefore no param: those rerun a job
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.genome.junctions import JunctionReads
    from phytoscribe.prediction.run import predict_shard

    given, params, junctions = snakemake.input, snakemake.params, None
    if given.get("junctions"):
        junctions = JunctionReads.of_file(given.junctions[0], read_index(given.fai), read_seqid_map(params.seqid_map))
    predict_shard(
        fasta=given.fasta,
        model_folder=Path(given.model[0]).parent,
        settings={**params.settings, "batch_size": snakemake.config["predict"]["batch_size"]},
        species=params.species,
        lineage=params.lineage,
        chosen=params.contigs,
        shard=params.shard,
        output=snakemake.output.genes,
        threads=snakemake.threads,
        tracks=snakemake.output.tracks or None,
        isoforms=params.isoforms,
        isoform_folder=Path(given.isoforms[0]).parent if given.isoforms else None,
        junctions=junctions,
        evidence=tuple(given.evidence) or None,
        proteins=tuple(given.proteins) or None,
        compared=params.compared,
        class_folder=Path(given.classes[0]).parent if given.classes else None,
    )


run_script(main, snakemake)
