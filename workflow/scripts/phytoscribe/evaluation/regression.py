"""Measures of predicted expression, with intervals from a bootstrap over clusters of homologous genes.

Every draw takes clusters with replacement, so a gene has a weight, and all measures are weighted sums: a thousand draws
cost a few products of matrices.  Ranks (Spearman) and cuts are those of the whole sample in all draws.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from phytoscribe.tables import Columns

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: ``label`` is a tissue, ``mean`` (the mean over tissues) or a pair of tissues; ``low`` and ``high`` hold 95 % of the
#: draws.  ``base_rate``, of classes alone, is the share of the positive one.
MEASURES: Columns = {
    "model": str, "label": str, "subset": str, "measure": str, "value": float, "low": float, "high": float, "n": int,
    "base_rate": float,
}  # fmt: skip
MEAN = "mean"
DRAWS, INTERVAL = 1000, (2.5, 97.5)
#: Genes without which a measure says nothing.
LEAST_GENES = 10


class HighLow(NamedTuple):
    """deepCRE's two classes: genes whose highest level over the tissues is in the upper or in the lower quartile.

    Attributes:
        low, high: quartiles of the training genes.
        middle: their median; a prediction above it says high.
    """

    low: float
    high: float
    middle: float

    @classmethod
    def of(cls, log: Values) -> HighLow:
        """From log levels of training genes, (genes, tissues)."""
        highest = np.nanmax(log, axis=1)
        return cls(*np.quantile(highest, (0.25, 0.75, 0.5)).tolist())


def bootstrap_weights(clusters: Sequence[Hashable], seed: int, draws: int = DRAWS) -> Values:
    """Weights of genes, (1 + draws, genes): all 1, then how often the cluster of a gene is drawn."""
    number = pd.factorize(pd.Series(list(clusters), dtype=object))[0]
    # A gene without cluster (NaN, None) is one of its own.
    lonely = number < 0
    number = np.where(lonely, number.max(initial=-1) + np.cumsum(lonely), number)
    count = int(number.max(initial=-1)) + 1
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / max(1, count)), size=draws)
    return np.concatenate([np.ones((1, len(number))), counts[:, number]]).astype(np.float64)


def measures(
    model: str,
    truth: Values,
    predicted: Values,
    tissues: Sequence[str],
    subsets: Mapping[str, Mask],
    weights: Values,
    classes: HighLow | None = None,
) -> pd.DataFrame:
    """All measures of a model, columns :data:`MEASURES`.

    Args:
        truth, predicted: log levels (genes, tissues); NaN where nothing was measured.
        subsets: genes by name of the subset.
        weights: of :func:`bootstrap_weights`.
        classes: of training genes; None for no classes.
    """
    rows = []
    for subset, mask in subsets.items():
        if mask.sum() < LEAST_GENES:
            continue
        found = _all_of(truth[mask], predicted[mask], tissues, weights[:, mask], classes)
        rows += [(model, label, subset, *rest) for label, *rest in found]
    return pd.DataFrame(rows, columns=list(MEASURES))


def _all_of(
    truth: Values, predicted: Values, tissues: Sequence[str], weights: Values, classes: HighLow | None
) -> Iterator[tuple[str, str, float, float, float, int, float]]:
    measured = np.isfinite(truth)
    seen = np.where(measured, predicted, np.nan)
    true_mean, seen_mean = np.nanmean(truth, axis=1), np.nanmean(seen, axis=1)
    yield from _of_values(MEAN, "", true_mean, seen_mean, weights)
    for column, tissue in enumerate(tissues):
        yield from _of_values(tissue, "", truth[:, column], predicted[:, column], weights)
        if len(tissues) > 1:
            deviations = truth[:, column] - true_mean, seen[:, column] - seen_mean
            yield from _of_values(tissue, "deviation_", *deviations, weights)
    for left, right in combinations(range(len(tissues)), 2):
        wanted = truth[:, left] - truth[:, right]
        told = np.isfinite(wanted) & (wanted != 0)
        if told.sum() >= LEAST_GENES:
            right_sign = (wanted > 0) == (predicted[:, left] > predicted[:, right])
            values = _share(right_sign[told], weights[:, told])
            pair = f"{tissues[left]}-{tissues[right]}"
            yield pair, "sign_accuracy", *value_and_interval(values), int(told.sum()), float((wanted[told] > 0).mean())
    if classes is not None:
        yield from _of_classes(np.nanmax(truth, axis=1), np.nanmax(seen, axis=1), classes, weights)


def _of_values(
    label: str, prefix: str, truth: Values, predicted: Values, weights: Values
) -> Iterator[tuple[str, str, float, float, float, int, float]]:
    there = np.isfinite(truth)
    n = int(there.sum())
    if n < LEAST_GENES:
        return
    truth, predicted, weights = truth[there], predicted[there], weights[:, there]
    found = {
        "r2": r_squared(truth, predicted, weights),
        "pearson": correlation(truth, predicted, weights),
        "spearman": correlation(rankdata(truth), rankdata(predicted), weights),
    }
    for measure, values in found.items():
        yield label, prefix + measure, *value_and_interval(values), n, float("nan")


def _of_classes(
    truth: Values, predicted: Values, classes: HighLow, weights: Values
) -> Iterator[tuple[str, str, float, float, float, int, float]]:
    chosen = (truth <= classes.low) | (truth >= classes.high)
    high = truth[chosen] >= classes.high
    if min(high.sum(), (~high).sum()) < LEAST_GENES:
        return
    scores, weights = predicted[chosen], weights[:, chosen]
    accuracy = _share((scores > classes.middle) == high, weights)
    for measure, values in {"high_low_accuracy": accuracy, "high_low_auc": area(scores, high, weights)}.items():
        yield MEAN, measure, *value_and_interval(values), int(chosen.sum()), float(high.mean())


def r_squared(truth: Values, predicted: Values, weights: Values) -> Values:
    """Coefficient of determination in each draw, (draws,): 1 - squared error / variance; negative for bad models."""
    total = weights.sum(axis=1)
    middle = weights @ truth / total
    variance = weights @ truth**2 / total - middle**2
    return 1 - weights @ (truth - predicted) ** 2 / total / np.maximum(variance, 1e-12)


def correlation(left: Values, right: Values, weights: Values) -> Values:
    """Pearson's r in each draw, (draws,); 0 where one side is constant."""
    left, right = left - left.mean(), right - right.mean()
    total = weights.sum(axis=1)
    means = [weights @ side / total for side in (left, right)]
    spread = [weights @ side**2 / total - mean**2 for side, mean in zip((left, right), means, strict=True)]
    both = weights @ (left * right) / total - means[0] * means[1]
    scale = np.sqrt(np.maximum(spread[0], 0) * np.maximum(spread[1], 0))
    return np.where(scale > 1e-12, both / np.maximum(scale, 1e-12), 0.0)


def area(scores: Values, positive: Mask, weights: Values) -> Values:
    """Area under the receiver operating curve in each draw, (draws,); ties count half."""
    levels = np.unique(scores, return_inverse=True)[1]
    count = int(levels.max()) + 1
    draws = len(weights)
    by_level = [np.zeros((draws, count)) for _ in range(2)]
    for target, members in zip(by_level, (positive, ~positive), strict=True):
        np.add.at(target.T, levels[members], weights[:, members].T)
    ups, downs = by_level
    below = np.cumsum(downs, axis=1) - downs
    pairs = ups.sum(axis=1) * downs.sum(axis=1)
    return (ups * (below + downs / 2)).sum(axis=1) / np.maximum(pairs, 1e-12)


def _share(right: Mask, weights: Values) -> Values:
    return weights @ right.astype(np.float64) / weights.sum(axis=1)


def value_and_interval(values: Values) -> tuple[float, float, float]:
    """The value of the whole sample, and the limits of 95 % of the draws."""
    low, high = np.percentile(values[1:], INTERVAL) if len(values) > 1 else (np.nan, np.nan)
    return float(values[0]), float(low), float(high)
