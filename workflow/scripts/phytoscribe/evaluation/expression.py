"""Where transcript reads lie: what makes a gene an expressed one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from phytoscribe.annotation.model import Interval, merge_intervals
from phytoscribe.evaluation.read_alignment import ReadAlignment

_KEPT_APART = 100_000


def covered_by_reads(reads: Iterable[ReadAlignment]) -> dict[tuple[str, str], list[Interval]]:
    """Bases under the blocks of the reads, by (contig, strand of the transcript), 0-based."""
    covered: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    for read in reads:
        blocks = covered[read.contig, read.strand]
        blocks += read.blocks
        # Millions of reads lie over a few thousand genes: joined in time, they take the memory of the genes.
        if len(blocks) > _KEPT_APART:
            blocks[:] = merge_intervals(blocks)
    return {track: merge_intervals(blocks) for track, blocks in sorted(covered.items())}
