"""Rule track_importance: what each base around a gene contributes to its predicted level, as bigWig.

input: head (files of one folder), gff3, fasta, fai, model (structure model, or none)
output: track
params: names (species and lineage), steps (of config key attribution), track, device
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    import torch

    from phytoscribe.attribution.explained_heads import ExplainedHeads, importance_of_genome
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.tracks.bigwig import write_base_bigwig

    given, params = snakemake.input, snakemake.params
    torch.set_num_threads(snakemake.threads)
    head, model = Path(given.head[0]).parent, Path(given.model[0]).parent if given.model else None
    heads = ExplainedHeads.load(head, model, params.track, tuple(params.names), params.device, snakemake.threads)
    runs = importance_of_genome(heads, Path(given.gff3), Path(given.fasta), params.steps)
    write_base_bigwig(runs, read_index(given.fai), snakemake.output.track)


run_script(main, snakemake)
