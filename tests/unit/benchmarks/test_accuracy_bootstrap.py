"""Intervals of benchmarks/accuracy_bootstrap.py, on AUGUSTUS's genes of the larger test contig."""

from pathlib import Path

import numpy as np
import pytest
from accuracy_bootstrap import LEVELS, resampled_f1, unit_counts
from gene_scores import score_genes

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import scorable
from phytoscribe.evaluation.accuracy.resampling import interval, units_of

ROOT = Path(__file__).parents[3]
CONTIG = "Chr5_25975502_26975502"


@pytest.fixture(scope="module")
def reference():
    return scorable(read_gff3(ROOT / "resources/example/athaliana/annotation.gff3.gz"), contigs=[CONTIG])


@pytest.fixture(scope="module")
def augustus():
    return scorable(read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"), contigs=[CONTIG])


def exact_f1(reference, predicted):
    table = score_genes(reference, predicted)
    return table[table["metric"] == "f1"].set_index("level")["value"]


def test_every_item_is_in_one_unit(reference, augustus):
    units, total = units_of(reference, {"augustus": augustus})
    assert total > len(reference)  # some predictions meet no locus
    table = score_genes(reference, augustus).set_index(["level", "metric"])["value"]
    for level, counts in unit_counts(reference, augustus, units["augustus"], total).items():
        right, predicted, found, known = counts.sum(axis=0).tolist()
        assert right == table[level, "tp"]
        assert predicted - right == table[level, "fp"]
        assert known - found == table[level, "fn"]


def test_the_interval_holds_the_figure_and_widens_with_fewer_loci(reference, augustus):
    whole, known = resampled_f1(reference, {"a": augustus}), exact_f1(reference, augustus)
    end = reference[60].start
    few = [[gene for gene in genes if gene.end < end] for genes in (reference, augustus)]
    narrow = resampled_f1(few[0], {"a": few[1]})
    for level in LEVELS:
        low, high = interval(whole["a", level])
        assert low < known[level] < high < low + 0.12
        wide = interval(narrow["a", level])
        assert wide[1] - wide[0] > 1.5 * (high - low)


def test_draws_are_the_same_every_time(reference, augustus):
    first, again, other = (resampled_f1(reference, {"a": augustus}, 20, seed)["a", "locus"] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_predictors_share_their_draws(reference, augustus):
    """The interval of a difference is that of pairs: equal predictors never differ, one gene makes a small step."""
    found = resampled_f1(reference, {"a": augustus, "same": augustus, "one less": augustus[1:]})
    assert not np.any(found["a", "locus"] - found["same", "locus"])
    low, high = interval(found["a", "cds_exon"] - found["one less", "cds_exon"])
    assert high - low < 0.01


def test_predictions_beside_all_loci_are_one_unit_where_they_overlap():
    def gene(start, end, strand="+"):
        return GeneModel(f"g{start}", "c", strand, (Transcript("t", ((start, end),), ((start, end),)),))

    predictions = {"a": [gene(0, 90), gene(200, 290)], "b": [gene(30, 120), gene(240, 300, "-"), gene(500, 590)]}
    units, total = units_of([gene(510, 600)], predictions)
    assert total == 4
    assert units["a"][0] == units["b"][0]
    assert units["a"][1] != units["b"][1]
    assert units["b"][2] == 0  # the locus


def test_nothing_has_no_interval():
    found = resampled_f1([], {"a": []})
    assert np.isnan(interval(found["a", "locus"])).all()
