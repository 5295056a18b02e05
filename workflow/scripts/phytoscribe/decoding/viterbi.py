"""The best path through the lattice for a contig of any length, piece by piece, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import Interval
from phytoscribe.decoding import lattice
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.labels.runs import true_runs


@dataclass(frozen=True, slots=True)
class CodingGene:
    """The CDS of a decoded gene and how sure the decoder is of its parts.

    Attributes:
        strand: ``+`` or ``-``.
        cds: sorted 0-based half-open segments in contig orientation, stop codon inside.
        probability: of the gene.
        segment_probabilities: one per CDS segment, in the order of ``cds``.
        intron_probabilities: one per gap between two segments, in the order of the contig.
        start_probability, stop_probability: of the two codons.
        partial_left, partial_right: the gene is cut by that end of the contig.
    """

    strand: str
    cds: tuple[Interval, ...]
    probability: float = math.nan
    segment_probabilities: tuple[float, ...] = ()
    intron_probabilities: tuple[float, ...] = ()
    start_probability: float = math.nan
    stop_probability: float = math.nan
    partial_left: bool = False
    partial_right: bool = False

    @property
    def span(self) -> Interval:
        """From the first to the last coding base."""
        return self.cds[0][0], self.cds[-1][1]

    @property
    def cds_length(self) -> int:
        return sum(end - start for start, end in self.cds)


class StreamingDecoder:
    """Decodes a contig that arrives in consecutive pieces; the result does not depend on how it was cut.

    After each piece the genes are given out that no later base can change: those before the last base which all
    surviving paths spend outside genes.
    """

    def __init__(self, settings: DecoderSettings) -> None:
        self.settings = settings
        # Row 0 is a non-coding base before the contig, so that a gene may begin with the contig's first base.
        self._offset = -1  # contig position of row 0
        self._bases = np.full(1, N_CODE, np.uint8)
        self._plus = np.zeros((1, lattice.COLUMN_COUNT), np.float32)
        self._minus = np.zeros((1, lattice.COLUMN_COUNT), np.float32)
        self._best = np.full((1, lattice.NODE_COUNT), lattice.FORBIDDEN)
        self._best[0, lattice.NON_CODING] = 0.0
        self._back = np.zeros((1, lattice.NODE_COUNT), np.uint8)

    def push(self, bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray) -> list[CodingGene]:
        """Take the next bases with both strands' log probabilities, shape (n, STATE_COUNT), contig orientation."""
        done = self._bases.size
        score = self.settings.coding_score
        self._bases = np.concatenate([self._bases, bases])
        self._plus = np.concatenate([self._plus, lattice.relative_scores(plus, bases, score)])
        self._minus = np.concatenate([self._minus, lattice.relative_scores(minus, bases, score)])
        self._best = np.concatenate([self._best, np.empty((bases.size, lattice.NODE_COUNT))])
        self._back = np.concatenate([self._back, np.empty((bases.size, lattice.NODE_COUNT), np.uint8)])
        lattice.advance(
            done,
            self._bases.size,
            self._bases,
            self._plus,
            self._minus,
            self._best,
            self._back,
            self.settings.minimum_intron,
            self.settings.gene_score,
            self.settings.intron_score,
        )
        row = lattice.settled_row(self._bases.size, self._best, self._back, self.settings.minimum_intron)
        return self._give_out(row) if row > 0 else []

    @property
    def decided(self) -> int:
        """Contig position up to which all genes have been given out."""
        return max(self._offset, 0)

    @property
    def kept_bases(self) -> int:
        """Bases held in memory because later ones may still change their genes."""
        return self._bases.size

    def finish(self) -> list[CodingGene]:
        """The genes that are left once the contig has ended.  A gene that is not complete there is not written."""
        last = self._bases.size - 1
        ends = [lattice.NON_CODING, lattice.P_STOP, lattice.M_START]
        node = max(ends, key=lambda n: self._best[last, n])
        return self._give_out(last, node)

    def _give_out(self, row: int, node: int = lattice.NON_CODING) -> list[CodingGene]:
        path = np.zeros(row + 1, np.uint8)
        lattice.trace(row, node, self._back, self.settings.minimum_intron, path)
        genes = genes_of_path(path, self._offset)
        # The settled row stays as row 0: no edge of a later base starts before it.
        self._offset += row
        for name in ("_bases", "_plus", "_minus", "_best", "_back"):
            setattr(self, name, getattr(self, name)[row:].copy())
        return [gene for gene in genes if gene.cds_length >= self.settings.minimum_cds]


def genes_of_path(path: npt.NDArray[np.uint8], offset: int) -> list[CodingGene]:
    """CDS chains of a path of lattice nodes; ``offset`` is the contig position of its first base."""
    genes: list[CodingGene] = []
    strand_of = np.zeros(lattice.NODE_COUNT, np.int8)
    strand_of[lattice.P_C0 : lattice.P_I2TG + 1] = 1
    strand_of[lattice.M_C0 : lattice.M_I2G + 1] = 2
    is_coding = np.zeros(lattice.NODE_COUNT, bool)
    is_coding[lattice.P_C0 : lattice.P_STOP + 1] = True
    is_coding[lattice.M_C0 : lattice.M_START + 1] = True
    for start, end in true_runs(strand_of[path] > 0):
        strand = "+" if strand_of[path[start]] == 1 else "-"
        cds = true_runs(is_coding[path[start:end]], start + offset)
        genes.append(CodingGene(strand, cds))
    return genes


def decode_coding_genes(
    bases: npt.NDArray[np.uint8],
    plus: npt.NDArray,
    minus: npt.NDArray,
    settings: DecoderSettings,
    piece: int = 200_000,
) -> list[CodingGene]:
    """Genes of a whole contig from its log probabilities, both of shape (length, STATE_COUNT) in contig orientation.

    Genes whose CDS is shorter than ``settings.minimum_cds`` are left out.  ``piece`` only bounds memory.
    """
    decoder = StreamingDecoder(settings)
    genes: list[CodingGene] = []
    for start in range(0, bases.size, piece):
        stop = start + piece
        genes += decoder.push(bases[start:stop], plus[start:stop], minus[start:stop])
    return genes + decoder.finish()
