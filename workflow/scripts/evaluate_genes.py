"""Rule evaluate_genes: predicted genes against the reference annotation, by every criterion, and gene by gene."""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.collector import collector_paused
    from phytoscribe.evaluation.misfit import agreement, unlike_reference
    from phytoscribe.tables import LOCI, PREDICTED_GENES, SCORES, write_table

    output = snakemake.output
    with collector_paused():
        found = evaluate(snakemake.input, snakemake.params)
    warning = unlike_reference(*agreement(found.scores))
    if warning:
        warn(f"{snakemake.params.genome}: {warning}")
    write_table(found.scores, output.scores, SCORES)
    write_table(found.reference_loci, output.reference_loci, LOCI, decimals=3)
    write_table(found.predicted_genes, output.predicted_genes, PREDICTED_GENES, decimals=3)


def evaluate(given, params):
    """The tables of all predictors (:class:`phytoscribe.evaluation.accuracy.gene_tables.GeneEvaluation`)."""
    from phytoscribe.evaluation.accuracy.gene_tables import evaluate_predictors
    from phytoscribe.evaluation.accuracy.scope_files import read_predictions, read_scope
    from phytoscribe.evaluation.long_reads.alignments import ReadFilter, ReadLimits
    from phytoscribe.evaluation.long_reads.evidence import covered_by_reads

    scope, predictions, reads = read_scope(given, params), read_predictions(given), None
    if given.get("isoseq"):
        reads = covered_by_reads(ReadFilter(given.isoseq, set(scope.contigs), ReadLimits.of(params.limits)))
    return evaluate_predictors(predictions, scope, reads)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
