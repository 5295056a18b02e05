"""The split as intervals: they tile every contig, and hide whole genomes, contigs, or loci with their flanks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import ConfigError, PhytoScribeError
from phytoscribe.genome.intervals import complement, merge_intervals
from phytoscribe.splits.parts import Parts, complete_contig_parts, parts_of_genome, read_parts, write_parts

CONTIGS = {"c1": 3_000, "c2": 500}
COLUMNS = ["genome", "contig", "start", "end", "part"]
LOCI = st.lists(
    st.tuples(st.integers(0, 29), st.sampled_from(["train", "validate", "test"])), unique_by=lambda locus: locus[0]
).map(lambda loci: pd.DataFrame([("g", "c1", 100 * n + 10, 100 * n + 90, p) for n, p in loci], columns=COLUMNS))


@given(LOCI, st.integers(0, 300))
def test_tiles_cover_each_contig_and_hide_what_is_held_out(splits, flank):
    parts = parts_of_genome(splits, "g", CONTIGS, "train", "cluster", {}, flank)
    assert parts.contigs == CONTIGS
    for tiles in parts.intervals.values():
        assert tiles[0].start == 0
        assert all(left.end == right.start and left.part != right.part for left, right in pairwise(tiles))
    hidden = {
        x for row in splits.itertuples() if row.part != "train" for x in range(row.start - flank, row.end + flank)
    }
    open_bases = {x for start, end in parts.of("c1", "train") for x in range(start, end)}
    assert open_bases == set(range(3_000)) - hidden
    assert parts.of("c2", "train") == [(0, 500)]
    for row in splits.itertuples():
        if row.part != "train":
            assert any(s <= row.start and row.end <= e for s, e in parts.of("c1", row.part))


HELD_OUT = pd.DataFrame(
    [
        ("a", "c1", 2000, 2600, "test"),
        ("a", "c1", 3200, 4000, "validate"),
        ("a", "c1", 6000, 7000, "train"),
        ("a", "c1", 9700, 9900, "test"),
        ("a", "c2", 100, 900, "validate"),
        ("other", "c3", 0, 800, "test"),
    ],
    columns=COLUMNS,
)
LENGTHS = {"c1": 10_000, "c2": 3_000, "c3": 800}


def held_out(role, mode, contig_parts, flank=500):
    parts = parts_of_genome(HELD_OUT, "a", LENGTHS, role, mode, contig_parts, flank)
    return parts, {contig: merge_intervals(parts.held_out(contig)) for contig in LENGTHS}


def test_cluster_mode_masks_held_out_loci_with_flanks_joined_and_clipped():
    parts, masked = held_out("train", "cluster", {})
    assert masked == {"c1": [(1500, 4500), (9200, 10_000)], "c2": [(0, 1400)], "c3": []}
    assert parts.train_contigs() == ["c1", "c2", "c3"]
    assert held_out("train", "cluster", {}, flank=0)[1]["c1"] == [(2000, 2600), (3200, 4000), (9700, 9900)]


def test_contig_mode_masks_whole_contigs_and_nothing_else():
    parts, masked = held_out("train", "contig", {"c2": "validate", "c3": "test"})
    assert masked == {"c1": [], "c2": [(0, 3000)], "c3": [(0, 800)]}
    assert parts.of("c2", "validate") == [(0, 3000)]
    assert parts.train_contigs() == ["c1"]


@pytest.mark.parametrize("role", ["validate", "test"])
@pytest.mark.parametrize("mode", ["cluster", "contig"])
def test_a_genome_of_another_role_is_held_out_whole(role, mode):
    parts, masked = held_out(role, mode, {})
    assert masked == {contig: [(0, length)] for contig, length in LENGTHS.items()}
    assert parts.train_contigs() == []


def test_contigs_that_no_list_names_are_training():
    assert complete_contig_parts(LENGTHS, {"c2": "test"}, "a") == {"c1": "train", "c2": "test", "c3": "train"}


def test_a_contig_or_part_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match=r"genomes: rice: .*'Chr9'.* has c1, c2, c3"):
        complete_contig_parts(LENGTHS, {"Chr9": "test"}, "rice")
    with pytest.raises(ConfigError, match="'tset' is no part"):
        complete_contig_parts(LENGTHS, {"c1": "tset"}, "rice")
    with pytest.raises(ConfigError, match=r"split\.mode: 'clusters'"):
        held_out("train", "clusters", {})


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


@given(LOCI)
def test_the_file_comes_back(tmp_path_factory, splits):
    parts = parts_of_genome(splits, "g", CONTIGS, "train", "cluster", {}, 50)
    path = tmp_path_factory.mktemp("parts") / "g.parts.bed"
    write_parts(path, parts)
    assert read_parts(path) == Parts({contig: list(tiles) for contig, tiles in parts.intervals.items()})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c1\t0\t10\ttrain\nc1\t12\t20\ttest\n", "line 2: the intervals of 'c1' do not follow each other"),
        ("c1\t0\t10\tnowhere\n", "line 1: .*'nowhere' is no part"),
        ("c1\t0\tten\ttrain\n", "line 1: not contig, start, end and part"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    path = tmp_path / "g.parts.bed"
    path.write_text(text)
    with pytest.raises(PhytoScribeError, match=message):
        read_parts(path)
