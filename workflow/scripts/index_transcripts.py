"""Rule index_transcripts: salmon's index of the transcripts of an annotation.

input: accepted (GFF3 of accepted transcripts), fasta, fai
output: index (a folder)
params: decoys (config key genomes[].expression.decoys)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.expression.salmon import index_transcripts
    from phytoscribe.genome.fasta import Genome

    fasta = snakemake.input.fasta
    with Genome(fasta) as genome:
        genes = read_gff3(snakemake.input.accepted, genome.contigs)
        index_transcripts(genes, genome, fasta, snakemake.output.index, snakemake.params.decoys, snakemake.threads)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
