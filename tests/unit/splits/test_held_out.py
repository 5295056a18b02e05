"""What training may see: whole genomes, contigs, or loci with their flanks are held out."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import ConfigError
from phytoscribe.genome.intervals import complement, merge_intervals
from phytoscribe.splits.held_out import (
    complete_contig_parts,
    held_out_intervals,
    train_contigs,
)

CONTIGS = {"c1": 10_000, "c2": 3_000, "c3": 800}
SPLITS = pd.DataFrame(
    [
        ("a", "c1", 2000, 2600, "+", "g1", 0, "test", False),
        ("a", "c1", 3200, 4000, "-", "g2", 1, "validate", False),
        ("a", "c1", 6000, 7000, "-", "g3", 2, "train", False),
        ("a", "c1", 9700, 9900, "-", "g4", 3, "test", False),
        ("a", "c2", 100, 900, "+", "g5", 4, "validate", False),
        ("other", "c3", 0, 800, "+", "g6", 5, "test", False),
    ],
    columns=["genome", "contig", "start", "end", "strand", "locus", "cluster", "part", "has_train_homologue"],
)


def test_cluster_mode_masks_held_out_loci_with_flanks_joined_and_clipped():
    masked = held_out_intervals(SPLITS, "a", CONTIGS, "train", "cluster", {}, flank=500)
    assert masked == {"c1": [(1500, 4500), (9200, 10_000)], "c2": [(0, 1400)], "c3": []}


def test_cluster_mode_without_flank_masks_the_loci_alone():
    masked = held_out_intervals(SPLITS, "a", CONTIGS, "train", "cluster", {}, flank=0)
    assert masked["c1"] == [(2000, 2600), (3200, 4000), (9700, 9900)]


def test_contig_mode_masks_whole_contigs_and_nothing_else():
    parts = {"c1": "train", "c2": "validate", "c3": "test"}
    masked = held_out_intervals(SPLITS, "a", CONTIGS, "train", "contig", parts)
    assert masked == {"c1": [], "c2": [(0, 3000)], "c3": [(0, 800)]}
    assert train_contigs(CONTIGS, "train", "contig", parts) == ["c1"]


@pytest.mark.parametrize("role", ["validate", "test", "predict"])
@pytest.mark.parametrize("mode", ["cluster", "contig"])
def test_a_genome_of_another_role_is_held_out_whole(role, mode):
    masked = held_out_intervals(SPLITS, "a", CONTIGS, role, mode, {})
    assert masked == {contig: [(0, length)] for contig, length in CONTIGS.items()}
    assert train_contigs(CONTIGS, role, mode, {}) == []


def test_contigs_that_no_list_names_are_training():
    assert complete_contig_parts(CONTIGS, {"c2": "test"}, "a") == {"c1": "train", "c2": "test", "c3": "train"}
    assert train_contigs(CONTIGS, "train", "contig", {"c2": "test"}) == ["c1", "c3"]
    assert train_contigs(CONTIGS, "train", "cluster", {}) == ["c1", "c2", "c3"]


def test_a_contig_or_part_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match=r"genomes: rice: .*'Chr9'.* has c1, c2, c3"):
        complete_contig_parts(CONTIGS, {"Chr9": "test"}, "rice")
    with pytest.raises(ConfigError, match="'tset' is no part"):
        complete_contig_parts(CONTIGS, {"c1": "tset"}, "rice")
    with pytest.raises(ConfigError, match=r"split\.mode: 'clusters'"):
        held_out_intervals(SPLITS, "a", CONTIGS, "train", "clusters", {})


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple)))
def test_merged_intervals_and_their_gaps_tile_the_contig(intervals):
    covered = np.zeros(60, dtype=bool)
    for start, end in intervals:
        covered[start:end] = True
    merged = merge_intervals(intervals)
    gaps = complement(merged, 60)
    assert all(left[1] < right[0] for left, right in pairwise(merged))
    assert sorted(x for start, end in merged for x in range(start, end)) == np.flatnonzero(covered).tolist()
    assert sorted(x for start, end in gaps for x in range(start, end)) == np.flatnonzero(~covered).tolist()
