"""Rule index_annotation: an annotation sorted, compressed with bgzip and indexed with tabix.

input: gff3
output: gff3 (.gff3.gz, its index beside it)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import logging

    from phytoscribe.tracks.indexed import write_indexed_gff3

    index = write_indexed_gff3(snakemake.input.gff3, snakemake.output.gff3)
    logging.getLogger("phytoscribe").info("index: %s", index)


run_script(main, snakemake)
