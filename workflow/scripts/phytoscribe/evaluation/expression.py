"""Where transcript reads lie: what makes a gene an expressed one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from phytoscribe.annotation.model import Interval, merge_intervals
from phytoscribe.evaluation.read_alignment import read_alignments

_KEPT_APART = 100_000


def covered_by_reads(bam: str | Path, contigs: Collection[str]) -> dict[tuple[str, str], list[Interval]]:
    """Bases under the blocks of uniquely placed primary alignments, by (contig, strand of the transcript), 0-based.

    Raises:
        PhytoScribeError: the BAM cannot be read.
    """
    covered: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    for read in read_alignments(bam, contigs):
        blocks = covered[read.contig, read.strand]
        blocks += read.blocks
        # Millions of reads lie over a few thousand genes: joined in time, they take the memory of the genes.
        if len(blocks) > _KEPT_APART:
            blocks[:] = merge_intervals(blocks)
    return {track: merge_intervals(blocks) for track, blocks in sorted(covered.items())}
