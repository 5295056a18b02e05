"""The split: no family and no overlap on two sides, shares as asked, flags where contigs are held out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.errors import ConfigError
from phytoscribe.splits.assign import assign_splits, deal_groups, locus_groups
from phytoscribe.splits.table import SPLIT_COLUMNS

FRACTIONS = {"train": 75, "validate": 10, "test": 15}
COLUMNS = ["genome", "contig", "start", "end", "strand", "locus", "cluster"]


def loci_of(rows):
    return pd.DataFrame([(*row[:-1], f"g{i}", row[-1]) for i, row in enumerate(rows)], columns=COLUMNS)


def split(loci, mode="cluster", contig_parts=None, roles=None, seed=1, fractions=FRACTIONS):
    roles = roles or dict.fromkeys(loci["genome"], "train")
    return assign_splits(loci, mode, fractions, contig_parts or {}, roles, seed)


@st.composite
def locus_tables(draw):
    size = draw(st.integers(1, 60))
    integers = st.integers
    rows = []
    for _ in range(size):
        start = draw(integers(0, 400))
        place = (draw(st.sampled_from(["a", "b"])), draw(st.sampled_from(["c1", "c2"])))
        rows.append((*place, start, start + draw(integers(1, 60)), draw(st.sampled_from("+-")), draw(integers(0, 25))))
    return loci_of(rows)


@settings(max_examples=150, deadline=None)
@given(locus_tables(), st.integers(0, 5))
def test_no_cluster_and_no_base_is_on_two_sides(loci, seed):
    table = split(loci, seed=seed)
    assert (table.groupby("cluster")["part"].nunique() == 1).all()
    assert not table["has_train_homologue"].any()
    for _, contig in table.groupby(["genome", "contig"]):
        side = {}
        for row in contig.itertuples():
            for base in range(row.start, row.end):
                assert side.setdefault(base, row.part) == row.part


@settings(max_examples=150, deadline=None)
@given(locus_tables())
def test_groups_are_the_connected_components_of_shared_clusters_and_bases(loci):
    groups = locus_groups(loci)
    rows = list(loci.itertuples())
    linked = np.eye(len(rows), dtype=bool)
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            same_place = (a.genome, a.contig) == (b.genome, b.contig)
            linked[i, j] |= a.cluster == b.cluster or (same_place and a.start < b.end and b.start < a.end)
    for _ in range(len(rows).bit_length()):
        linked = linked @ linked
    assert (linked == (groups[:, None] == groups[None])).all()


def test_touching_loci_are_not_joined_but_overlapping_ones_on_either_strand_are():
    loci = loci_of([("a", "c", 0, 10, "+", 0), ("a", "c", 10, 20, "+", 1), ("a", "c", 19, 30, "-", 2)])
    assert locus_groups(loci).tolist() == [0, 1, 1]


def test_shares_are_met_and_large_families_are_spread():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(900), np.concatenate([rng.integers(5, 40, 100), np.ones(800, dtype=int)]))
    parts = deal_groups(groups, FRACTIONS, seed=1)
    shares = pd.Series(parts).value_counts(normalize=True)
    assert shares[["train", "validate", "test"]].to_numpy() == pytest.approx([0.75, 0.10, 0.15], abs=0.002)
    in_large_family = groups < 100
    test_share = (parts[in_large_family] == "test").mean()
    assert test_share == pytest.approx(0.15, abs=0.03)


def test_the_same_seed_gives_the_same_parts_and_another_seed_others():
    loci = loci_of([("a", "c", 100 * i, 100 * i + 50, "+", i) for i in range(200)])
    assert split(loci, seed=1).equals(split(loci, seed=1))
    assert not split(loci, seed=1).equals(split(loci, seed=2))


def test_one_family_alone_stays_whole():
    loci = loci_of([("a", "c", 100 * i, 100 * i + 50, "+", 0) for i in range(30)])
    assert set(split(loci)["part"]) == {"train"}


def test_contig_mode_follows_the_lists_counts_straddlers_and_flags_them():
    loci = loci_of(
        [
            ("a", "c1", 0, 10, "+", 7),
            ("a", "c2", 0, 10, "+", 7),
            ("a", "c3", 0, 10, "-", 8),
            ("a", "unlisted", 0, 10, "-", 9),
            ("a", "c3", 50, 60, "-", 9),
        ]
    )
    parts = {"a": {"c1": "train", "c2": "validate", "c3": "test"}}
    table = split(loci, mode="contig", contig_parts=parts)
    assert table["part"].tolist() == ["train", "validate", "test", "train", "test"]
    assert table["has_train_homologue"].tolist() == [False, True, False, False, True]
    assert tuple(table.columns) == SPLIT_COLUMNS


@pytest.mark.parametrize("mode", ["cluster", "contig"])
def test_species_come_before_contigs_and_clusters(mode):
    loci = loci_of([("a", "c1", 0, 10, "+", 1), ("b", "c1", 0, 10, "+", 1), ("v", "c1", 0, 10, "+", 2)])
    roles = {"a": "train", "b": "test", "v": "validate"}
    table = split(loci, mode=mode, contig_parts={"b": {"c1": "train"}}, roles=roles)
    assert table["part"].tolist() == ["train", "test", "validate"]
    assert table["has_train_homologue"].tolist() == [False, True, False]


def test_a_species_that_is_held_out_does_not_shift_the_shares_of_the_others():
    rows = [("a", "c", 100 * i, 100 * i + 50, "+", i) for i in range(100)]
    alone = split(loci_of(rows))
    beside = split(loci_of([*rows, *(("b", "c", 0, 10, "+", i) for i in range(50))]), roles={"a": "train", "b": "test"})
    assert beside["part"].tolist()[:100] == alone["part"].tolist()


def test_no_loci_give_an_empty_split():
    assert split(loci_of([]).astype({"cluster": "int64"})).empty


@pytest.mark.parametrize("fractions", [{"train": 0, "test": 1}, {"train": 1, "test": -1}, {"train": 1, "tset": 1}])
def test_fractions_without_sense_are_refused(fractions):
    with pytest.raises(ConfigError, match=r"split\.fractions"):
        split(loci_of([("a", "c", 0, 10, "+", 0)]), fractions=fractions)
    with pytest.raises(ConfigError, match=r"split\.mode"):
        split(loci_of([("a", "c", 0, 10, "+", 0)]), mode="clusters")


def test_a_part_with_no_share_gets_nothing():
    loci = loci_of([("a", "c", 100 * i, 100 * i + 50, "+", i) for i in range(50)])
    assert set(split(loci, fractions={"train": 90, "test": 10})["part"]) == {"train", "test"}
