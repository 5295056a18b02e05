"""Bins: their labels as counted by hand, and parts that keep their distance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.regulatory.bins import GUARD, BinLabels, Segment, blocks_of, known_bins, segments_of
from phytoscribe.regulatory.peaks import Peaks
from phytoscribe.splits.parts import PARTS, PartInterval, Parts

LENGTHS = {"c1": 4_000, "c2": 900}
PEAKS = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.integers(0, 800),
        st.sampled_from([1, 1, 601, 700]),
        st.sampled_from([0, 1, 2]),
    ),
    max_size=25,
)


def peaks_of(rows: list[tuple[int, int, int, int]]) -> Peaks:
    rows = sorted((contig, start, label, start + size) for contig, start, size, label in rows)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
    contig, start, label, end = columns.T
    return Peaks(("A", "B", "C"), LENGTHS, contig.astype(np.int32), start, end, label.astype(np.int32))


@given(PEAKS, st.integers(0, 500), st.sampled_from([50, 200]))
def test_labels_of_bins_are_those_counted_by_hand(rows, start, width):
    labels = BinLabels(peaks_of(rows), ["C", "none", "A"])
    found = labels.dense("c1", start, 6, width)
    wanted = np.zeros((6, 3), dtype=bool)
    for contig, at, size, label in rows:
        for number in range(6):
            left = start + number * width
            middle = left + width // 2
            inside = left <= at < left + width if size == 1 else at <= middle < at + size
            if contig == 0 and inside and label != 1:
                wanted[number, {2: 0, 0: 2}[label]] = True
    assert np.array_equal(found, wanted)
    at, own = labels.summits("c1", start, start + 300)
    expected = sorted(
        (a, {2: 0, 0: 2}[x]) for c, a, s, x in rows if c == 0 and s == 1 and start <= a < start + 300 and x != 1
    )
    assert sorted(zip(at.tolist(), own.tolist(), strict=True)) == expected


def test_a_contig_without_peaks_was_not_measured():
    labels = BinLabels(peaks_of([(0, 5, 1, 0)]), ["A", "B"])
    assert labels.covers("c1")
    assert not labels.covers("c2")
    assert not BinLabels(peaks_of([(0, 5, 1, 0)]), ["B"]).covers("c1")


TILES = st.lists(st.tuples(st.integers(1, 6_000), st.sampled_from(PARTS)), min_size=1, max_size=8)


@given(TILES, st.sampled_from([50, 200]))
def test_bins_keep_their_distance_from_other_parts(tiles, width):
    edges = np.cumsum([0, *(size for size, _ in tiles)]).tolist()
    places = [PartInterval(edges[n], edges[n + 1], part) for n, (_, part) in enumerate(tiles)]
    joined: list[PartInterval] = []
    for place in places:
        if joined and joined[-1].part == place.part:
            joined[-1] = PartInterval(joined[-1].start, place.end, place.part)
        else:
            joined.append(place)
    parts = Parts({"c": joined})
    for part in PARTS:
        others = [place for place in joined if place.part != part]
        for segment in segments_of(parts, part):
            start, count = segment.grid(width)
            for left in range(start, start + count * width, width):
                assert all(left - GUARD >= o.end or left + width + GUARD <= o.start for o in others)


def test_bins_of_a_segment_lie_on_one_grid():
    assert Segment("c", 150, 1_000).grid(200) == (200, 4)
    assert Segment("c", 150, 399).grid(200) == (200, 0)
    blocks = list(blocks_of([Segment("c", 300, 1_700)], 500))
    assert [tuple(block) for block in blocks] == [
        ("c", 300, 500),
        ("c", 500, 1000),
        ("c", 1000, 1500),
        ("c", 1500, 1700),
    ]


def test_a_bin_of_mostly_unknown_bases_is_left_out():
    bases = np.zeros(650, dtype=np.uint8)
    bases[100:300] = 4
    assert known_bins(bases, 200).tolist() == [True, True, True]
    bases[99] = 4
    assert known_bins(bases, 200).tolist() == [False, True, True]
