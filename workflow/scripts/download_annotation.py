"""Rule download_annotation: the reference annotation as it is, as plain text.

params.source:     {path | url, sha256?, md5?}
output.annotation: GFF3 or GTF, plain text
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.intake.sources import copy_text, local_copy

    with local_copy(snakemake.params.source, snakemake.output.annotation) as source:
        copy_text(source, snakemake.output.annotation)


run_script(main, snakemake)
