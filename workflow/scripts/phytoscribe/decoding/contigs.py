"""Gene models of a contig that arrives in consecutive pieces, in one thread or in several, with the same result."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.block_genes import Block
from phytoscribe.decoding.decoded_gene import DecodedGene
from phytoscribe.decoding.gene_classes import FLANK, GeneClassifier
from phytoscribe.decoding.gene_models import (
    exons_with_untranslated_regions,
    gene_model,
    reach,
    with_chosen_isoforms,
    with_supporting_proteins,
    with_supporting_reads,
)
from phytoscribe.decoding.intron_evidence import ContigEvidence
from phytoscribe.decoding.isoform_edits import NetworkOutput
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.ranked_isoforms import with_likely_isoforms
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.site_scanner import FoundSites, Stretch
from phytoscribe.decoding.streaming import StreamingDecoder, in_pieces
from phytoscribe.labels.states import NON_CODING_STATES

_NOT_KEPT = np.empty((0, 0), np.float16)
Tables = tuple[npt.NDArray, npt.NDArray]


@dataclass(frozen=True)
class GeneDecoding:
    """How the genes of a contig are found, and what is added to them.

    Attributes:
        settings: the model's decoder settings.
        isoforms: which isoforms are added; none if not given.
        evidence: the contig's, if there is any.
        classifier: tells element-like genes from coding ones, if that is asked for.
    """

    settings: DecoderSettings
    isoforms: IsoformSettings | None = None
    evidence: ContigEvidence | None = None
    classifier: GeneClassifier | None = None


class Piece(NamedTuple):
    """What untranslated regions, isoforms and classes are found from, of consecutive bases of a contig.

    Attributes:
        bases: uint8 (n,).
        plus, minus: float32 (n, 5), log probabilities of each strand's non-coding states, contig orientation.
        plus_states, minus_states: (n, STATE_COUNT), of all states; these and the next are empty unless isoforms are
            ranked or generated.
        plus_sites, minus_sites: (n, SITE_COUNT), probabilities of splice sites.
        plus_features, minus_features: (n, regions), what classes are told by; empty unless they are.
    """

    bases: npt.NDArray[np.uint8]
    plus: npt.NDArray
    minus: npt.NDArray
    plus_states: npt.NDArray = _NOT_KEPT
    minus_states: npt.NDArray = _NOT_KEPT
    plus_sites: npt.NDArray = _NOT_KEPT
    minus_sites: npt.NDArray = _NOT_KEPT
    plus_features: npt.NDArray = _NOT_KEPT
    minus_features: npt.NDArray = _NOT_KEPT

    @classmethod
    def of(
        cls,
        bases: npt.NDArray[np.uint8],
        plus: npt.NDArray,
        minus: npt.NDArray,
        sites: Tables | None = None,
        features: Tables | None = None,
    ) -> Piece:
        """Of tables of all states; without ``sites`` copies of a few, as views would keep all states in memory."""
        few = (table[:, : len(NON_CODING_STATES)].astype(np.float32) for table in (plus, minus))
        whole = (plus, minus, *sites) if sites else (_NOT_KEPT,) * 4
        return cls(bases, *few, *whole, *(features or (_NOT_KEPT,) * 2))

    def output(self, start: int) -> NetworkOutput:
        """All of the network's output, the first base at contig position ``start``."""
        states, sites = (self.plus_states, self.minus_states), (self.plus_sites, self.minus_sites)
        return NetworkOutput(self.bases, states, sites, start)


