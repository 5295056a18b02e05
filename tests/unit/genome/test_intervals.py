"""Interval arithmetic against base-by-base counting."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import (
    IntervalIndex,
    as_places,
    merge_intervals,
    merged,
    overlapping,
    overlapping_pairs,
    read_bed,
    shared_bases,
)

intervals = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8
)


def bases(found):
    return {position for start, end in found for position in range(start, end)}


@given(intervals)
def test_merge_keeps_every_base_once(found):
    union = merge_intervals(found)
    assert bases(union) == bases(found)
    assert all(left[1] < right[0] for left, right in pairwise(union))
    assert merge_intervals([*found, (3, 3)]) == union


@given(intervals, st.integers(0, 70), st.integers(1, 10))
def test_overlap_is_a_shared_base(found, start, length):
    index = IntervalIndex({"c": found})
    assert index.overlaps("c", start, start + length) == bool(bases(found) & set(range(start, start + length)))
    assert not index.overlaps("other", start, start + length)


@given(intervals, intervals, intervals)
def test_shared_bases_counts_as_sets_do(left, right, without):
    one, other, masked = bases(left), bases(right), bases(without)
    expected = (len(one & other - masked), len(one - other - masked), len(other - one - masked))
    assert shared_bases(as_places(left), as_places(right), as_places(without)) == expected


@given(intervals, intervals)
def test_overlaps_of_arrays_are_those_of_bases(left, right):
    pairs = [(i, j) for i, one in enumerate(left) for j, other in enumerate(right) if bases([one]) & bases([other])]
    rows, others = overlapping_pairs(as_places(left), as_places(right))
    assert sorted(zip(rows.tolist(), others.tolist())) == pairs
    touched = overlapping(as_places(left), merged(as_places(right))).tolist()
    assert touched == [bool(bases([one]) & bases(right)) for one in left]


def test_read_bed(tmp_path):
    bed = tmp_path / "mask.bed"
    bed.write_text("# a comment\nc1\t5\t9\tname\nc2\t0\t3\nc1\t1\t2\ntrack name=x\ntrack_7\t1\t2\n")
    assert read_bed(bed) == {"c1": [(5, 9), (1, 2)], "c2": [(0, 3)], "track_7": [(1, 2)]}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("chr1\t1\t2", "contig 'chr1' is not in the FASTA, which has c1, c2; use the names of the FASTA"),
        ("c2\t1\t6", "the interval ends at 6, but contig 'c2' has 5 bases"),
    ],
)
def test_bed_beyond_the_genome_names_file_and_line(tmp_path, line, expected):
    bed = tmp_path / "mask.bed"
    bed.write_text(f"c2\t0\t5\n{line}\n")
    assert len(read_bed(bed)) >= 1
    with pytest.raises(PhytoScribeError) as caught:
        read_bed(bed, {"c1": 10, "c2": 5})
    assert f"mask.bed, line 2: {expected}" in str(caught.value)


@pytest.mark.parametrize("line", ["c1 5 9", "c1\t9\t5", "c1\tx\t5", "c1\t-1\t5"])
def test_bad_bed_names_file_and_line(tmp_path, line):
    bed = tmp_path / "mask.bed"
    bed.write_text(f"c1\t1\t2\n{line}\n")
    with pytest.raises(PhytoScribeError, match=r"mask\.bed, line 2"):
        read_bed(bed)
