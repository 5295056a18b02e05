"""Rule check_prediction: figures that need no reference, and warnings."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.evaluation.quality.busco import read_summary
    from phytoscribe.evaluation.quality.checks import plausibility, write_plausibility
    from phytoscribe.evaluation.quality.gene_shapes import Related, read_shapes
    from phytoscribe.evaluation.quality.predicted_genome import read_prediction

    given, params = snakemake.input, snakemake.params
    # Both are lists, of one file or none.
    repeats = given.repeats[0] if given.repeats else None
    busco = read_summary(given.busco[0]) if given.busco else None
    names = read_seqid_map(params.seqid_map) if repeats else None
    prediction = read_prediction(given.predicted, given.fasta, params.contigs, params.organelles, repeats, names)
    related = Related.of(read_shapes(given.shapes), params.genome, params.lineage)
    write_plausibility(plausibility(prediction, related, busco), snakemake.output.figures)


run_script(main, snakemake)
