"""Rule take_expression: measured expression of a genome's genes as TPM, a tissue a column.

input: files (config key genomes[].expression), database (of the accepted genes)
output: measured
params: source (config key genomes[].expression)
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.annotation.gene_database import GeneDatabase
    from phytoscribe.expression.levels import measured_levels
    from phytoscribe.tables import write_table

    database = GeneDatabase(snakemake.input.database)
    found = measured_levels(snakemake.wildcards.genome, snakemake.params.source, database)
    for warning in found.warnings:
        warn(warning)
    write_table(found.table, snakemake.output.measured, decimals=4)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
