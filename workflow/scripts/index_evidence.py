"""Rules index_junctions and index_proteins: evidence for browsers, sorted, compressed and indexed.

input: table (of junctions, or of aligned proteins), fai
output: junctions (.bed.gz) or proteins (.gff3.gz), the index beside it
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import logging

    from phytoscribe.genome.fasta import read_index
    from phytoscribe.tracks.indexed import write_indexed_junctions, write_indexed_proteins

    contigs, output = read_index(snakemake.input.fai), snakemake.output
    if output.get("junctions"):
        index = write_indexed_junctions(snakemake.input.table, contigs, output.junctions)
    else:
        index = write_indexed_proteins(snakemake.input.table, contigs, output.proteins)
    logging.getLogger("phytoscribe").info("index: %s", index)


run_script(main, snakemake)
