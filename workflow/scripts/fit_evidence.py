"""Rule fit_evidence: the weights of evidence for the model that is trained here.

input: training_set, model (files of one folder each), tables (junctions of genomes with validation genes)
output: weights
params: genomes (of the tables), seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.tasks.structure.evidence_fit import run_evidence_fit

    given, params = snakemake.input, snakemake.params
    run_evidence_fit(
        training_set=Path(given.training_set[0]).parent,
        model_folder=Path(given.model[0]).parent,
        tables=dict(zip(params.genomes, given.tables, strict=True)),
        seed=int(params.seed),
        threads=snakemake.threads,
        output=Path(snakemake.output.weights),
    )


run_script(main, snakemake)
