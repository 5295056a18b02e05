"""Rule carry_training: training set, start and recipe in one small folder, for tools/train_carried.py elsewhere."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import json
    import shutil
    from pathlib import Path

    from phytoscribe.files import atomic_open
    from phytoscribe.training.data.training_set import pack_training_set
    from phytoscribe.training.loop.settings import Recipe

    given, params = snakemake.input, snakemake.params
    recipe = Recipe(dict(params.settings), dict(params.model), dict(params.training), int(params.seed))
    packed = Path(snakemake.output.packed).parent
    pack_training_set(Path(given.training_set[0]).parent, packed)
    start = packed.parent / "start"
    shutil.rmtree(start, ignore_errors=True)
    start.mkdir()
    for file in given.start:
        shutil.copyfile(file, start / Path(file).name)
    with atomic_open(snakemake.output.recipe) as handle:
        json.dump(vars(recipe), handle, indent=2)


run_script(main, snakemake)
