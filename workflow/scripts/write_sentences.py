"""Rule write_sentences: an annotation as gene sentences.

input: gff3 (cleaned annotation or prediction), fasta, fai
output: sentences
params: contigs (names or None for all)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.genome import Genome
    from phytoscribe.genome.fasta import chosen_contigs
    from phytoscribe.sentences.text import write_sentences

    with Genome(snakemake.input.fasta) as genome:
        contigs = chosen_contigs(genome.contigs, snakemake.params.contigs)
        genes = [gene for gene in read_gff3(snakemake.input.gff3, genome.contigs) if gene.contig in contigs]
        write_sentences(genes, genome, snakemake.output.sentences)


run_script(main, snakemake)
