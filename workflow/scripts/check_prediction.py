"""Rule check_prediction: figures that need no reference, and warnings."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.evaluation.quality.busco import read_summary
    from phytoscribe.evaluation.quality.checks import plausibility, write_plausibility
    from phytoscribe.evaluation.quality.gene_shapes import Related, read_shapes
    from phytoscribe.evaluation.quality.predicted_genome import read_prediction

    given, params = snakemake.input, snakemake.params
    prediction = read_prediction(given.predicted, given.fasta, params.contigs, params.organelles, given.repeats or None)
    related = Related.of(read_shapes(given.shapes), params.genome, params.lineage)
    busco = read_summary(given.busco) if given.busco else None
    write_plausibility(plausibility(prediction, related, busco), snakemake.output.figures)


run_script(main, snakemake)
