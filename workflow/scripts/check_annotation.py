"""Rule check_annotation: every transcript accepted, or rejected with a reason.

params.limits:      {minimum_intron, maximum_intron, minimum_cds_segment}, in bases
input.gff3, .fasta, .fai: cleaned annotation, genome and its index
output.accepted:    GFF3 with the accepted transcripts only
output.transcripts: table of the rejected ones; start0 is 0-based, end exclusive
output.summary:     JSON with counts
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.check import CheckLimits, check_annotation, summarise, write_summary, write_transcripts
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.gff_writer import write_gff3
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome

    limits = CheckLimits.from_config(snakemake.params.limits)
    with Genome(snakemake.input.fasta) as genome:
        genes = read_gff3(snakemake.input.gff3, genome.contigs)
        accepted, rows = check_annotation(genes, genome, limits)
        contigs = genome.contigs
    with atomic_open(snakemake.output.accepted) as handle:
        write_gff3(handle, accepted, contigs, header=["transcripts accepted by check_annotation"])
    with atomic_open(snakemake.output.transcripts) as handle:
        write_transcripts(handle, (row for row in rows if row.status == "rejected"))
    with atomic_open(snakemake.output.summary) as handle:
        write_summary(handle, summarise(rows, limits))


run_script(main, snakemake)
