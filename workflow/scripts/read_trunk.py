"""Rule read_trunk: features of the structure model along a genome, for the regulatory head.

input: model (files of one folder), fasta, fai
output: cells, described
params: settings (window, margin, precision and device of config key predict), species, lineage
config: predict.batch_size, which changes speed and memory only
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.prediction.trunk_cells import write_trunk_cells
    from phytoscribe.prediction.windows import PredictionSettings

    settings = {**snakemake.params.settings, "batch_size": snakemake.config["predict"]["batch_size"]}
    device = settings.pop("device")
    write_trunk_cells(
        snakemake.input.fasta,
        Path(snakemake.input.model[0]).parent,
        PredictionSettings(**settings),
        device,
        (snakemake.params.species, snakemake.params.lineage),
        (Path(snakemake.output.cells), Path(snakemake.output.described)),
        snakemake.threads,
    )


run_script(main, snakemake)
