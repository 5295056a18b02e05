"""Rule join_annotation: coding genes, RNA genes and mobile elements in one file.

input: coding, noncoding, fai
output: gff3
params: drop (leave out coding genes that lie in mobile elements)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import logging

    from phytoscribe.genome.fasta import read_index
    from phytoscribe.noncoding.joined import write_all

    given = snakemake.input
    counts = write_all(
        given.coding, given.noncoding, snakemake.output.gff3, read_index(given.fai), snakemake.params.drop
    )
    logging.getLogger("phytoscribe").info("coding genes: %s", counts)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
