"""Rule clean_annotation: any GFF3 or GTF to well-formed gene models, by the cleaner that the configuration names.

params.backend:   agat | builtin; neither replaces the other
input.annotation: GFF3 or GTF
input.fai:        index of the genome
params.seqid_map: names of sequences where annotation and FASTA differ: a mapping, the path of a table, or None
output.gff3:      gene models, sorted by contig and position; the header names the cleaner and counts genes in and out
output.repairs:   table of all changes and losses, with the account of genes and transcripts at its end
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.cleaning.clean import clean
    from phytoscribe.annotation.cleaning.repairs import write_repairs
    from phytoscribe.annotation.gff_writer import write_gff3
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import read_index

    contigs = read_index(snakemake.input.fai)
    seqid_map = read_seqid_map(snakemake.params.seqid_map)
    cleaned = clean(snakemake.input.annotation, contigs, snakemake.params.backend, seqid_map)
    with atomic_open(snakemake.output.repairs) as handle:
        write_repairs(handle, [*cleaned.report.rows, *cleaned.report.account()])
    with atomic_open(snakemake.output.gff3) as handle:
        counts = f"cleaning: {cleaned.report.genes_in} genes in, {cleaned.report.genes_out} genes out"
        write_gff3(handle, cleaned.genes, contigs, header=[f"cleaned by {cleaned.cleaner}", counts])


run_script(main, snakemake)
