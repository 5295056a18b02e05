"""Rule align_isoseq: spliced alignment of Iso-Seq reads to their genome."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.evaluation.long_reads.alignments import align_reads

    align_reads(
        snakemake.input.reads, snakemake.input.fasta, snakemake.output.bam, snakemake.output.csi, snakemake.threads
    )


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
