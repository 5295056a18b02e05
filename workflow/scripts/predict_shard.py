"""Rule predict_shard: genes of the contigs of one shard.

input: model (files of one folder), fasta, fai
output: genes (JSON lines)
params: settings (config key predict), genome, lineage, contigs (names or None for all), shard
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.prediction.run import predict_shard

    predict_shard(
        fasta=snakemake.input.fasta,
        model_folder=Path(snakemake.input.model[0]).parent,
        settings=dict(snakemake.params.settings),
        species=snakemake.params.genome,
        lineage=snakemake.params.lineage,
        chosen=snakemake.params.contigs,
        shard=snakemake.params.shard,
        output=snakemake.output.genes,
        threads=snakemake.threads,
    )


run_script(main, snakemake)
