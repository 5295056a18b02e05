"""Rules fit_evidence and fit_protein_evidence: the weights of evidence for the model that is trained here.

input: training_set, model (files of one folder each), tables (junctions, or proteins, of genomes with validation genes)
output: weights
params: genomes (of the tables), by_proteins (whether the tables are of proteins), seed
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
        by_proteins=params.by_proteins,
    )


run_script(main, snakemake)
