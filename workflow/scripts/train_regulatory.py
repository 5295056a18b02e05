"""Rule train_regulatory: the regulatory head, from peaks and sequence.

input: fasta, peaks, parts (of each genome with peaks), trunk (two files for each, or none)
output: described, weights, metrics
params: settings (config key regulatory), training, seed, run_folder, lineages (of these genomes)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from functools import partial
    from pathlib import Path

    from phytoscribe.training.loop.launch import run_on_ranks, threads_of_ranks
    from phytoscribe.training.loop.settings import Recipe
    from phytoscribe.training.tasks.regulatory.task import run_regulatory_training

    given, params = snakemake.input, snakemake.params
    recipe = Recipe(dict(params.settings), {}, dict(params.training), int(params.seed))
    threads, run_folder = threads_of_ranks(snakemake.threads, recipe.training), Path(params.run_folder)
    files = [list(map(str, part)) for part in (given.fasta, given.peaks, given.parts)]
    work = partial(
        run_regulatory_training,
        *files,
        list(zip(given.trunk[::2], given.trunk[1::2], strict=True)),
        recipe,
        [path for part in (*files, given.trunk) for path in map(str, part)],
        run_folder,
        Path(snakemake.output.described).parent,
        threads,
        lineages=list(params.lineages),
    )
    run_on_ranks(work, recipe.training, run_folder, threads)


run_script(main, snakemake)
