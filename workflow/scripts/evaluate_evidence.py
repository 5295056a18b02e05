"""Rule evaluate_evidence: a prediction with evidence beside that from DNA alone, and the genes that differ."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.collector import collector_paused
    from phytoscribe.evaluation.accuracy.changed_genes import evaluate_evidence
    from phytoscribe.evaluation.accuracy.scope_files import read_scope
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.tables import CHANGED_GENES, SCORES, write_table

    given = snakemake.input
    with collector_paused():
        lengths = read_index(given.fai)
        predictions = (read_gff3(path, lengths) for path in (given.predicted, given.from_dna))
        scores, changed = evaluate_evidence(*predictions, read_scope(given, snakemake.params))
    write_table(scores, snakemake.output.scores, SCORES)
    write_table(changed, snakemake.output.changed, CHANGED_GENES)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
