"""Rule blast_isoseq: predicted transcripts against Iso-Seq reads by BLAST, and the reads against the transcripts."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.long_reads.alignments import ReadFilter, ReadLimits
    from phytoscribe.evaluation.long_reads.blast_support import blast_predictors, read_fasta, transcript_sequences
    from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
    from phytoscribe.genome.fasta import Genome, chosen_contigs
    from phytoscribe.tables import HITS, SCORES, write_table

    with Genome(snakemake.input.fasta) as genome:
        contigs = list(chosen_contigs(genome.contigs, snakemake.params.contigs))
        genes = {"phytoscribe": read_gff3(snakemake.input.predicted, genome.contigs)}
        own = {"blast": read_fasta(snakemake.input.transcripts), "blast_cds": read_fasta(snakemake.input.cds)}
        sequences = {"phytoscribe": own}
        for name in ("augustus", "reference"):
            if snakemake.input.get(name):
                genes[name] = read_gff3(snakemake.input.get(name), genome.contigs)
                sequences[name] = transcript_sequences(genes[name], genome)
    bam = snakemake.input.bam
    evidence = ReadEvidence(ReadFilter(bam, set(contigs), ReadLimits.of(snakemake.params.limits)))
    scores, hits = blast_predictors(genes, sequences, bam, evidence, contigs, snakemake.threads)
    write_table(scores, snakemake.output.scores, SCORES)
    write_table(hits, snakemake.output.hits, HITS)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
