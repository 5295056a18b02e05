"""Rule extract_proteins: one protein and one table row per locus of a genome.

input: accepted (GFF3 of accepted transcripts), fasta, fai
output: proteins (FASTA), loci (TSV)
wildcards: genome
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.sequences import write_fasta
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome
    from phytoscribe.splits.assign import extract_proteins
    from phytoscribe.splits.table import LOCUS_COLUMNS, write_table

    with Genome(snakemake.input.fasta) as genome:
        genes = read_gff3(snakemake.input.accepted, genome.contigs)
        proteins, loci = extract_proteins(snakemake.wildcards.genome, genes, genome)
    with atomic_open(snakemake.output.proteins) as handle:
        write_fasta(handle, proteins)
    write_table(snakemake.output.loci, loci, LOCUS_COLUMNS)


run_script(main, snakemake)
