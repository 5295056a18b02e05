"""Rule pretrain_encoder: masked-language-model pretraining, measured against letter statistics.

input: tokenizer, corpus, splits, fasta, fai (lists in the order of params.genomes)
output: config, weights, metrics, report (one folder)
params: settings (config key pretrain), model, training, genomes, roles, lineages, contig_parts, mode, flank, seed,
    run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from functools import partial
    from pathlib import Path

    from phytoscribe.training.data.sources import SplitSources
    from phytoscribe.training.loop.launch import run_on_ranks, threads_of_ranks
    from phytoscribe.training.tasks.masked_tokens.task import run_pretraining

    given, params = snakemake.input, snakemake.params
    ranks = dict(params.training)
    threads = threads_of_ranks(snakemake.threads, ranks)
    work = partial(
        run_pretraining,
        SplitSources.of(params, given.fasta, given.splits),
        settings=dict(params.settings),
        model_settings=dict(params.model),
        tokenizer_folder=Path(given.tokenizer).parent,
        corpus=Path(given.corpus),
        inputs=[given.tokenizer, given.corpus, given.splits, *given.fasta],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.config).parent,
        seed=int(params.seed),
        threads=threads,
        ranks=ranks,
    )
    run_on_ranks(work, ranks, Path(params.run_folder), threads)


run_script(main, snakemake)
