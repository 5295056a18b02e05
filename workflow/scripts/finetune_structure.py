"""Rule finetune_structure: the gene structure model, from a training set and a start to a model folder."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from functools import partial
    from pathlib import Path

    from phytoscribe.training.loop.launch import run_on_ranks, threads_of_ranks
    from phytoscribe.training.loop.settings import Recipe
    from phytoscribe.training.tasks.structure.task import run_finetuning

    given, params = snakemake.input, snakemake.params
    recipe = Recipe(dict(params.settings), dict(params.model), dict(params.training), int(params.seed))
    threads, run_folder = threads_of_ranks(snakemake.threads, recipe.training), Path(params.run_folder)
    work = partial(
        run_finetuning,
        Path(given.training_set[0]).parent,
        Path(given.start[0]).parent,
        recipe,
        [*given.training_set, *given.start],
        run_folder,
        Path(snakemake.output.config).parent,
        threads,
    )
    run_on_ranks(work, recipe.training, run_folder, threads)


run_script(main, snakemake)
