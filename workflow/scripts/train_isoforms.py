"""Rule train_isoforms: the ranker of isoforms, from a training set and a structure model.

input: training_set, model (files of one folder each)
output: cuts, weights, metrics
params: settings (config key isoforms.training), seed, run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.tasks.isoforms.task import run_isoform_training

    given, params = snakemake.input, snakemake.params
    run_isoform_training(
        training_set=Path(given.training_set[0]).parent,
        model_folder=Path(given.model[0]).parent,
        settings=dict(params.settings),
        seed=int(params.seed),
        inputs=[*given.training_set, *given.model],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.cuts).parent,
        threads=snakemake.threads,
    )


run_script(main, snakemake)
