"""The tables of single genes: literal cases, and agreement with the scores and error classes on real genes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from gene_scores import score_genes, wrong_genes
from hypothesis import given
from predictions import pairs

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.error_classes import Meetings
from phytoscribe.evaluation.accuracy.gene_tables import (
    LONGEST_ISOFORM,
    NO_TRAIN_HOMOLOGUE,
    Scope,
    evaluate_predictors,
    fate_rows,
    predicted_genes,
    reference_loci,
)
from phytoscribe.tables import LOCI as REFERENCE_LOCI
from phytoscribe.tables import PREDICTED_GENES, write_table

ROOT = Path(__file__).parents[4]
CONTIG = "Chr5_25975502_26975502"
THREE = ((100, 160), (200, 260), (300, 360))


def gene(name, *chains, strand="+", score=None):
    transcripts = tuple(Transcript(f"{name}.{i}", chain, chain) for i, chain in enumerate(chains, start=1))
    return GeneModel(name, "c", strand, transcripts, score=score)


LOCI = [
    gene("spliced", THREE, (THREE[0], THREE[2])),
    gene("single", ((1000, 1090),), strand="-"),
    gene("left", ((2000, 2060),)),
    gene("right", ((2200, 2260),)),
    gene("silent", ((5000, 5300),), ((5000, 5060), (5100, 5160))),
]
PREDICTED = [
    gene("shorter", (THREE[0], THREE[2]), score=0.9),
    gene("off", ((1003, 1090),), strand="-", score=0.25),
    gene("bridge", ((2000, 2060), (2200, 2260))),
    gene("nowhere", ((8000, 8060),)),
]


def tables(loci=LOCI, predicted=PREDICTED, without_homologue=None):
    met = Meetings(loci, predicted)
    return reference_loci(met, "p", without_homologue), predicted_genes(met, "p")


def test_what_became_of_each_locus():
    table = tables(without_homologue={"single"})[0]
    assert list(table.columns) == list(REFERENCE_LOCI)
    rows = {row.locus: row for row in table.itertuples()}
    assert list(table["class"]) == ["right", "wrong_stop", "merged", "merged", "missed"]
    assert list(table["predicted"]) == ["shorter", "off", "bridge", "bridge", ""]
    assert list(table["predicted_cds_exons"]) == ["2", "1", "2", "2", ""]
    assert list(table["no_train_homologue"]) == ["no", "yes", "no", "no", "no"]
    # Of the right locus the isoform that was found is compared, of the missed one the longest.
    assert (rows["spliced"].cds_exons, rows["spliced"].cds_length) == (2, 120)
    assert (rows["silent"].cds_exons, rows["silent"].cds_length) == (1, 300)
    assert (rows["single"].start, rows["single"].end, rows["single"].strand) == (1001, 1090, "-")


def test_what_each_prediction_is():
    table = tables()[1]
    assert list(table.columns) == list(PREDICTED_GENES)
    assert list(table["right"]) == ["yes", "no", "no", "no"]
    assert list(table["class"]) == ["right", "wrong_structure", "merged", "novel"]
    assert list(table["error"]) == ["", "wrong_stop", "merged", "intergenic"]
    assert list(table["cds_length"]) == [120, 87, 120, 60]
    assert list(table["probability"][:2]) == [0.9, 0.25]
    assert table["probability"][2:].isna().all()


def test_the_best_match_shares_most_coding_bases():
    predicted = [gene("a", ((1000, 1010),), strand="-"), gene("b", ((1010, 1090),), strand="-")]
    table = tables(LOCI[1:2], predicted)[0]
    assert list(table["predicted"]) == ["b"]
    assert list(table["class"]) == ["split"]
    assert list(table["no_train_homologue"]) == [""]


def test_counts_of_the_classes():
    rows = {(level, name): (value, n) for level, _, _, name, value, n in fate_rows(*tables())}
    assert [rows["reference_locus", name] for name in ("right", "missed", "split", "merged", "wrong_structure")] == [
        (1, 5),
        (1, 5),
        (0, 5),
        (2, 5),
        (1, 5),
    ]
    assert rows["predicted_gene", "novel"] == (1, 4)


def test_the_file_has_no_numbers_where_there_are_none(tmp_path):
    write_table(tables()[1], tmp_path / "genes.tsv", PREDICTED_GENES, decimals=3)
    lines = (tmp_path / "genes.tsv").read_text().splitlines()
    assert lines[1] == "p\tshorter\tc\t+\t101\t360\t0.900\tyes\tright\t\t2\t120"
    assert lines[3] == "p\tbridge\tc\t+\t2001\t2260\t\tno\tmerged\tmerged\t2\t120"
    write_table(tables([], [])[0], tmp_path / "none.tsv", REFERENCE_LOCI)
    assert (tmp_path / "none.tsv").read_text().splitlines() == ["\t".join(REFERENCE_LOCI)]


@given(pairs())
def test_the_tables_count_what_the_scores_count(drawn):
    loci, predicted = tables(*drawn)
    scores = score_genes(*drawn).query("level == 'locus'").set_index("metric")["value"]
    assert (predicted["right"] == "yes").sum() == scores["tp"]
    assert (loci["class"] != "right").sum() == scores["fn"]
    chosen = [name for name in loci["predicted"] if name]
    assert set(chosen) <= {gene.id for gene in drawn[1]}


@pytest.fixture(scope="module")
def evaluated():
    annotation = read_gff3(ROOT / "resources/example/athaliana/annotation.gff3.gz")
    scope = Scope.of(annotation, [], [CONTIG])
    predicted = read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz")
    return scope, predicted, evaluate_predictors({"augustus": predicted}, scope)


def test_real_genes_have_the_classes_of_the_atlas(evaluated):
    scope, predicted, found = evaluated
    lost, wrong = wrong_genes(scope.reference, predicted)
    loci = found.reference_loci.query("predictor == 'augustus'")
    genes = found.predicted_genes.query("predictor == 'augustus'")
    assert Counter(loci["class"]) - Counter({"right": len(loci)}) == Counter(str(e.error) for e in lost)
    assert Counter(genes["error"]) - Counter({"": len(genes)}) == Counter(str(e.error) for e in wrong)
    right = loci[loci["class"] == "right"]
    assert (right["cds_exons"].astype(str) == right["predicted_cds_exons"]).all()


def test_the_longest_isoform_is_a_predictor_that_finds_every_locus(evaluated):
    scores = evaluated[2].scores.query("predictor == @LONGEST_ISOFORM and ruler == 'exact' and subset == 'all'")
    value = scores.set_index(["level", "metric"])["value"]
    assert value["locus", "f1"] == value["transcript", "precision"] == 1
    assert 0.5 < value["transcript", "recall"] < 1
    assert list(evaluated[2].scores["predictor"].drop_duplicates()) == ["augustus", LONGEST_ISOFORM]
    assert NO_TRAIN_HOMOLOGUE not in set(scores["subset"])


def test_genes_that_code_for_nothing_have_no_row_and_no_isoform():
    rna = GeneModel("rna", "c", "+", (Transcript("rna.1", ((90, 400),), type="ncRNA"),), biotype="ncRNA", score=0.9)
    mixed = replace(LOCI[0], transcripts=(replace(rna.transcripts[0], id="x"), *LOCI[0].transcripts))
    plain = evaluate_predictors({"p": PREDICTED}, Scope.of(LOCI, [], ["c"]))
    found = evaluate_predictors({"p": [rna, *PREDICTED]}, Scope.of([mixed, *LOCI[1:], rna], [], ["c"]))
    for table, wanted in zip(found, plain):
        pd.testing.assert_frame_equal(table, wanted)
