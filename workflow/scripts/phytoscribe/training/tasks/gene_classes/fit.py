"""Fit the classifier of genes: logistic regression on normalised means, calibrated on what it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.decoding.decoded_gene import platt
from phytoscribe.decoding.gene_classes import GeneClassifier
from phytoscribe.training.tasks.gene_classes.examples import Examples

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