class GeneModels:
    """Gene models of one contig from its decoded genes, which arrive in consecutive pieces.

    Held back are the stretch that the lattice has not decided yet, and as much beside it as an untranslated region may
    need.
    """

    def __init__(self, contig: str, decoding: GeneDecoding) -> None:
        self.contig = contig
        self.settings = decoding.settings
        self.isoforms = decoding.isoforms
        self.evidence = decoding.evidence
        self.classifier = decoding.classifier
        #: Bases beside a CDS that are kept.
        self._beside = max(self.settings.maximum_utr, FLANK if self.classifier else 0)
        self._offset = 0  # contig position of the first row kept
        self._rows: list[Piece] = []
        self._length = 0
        self._waiting: list[DecodedGene] = []
        self._last_end: dict[str, int | None] = {"+": None, "-": None}
        self._count = 0

    def add(self, piece: Piece, genes: list[DecodedGene], decided: int) -> list[GeneModel]:
        """The genes that are final once the next bases and genes are known, sorted by position of their CDS.

        Args:
            piece: the next bases.
            decided: contig position up to which all genes have been given.
        """
        self._length += piece.bases.size
        self._rows.append(piece)
        self._waiting += genes
        models = self._ready(decided)
        self._forget(decided)
        return models

    def finish(self, genes: list[DecodedGene]) -> list[GeneModel]:
        """The genes that are left once the contig has ended."""
        self._waiting += genes
        return self._ready(None)

    def _ready(self, decided: int | None) -> list[GeneModel]:
        """Gene models of the waiting genes whose right neighbour is known or too far away to matter."""
        genes: list[GeneModel] = []
        while self._waiting:
            gene = self._waiting[0]
            following = next((g.first.span[0] for g in self._waiting[1:] if g.strand == gene.strand), None)
            end = gene.span[1]
            # A neighbour further away than this takes nothing from the region.
            if decided is not None and following is None and decided < end + 2 * self.settings.maximum_utr:
                break
            if decided is not None and self._length < end + self._beside:
                break
            genes.append(self._model(gene, following))
            self._last_end[gene.strand] = gene.first.span[1]
            del self._waiting[0]
        return genes

    def _model(self, gene: DecodedGene, following: int | None) -> GeneModel:
        rows = self._joined()
        bases, plus, minus = rows[:3]
        table = plus if gene.strand == "+" else minus
        neighbours = self._last_end[gene.strand], following
        exons = []
        for transcript in gene.transcripts:
            first, last = reach(transcript.span, *neighbours, self.settings.maximum_utr, self._length)
            # What the contig's end cuts goes on beyond it: nothing untranslated can lie on that side.
            limits = (
                transcript.span[0] if transcript.partial_left else first,
                transcript.span[1] if transcript.partial_right else last,
            )
            place = (gene.strand, limits, self._offset)
            exons.append(exons_with_untranslated_regions(transcript.cds, *place, bases, table, self.settings))
        self._count += 1
        model = gene_model(gene, exons, self.contig, str(self._count))
        if self.classifier is not None:
            features = rows.plus_features, rows.minus_features
            model = self.classifier.classified(model, features, self._offset)
        if self.isoforms is not None:
            if self.isoforms.judges:
                model = with_likely_isoforms(model, rows.output(self._offset), self.settings, self.isoforms)
            model = with_chosen_isoforms(model, self.isoforms)
        if self.evidence is not None and self.evidence.junctions:
            model = with_supporting_reads(model, self.evidence.junctions)
        if self.evidence is not None and self.evidence.proteins:
            model = with_supporting_proteins(model, self.evidence.proteins)
        return model

    def _joined(self) -> Piece:
        if len(self._rows) > 1:
            self._rows = [Piece(*(np.concatenate(parts) for parts in zip(*self._rows, strict=True)))]
        return self._rows[0]

    def _forget(self, decided: int) -> None:
        """Drop the rows that no gene can need any more."""
        first = min((gene.span[0] for gene in self._waiting), default=math.inf)
        keep = max(self._offset, min(first, decided) - self._beside)
        if keep > self._offset:
            self._rows = [Piece(*(part[keep - self._offset :].copy() for part in self._joined()))]
            self._offset = keep


class StreamingGeneDecoder:
    """Gene models of one contig that arrives in consecutive pieces; the result does not depend on how it was cut."""

    def __init__(self, contig: str, decoding: GeneDecoding) -> None:
        self._decoder = StreamingDecoder(decoding.settings, decoding.isoforms, decoding.evidence)
        self._models = GeneModels(contig, decoding)

    def push(
        self,
        bases: npt.NDArray[np.uint8],
        plus: npt.NDArray,
        minus: npt.NDArray,
        sites: Tables | None = None,
        features: Tables | None = None,
    ) -> list[GeneModel]:
        """The genes that are final once the next bases are known, sorted by position of their CDS.

        Args:
            bases: uint8 (n,).
            plus, minus: log probabilities of each strand's states, (n, STATE_COUNT), contig orientation.
            sites: probabilities of each strand's splice sites, (n, SITE_COUNT); needed to judge isoforms.
            features: of each strand, (n, regions); needed to tell classes.
        """
        genes = self._decoder.push(bases, plus, minus)
        return self._models.add(Piece.of(bases, plus, minus, sites, features), genes, self._decoder.decided)

    def finish(self) -> list[GeneModel]:
        """The genes that are left once the contig has ended."""
        return self._models.finish(self._decoder.finish())


