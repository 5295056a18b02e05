"""The split as intervals: they tile every contig, and say the same as the rule for what is held out."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.splits.held_out import held_out_intervals
from phytoscribe.splits.parts import Parts, parts_of_genome, read_parts, write_parts

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
    hidden = held_out_intervals(splits, "g", CONTIGS, "train", "cluster", {}, flank)
    for contig in CONTIGS:
        open_bases = {x for start, end in parts.of(contig, "train") for x in range(start, end)}
        assert open_bases == set(range(CONTIGS[contig])) - {x for s, e in hidden[contig] for x in range(s, e)}
    for row in splits.itertuples():
        if row.part != "train":
            assert any(s <= row.start and row.end <= e for s, e in parts.of("c1", row.part))


def test_contigs_and_roles_hold_out_whole_contigs():
    none = pd.DataFrame([], columns=COLUMNS)
    by_contig = parts_of_genome(none, "g", CONTIGS, "train", "contig", {"c2": "validate"}, 500)
    assert by_contig.train_contigs() == ["c1"]
    assert by_contig.of("c2", "validate") == [(0, 500)]
    tested = parts_of_genome(none, "g", CONTIGS, "test", "contig", {}, 500)
    assert tested.train_contigs() == []
    assert tested.held_out("c1") == [(0, 3_000)]


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
