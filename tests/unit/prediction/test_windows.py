"""The grid of windows: every base once, enough context, mirrored on the other strand, few lengths."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.prediction.windows import ContigSequence, contig_windows, fitting_size

LENGTHS = st.integers(min_value=1, max_value=200_000)
GRIDS = st.sampled_from([(1024, 128), (9216, 1024), (36864, 1024), (4096, 0)])


@given(LENGTHS, GRIDS)
def test_every_base_of_both_strands_is_in_one_core_in_ascending_order(length, grid):
    windows = list(contig_windows(length, *grid))
    for strand in "+-":
        cores = [(w.core_start, w.core_end) for w in windows if w.strand == strand]
        assert [start for start, _ in cores] == [0, *(end for _, end in cores[:-1])]
        assert cores[-1][1] == length
    starts = [w.core_start for w in windows]
    assert starts == sorted(starts)


@given(LENGTHS, GRIDS)
def test_cores_have_their_margins_but_at_the_ends_of_the_contig(length, grid):
    size, margin = grid
    for window in contig_windows(length, size, margin):
        assert 0 <= window.start <= window.core_start < window.core_end <= window.end <= length
        assert window.core_start - window.start >= margin or window.start == 0
        assert window.end - window.core_end >= margin or window.end == length
        assert window.end - window.start <= window.size <= size


@given(LENGTHS, GRIDS)
def test_the_other_strand_has_the_mirrored_grid(length, grid):
    windows = list(contig_windows(length, *grid))
    mirrored = {
        ("-" if w.strand == "+" else "+", length - w.end, length - w.start, length - w.core_end, w.size)
        for w in windows
    }
    assert mirrored == {(w.strand, w.start, w.end, w.core_start, w.size) for w in windows}


def test_contigs_of_all_lengths_have_few_sizes_of_windows():
    sizes = {window.size for length in range(1, 120_000, 97) for window in contig_windows(length, 36864, 1024)}
    assert len(sizes) <= 20
    for length in range(1, 36865):
        size = fitting_size(length, 36864)
        assert length <= size <= max(384, 2 * length)


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=5_000), st.integers(min_value=0, max_value=2**32))
def test_windows_read_their_strand_and_give_back_contig_orientation(length, seed):
    bases = np.random.default_rng(seed).integers(0, 5, length).astype(np.uint8)
    contig = ContigSequence.of("x", bases)
    for window in contig_windows(length, 1024, 128):
        read = window.bases(contig)
        assert read.size == window.size
        assert (read[window.end - window.start :] == N_CODE).all()
        core = bases[window.core_start : window.core_end]
        # What the network says of a base in reading direction arrives at that base's place on the contig.
        expected = core if window.strand == "+" else reverse_complement(core)[::-1]
        np.testing.assert_array_equal(window.core_of(read[:, None])[:, 0], expected)
