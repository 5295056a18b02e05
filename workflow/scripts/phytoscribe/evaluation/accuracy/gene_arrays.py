"""Genes as arrays, to compare whole genomes without a loop over genes.

All strands of all contigs lie on one axis (:class:`Axis`): the *place* of a base is its contig coordinate (0-based)
plus its strand's offset, so that equal places are the same base of the same strand.  Items of any kind get *codes*:
whole numbers that are equal exactly if the items are; they come from sorting, not hashing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.genome.intervals import Places, as_places, merged, overlapping, overlapping_pairs, runs

#: Places of one strand, and of one gene; no contig and no gene is as long.
SPAN = 1 << 36
_GENE_SPAN = 1 << 33
_LARGEST = np.iinfo(np.int64).max
Part = Literal["cds", "exons"]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Axis:
    """Offsets of strands; genes to be compared must use the same axis."""

    def __init__(self) -> None:
        self._contigs: dict[str, int] = {}

    def offset(self, contig: str, strand: str) -> int:
        """Place of the first base of a strand."""
        code = self._contigs.setdefault(contig, len(self._contigs))
        return (2 * code + (strand == "-")) * SPAN

    def on_both_strands(self, tracks: Mapping[str, Sequence[Interval]]) -> Places:
        """Union of intervals by contig, on either strand."""
        return self.union({(contig, strand): found for contig, found in tracks.items() for strand in "+-"})

    def union(self, tracks: Mapping[tuple[str, str], Sequence[Interval]]) -> Places:
        """Union of intervals by (contig, strand)."""
        parts = [as_places(found) + self.offset(*track) for track, found in tracks.items()]
        return merged(np.concatenate(parts)) if parts else as_places(())


@dataclass(frozen=True, slots=True)
class GeneColumns:
    """Coding transcripts of genes, in the order of the genes.

    Attributes:
        genes: number of genes, with or without transcripts.
        gene: number of each transcript's gene, int64 (transcripts,).
        forward: strand of each transcript, bool (transcripts,).
        first: index of each transcript's first segment, int64 (transcripts + 1,).
        segments: places of the segments, int64 (segments, 2), in contig order within a transcript.
    """

    genes: int
    gene: Codes
    forward: Flags
    first: Codes
    segments: Places

    @classmethod
    def of(cls, genes: Sequence[GeneModel], axis: Axis, part: Part = "cds") -> GeneColumns:
        """CDS segments or exons of the coding transcripts."""
        transcripts = [transcript for gene in genes for transcript in gene.transcripts if transcript.cds]
        coding = [sum(bool(transcript.cds) for transcript in gene.transcripts) for gene in genes]
        parts = [transcript.cds for transcript in transcripts] if part == "cds" else [t.exons for t in transcripts]
        lengths = np.fromiter(map(len, parts), dtype=np.int64, count=len(parts))
        flat = np.fromiter(chain.from_iterable(chain.from_iterable(parts)), dtype=np.int64, count=2 * lengths.sum())
        number = np.repeat(np.arange(len(genes)), coding)
        offset = np.array([axis.offset(gene.contig, gene.strand) for gene in genes], dtype=np.int64)
        return cls(
            genes=len(genes),
            gene=number,
            forward=np.array([gene.strand == "+" for gene in genes], dtype=np.bool_)[number],
            first=np.concatenate([[0], np.cumsum(lengths)]),
            segments=flat.reshape(-1, 2) + np.repeat(offset[number], lengths)[:, None],
        )

    @property
    def counts(self) -> Codes:
        """Segments of each transcript."""
        return np.diff(self.first)

    @property
    def segment_gene(self) -> Codes:
        """Number of each segment's gene."""
        return np.repeat(self.gene, self.counts)

    @property
    def lengths(self) -> Codes:
        """Bases of each transcript."""
        bases = np.concatenate([[0], np.cumsum(self.segments[:, 1] - self.segments[:, 0])])
        return np.diff(bases[self.first])

    @property
    def left(self) -> Codes:
        """Place of each transcript's first base."""
        return self.segments[self.first[:-1], 0]

    @property
    def right(self) -> Codes:
        """Place after the end of each transcript's last segment."""
        return self.segments[self.first[1:] - 1, 1]

    def introns(self) -> Places:
        """Gaps between a transcript's segments, int64 (introns, 2); ``counts - 1`` of them for each transcript."""
        last = np.zeros(len(self.segments), dtype=np.bool_)
        last[self.first[1:] - 1] = True
        inner = np.flatnonzero(~last)
        return np.column_stack([self.segments[inner, 1], self.segments[inner + 1, 0]])

    def only(self, transcripts: Flags) -> GeneColumns:
        """Only these transcripts; genes keep their numbers."""
        counts = self.counts[transcripts]
        rows = runs(self.first[:-1][transcripts], counts)
        return GeneColumns(
            genes=self.genes,
            gene=self.gene[transcripts],
            forward=self.forward[transcripts],
            first=np.concatenate([[0], np.cumsum(counts)]),
            segments=self.segments[rows],
        )

    def genes_with(self, transcripts: Flags) -> Flags:
        """Genes with at least one of these transcripts, bool (genes,)."""
        return flags(self.gene[transcripts], self.genes)

    def touching(self, union: Places) -> Flags:
        """Transcripts with a segment that overlaps a union of intervals, bool (transcripts,)."""
        hit = overlapping(self.segments, union)
        return flags(np.repeat(np.arange(self.gene.size), self.counts)[hit], self.gene.size)

    def covered(self) -> tuple[Places, Codes]:
        """Union of each gene's segments, int64 (n, 2), and the number of the gene of each interval, (n,)."""
        gene = self.segment_gene
        low = np.full(self.genes, np.iinfo(np.int64).max)
        np.minimum.at(low, gene, self.segments[:, 0])
        # Side by side on an axis of genes, so that segments of neighbours do not merge.
        shift = gene * _GENE_SPAN - low[gene]
        union = merged(self.segments + shift[:, None])
        owner = union[:, 0] // _GENE_SPAN
        return union - (owner * _GENE_SPAN - low[owner])[:, None], owner

    def mostly_inside(self, union: Places, antisense: bool = False) -> Flags:
        """Genes with at least half of their bases in a union of intervals; bool (genes,).

        With ``antisense``, the bases on the opposite strand are tested.
        """
        places, gene = self.covered()
        total = np.bincount(gene, places[:, 1] - places[:, 0], self.genes)
        if antisense:
            places = places + np.where((places[:, :1] // SPAN) % 2 == 0, SPAN, -SPAN)
        row, other = overlapping_pairs(places, union)
        shared = np.minimum(places[row, 1], union[other, 1]) - np.maximum(places[row, 0], union[other, 0])
        return (2 * np.bincount(gene[row], shared, self.genes) >= total) & (total > 0)

    def longest(self, chains: Codes) -> Codes:
        """The longest transcript of each gene, int64 (genes,); ties go to the lowest code.

        Args:
            chains: codes of the transcripts' chains, which make the choice independent of the file's order.

        Raises:
            ValueError: a gene has no transcript.
        """
        order = np.lexsort([chains, -self.lengths, self.gene])
        chosen, first = np.unique(self.gene[order], return_index=True)
        if chosen.size != self.genes:
            raise ValueError(f"{self.genes - chosen.size} genes have no coding transcript")
        return order[first]


def flags(numbers: Codes, size: int) -> Flags:
    """bool (size,), true at ``numbers``."""
    found = np.zeros(size, dtype=np.bool_)
    found[numbers] = True
    return found


def codes_of(*columns: npt.NDArray[np.int64]) -> Codes:
    """Codes 0, 1, ... of rows: equal where all columns are, in the order of the rows; int64 (n,)."""
    code = np.zeros(columns[0].size, dtype=np.int64)
    for column in columns:
        values = column - column.min(initial=0)
        # Numbers that would leave int64 are replaced by their ranks first: of n rows there are at most n.
        if (int(code.max(initial=0)) + 1) * (int(values.max(initial=0)) + 1) > _LARGEST:
            code, values = (np.unique(numbers, return_inverse=True)[1] for numbers in (code, values))
        code = code * (int(values.max(initial=0)) + 1) + values
    return np.unique(code, return_inverse=True)[1]


def interval_codes(places: Places) -> Codes:
    """Codes of intervals (n, 2), in the order of start and end; int64 (n,)."""
    # Lengths are small numbers, so that start and length fit into one.
    return codes_of(places[:, 0], places[:, 1] - places[:, 0])


def chain_codes(first: Codes, counts: Codes, items: Codes, start: Codes) -> Codes:
    """Codes of whole chains: equal if start, length and all items are equal.

    Args:
        first, counts: index of each chain's first item, and number of its items, int64 (chains,).
        items: codes of the items.
        start: codes that equal chains must also share, (chains,); they distinguish chains without items.
    """
    code = start.copy()
    for depth in range(int(counts.max(initial=0))):
        longer = np.flatnonzero(counts > depth)
        code[longer] = codes_of(code[longer], items[first[longer] + depth])
    # Codes of chains that ended at different depths come from different rankings: the length tells them apart.
    return codes_of(counts, code)


def spans_of(genes: Sequence[GeneModel]) -> tuple[Codes, Codes]:
    """Start (0-based) and end of each gene on its contig, UTRs included; int64 (genes,) each."""
    starts = [min([transcript.exons[0][0] for transcript in gene.transcripts]) for gene in genes]
    ends = [max([transcript.end for transcript in gene.transcripts]) for gene in genes]
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


def meetings(left: GeneColumns, right: GeneColumns) -> tuple[Codes, Codes, Codes]:
    """Pairs of genes that share bases on a strand: both gene numbers and the shared bases, int64 (pairs,) each."""
    places, gene = left.covered()
    others, other_gene = right.covered()
    row, other = overlapping_pairs(places, others)
    shared = np.minimum(places[row, 1], others[other, 1]) - np.maximum(places[row, 0], others[other, 0])
    pairs, number = np.unique(gene[row] * max(right.genes, 1) + other_gene[other], return_inverse=True)
    bases = np.bincount(number, shared, pairs.size).astype(np.int64)
    return pairs // max(right.genes, 1), pairs % max(right.genes, 1), bases
