"""Build exon chains from a file's exons, CDS and UTRs.  Intervals are 0-based half-open, sorted by start."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from phytoscribe.genome.intervals import Interval, merge_intervals


def is_coding_part(exons: Sequence[Interval], cds: Sequence[Interval]) -> bool:
    """True if the CDS equals the exons clipped to its two ends."""
    start, end = cds[0][0], cds[-1][1]
    return list(cds) == [(max(first, start), min(last, end)) for first, last in exons if first < end and last > start]


def with_stop_codons(coding: list[Interval], stops: list[Interval], strand: str) -> list[Interval]:
    """CDS including the stop codons, which GTF keeps outside."""
    joined, stops = (list(coding), stops) if strand == "+" else (_mirrored(coding), _mirrored(stops))
    last = joined[-1][1]
    for start, end in [(max(start, last), end) for start, end in stops if end > last]:
        if joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:  # the stop codon lies behind an intron, or is cut by one
            joined.append((start, end))
    return joined if strand == "+" else _mirrored(joined)


def _mirrored(segments: list[Interval]) -> list[Interval]:
    return [(-end, -start) for start, end in reversed(segments)]


def stretched(exons: list[Interval], start: int, end: int) -> list[Interval]:
    """Extend the outer exons to ``start`` and ``end`` if these lie beyond them."""
    start, end = min(exons[0][0], start), max(exons[-1][1], end)
    if len(exons) == 1:
        return [(start, end)]
    return [(start, exons[0][1]), *exons[1:-1], (exons[-1][0], end)]


def extended_over(exons: list[Interval], cds: list[Interval]) -> tuple[list[Interval], list[Interval]]:
    """Extend exons to contain every CDS segment; returns them and the segments for which an exon was extended.

    A segment that spans several exons is left for the check to reject.
    """
    starts = [start for start, _ in exons]
    ends = sorted(end for _, end in exons)
    farthest = list(accumulate(range(len(exons)), lambda a, b: a if exons[a][1] >= exons[b][1] else b))
    covered = dict(enumerate(exons))
    outside = []
    for start, end in cds:
        before = bisect_left(starts, end)  # exons that begin before the segment ends
        touching = before - bisect_right(ends, start)  # of these, without the ones that end before it starts
        # If one exon alone touches it, that one reaches farther than all others that begin before it.
        at = farthest[before - 1] if touching == 1 else -1
        if touching > 1 or (touching and covered[at][0] <= start and end <= covered[at][1]):
            continue
        outside.append((start, end))
        if touching:
            covered[at] = (min(start, covered[at][0]), max(end, covered[at][1]))
        else:
            covered[len(covered)] = (start, end)
    return sorted(covered.values()), outside


def widened_by_utrs(exons: list[Interval], cds: list[Interval], utrs: list[Interval]) -> list[Interval]:
    """Add the UTRs on each side where the exons end with the CDS: some programs leave UTRs out of exons.

    Exons that extend beyond the CDS are complete, and UTR lines that disagree are ignored.
    """
    start, end = cds[0][0], cds[-1][1]
    left = [utr for utr in utrs if utr[1] <= start] if exons[0][0] == start else []
    right = [utr for utr in utrs if utr[0] >= end] if max(last for _, last in exons) == end else []
    if left:
        exons = [*merge_intervals([*left, exons[0]]), *exons[1:]]
    if right:
        exons = [*exons[:-1], *merge_intervals([exons[-1], *right])]
    return exons
