"""What the report says where the model does not fit the genome, and where there was too little to judge."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from phytoscribe.evaluation.misfit import Amount, few_genes
from phytoscribe.evaluation.quality.checks import plausibility, write_plausibility
from phytoscribe.evaluation.quality.gene_shapes import Related, read_shapes
from phytoscribe.evaluation.quality.predicted_genome import Content, Prediction, SequenceFacts
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.reporting.summary import summary_section, warnings
from phytoscribe.tables import PLAUSIBILITY, read_table, score_table

INFO = GenomeInfo("alga", "test")
BASES = 300_000


def checks_of(folder, bases: int) -> pd.DataFrame:
    """The table that a prediction without genes gets."""
    prediction = Prediction([], SequenceFacts(), Content(bases, 0, 0, 0, 0, 0, (), ()), bases, {})
    write_plausibility(plausibility(prediction, Related.of(read_shapes([]), "alga", "unknown")), folder / "p.tsv")
    return read_table(folder / "p.tsv", PLAUSIBILITY)


def inputs_of(genes: int, bases: int, checks: pd.DataFrame, f1: float | None = None) -> ReportInputs:
    header = {"read as": "<species:unknown> <lineage:unknown>"}
    if warning := few_genes(genes, Amount(bases, 0, bases)):
        header["warning"] = warning
    stats = {
        "contigs": 1, "bases": bases, "genes": genes, "genes_per_megabase": 1e6 * genes / bases, "header": header,
    }  # fmt: skip
    rows = [
        ("phytoscribe", "locus", "exact", "all", metric, value, n)
        for metric, value, n in (("precision", f1, genes), ("recall", f1 or 0.0, 30), ("f1", f1, 30))
    ]
    scores = {} if f1 is None else {"alga": score_table(rows)}
    return ReportInputs(
        [INFO], {"predict": {"model": "m"}}, {"alga": stats}, genes=scores, plausibility={"alga": checks}
    )


def shown(inputs: ReportInputs) -> str:
    return repr(summary_section(inputs).blocks)


def test_no_gene_is_warned_of_once_and_the_input_is_not_all_that_is_blamed(tmp_path):
    inputs = inputs_of(0, BASES, checks_of(tmp_path, BASES))
    (warning,) = warnings(INFO, inputs)
    assert warning.startswith("Not one gene on 0.30 Mb of known bases")
    text = shown(inputs)
    assert "is a fault of the input" not in text
    for step in ("Check the FASTA", "the model does not fit this species", "finetune.from_model", "predict.model"):
        assert step in text
    assert "find what is usual" not in text


def test_a_few_genes_keep_the_other_steps(tmp_path):
    text = shown(inputs_of(2, BASES, checks_of(tmp_path, 20_000)))
    assert "Hardly any genes: 2 on 0.30 Mb" in text
    assert "the model does not fit this species" in text
    assert "For a sure set keep genes" in text
    assert text.count("finetune.from_model") == 2, "in the warning, and in what to do"


@pytest.mark.parametrize(("genes", "f1"), [(0, math.nan), (60, 0.02)])
def test_a_reference_that_is_missed_is_warned_of(tmp_path, genes, f1):
    inputs = inputs_of(genes, BASES, checks_of(tmp_path, 40_000), f1)
    found = " ".join(warnings(INFO, inputs))
    assert ("where the reference has 30" in found) == (not genes)
    assert ("locus F1 is 0.020 over 30 reference loci" in found) == bool(genes)
    assert "the model does not fit this species" in shown(inputs)


def test_where_little_could_be_judged_nothing_is_called_usual(tmp_path):
    short = checks_of(tmp_path, 20_000)
    text = shown(inputs_of(0, 20_000, short))
    assert warnings(INFO, inputs_of(0, 20_000, short)) == []
    assert "had enough genes or bases to judge; none of these warns. They say little here." in text
    assert "Give a longer sequence" in text
    assert "find what is usual" not in text


def test_a_genome_that_fits_is_left_alone(tmp_path):
    good = checks_of(tmp_path, 20_000)
    good = good.assign(
        verdict=["ok" if low or high else "info" for low, high in zip(good["low"], good["high"], strict=True)]
    )
    inputs = inputs_of(60, BASES, good, 0.3)
    assert warnings(INFO, inputs) == []
    assert "checks that need no reference find what is usual" in shown(inputs)
