"""Rule measure_shapes: lengths and counts of the genes of an annotated genome, for others to be compared with."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.quality.gene_shapes import measured, shape_table, write_shapes

    values = measured(read_gff3(snakemake.input.accepted))
    write_shapes(shape_table(values, snakemake.params.genome, snakemake.params.lineage), snakemake.output.shapes)


run_script(main, snakemake)
