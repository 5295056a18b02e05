"""Rule check_prediction: figures that need no reference, and warnings."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.evaluation.quality.busco import read_summary
    from phytoscribe.evaluation.quality.checks import plausibility_rows, write_plausibility
    from phytoscribe.evaluation.quality.gene_shapes import read_shapes
    from phytoscribe.evaluation.quality.predicted_genome import read_prediction
    from phytoscribe.evaluation.quality.related_species import Related

    given, params = snakemake.input, snakemake.params
    prediction = read_prediction(given.predicted, given.fasta, params.contigs, params.organelles, given.repeats or None)
    related = Related.of(read_shapes(given.shapes), params.genome, params.lineage)
    busco = read_summary(given.busco) if given.busco else None
    write_plausibility(plausibility_rows(prediction, related, busco), snakemake.output.figures)


run_script(main, snakemake)
