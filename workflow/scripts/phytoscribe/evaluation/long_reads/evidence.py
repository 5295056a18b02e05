"""Index the evidence from a genome's reads: intron chains and their reads, introns, splice sites, coverage.

Reads are collapsed: all reads with the same contig, strand and intron chain form one :class:`ReadChain`, which keeps
only the spans that no other read of the chain contains.  Memory grows with the aligned blocks (12 bytes each) and the
distinct chains, not with the text of the reads.
"""

from __future__ import annotations

import logging
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from phytoscribe.evaluation.long_reads.alignments import Intervals, ReadAlignment
from phytoscribe.genome.intervals import Interval, merge_intervals

log = logging.getLogger(__name__)
Positions = npt.NDArray[np.int32]
Track = tuple[str, str]
#: Blocks of one contig and strand that are joined, at the least.
_KEPT_APART = 100_000


@dataclass(slots=True)
class ReadChain:
    """Reads with one intron chain.

    Attributes:
        introns: sorted, never empty.
        reads: their number.
        spans: outer ends of these reads, without spans that lie within another.
    """

    introns: Intervals
    reads: int = 0
    spans: list[Interval] = field(default_factory=list)

    def add(self, span: Interval) -> None:
        self.reads += 1
        if not any(start <= span[0] and span[1] <= end for start, end in self.spans):
            self.spans = [kept for kept in self.spans if not (span[0] <= kept[0] and kept[1] <= span[1])]
            self.spans.append(span)

    def position_of(self, chain: Intervals) -> int | None:
        """Index of the first intron of ``chain`` in this chain, if it is a run of this chain's consecutive introns."""
        first = bisect_right(self.introns, chain[0]) - 1
        return first if first >= 0 and self.introns[first : first + len(chain)] == chain else None

    def holds(self, segments: Intervals, first: int) -> bool:
        """True if a read of this chain contains exactly these segments, whose introns begin at index ``first``.

        The outermost segments may end inside an exon of the read, but an intron of it may not cut them.
        """
        start, end = segments[0][0], segments[-1][1]
        last = first + len(segments) - 2
        if first > 0 and self.introns[first - 1][1] > start:
            return False
        if last + 1 < len(self.introns) and self.introns[last + 1][0] < end:
            return False
        return any(left <= start and end <= right for left, right in self.spans)


class ReadEvidence:
    """Collapsed reads by contig and strand.

    Attributes:
        reads: number of reads.
        contigs: contigs with a read.
        introns: reads by (contig, strand, intron).
        chains: the collapsed intron chains by (contig, strand), then by their introns.
    """

    def __init__(self, alignments: Iterable[ReadAlignment]) -> None:
        self.reads = 0
        self.introns: Counter[tuple[str, str, Interval]] = Counter()
        self.chains: dict[Track, dict[Intervals, ReadChain]] = defaultdict(dict)
        blocks: dict[Track, _Blocks] = defaultdict(_Blocks)
        for read in alignments:
            track = (read.contig, read.strand)
            blocks[track].add(read.blocks, self.reads)
            self.reads += 1
            if read.introns:
                chain = self.chains[track].setdefault(read.introns, ReadChain(read.introns))
                chain.add((read.blocks[0][0], read.blocks[-1][1]))
        self.contigs = {contig for contig, _ in blocks}
        self._tracks = {track: _Track.of(found) for track, found in blocks.items()}
        self._by_intron: dict[tuple[str, str, Interval], list[ReadChain]] = defaultdict(list)
        for track, chains in self.chains.items():
            for chain in chains.values():
                for intron in chain.introns:
                    self.introns[*track, intron] += chain.reads
                    self._by_intron[*track, intron].append(chain)
        self._left = {(contig, strand, intron[0]) for contig, strand, intron in self.introns}
        self._right = {(contig, strand, intron[1]) for contig, strand, intron in self.introns}
        log.info(
            "%d reads: %d intron chains of %d introns",
            self.reads,
            sum(map(len, self.chains.values())),
            len(self.introns),
        )

    def covers(self, contig: str, strand: str, segments: Sequence[Interval]) -> bool:
        """True if an aligned base of any read lies in a segment."""
        track = self._tracks.get((contig, strand))
        return track is not None and any(track.covers(start, end) for start, end in segments)

    def count(self, contig: str, strand: str, segments: Sequence[Interval]) -> int:
        """Reads with an aligned base in a segment."""
        track = self._tracks.get((contig, strand))
        return 0 if track is None else track.count(segments)

    def spans(self, contig: str, strand: str, stretch: Interval) -> bool:
        """True if one read spans the region and at least one base beyond each of its ends."""
        track = self._tracks.get((contig, strand))
        return track is not None and track.spans(stretch[0] - 1, stretch[1] + 1)

    def count_over(self, contig: str, strand: str, segment: Interval) -> int:
        """Count reads aligned over the whole segment, without an intron in it."""
        track = self._tracks.get((contig, strand))
        return 0 if track is None else track.count_over(*segment)

    def has_chain(self, contig: str, strand: str, chain: Intervals) -> bool:
        """True if the intron chain equals that of a read."""
        return chain in self.chains.get((contig, strand), ())

    def holding(self, contig: str, strand: str, chain: Intervals) -> Iterator[tuple[ReadChain, int]]:
        """Read chains that contain ``chain`` as a run of consecutive introns, with the index at which it begins."""
        for candidate in self._by_intron.get((contig, strand, chain[0]), ()):
            first = candidate.position_of(chain)
            if first is not None:
                yield candidate, first

    def contains_chain(self, contig: str, strand: str, chain: Intervals) -> bool:
        """True if the intron chain equals a read's chain, or is a run of its consecutive introns."""
        return any(True for _ in self.holding(contig, strand, chain))

    def knows_sites(self, contig: str, strand: str, chain: Intervals) -> bool:
        """True if each donor and each acceptor of the chain occurs in some read."""
        return all(
            (contig, strand, start) in self._left and (contig, strand, end) in self._right for start, end in chain
        )

    def loci(self, minimum_reads: int) -> list[list[tuple[Track, ReadChain]]]:
        """Group read chains that share introns, directly or through others; groups with fewer reads are left out.

        Such a group is an expressed, spliced gene seen in the reads alone, without any annotation.
        """
        group: dict[tuple[str, str, Interval], tuple[str, str, Interval]] = {intron: intron for intron in self.introns}

        def root(intron: tuple[str, str, Interval]) -> tuple[str, str, Interval]:
            while group[intron] != intron:
                group[intron] = group[group[intron]]
                intron = group[intron]
            return intron

        listed = [(track, chain) for track, chains in self.chains.items() for chain in chains.values()]
        for track, chain in listed:
            for intron in chain.introns[1:]:
                group[root((*track, intron))] = root((*track, chain.introns[0]))
        members: dict[tuple[str, str, Interval], list[tuple[Track, ReadChain]]] = defaultdict(list)
        for track, chain in listed:
            members[root((*track, chain.introns[0]))].append((track, chain))
        return [found for found in members.values() if sum(chain.reads for _, chain in found) >= minimum_reads]


