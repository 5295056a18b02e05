"""Rule train_isoform_writer: the network that writes isoforms, from a training set and a structure model.

input: training_set, model (files of one folder each)
output: described, weights, metrics
params: settings (config key isoforms.training, device), seed, run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.tasks.isoform_writer.task import run_writer_training

    given, params = snakemake.input, snakemake.params
    run_writer_training(
        training_set=Path(given.training_set[0]).parent,
        model_folder=Path(given.model[0]).parent,
        settings=dict(params.settings),
        seed=int(params.seed),
        inputs=[*given.training_set, *given.model],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.described).parent,
        threads=snakemake.threads,
    )


run_script(main, snakemake)
