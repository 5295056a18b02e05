"""Rule index_gene_database: the accepted genes as a gffutils database, for queries by place and by id.

input.accepted:  cleaned GFF3 with the accepted transcripts
output.database: gffutils database (SQLite)
"""

import logging

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gene_database import write_gene_database

    genes = write_gene_database(snakemake.input.accepted, snakemake.output.database)
    logging.getLogger("phytoscribe").info("%s: %d genes", snakemake.output.database, genes)


run_script(main, snakemake)
