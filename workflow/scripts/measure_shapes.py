"""Rule measure_shapes: lengths and counts of the genes of an annotated genome, for others to be compared with."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.quality.gene_shapes import measured, shape_table
    from phytoscribe.tables import SHAPES, write_table

    values = measured(read_gff3(snakemake.input.accepted))
    shapes = shape_table(values, snakemake.params.genome, snakemake.params.lineage)
    write_table(shapes, snakemake.output.shapes, SHAPES, decimals=4)


run_script(main, snakemake)
