"""Fit the classifier of genes, from predicted genes and what the annotation says of them.

A predicted gene is a coding gene if enough of its CDS is annotated CDS on its strand, else element-like if it lies in
mobile elements as :mod:`phytoscribe.noncoding.joined` means it.  What is neither says nothing, and is left out.  The
fit is a logistic regression on normalised means, calibrated on what it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.decoded_gene import platt
from phytoscribe.decoding.gene_classes import GeneClassifier, numbers_of, region_means
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval, Places, as_places, merged, overlapping, shared_bases
from phytoscribe.noncoding.joined import IN_ELEMENTS
from phytoscribe.prediction.predictor import StructurePredictor

#: Of the squared weights of normalised features; benchmarks/noncoding.md has others.
PENALTY = 10.0
FOLDS = 5

Odds = npt.NDArray[np.float64]


def joined(parts: Sequence[Examples]) -> Examples:
    """All examples of some stretches."""
    filled = [part for part in parts if len(part.element)]
    return Examples(*(np.concatenate(column) for column in zip(*filled, strict=True)))


def fit_classifier(examples: Examples, facts: Mapping[str, str]) -> GeneClassifier:
    """A classifier that is not calibrated yet."""
    genes, regions, channels = examples.means.shape
    values = np.concatenate([examples.means.reshape(genes, -1).astype(np.float64), examples.numbers], axis=1)
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-3
    inputs, wanted = (values - mean) / deviation, examples.element.astype(np.float64)

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        weights, logits = point[1:], inputs @ point[1:] + point[0]
        residual = 0.5 + 0.5 * np.tanh(0.5 * logits) - wanted
        value = float(np.sum(np.logaddexp(0.0, logits) - wanted * logits) + PENALTY * weights @ weights)
        return value, np.concatenate([[residual.sum()], inputs.T @ residual + 2 * PENALTY * weights])

    point = minimize(loss, np.zeros(1 + values.shape[1]), jac=True, method="L-BFGS-B").x
    weights = point[1:] / deviation
    projection = weights[: regions * channels].reshape(regions, channels).T
    return GeneClassifier(
        projection.astype(np.float32), weights[regions * channels :], float(point[0] - mean @ weights), facts
    )


def odds_of(classifier: GeneClassifier, examples: Examples) -> Odds:
    """Log odds (genes,) of being element-like."""
    by_region = np.einsum("grc,cr->g", examples.means.astype(np.float64), classifier.projection.astype(np.float64))
    return by_region + examples.numbers @ classifier.numbers + classifier.bias


def cross_fitted(parts: Sequence[Examples]) -> tuple[Odds, Examples]:
    """Log odds of each stretch's genes by a classifier that has not seen it, and these genes."""
    folds = [joined(parts[fold::FOLDS]) for fold in range(FOLDS)]
    odds = []
    for number, fold in enumerate(folds):
        others = joined([other for k, other in enumerate(folds) if k != number])
        odds.append(odds_of(fit_classifier(others, {}), fold))
    return np.concatenate(odds), joined(folds)


def calibrated(classifier: GeneClassifier, odds: Odds, element: npt.NDArray[np.bool_]) -> GeneClassifier:
    """The classifier with its log odds put on the scale by which cross-fitted ones match the share of elements."""
    slope, offset = platt(odds, element)
    projection = (classifier.projection * slope).astype(np.float32)
    return GeneClassifier(projection, classifier.numbers * slope, classifier.bias * slope + offset, classifier.facts)


def average_precision(scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """Mean over the right ones of the precision down to their rank."""
    hits = right[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, hits.size + 1))[hits].mean())


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
