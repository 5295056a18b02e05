"""Rule pretrain_encoder: masked-language-model pretraining, measured against letter statistics.

input: tokenizer, corpus, splits, fasta, fai (lists in the order of params.genomes)
output: config, weights, metrics, report (one folder)
params: settings (config key pretrain), model, genomes, roles, lineages, contig_parts, mode, flank, seed, run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.pretraining import run_pretraining
    from phytoscribe.training.sources import SplitSources

    given = snakemake.input
    run_pretraining(
        SplitSources.of(snakemake.params, given.fasta, given.splits),
        settings=dict(snakemake.params.settings),
        model_settings=dict(snakemake.params.model),
        tokenizer_folder=Path(given.tokenizer).parent,
        corpus=Path(given.corpus),
        inputs=[given.tokenizer, given.corpus, given.splits, *given.fasta],
        run_folder=Path(snakemake.params.run_folder),
        target=Path(snakemake.output.config).parent,
        seed=int(snakemake.params.seed),
        threads=snakemake.threads,
    )


run_script(main, snakemake)
