"""Genes of a stretch whose further isoforms the network learns to write, each with those that are annotated.

As for the ranker, each gene is there in two ways: with the first transcript that the structure model predicts, and with
the annotated transcript of the longest CDS.  A gene without alternatives teaches that there is nothing to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import Isoform
from phytoscribe.decoding.ranked_isoforms import annotated_first, predicted_first
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.sentences.given_gene import GivenGene, given_gene
from phytoscribe.training.tasks.isoforms.examples import read_stretch


class ReadLocus(NamedTuple):
    """A gene with its surroundings, and what is annotated beside its first transcript.

    Attributes:
        gene: with its first transcript.
        completes: whether the first transcript is the annotation's.
        wanted: annotated isoforms that are no gene's first transcript and lie in the window, one for each CDS.
        beyond: annotated isoforms beside an annotated first transcript that leave the window.
    """

    gene: GivenGene
    completes: bool
    wanted: tuple[Isoform, ...]
    beyond: int


class ReadLoci(NamedTuple):
    """Loci of a stretch, and what is there.

    Attributes:
        reference: annotated CDS chains; first: predicted first transcripts; first_right: those that are annotated.
    """

    loci: list[ReadLocus]
    reference: int
    first: int
    first_right: int


def loci_of(
    predictor: StructurePredictor,
    bases: npt.NDArray[np.uint8],
    genes: Sequence[GeneModel],
    mask: Sequence[Interval],
    decoder: DecoderSettings,
) -> ReadLoci:
    """Loci of a stretch of sequence.

    Args:
        predictor: set to the sequence's species.
        genes: annotated genes, in the stretch's coordinates.
        mask: intervals whose genes, annotated or predicted, are left out.
    """
    output, predicted, genes = read_stretch(predictor, bases, genes, mask, decoder)
    reference = {(gene.strand, t.cds) for gene in genes for t in gene.coding_transcripts}
    first = {(gene.strand, gene.transcripts[0].cds) for gene in predicted}
    loci = []
    for gene in predicted:
        own = gene.transcripts[0]
        near = [
            t
            for other in genes
            if other.strand == gene.strand
            for t in other.coding_transcripts
            if (gene.strand, t.cds) not in first and t.cds[0][0] < own.cds[-1][1] and own.cds[0][0] < t.cds[-1][1]
        ]
        loci.append(_locus(given_gene(predicted_first(gene), output, decoder), False, near))
    for gene in genes:
        known = annotated_first(gene, predicted)
        if known is not None:
            others = [t for t in gene.coding_transcripts if t.cds != known.first.cds]
            loci.append(_locus(given_gene(known, output, decoder), True, others))
    return ReadLoci(loci, len(reference), len(first), len(reference & first))


def _locus(given: GivenGene, completes: bool, wanted: Iterable[Transcript]) -> ReadLocus:
    turn = given.direction
    by_cds = {t.cds: t for t in wanted}
    inside = [t for t in by_cds.values() if turn.start <= t.cds[0][0] and t.cds[-1][1] <= turn.end]
    isoforms = tuple(Isoform(turn.inward(t.exons), turn.inward(t.cds)) for t in inside)
    return ReadLocus(given, completes, isoforms, len(by_cds) - len(inside))
