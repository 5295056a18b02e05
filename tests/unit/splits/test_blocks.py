"""Blocks of sequence: they tile each contig, each part has its share, and the seed decides alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import ConfigError
from phytoscribe.splits.blocks import BLOCK, block_parts
from phytoscribe.splits.parts import PARTS

FRACTIONS = {"train": 75, "validate": 10, "test": 15}


@given(st.lists(st.integers(1, 20 * BLOCK), min_size=3, max_size=6), st.integers(0, 99))
def test_blocks_tile_the_genome_and_each_part_has_one(lengths, seed):
    contigs = {f"c{number}": length for number, length in enumerate(lengths)}
    parts = block_parts("g", contigs, "train", "cluster", {}, FRACTIONS, seed)
    assert parts.contigs == contigs
    assert parts == block_parts("g", contigs, "train", "cluster", {}, FRACTIONS, seed)
    for tiles in parts.intervals.values():
        assert tiles[0].start == 0
        assert all(left.end == right.start and left.part != right.part for left, right in pairwise(tiles))
    total = sum(lengths)
    for part in PARTS:
        share = sum(end - start for contig in contigs for start, end in parts.of(contig, part))
        assert share > 0
        if part != "train":
            assert share <= FRACTIONS[part] / 100 * total + 1.5 * BLOCK


def test_contigs_and_roles_are_parts_as_a_whole():
    contigs = {"a": 10, "b": 20}
    by_contig = block_parts("g", contigs, "train", "contig", {"b": "test"}, FRACTIONS, 1)
    assert (by_contig.of("a", "train"), by_contig.of("b", "test")) == ([(0, 10)], [(0, 20)])
    assert block_parts("g", contigs, "test", "cluster", {}, FRACTIONS, 1).of("a", "test") == [(0, 10)]


def test_too_little_sequence_is_said():
    with pytest.raises(ConfigError, match=r"genomes\[g\]: its sequence is dealt in blocks of 500000 bases.*only 2"):
        block_parts("g", {"a": 10, "b": 20}, "train", "cluster", {}, FRACTIONS, 1)
