"""Rule quantify_reads: how much of each transcript salmon finds in one sample of RNA-seq reads.

input: reads (one file, or first and second), index
output: quantified (quant.sf)
wildcards: genome, tissue, sample
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    import logging

    from phytoscribe.expression.salmon import quantify_reads
    from phytoscribe.intake.reads import check_rnaseq

    wildcards, given = snakemake.wildcards, snakemake.input
    reads = list(given.reads)
    logging.getLogger("phytoscribe").info("%d reads or pairs in %s", check_rnaseq(*reads), " and ".join(reads))
    sample = f"{wildcards.genome}, {wildcards.tissue}, sample {wildcards.sample}"
    for warning in quantify_reads(sample, reads, given.index, snakemake.output.quantified, snakemake.threads):
        warn(warning)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
