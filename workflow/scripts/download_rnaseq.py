"""Rule download_rnaseq: one file of RNA-seq reads, as it is served; rule quantify_reads checks its reads.

config:        the genome's entry (its sources and terms) and the section download
params.source: what of the source decides its content; a change of it alone fetches the reads again
output.reads:  the file
output.record: where it comes from, as JSON
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os

    from phytoscribe.configuration.addresses import with_addresses
    from phytoscribe.intake.sources import take_in, wanted_rnaseq

    config, output, wildcards = with_addresses(snakemake.config, os.environ), snakemake.output, snakemake.wildcards
    sample = (wildcards.tissue, int(wildcards.sample), wildcards.mate)
    # What was fetched lies beside the output, and is not needed elsewhere.
    take_in(wanted_rnaseq(config, wildcards.genome, sample, output.reads), config, output.record, os.replace)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
