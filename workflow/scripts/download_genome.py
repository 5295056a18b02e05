"""Rule download_genome: the genome FASTA, checked and written in one form.

params.source: {path | url, sha256?, md5?}
output.fasta:  clean FASTA, plain text, lines of 60 bases
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import check_fasta
    from phytoscribe.intake.sources import local_copy

    with local_copy(snakemake.params.source, snakemake.output.fasta) as source:
        check_fasta(source, snakemake.output.fasta)


run_script(main, snakemake)
