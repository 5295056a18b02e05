"""Rule index_genome: the .fai index of a clean FASTA.

input.fasta: clean FASTA
output.fai:  its index, beside it
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import write_index

    write_index(snakemake.input.fasta, snakemake.output.fai)


run_script(main, snakemake)
