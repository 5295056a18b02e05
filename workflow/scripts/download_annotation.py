"""Rule download_annotation: the reference annotation as it is, as plain text.

config:            the genome's entry (its sources, versions and terms) and the section download
params.source:     what of the source decides its content; a change of it alone fetches the annotation again
input.genome:      record of the genome, whose version must be the one that the annotation was made on
output.annotation: GFF3 or GTF, plain text
output.record:     where it comes from, as JSON
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os

    from phytoscribe.configuration.addresses import with_addresses
    from phytoscribe.intake.records import read_records
    from phytoscribe.intake.sources import copy_text, take_in, wanted_files

    config, output, name = with_addresses(snakemake.config, os.environ), snakemake.output, snakemake.wildcards.genome
    (of_genome,) = wanted_files(config, name, "genome", snakemake.input.genome)
    (genome,) = read_records(snakemake.input.genome)
    (wanted,) = wanted_files(config, name, "annotation", output.annotation)
    take_in(wanted, config, output.record, copy_text, genome.declared_anew(of_genome.source, of_genome.terms))


run_script(main, snakemake)
