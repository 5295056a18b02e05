"""Rule train_gene_classes: what tells element-like genes, from a training set, mobile elements and a structure model.

input: training_set, model (files of one folder each), repeats, fai (of the genomes with repeats)
output: weights, metrics
params: genomes (name and seqid_map of each genome with repeats), device, run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.noncoding.elements import intervals_of, read_elements
    from phytoscribe.training.tasks.gene_classes.task import run_class_training

    given, params = snakemake.input, snakemake.params
    elements = {}
    for (name, seqid_map), repeats, fai in zip(params.genomes, given.repeats, given.fai, strict=True):
        found, _ = read_elements(repeats, read_index(fai), read_seqid_map(seqid_map))
        elements[name] = intervals_of(found)
    run_class_training(
        training_set=Path(given.training_set[0]).parent,
        model_folder=Path(given.model[0]).parent,
        elements=elements,
        device=params.device,
        inputs=[*given.training_set, *given.model, *given.repeats],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.weights).parent,
        threads=snakemake.threads,
    )


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
