"""Rule compress_genome: the genome's FASTA compressed with bgzip, so that browsers read parts of it.

input: fasta
output: fasta (.fa.gz), fai, gzi beside it
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.tracks.indexed import write_bgzip_fasta

    write_bgzip_fasta(snakemake.input.fasta, snakemake.output.fasta)


run_script(main, snakemake)
