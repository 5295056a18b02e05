"""Where transcript reads lie: what makes a gene an expressed one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from phytoscribe.evaluation.long_reads.alignments import ReadAlignment
from phytoscribe.genome.intervals import Interval, merge_intervals

#: Blocks of one contig and strand that are joined, at the least.
_KEPT_APART = 100_000


def covered_by_reads(reads: Iterable[ReadAlignment]) -> dict[tuple[str, str], list[Interval]]:
    """Bases under the blocks of the reads, by (contig, strand of the transcript), 0-based."""
    covered: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    most: dict[tuple[str, str], int] = defaultdict(lambda: _KEPT_APART)
    for read in reads:
        track = read.contig, read.strand
        blocks = covered[track]
        blocks += read.blocks
        # Millions of reads lie over a few thousand genes: joined in time, they take the memory of the genes.
        if len(blocks) > most[track]:
            blocks[:] = merge_intervals(blocks)
            # Where the genes alone are as many, not every further read may join them all again.
            most[track] = max(_KEPT_APART, 2 * len(blocks))
    return {track: merge_intervals(blocks) for track, blocks in sorted(covered.items())}
