"""Rule evaluate_expression: scores of predicted expression on test genes, beside simple models.

input: databases, accepted, fasta, fai, measured, predicted (of the genomes, in one order), windows
output: scores
params: genomes, windows (of config key expression), seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.evaluation.expression import score_expression
    from phytoscribe.evaluation.regression import MEASURES
    from phytoscribe.expression.examples import genome_files
    from phytoscribe.expression.window_table import read_gene_windows
    from phytoscribe.expression.windows import WindowSettings
    from phytoscribe.tables import write_table

    given, params = snakemake.input, snakemake.params
    scores = score_expression(
        table=read_gene_windows(given.windows),
        genomes=genome_files(params.genomes, given),
        predictions=[Path(path) for path in given.predicted],
        settings=WindowSettings(**params.windows),
        seed=int(params.seed),
    )
    write_table(scores, snakemake.output.scores, MEASURES)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
