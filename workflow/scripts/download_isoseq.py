"""Rule download_isoseq: all Iso-Seq reads of a genome in one file.

params.source: list of {path | url, sha256?, md5?}
output.reads:  FASTQ (or FASTA, as the sources), gzip
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.intake.reads import join_reads

    join_reads(snakemake.params.source, snakemake.output.reads)


run_script(main, snakemake)
