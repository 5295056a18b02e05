"""The page of benchmarks/accuracy.py, of two models that are AUGUSTUS's genes: all of them, and half of them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from accuracy_measure import COLUMNS, Measured, rows_of, value_of
from accuracy_models import Model, released_model
from accuracy_page import _command, write_page
from accuracy_sets import SETS, TEST, read_species
from gene_scores import without_unscored_loci, wrong_genes

from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import scorable

ROOT = Path(__file__).parents[3]
CONTIG = "Chr5_25975502_26975502"
NEW, OLD, CACAO, ARABIDOPSIS = "phytoscribe new", "phytoscribe old", "augustus cacao", "augustus arabidopsis"


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Measured:
    folder = tmp_path_factory.mktemp("accuracy")
    (folder / "athaliana").symlink_to(ROOT / "resources/example/athaliana")
    species = read_species(folder, {"athaliana": [CONTIG]}, folder / "cache")
    genes = read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz")
    predictions = {NEW: genes, OLD: genes[::2], CACAO: genes[::3], ARABIDOPSIS: genes}
    scope = species.scope([CONTIG], frozenset({"AT5G65000"}))
    reference = scorable(scope.reference, scope.mask, [CONTIG])
    counted = {
        predictor: without_unscored_loci(scorable(found, scope.mask, [CONTIG]), reference, scope.ignored)
        for predictor, found in predictions.items()
    }
    wrong = {predictor: wrong_genes(reference, found, scope.ignored) for predictor, found in counted.items()}
    transcripts, faults = dict.fromkeys((NEW, OLD), 300), {"CDS that are no intact ORF": 3}
    entry = replace(SETS[0], augustus=("cacao", "arabidopsis"))
    names = (NEW, OLD)
    of_all = (reference, counted, wrong, transcripts, dict.fromkeys(names, faults))
    return Measured(entry, TEST, names, species, scope, predictions, *of_all)


@pytest.fixture(scope="module")
def table(measured) -> pd.DataFrame:
    return pd.DataFrame(rows_of(measured), columns=list(COLUMNS))


def test_the_interval_is_around_the_figure_that_is_shown(table):
    exact = {"contigs": "all", "ruler": "exact", "subset": "all"}
    for predictor in (NEW, OLD, CACAO, ARABIDOPSIS):
        for level in ("cds_exon", "locus"):
            f1, low, high = (
                value_of(table, **exact, predictor=predictor, level=level, metric=metric)
                for metric in ("f1", "f1_low", "f1_high")
            )
            assert low < f1 < high
    for metric in ("f1_above_augustus_low", "f1_above_augustus_high"):
        assert value_of(table, **exact, predictor=NEW, level="locus", metric=metric) == 0  # the very same genes
        assert value_of(table, **exact, predictor=OLD, level="locus", metric=metric) < 0


def test_the_best_run_of_augustus_is_that_with_most_right_loci(measured):
    assert measured.best_augustus == ARABIDOPSIS


def test_the_page_shows_every_program_once_and_marks_the_best(tmp_path, measured, table):
    settings = {"window": 1, "model": "unused"}
    models = [Model(label, released_model(), settings) for label in ("new", "old")]
    write_page(tmp_path / "page", table, [measured], models, TEST, "AUGUSTUS (3.5.0) is", timed=False)
    text = (tmp_path / "page.md").read_text()
    summary = text[text.index("## Side by side") : text.index("| F1 above AUGUSTUS")]
    rows = [line.split(" | ") for line in summary.splitlines() if line.startswith("| ")][2:]
    programs = ["PhytoScribe new", "PhytoScribe old", "AUGUSTUS cacao", "**AUGUSTUS arabidopsis, best**"]
    assert [row[2] for row in rows] == programs * (len(rows) // 4)
    assert len({len(row) for row in rows}) == 1
    f1 = value_of(table, contigs="all", predictor=OLD, level="locus", ruler="exact", subset="all", metric="f1")
    assert rows[1][5].startswith(f"{f1:.3f} [")
    assert "99.0 %" in text  # of 300 transcripts three are no intact ORF
    assert "AUGUSTUS cacao P" not in text  # tables with many figures show the best run alone


def test_the_command_can_be_repeated_elsewhere():
    given = ["--data", "/a/b", "--cache=/c", "--model", f"new={released_model()}", "--model=old=/d/e", "--part", "test"]
    words = "--data DATA --cache=CACHE --model new=resources/models/brassicales --model=old=MODEL --part test"
    assert _command([*given, "--output", "/f", "--threads", "2"]) == f"python benchmarks/accuracy.py {words}"
