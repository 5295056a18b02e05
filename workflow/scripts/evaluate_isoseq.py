"""Rule evaluate_isoseq: predicted intron chains against those of Iso-Seq reads."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.long_reads.alignments import ReadFilter, ReadLimits
    from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
    from phytoscribe.evaluation.long_reads.isoseq import score_isoseq
    from phytoscribe.evaluation.long_reads.transcript_classes import transcript_table
    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.tables import READS, SCORES, TRANSCRIPTS, write_table

    lengths = read_index(snakemake.input.fai)
    contigs = list(chosen_contigs(lengths, snakemake.params.contigs))
    paths = {"phytoscribe": snakemake.input.predicted}
    paths |= {name: snakemake.input.get(name) for name in ("augustus", "reference") if snakemake.input.get(name)}
    predictors = {name: read_gff3(path, lengths) for name, path in paths.items()}
    usable = ReadFilter(snakemake.input.bam, set(contigs), ReadLimits.of(snakemake.params.limits))
    reads = ReadEvidence(usable)
    table = transcript_table(predictors, reads, contigs)
    scores = score_isoseq(predictors, reads, contigs, predictors.get("reference", ()), table)
    write_table(scores, snakemake.output.scores, SCORES)
    write_table(usable.counts.table(), snakemake.output.reads, READS)
    write_table(table, snakemake.output.classes, TRANSCRIPTS)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
