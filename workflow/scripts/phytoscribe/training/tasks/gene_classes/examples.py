"""Examples for the classifier of genes: genes that a structure model predicts, and what the annotation says of them.

A predicted gene is a coding gene if enough of its CDS is annotated CDS on its strand, else element-like if it lies in
mobile elements as :mod:`phytoscribe.noncoding.joined` means it.  What is neither says nothing, and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.gene_classes import numbers_of, region_means
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval, Places, as_places, merged, overlapping, shared_bases
from phytoscribe.noncoding.joined import IN_ELEMENTS
from phytoscribe.prediction.predictor import StructurePredictor

#: Share of a predicted gene's coding bases that are annotated as such, from which on it is a coding gene.
ANNOTATED = 0.5
_NOTHING = as_places(())


class Examples(NamedTuple):
    """Predicted genes of a stretch that are one or the other.

    Attributes:
        means: float32 (genes, regions, channels), trunk features.
        numbers: float64 (genes, NUMBERS).
        element: bool (genes,).
    """

    means: npt.NDArray[np.float32]
    numbers: npt.NDArray[np.float64]
    element: npt.NDArray[np.bool_]


def class_of(gene: GeneModel, coding: Places, elements: Places) -> bool | None:
    """Whether a predicted gene is element-like; None if neither that nor a coding gene.

    Args:
        coding: union of the annotated CDS on its strand.
        elements: union of the mobile elements.
    """
    cds = as_places(gene.transcripts[0].cds)
    bases = int((cds[:, 1] - cds[:, 0]).sum())
    near = [union[overlapping(union, merged(cds))] for union in (coding, elements)]
    annotated, inside = (shared_bases(cds, union, _NOTHING)[0] for union in near)
    if annotated >= ANNOTATED * bases:
        return False
    return True if inside >= IN_ELEMENTS * bases else None


def examples_of(
    predictor: StructurePredictor,
    bases: npt.NDArray[np.uint8],
    genes: Sequence[GeneModel],
    elements: Sequence[Interval],
    mask: Sequence[Interval],
    decoder: DecoderSettings,
) -> Examples:
    """Examples of a stretch of sequence.

    Args:
        predictor: set to the sequence's species, and to all features of the trunk.
        genes: annotated genes, in the stretch's coordinates, as ``elements`` and ``mask`` are.
        mask: intervals whose genes are left out.
    """
    states, _, features = predictor.output_with_features(bases)
    hidden, in_elements = merged(as_places(mask)), merged(as_places(elements))
    coding = {
        strand: merged(as_places(x for g in genes if g.strand == strand for t in g.transcripts for x in t.cds))
        for strand in "+-"
    }
    found = []
    for gene in decode_contig("", bases, *states, decoder):
        element = class_of(gene, coding[gene.strand], in_elements)
        if element is not None and not overlapping(as_places([(gene.start, gene.end)]), hidden)[0]:
            found.append((region_means(gene, features, 0).astype(np.float32), numbers_of(gene), element))
    if not found:
        return Examples(np.empty((0, 0, 0), np.float32), np.empty((0, 0)), np.empty(0, np.bool_))
    return Examples(*(np.array(column) for column in zip(*found, strict=True)))
