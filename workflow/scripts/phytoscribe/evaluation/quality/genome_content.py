"""What lies beside the genes: bases, gaps, soft-masked repeats, and long stretches without a gene.

The genome is read piece by piece, so that memory does not grow with a contig.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.genome import Genome
from phytoscribe.genome.intervals import Interval, merge_intervals

#: Bases that are read at once.
PIECE = 1 << 22
#: Contigs from this length on can have a stretch without genes that means something.
LONG_CONTIG = 1_000_000
#: A desert is at least this long, bases other than N...
SHORTEST_DESERT = 500_000
#: ... and so many times the mean distance from gene to gene: even at random one gap in exp(30) would be.
DESERT_SPACINGS = 30
_LOWER = np.zeros(256, np.bool_)
_LOWER[ord("a") : ord("z") + 1] = True
_GAP = np.zeros(256, np.bool_)
_GAP[[ord("N"), ord("n")]] = True


class Repeats:
    """Repeats of a genome; N is none, whatever its case.

    Args:
        intervals: by contig, 0-based half-open, in any order; besides the lower case of the FASTA.
    """

    def __init__(self, intervals: Mapping[str, Sequence[Interval]] | None = None) -> None:
        self._merged = {
            contig: np.array(merge_intervals(found), dtype=np.int64).reshape(-1, 2)
            for contig, found in (intervals or {}).items()
        }

    def among(self, contig: str, start: int, letters: bytes) -> npt.NDArray[np.bool_]:
        """Whether each of these letters, which begin at ``start`` of the contig, is a repeat; bool (n,)."""
        raw = np.frombuffer(letters, np.uint8)
        found = _LOWER[raw]
        merged = self._merged.get(contig)
        if merged is not None:
            first = np.searchsorted(merged[:, 1], start, side="right")
            last = np.searchsorted(merged[:, 0], start + raw.size)
            for begin, end in merged[first:last] - start:
                found[max(0, begin) : end] = True
        return found & ~_GAP[raw]


def gaps_among(letters: bytes) -> npt.NDArray[np.bool_]:
    """Whether each letter is N; bool (n,)."""
    return _GAP[np.frombuffer(letters, np.uint8)]


class Desert(NamedTuple):
    """A stretch without genes, 0-based half-open; ``bases`` are those that are not N."""

    contig: str
    start: int
    end: int
    bases: int


@dataclass(frozen=True, slots=True)
class Content:
    """Totals of the contigs that genes were looked for on.

    Attributes:
        bases, gap_bases, masked_bases: all, N, repeats (N not among them).
        cds_bases, gene_bases: bases under a CDS, and from start to stop codon, of any gene; each counted once.
        long_bases: bases other than N on contigs of :data:`LONG_CONTIG` and more.
        deserts: on these contigs, longest first.
        empty_contigs: those of these contigs that have no gene at all, in FASTA order.
    """

    bases: int
    gap_bases: int
    masked_bases: int
    cds_bases: int
    gene_bases: int
    long_bases: int
    deserts: tuple[Desert, ...]
    empty_contigs: tuple[str, ...]

    @property
    def known_bases(self) -> int:
        """Bases other than N."""
        return self.bases - self.gap_bases


def count_letters(genome: Genome, contig: str, start: int, end: int, repeats: Repeats) -> tuple[int, int]:
    """N, and other bases that are repeats, of ``[start, end)`` of a contig."""
    gaps = masked = 0
    for first in range(start, end, PIECE):
        letters = genome.letters(contig, first, min(end, first + PIECE))
        gaps += int(gaps_among(letters).sum())
        masked += int(repeats.among(contig, first, letters).sum())
    return gaps, masked


def genome_content(
    genes: Iterable[GeneModel], genome: Genome, contigs: Sequence[str], repeats: Repeats | None = None
) -> Content:
    """Content of ``contigs``, on which these genes were found; repeats as in :class:`Repeats` without intervals."""
    known = repeats or Repeats()
    spans, coding = defaultdict(list), defaultdict(list)
    count = 0
    for gene in genes:
        segments = [segment for transcript in gene.coding_transcripts for segment in transcript.cds]
        if segments:
            count += 1
            coding[gene.contig] += segments
            spans[gene.contig].append((min(s for s, _ in segments), max(e for _, e in segments)))
    letters = {contig: count_letters(genome, contig, 0, genome.contigs[contig], known) for contig in contigs}
    bases = sum(genome.contigs[contig] for contig in contigs)
    gaps = sum(gap for gap, _ in letters.values())
    merged = {contig: merge_intervals(spans[contig]) for contig in contigs}
    long = [contig for contig in contigs if genome.contigs[contig] >= LONG_CONTIG]
    least = max(SHORTEST_DESERT, DESERT_SPACINGS * (bases - gaps) / count) if count else SHORTEST_DESERT
    deserts = [d for contig in long if spans[contig] for d in _deserts(genome, contig, merged[contig], least)]
    return Content(
        bases,
        gaps,
        sum(masked for _, masked in letters.values()),
        sum(end - start for contig in contigs for start, end in merge_intervals(coding[contig])),
        sum(end - start for found in merged.values() for start, end in found),
        sum(genome.contigs[contig] - letters[contig][0] for contig in long),
        tuple(sorted(deserts, key=lambda d: (-d.bases, d.contig, d.start))),
        tuple(contig for contig in long if not spans[contig]),
    )


def _deserts(genome: Genome, contig: str, genes: Sequence[Interval], least: float) -> list[Desert]:
    ends = [0, *(end for _, end in genes)]
    starts = [*(start for start, _ in genes), genome.contigs[contig]]
    found = []
    for start, end in zip(ends, starts, strict=True):
        if end - start >= least:
            bases = end - start - count_letters(genome, contig, start, end, Repeats())[0]
            if bases >= least:
                found.append(Desert(contig, start, end, bases))
    return found
