"""Rule pretrain_encoder: pretraining on masked DNA, measured against letter statistics."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from functools import partial
    from pathlib import Path

    from phytoscribe.training.loop.launch import run_on_ranks, threads_of_ranks
    from phytoscribe.training.loop.settings import Recipe
    from phytoscribe.training.tasks.masked_tokens.task import run_pretraining

    given, params = snakemake.input, snakemake.params
    recipe = Recipe(dict(params.settings), dict(params.model), dict(params.training), int(params.seed))
    threads, run_folder = threads_of_ranks(snakemake.threads, recipe.training), Path(params.run_folder)
    work = partial(
        run_pretraining,
        Path(given.training_set[0]).parent,
        Path(given.tokenizer[0]).parent,
        Path(given.corpus),
        recipe,
        [*given.training_set, *given.tokenizer, given.corpus],
        run_folder,
        Path(snakemake.output.config).parent,
        threads,
    )
    run_on_ranks(work, recipe.training, run_folder, threads)


run_script(main, snakemake)
