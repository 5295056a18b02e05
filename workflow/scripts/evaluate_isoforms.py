"""Rule evaluate_isoforms: what the predictions have beside the first transcript of each gene, against the reference."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.collector import collector_paused
    from phytoscribe.evaluation.accuracy.scope_files import read_predictions, read_scope
    from phytoscribe.evaluation.isoforms.table import evaluate_isoforms
    from phytoscribe.evaluation.long_reads.alignments import ReadFilter, ReadLimits
    from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.genome.junctions import read_junctions
    from phytoscribe.tables import SCORES, write_table

    given, params = snakemake.input, snakemake.params
    with collector_paused():
        scope, predictions, reads = read_scope(given, params), read_predictions(given), None
        junctions = None
        if given.get("isoseq"):
            reads = ReadEvidence(ReadFilter(given.isoseq, set(scope.contigs), ReadLimits.of(params.limits)))
        if given.junctions:
            junctions = read_junctions(given.junctions[0], read_index(given.fai), read_seqid_map(params.seqid_map))
        table = evaluate_isoforms(predictions, scope, reads, junctions)
    write_table(table, snakemake.output.scores, SCORES)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
