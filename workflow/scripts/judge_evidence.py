"""Rule judge_evidence: the junctions of the files of evidence that agree with the network.

input: gathered (table), model (files of one folder), fasta, fai
output: table
params: settings (of config key predict: window, margin, precision), species, lineage, strict and judge (of config key
    genomes[].evidence)
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.prediction.judged_evidence import judge_evidence
    from phytoscribe.prediction.windows import PredictionSettings

    given, params = snakemake.input, snakemake.params
    warnings = judge_evidence(
        given.gathered,
        given.fasta,
        Path(given.model[0]).parent,
        PredictionSettings(**params.settings),
        params.species,
        params.lineage,
        snakemake.output.table,
        strict=params.strict,
        judge=params.judge,
        threads=snakemake.threads,
    )
    for warning in warnings:
        warn(f"{snakemake.wildcards.genome}: {warning}")


run_script(main, snakemake)
