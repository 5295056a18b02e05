"""Rule run_busco: BUSCO in protein mode, without the network.

input: proteins, lineage (the dataset.cfg in the lineage's folder)
output: summary (BUSCO's own, JSON)
params: genome
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.evaluation.quality.busco import run_busco

    run_busco(
        snakemake.input.proteins,
        Path(snakemake.input.lineage[0]).parent,
        snakemake.params.genome,
        snakemake.threads,
        snakemake.output.summary,
    )


run_script(main, snakemake)
