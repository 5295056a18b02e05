"""Rule write_manifest: one table of all files that the configuration takes in.

input.records:       records of all genomes, annotations and reads, in the order of the table
params.descriptions: versions and terms as the configuration declares them now, by genome
output.manifest:     TSV; docs/adding-a-species.md
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.intake.records import read_records, write_manifest

    records = [record for file in snakemake.input.records for record in read_records(file)]
    write_manifest(records, snakemake.params.descriptions, snakemake.output.manifest)


run_script(main, snakemake)
