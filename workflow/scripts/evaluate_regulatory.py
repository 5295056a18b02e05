"""Rule evaluate_regulatory: scores of the heads on the test blocks, beside baselines.

input: heads (a description for each head), fasta, peaks, parts (of each genome with peaks), trunk (two files for each)
output: scores
params: seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.tasks.regulatory.scores import score_heads

    given = snakemake.input
    folders = [Path(path).parent for path in given.heads]
    score_heads(
        {f"head, encoder {folder.name}": folder for folder in folders},
        *([*map(str, part)] for part in (given.fasta, given.peaks, given.parts)),
        list(zip(given.trunk[::2], given.trunk[1::2], strict=True)),
        int(snakemake.params.seed),
        snakemake.output.scores,
        snakemake.threads,
    )


run_script(main, snakemake)
