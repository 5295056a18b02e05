"""Whole gene models of a contig from both strands' log probabilities."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Interval, Transcript
from phytoscribe.decoding.decoded_gene import CodingGene
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.streaming import StreamingDecoder
from phytoscribe.decoding.utr import exons_with_untranslated_regions, reach
from phytoscribe.labels.states import NON_CODING_STATES

#: Bases that :func:`decode_contig` hands on at once; bounds memory, changes nothing else.
PIECE = 200_000


class StreamingGeneDecoder:
    """Gene models of one contig that arrives in consecutive pieces; the result does not depend on how it was cut.

    Held back are the stretch that the lattice has not decided yet, and as much beside it as an untranslated region may
    need.
    """

    def __init__(self, contig: str, settings: DecoderSettings) -> None:
        self.contig = contig
        self.settings = settings
        self._decoder = StreamingDecoder(settings)
        self._offset = 0  # contig position of the first row kept
        self._rows: list[tuple[npt.NDArray[np.uint8], npt.NDArray, npt.NDArray]] = []
        self._length = 0
        self._waiting: list[CodingGene] = []
        self._last_end: dict[str, int | None] = {"+": None, "-": None}
        self._count = 0

    @property
    def kept_bases(self) -> int:
        """Bases held in memory because later ones may still change their genes."""
        return self._length - self._offset

    def push(self, bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray) -> list[GeneModel]:
        """The genes that are final once the next bases are known, sorted by position of their CDS.

        Args:
            bases: uint8 (n,).
            plus, minus: log probabilities of each strand's states, (n, STATE_COUNT), contig orientation.
        """
        self._length += bases.size
        # All that untranslated regions are found from; copies, because views would keep all states in memory.
        kept = (table[:, : len(NON_CODING_STATES)].copy() for table in (plus, minus))
        self._rows.append((bases, *kept))
        self._waiting += self._decoder.push(bases, plus, minus)
        genes = self._ready(self._decoder.decided)
        self._forget()
        return genes

    def finish(self) -> list[GeneModel]:
        """The genes that are left once the contig has ended."""
        self._waiting += self._decoder.finish()
        return self._ready(None)

    def _ready(self, decided: int | None) -> list[GeneModel]:
        """Gene models of the waiting genes whose right neighbour is known or too far away to matter."""
        genes: list[GeneModel] = []
        while self._waiting:
            gene = self._waiting[0]
            following = next((g.span[0] for g in self._waiting[1:] if g.strand == gene.strand), None)
            end = gene.span[1]
            # A neighbour further away than this takes nothing from the region.
            if decided is not None and following is None and decided < end + 2 * self.settings.maximum_utr:
                break
            if decided is not None and self._length < end + self.settings.maximum_utr:
                break
            genes.append(self._model(gene, following))
            self._last_end[gene.strand] = end
            del self._waiting[0]
        return genes

    def _model(self, gene: CodingGene, following: int | None) -> GeneModel:
        bases, plus, minus = self._joined()
        table = plus if gene.strand == "+" else minus
        limits = reach(gene.span, self._last_end[gene.strand], following, self.settings.maximum_utr, self._length)
        exons = exons_with_untranslated_regions(gene, limits, self._offset, bases, table, self.settings)
        self._count += 1
        return gene_model(gene, exons, self.contig, str(self._count))

    def _joined(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray, npt.NDArray]:
        if len(self._rows) > 1:
            self._rows = [tuple(np.concatenate(parts) for parts in zip(*self._rows, strict=True))]
        return self._rows[0]

    def _forget(self) -> None:
        """Drop the rows that no gene can need any more."""
        first = self._waiting[0].span[0] if self._waiting else math.inf
        keep = max(self._offset, min(first, self._decoder.decided) - self.settings.maximum_utr)
        if keep > self._offset:
            self._rows = [tuple(part[keep - self._offset :].copy() for part in self._joined())]
            self._offset = keep


def decode_contig(
    contig: str,
    bases: npt.NDArray[np.uint8],
    plus: npt.NDArray,
    minus: npt.NDArray,
    settings: DecoderSettings,
    piece: int = PIECE,
) -> list[GeneModel]:
    """Gene models of one contig, sorted by position, with running ids ``1``, ``2``, ...

    Args:
        bases: uint8 (length,).
        plus, minus: log probabilities of each strand's states, (length, STATE_COUNT), contig orientation.
        settings: the model's decoder settings.
        piece: bases decoded at once; bounds memory, changes nothing else.
    """
    decoder = StreamingGeneDecoder(contig, settings)
    genes: list[GeneModel] = []
    for start in range(0, bases.size, piece):
        stop = start + piece
        genes += decoder.push(bases[start:stop], plus[start:stop], minus[start:stop])
    return genes + decoder.finish()


def gene_model(gene: CodingGene, exons: tuple[Interval, ...], contig: str, identifier: str) -> GeneModel:
    """The gene model of a decoded gene; the probabilities of its parts become attributes of the transcript.

    Lists of probabilities are in reading direction of the gene, as exons are counted.
    """
    order = slice(None) if gene.strand == "+" else slice(None, None, -1)
    attributes = {
        "locus_probability": _shown(gene.locus_probability),
        "cds_probabilities": ",".join(map(_shown, gene.segment_probabilities[order])),
        "intron_probabilities": ",".join(map(_shown, gene.intron_probabilities[order])),
        "start_probability": _shown(gene.start_probability),
        "stop_probability": _shown(gene.stop_probability),
    }
    partial = {"partial": "true"} if gene.partial_left or gene.partial_right else {}
    attributes = {**{name: value for name, value in attributes.items() if value}, **partial}
    transcript = Transcript(
        f"{identifier}.t1",
        exons,
        gene.cds,
        attributes=attributes,
        score=gene.probability,
        start_phase=gene.start_phase,
    )
    return GeneModel(identifier, contig, gene.strand, (transcript,), attributes=partial, score=gene.probability)


def _shown(probability: float) -> str:
    """Three decimals; empty for none."""
    return "" if math.isnan(probability) else f"{probability:.3f}"
