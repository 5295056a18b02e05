"""Rule train_expression: heads that predict the expression of genes, from measured levels.

input: databases, accepted, fasta, fai, measured (of the genomes, in one order), windows, model (structure
    model, or none), motifs (regulatory head, or none)
output: described, weights, metrics
params: genomes, names (species and lineage of each), settings (config key expression), seed, run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.expression.examples import genome_files
    from phytoscribe.expression.window_table import read_gene_windows
    from phytoscribe.training.loop.settings import Recipe
    from phytoscribe.training.tasks.expression.task import run_expression_training

    given, params = snakemake.input, snakemake.params
    run_expression_training(
        table=read_gene_windows(given.windows),
        genomes=genome_files(params.genomes, given, params.names),
        structure_model=Path(given.model[0]).parent if given.model else None,
        motifs=Path(given.motifs[0]).parent if given.motifs else None,
        recipe=Recipe(task=dict(params.settings), model={}, training={}, seed=int(params.seed)),
        inputs=[given.windows, *given.accepted, *given.fasta, *given.measured, *given.model, *given.motifs],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.described).parent,
        threads=snakemake.threads,
    )


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
