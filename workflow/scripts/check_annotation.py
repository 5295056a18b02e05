"""Rule check_annotation: every transcript and gene of the source accepted, or left out with a reason.

params.limits:      {minimum_intron, maximum_intron, minimum_cds_segment}, in bases
params.organelles:  contigs that are organelles, besides those recognised by name
input.gff3, .fasta, .fai: cleaned annotation, genome and its index
input.repairs:      what the cleaning step changed and left out
output.transcripts: table of what was left out; start0 is 0-based, end exclusive
output.genes:       table of all genes
output.summary:     JSON with counts
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.checking.acceptance import probe
    from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
    from phytoscribe.annotation.checking.summary import gene_rows, summarise, write_genes, write_summary
    from phytoscribe.annotation.checking.tables import REJECTED, rows_of_cleaning, write_transcripts
    from phytoscribe.annotation.cleaning.repairs import read_repairs
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome

    limits = CheckLimits(**snakemake.params.limits)
    lost = list(rows_of_cleaning(read_repairs(snakemake.input.repairs)))
    with Genome(snakemake.input.fasta) as genome:
        genes = read_gff3(snakemake.input.gff3, genome.contigs)
        accepted, rows = check_annotation(genes, genome, limits, snakemake.params.organelles)
        probed = probe(genes, rows, genome)
    table = gene_rows(genes, rows, lost)
    rows += lost
    with atomic_open(snakemake.output.transcripts) as handle:
        write_transcripts(handle, (row for row in rows if row.status == REJECTED))
    with atomic_open(snakemake.output.genes) as handle:
        write_genes(handle, table)
    with atomic_open(snakemake.output.summary) as handle:
        write_summary(handle, summarise(rows, table, accepted, limits, probed))


run_script(main, snakemake)
