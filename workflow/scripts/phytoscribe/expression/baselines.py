"""Simple models that every expression head must beat, and a probe for leaks.

All predict log2(1 + TPM) of each tissue.  The one setting of the linear ones, the penalty, is chosen on validation
genes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import linalg

from phytoscribe.expression.examples import Levels, level_and_deviation

Features = npt.NDArray[np.float32]
Fitted = Callable[[Features], Levels]

#: Penalties of the ridge, per gene, on weights of features with unit variance.
PENALTIES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
#: Of the boosted trees: small and slow, as few numbers and noisy targets want it; early stopping ends it.
_TREES = {"learning_rate": 0.05, "max_iter": 400, "max_leaf_nodes": 15, "min_samples_leaf": 30, "early_stopping": True}


def chosen_ridge(train: tuple[Features, Levels], validate: tuple[Features, Levels]) -> tuple[Fitted, float]:
    """Linear regression with the penalty of the smallest squared error on validation genes; the model and the penalty.

    Args:
        train, validate: features (genes, features) and log levels (genes, tissues), NaN where nothing was measured.
    """
    paths = [
        (columns, _ridge_path(train[0][rows], train[1][np.ix_(rows, columns)])) for columns, rows in _alike(train[1])
    ]
    models = [_joined([(columns, path[k]) for columns, path in paths]) for k in range(len(PENALTIES))]
    errors = [float(np.nanmean((model(validate[0]) - validate[1]) ** 2)) for model in models]
    best = int(np.argmin(errors))
    return models[best], PENALTIES[best]


def _ridge_path(features: Features, wanted: Levels) -> list[Fitted]:
    """A model for each penalty."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    inputs, middle = (features - mean) / scale, wanted.mean(axis=0)
    gram = (inputs.T @ inputs).astype(np.float64)
    slopes = (inputs.T @ (wanted - middle).astype(np.float32)).astype(np.float64)
    diagonal = np.diag_indices_from(gram)
    found = []
    for penalty in PENALTIES:
        shifted = gram.copy()
        shifted[diagonal] += penalty * len(inputs)
        weights = linalg.solve(shifted, slopes, assume_a="pos") / scale[:, None]
        found.append(_linear(weights, middle - mean @ weights))
    return found


def _linear(weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> Fitted:
    return lambda new: new @ weights + bias


def _alike(log: Levels) -> Iterator[tuple[list[int], npt.NDArray[np.bool_]]]:
    """Tissues that were measured in the same genes, and these genes."""
    measured = np.isfinite(log)
    patterns: dict[bytes, list[int]] = {}
    for column in range(log.shape[1]):
        patterns.setdefault(measured[:, column].tobytes(), []).append(column)
    yield from ((columns, measured[:, columns[0]]) for columns in patterns.values())


def _joined(parts: Sequence[tuple[list[int], Fitted]]) -> Fitted:
    def predict(new: Features) -> Levels:
        found = np.empty((len(new), sum(len(columns) for columns, _ in parts)))
        for columns, fitted in parts:
            found[:, columns] = fitted(new)
        return found

    return predict


def boosted_trees(features: Features, log: Levels, seed: int) -> Fitted:
    """Gradient-boosted trees (scikit-learn's histogram method) of the level and of the deviation of each tissue."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def fit(wanted: Levels) -> HistGradientBoostingRegressor:
        there = np.isfinite(wanted)
        return HistGradientBoostingRegressor(**_TREES, random_state=seed).fit(features[there], wanted[there])

    level, deviation = level_and_deviation(log)
    of_level = fit(level)
    of_tissue = [fit(column) for column in deviation.T] if log.shape[1] > 1 else []

    def predict(new: Features) -> Levels:
        found = np.repeat(of_level.predict(new)[:, None], log.shape[1], axis=1)
        for column, fitted in enumerate(of_tissue):
            found[:, column] += fitted.predict(new)
        return found

    return predict


def family_means(log: Levels, clusters: Sequence[float], new_clusters: Sequence[float]) -> Levels:
    """Mean of the training genes of the same cluster, or of all: what a split that leaks would let a model score.

    Args:
        log: (genes, tissues) of training genes, and ``clusters`` theirs; NaN is no cluster.
        new_clusters: of the genes to predict.
    """
    overall, of_gene = np.nanmean(log, axis=0), np.asarray(clusters, dtype=np.float64)
    shared = {*new_clusters} & {*clusters}
    families = {cluster: log[of_gene == cluster] for cluster in shared}
    means = {cluster: _mean_or(members, overall) for cluster, members in families.items()}
    return np.array([means.get(cluster, overall) for cluster in new_clusters])


def _mean_or(values: Levels, otherwise: Levels) -> Levels:
    """Mean of each column over what was measured."""
    measured = np.isfinite(values).sum(axis=0)
    return np.where(measured > 0, np.nansum(values, axis=0) / np.maximum(measured, 1), otherwise)
