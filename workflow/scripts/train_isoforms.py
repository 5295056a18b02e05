"""Rule train_isoforms: the ranker of isoforms, from a training set and a structure model.

input: training_set, model (files of one folder each), junctions and fai (of params.genomes), seqid_maps (files, if any)
output: cuts, weights, metrics
params: settings (config key isoforms.training), seed, run_folder, genomes and seqid_maps (of the junctions, in order)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.genome.junctions import JunctionReads
    from phytoscribe.training.tasks.isoforms.task import run_isoform_training

    given, params = snakemake.input, snakemake.params
    files = zip(params.genomes, given.junctions, given.fai, params.seqid_maps, strict=True)
    junctions = {
        name: JunctionReads.of_file(path, read_index(fai), read_seqid_map(names)) for name, path, fai, names in files
    }
    run_isoform_training(
        training_set=Path(given.training_set[0]).parent,
        model_folder=Path(given.model[0]).parent,
        settings=dict(params.settings),
        seed=int(params.seed),
        inputs=[*given.training_set, *given.model, *given.junctions, *given.seqid_maps],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.cuts).parent,
        threads=snakemake.threads,
        junctions=junctions,
    )


run_script(main, snakemake)