class _Blocks:
    """Growing lists of block starts, block ends and the numbers of their reads."""

    def __init__(self) -> None:
        self.starts, self.ends, self.reads = array("i"), array("i"), array("i")

    def add(self, blocks: Intervals, read: int) -> None:
        for start, end in blocks:
            self.starts.append(start)
            self.ends.append(end)
            self.reads.append(read)


@dataclass(frozen=True, slots=True)
class _Track:
    """Aligned blocks of one contig and strand, and the spans of its reads, both sorted by start; arrays int32.

    Attributes:
        starts, ends, reads: of the blocks, (blocks,); ``reads`` are the numbers of their reads.
        furthest, span_furthest: the furthest end of all blocks, or spans, up to each.
        span_starts: (reads,).
        longest: the length of the longest block.
    """

    starts: Positions
    ends: Positions
    reads: Positions
    furthest: Positions
    span_starts: Positions
    span_furthest: Positions
    longest: int

    @classmethod
    def of(cls, found: _Blocks) -> _Track:
        starts, ends, reads = (np.frombuffer(part, dtype=np.int32) for part in (found.starts, found.ends, found.reads))
        # Blocks of one read follow each other in ascending order.
        first = np.flatnonzero(np.diff(reads, prepend=-1))
        lefts, rights = starts[first], ends[np.append(first[1:], reads.size) - 1]
        order, spans = np.argsort(starts, kind="stable"), np.argsort(lefts, kind="stable")
        return cls(
            starts[order],
            ends[order],
            reads[order],
            np.maximum.accumulate(ends[order]),
            lefts[spans],
            np.maximum.accumulate(rights[spans]),
            int((ends - starts).max()),
        )

    def spans(self, start: int, end: int) -> bool:
        """True if the span of one read contains ``[start, end)``."""
        before = int(np.searchsorted(self.span_starts, start, side="right"))
        return before > 0 and int(self.span_furthest[before - 1]) >= end

    def covers(self, start: int, end: int) -> bool:
        before = int(np.searchsorted(self.starts, end, side="left"))
        return before > 0 and int(self.furthest[before - 1]) > start

    def count_over(self, start: int, end: int) -> int:
        low = int(np.searchsorted(self.starts, end - self.longest, side="left"))
        high = int(np.searchsorted(self.starts, start, side="right"))
        return int((self.ends[low:high] >= end).sum())

    def count(self, segments: Sequence[Interval]) -> int:
        found = []
        for start, end in segments:
            low = int(np.searchsorted(self.starts, start - self.longest, side="right"))
            high = int(np.searchsorted(self.starts, end, side="left"))
            found.append(self.reads[low:high][self.ends[low:high] > start])
        return int(np.unique(np.concatenate(found)).size) if found else 0


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
