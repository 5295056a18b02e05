"""Rule compare_isoseq: what alignment and BLAST say of each transcript, side by side, and how far they agree."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.evaluation.long_reads.transcript_classes import agreement, with_blast
    from phytoscribe.tables import HITS, TRANSCRIPTS, read_table, write_table

    joined = with_blast(read_table(snakemake.input.classes, TRANSCRIPTS), read_table(snakemake.input.hits, HITS))
    write_table(joined, snakemake.output.transcripts)
    write_table(agreement(joined), snakemake.output.agreement)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
