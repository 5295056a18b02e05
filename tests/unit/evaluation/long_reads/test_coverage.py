"""Bases under transcript reads."""

from itertools import pairwise

from phytoscribe.evaluation.long_reads import evidence as expression
from phytoscribe.evaluation.long_reads.alignments import ReadAlignment
from phytoscribe.evaluation.long_reads.evidence import covered_by_reads


def read(name, strand, *blocks):
    return ReadAlignment(name, "c", strand, blocks, tuple((a[1], b[0]) for a, b in pairwise(blocks)))


def test_blocks_are_joined_by_strand():
    reads = [
        read("a", "+", (100, 110), (130, 140)),
        read("b", "+", (105, 115)),
        read("reverse", "-", (500, 510)),
    ]
    assert covered_by_reads(reads) == {("c", "+"): [(100, 115), (130, 140)], ("c", "-"): [(500, 510)]}
    assert covered_by_reads([]) == {}


def test_joining_in_between_changes_nothing(monkeypatch):
    reads = [read(str(n), "+-"[n % 2], (37 * n % 400, 37 * n % 400 + 5)) for n in range(300)]
    whole = covered_by_reads(reads)
    monkeypatch.setattr(expression, "_KEPT_APART", 4)
    assert covered_by_reads(reads) == whole