class ThreadedGeneDecoder:
    """The same with several threads: the gene models, and after which piece they come, are those of one thread.

    Each piece passes four steps.  Sites are searched, and the genes of complete blocks decoded, for several pieces at a
    time; the lattice is read forwards, and untranslated regions are added, for one piece after the other.

    Args:
        after: ``after(function, *needed)`` calls a function in some thread as soon as the futures ``needed`` are done,
            with their results, and returns the future of its own.
    """

    def __init__(self, contig: str, decoding: GeneDecoding, after: Callable[..., Future[Any]]) -> None:
        self._decoder = StreamingDecoder(decoding.settings, decoding.isoforms, decoding.evidence)
        self._models = GeneModels(contig, decoding)
        self._after = after
        self._read: tuple[Future, ...] = ()  # the last piece's steps that the next piece's must wait for
        self._modelled: tuple[Future, ...] = ()

    def push(
        self,
        bases: npt.NDArray[np.uint8],
        plus: npt.NDArray,
        minus: npt.NDArray,
        last: bool,
        sites: Tables | None = None,
        features: Tables | None = None,
    ) -> Future[list[GeneModel]]:
        """The genes that are final with the next piece; arguments as of :meth:`StreamingGeneDecoder.push`.

        Args:
            last: the contig ends with this piece.
        """
        stretch = self._decoder.take(bases, plus, minus)
        searched = self._after(partial(self._search_step, stretch, bases, plus, minus, sites, features))
        read = self._after(partial(self._read_step, last), searched, *self._read)
        decoded = self._after(self._decode_step, read)
        modelled = self._after(partial(self._model_step, last), searched, decoded, *self._modelled)
        self._read, self._modelled = (read,), (modelled,)
        return modelled

    def _search_step(self, stretch: Stretch, *tables: Any) -> tuple[FoundSites, Piece]:
        return self._decoder.search(stretch), Piece.of(*tables)

    def _read_step(self, last: bool, searched: tuple[FoundSites, Piece], *_: Any) -> tuple[list[Block], int]:
        blocks = self._decoder.read(searched[0])
        decided = self._decoder.decided
        return (blocks + self._decoder.read_end() if last else blocks), decided

    def _decode_step(self, read: tuple[list[Block], int]) -> tuple[list[DecodedGene], int]:
        blocks, decided = read
        return self._decoder.genes(blocks), decided

    def _model_step(
        self, last: bool, searched: tuple[FoundSites, Piece], decoded: tuple[list[DecodedGene], int], *_: Any
    ) -> list[GeneModel]:
        models = self._models.add(searched[1], *decoded)
        return models + self._models.finish([]) if last else models


def decode_contig(
    contig: str,
    bases: npt.NDArray[np.uint8],
    plus: npt.NDArray,
    minus: npt.NDArray,
    settings: DecoderSettings,
    piece: int = 200_000,
    isoforms: IsoformSettings | None = None,
    evidence: ContigEvidence | None = None,
) -> list[GeneModel]:
    """Gene models of one contig, sorted by position, with running ids ``1``, ``2``, ...

    Args:
        bases: uint8 (length,).
        plus, minus: log probabilities of each strand's states, (length, STATE_COUNT), contig orientation.
        settings: the model's decoder settings.
        piece: bases decoded at once; bounds memory, changes nothing else.
        isoforms: which isoforms are added; none if not given.
        evidence: of the contig, if there is any.
    """
    decoder = StreamingGeneDecoder(contig, GeneDecoding(settings, isoforms, evidence))
    return in_pieces(decoder, bases, plus, minus, piece)
