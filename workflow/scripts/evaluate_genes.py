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
    from phytoscribe.annotation.checking.tables import read_transcripts
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.accuracy.gene_tables import Scope, evaluate_predictors
    from phytoscribe.evaluation.long_reads.alignments import ReadFilter, ReadLimits
    from phytoscribe.evaluation.long_reads.evidence import covered_by_reads
    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.genome.intervals import read_bed
    from phytoscribe.splits.table import SPLIT_COLUMNS, read_table

    lengths = read_index(given.fai)
    contigs = list(chosen_contigs(lengths, params.contigs))
    splits = read_table(given.splits, SPLIT_COLUMNS) if given.get("splits") else None
    scope = Scope.of(
        annotation=read_gff3(given.reference, lengths),
        rejected=read_transcripts(given.rejected),
        contigs=contigs,
        mask=read_bed(given.mask, lengths) if given.get("mask") else None,
        splits=None if splits is None else splits[splits["genome"] == params.genome],
        part=params.part,
        flank=params.flank,
    )
    predictions = {"phytoscribe": read_gff3(given.predicted, lengths)}
    if given.get("augustus"):
        predictions["augustus"] = read_gff3(given.augustus, lengths)
    reads = None
    if given.get("isoseq"):
        reads = covered_by_reads(ReadFilter(given.isoseq, set(contigs), ReadLimits.of(params.limits)))
    return evaluate_predictors(predictions, scope, reads)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
