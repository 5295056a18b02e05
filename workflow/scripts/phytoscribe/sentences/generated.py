"""Further isoforms of predicted or annotated genes, written by a pointer network (``isoforms.method: generated``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import Transcript
from phytoscribe.decoding.decoded_gene import platt_probabilities
from phytoscribe.decoding.isoform_edits import NetworkOutput
from phytoscribe.decoding.isoforms import GENERATED, IsoformSettings, JudgedIsoform
from phytoscribe.decoding.ranked_isoforms import Known
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import ModelError
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.models import WRITER_FILES
from phytoscribe.models.isoform_writer import IsoformWriter, load_writer
from phytoscribe.sentences.given_gene import GivenGene, given_gene
from phytoscribe.sentences.grammar import Grammar
from phytoscribe.sentences.shapes import WrittenIsoform
from phytoscribe.sentences.site_evidence import EVIDENCE, site_evidence
from phytoscribe.sentences.sites import MOST_SITES, SiteTable, site_table, sites_of_isoform
from phytoscribe.sentences.tokens import SentenceError
from phytoscribe.sentences.writing import WORDS, Search, WrittenProbability, written_isoforms

logger = logging.getLogger(__name__)

#: Sites beside those of the first transcript that are read, at most.
OTHER_SITES = 96
_LEAST = 1e-6


def sites_beside(gene: GivenGene) -> SiteTable:
    """The sites of a gene that the network reads.

    Raises:
        SentenceError: the first transcript alone has too many.
    """
    own = len(set(sites_of_isoform(gene.first.exons, gene.first.cds)))
    return site_table(gene.first, gene.window, most=min(MOST_SITES, own + OTHER_SITES))


def grammar_of(table: SiteTable, gene: GivenGene, settings: DecoderSettings) -> Grammar:
    """The grammar of what may be written beside a first transcript."""
    first = WrittenIsoform(gene.first.exons, gene.first.cds)
    return Grammar(table, gene.window.codes, first, settings.minimum_intron, settings.minimum_cds)


def isoforms_beside(
    network: IsoformWriter, gene: GivenGene, settings: DecoderSettings, search: Search, place: str = ""
) -> list[WrittenProbability]:
    """Isoforms of a gene beside its first transcript; see :func:`written_isoforms`.

    Raises:
        SentenceError: the gene has too many sites.
    """
    table = sites_beside(gene)
    return written_isoforms(
        network, table, site_evidence(table, gene, settings), grammar_of(table, gene, settings), search, place
    )


@dataclass(frozen=True, slots=True)
class GeneratedIsoforms:
    """Writes isoforms; one gene at a time, so that no other gene changes how a product is rounded.

    Attributes:
        network: in double precision.
        slope, offset: from the log odds that an isoform is in the sentence to calibrated log odds.
    """

    network: IsoformWriter
    search: Search
    slope: float = 1.0
    offset: float = 0.0

    def __str__(self) -> str:
        return f"generated ({self.search})"

    def __call__(
        self,
        first: Transcript,
        probabilities: tuple[float, float],
        structures: Sequence[Transcript],
        output: NetworkOutput,
        decoder: DecoderSettings,
    ) -> list[JudgedIsoform]:
        """Isoforms on the contig with calibrated probabilities; see :class:`WritesIsoforms`."""
        gene = given_gene(Known(first, probabilities, structures), output, decoder)
        place = f"{first.contig}\0{first.strand}\0{first.cds[0][0]}"
        try:
            found = isoforms_beside(self.network, gene, decoder, self.search, place)
        except SentenceError as error:
            logger.info("%s:%d: no isoforms are generated: %s", first.contig, first.start + 1, error)
            return []
        turn = gene.direction.outward
        chances = self.calibrated(np.array([isoform.probability for isoform in found])).tolist()
        return [JudgedIsoform(turn(x.exons), turn(x.cds), p) for x, p in zip(found, chances, strict=True)]

    def calibrated(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities, (n,)."""
        return platt_probabilities(log_odds(probabilities), self.slope, self.offset)

    @classmethod
    def load(cls, folder: Path, search: Search) -> GeneratedIsoforms:
        """Of a model's folder.

        Raises:
            ModelError: a file is missing, damaged, or of another version.
        """
        network, report = load_writer(folder)
        sizes = (network.config.features, network.config.tokens)
        if sizes != (EVIDENCE, len(WORDS)):
            raise ModelError(
                f"{folder / WRITER_FILES[0]}: knows {sizes[0]} features and {sizes[1]} words, not {EVIDENCE} and "
                f"{len(WORDS)}: it is of another version"
            )
        slope, offset = report["calibration"]
        return cls(network, search, float(slope), float(offset))


def log_odds(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log odds of probabilities, held within what can be told apart."""
    p = np.clip(probabilities, _LEAST, 1 - _LEAST)
    return np.log(p / (1 - p))


def isoform_settings(
    values: Mapping[str, Any], folder: Path, model: str, junctions: JunctionReads | None = None
) -> IsoformSettings:
    """Settings of the configuration's ``isoforms``, whose method is not ``none``.

    Args:
        values: the section, for method ``generated`` with the seed.
        folder: with the method's files.
        model: hash of the structure model that predicts.
        junctions: RNA-seq reads of the genome, which only a ranker uses.

    Raises:
        ModelError: a file is missing or damaged, or was made for another structure model.
    """
    writer = None
    if values["method"] == GENERATED:
        writer = GeneratedIsoforms.load(folder, Search.of_config(values["generated"], values["seed"]))
    return IsoformSettings.of_config(values, folder, model, junctions, writer)
