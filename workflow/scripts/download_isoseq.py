"""Rule download_isoseq: all Iso-Seq reads of a genome in one file.

config:        the genome's entry (its sources and terms) and the section download
params.source: what of the sources decides their content; a change of it alone fetches the reads again
output.reads:  FASTQ (FASTA where the source has no qualities), gzip
output.record: where they come from, as JSON, one record for each file
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os

    from phytoscribe.configuration.addresses import with_addresses
    from phytoscribe.intake.reads import join_reads
    from phytoscribe.intake.records import write_record
    from phytoscribe.intake.sources import Downloads, wanted_files

    config, output = with_addresses(snakemake.config, os.environ), snakemake.output
    wanted = wanted_files(config, snakemake.wildcards.genome, "isoseq", output.reads)
    write_record(output.record, join_reads(wanted, Downloads.of(config["download"]), output.reads))


run_script(main, snakemake)
