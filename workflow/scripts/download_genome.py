"""Rule download_genome: the genome FASTA, checked and written in one form.

config:        the genome's entry (its source, versions and terms) and the section download
params.source: what of the source decides its content; a change of it alone fetches the genome again
output.fasta:  clean FASTA, plain text, lines of 60 bases
output.record: where it comes from, as JSON
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os

    from phytoscribe.configuration.addresses import with_addresses
    from phytoscribe.genome.fasta import check_fasta
    from phytoscribe.intake.sources import take_in, wanted_files

    config, output = with_addresses(snakemake.config, os.environ), snakemake.output
    (wanted,) = wanted_files(config, snakemake.wildcards.genome, "genome", output.fasta)
    take_in(wanted, config, output.record, check_fasta)


run_script(main, snakemake)
