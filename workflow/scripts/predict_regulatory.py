"""Rule predict_regulatory: called bins of a genome, and probabilities for its tracks.

input: head (files of one folder), fasta, fai, trunk (two files, or none)
output: bed, values, described
params: contigs (names or None for all), tracks (a number or labels), device, lineage (None for a genome that the head
    is trained on)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    import torch

    from phytoscribe.prediction.regulatory import predict_regulatory

    torch.set_num_threads(snakemake.threads)
    predict_regulatory(
        snakemake.input.fasta,
        Path(snakemake.input.head[0]).parent,
        tuple(snakemake.input.trunk) or None,
        snakemake.params.contigs,
        snakemake.params.tracks,
        snakemake.params.device,
        snakemake.output.bed,
        (snakemake.output.values, snakemake.output.described),
        snakemake.params.lineage,
    )


run_script(main, snakemake)
