"""Scores of labels of bins, with intervals from resampled blocks of chromosome.

Average precision is the mean precision at the positives, where bins with equal scores come together, as in
scikit-learn's ``average_precision_score``.  Neighbouring bins are not independent, so blocks are drawn, not bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Equal parts of 0..1 in which mean probability and share of positives are compared.
CALIBRATION_PARTS = 10
#: Recalls at which precision is given.
RECALLS = (0.1, 0.5)

Counts = npt.NDArray[np.float64]


class LabelScores(NamedTuple):
    """Scores of one label, each float64 (weightings,); nan where there is no positive.

    Attributes:
        base_rate: share of positives: the average precision of a guess.
        lift: average precision over base rate.
        precision_10, precision_50: at recall 0.1 and 0.5.
        ece: expected calibration error.
        auroc: area under the receiver operating characteristic.
    """

    base_rate: Counts
    auprc: Counts
    lift: Counts
    precision_10: Counts
    precision_50: Counts
    ece: Counts
    auroc: Counts


def block_weights(blocks: int, resamples: int, seed: int) -> Counts:
    """How often each block counts: once in the first column, as drawn with replacement in the others.

    Returns:
        float64 (blocks, 1 + resamples).
    """
    drawn = np.random.default_rng([seed, 95]).multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    return np.concatenate([np.ones((1, blocks)), drawn]).T


def score_label(
    scores: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_], block: npt.NDArray[np.int64], weights: Counts
) -> LabelScores:
    """Scores of one label under several weightings of the blocks.

    Args:
        scores: (bins,), probabilities; higher is more likely.
        positive: bool (bins,).
        block: int64 (bins,), number of the block of each bin.
        weights: (blocks, weightings), of :func:`block_weights`.
    """
    values = np.asarray(scores, dtype=np.float64)
    blocks = len(weights)
    total = np.bincount(block, minlength=blocks) @ weights
    hits = np.bincount(block, weights=positive, minlength=blocks) @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        base = hits / total
        ece = _calibration_error(values, positive, block, weights)
        if not positive.any():
            nothing = np.full(weights.shape[1], np.nan)
            return LabelScores(base, nothing, nothing, nothing, nothing, ece, nothing)
        order = np.argsort(-values[positive], kind="stable")
        limits, owner = values[positive][order], block[positive][order]
        at_least, above = (np.zeros((limits.size, blocks)) for _ in range(2))
        true_at_least, true_above = (np.zeros((limits.size, blocks)) for _ in range(2))
        for number in range(blocks):
            here = block == number
            for chosen, least, more in ((here, at_least, above), (here & positive, true_at_least, true_above)):
                sorted_values = np.sort(values[chosen])
                least[:, number] = sorted_values.size - np.searchsorted(sorted_values, limits, "left")
                more[:, number] = sorted_values.size - np.searchsorted(sorted_values, limits, "right")
        taken, found = at_least @ weights, true_at_least @ weights
        precision = found / taken
        own = weights[owner]
        auprc = np.where(own > 0, own * precision, 0.0).sum(axis=0) / hits
        reached = [_precision_at(recall, found / hits, precision) for recall in RECALLS]
        negatives = total - hits
        false_at_least, false_above = taken - found, (above - true_above) @ weights
        below = negatives - 0.5 * (false_at_least + false_above)
        auroc = (own * below).sum(axis=0) / (hits * negatives)
    return LabelScores(base, auprc, auprc / base, *reached, ece, auroc)


def _precision_at(recall: float, reached: Counts, precision: Counts) -> Counts:
    """Precision (weightings,) at the first limit, from the top, with this recall."""
    first = (reached >= recall - 1e-12).argmax(axis=0)
    return precision[first, np.arange(precision.shape[1])]


def _calibration_error(
    values: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_], block: npt.NDArray[np.int64], weights: Counts
) -> Counts:
    """Mean distance between probability and share of positives over equal parts of 0..1, weighted by their bins."""
    part = np.clip((values * CALIBRATION_PARTS).astype(np.int64), 0, CALIBRATION_PARTS - 1)
    size = (len(weights), CALIBRATION_PARTS)
    place = np.ravel_multi_index((block, part), size)
    excess = np.bincount(place, weights=values - positive, minlength=size[0] * size[1]).reshape(size)
    return np.abs(excess.T @ weights).sum(axis=0) / (np.bincount(block, minlength=len(weights)) @ weights)


def auprc_of_labels(
    scores: npt.NDArray[np.floating], labels: npt.NDArray[np.bool_], has: npt.NDArray[np.bool_]
) -> Counts:
    """Average precision of each label, float64 (labels,), over the bins where it is known.

    Args:
        scores, labels, has: (bins, labels).
    """
    once = np.ones((1, 1))
    return np.array(
        [
            score_label(scores[k, n], labels[k, n], np.zeros(int(k.sum()), dtype=np.int64), once).auprc[0]
            for n in range(labels.shape[1])
            for k in [has[:, n]]
        ]
    )


def precision_cut(probabilities: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_], precision: float) -> float:
    """The lowest probability from which on bins have this precision, :data:`LEAST_HITS` of them being right.

    Returns:
        nan if there is none.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    last = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)
    hits = np.cumsum(positive[order])[last]
    good = np.flatnonzero((hits >= precision * (last + 1)) & (hits >= LEAST_HITS))
    return float(values[order][last[good[-1]]]) if good.size else float("nan")


#: Right bins that a cut needs: fewer reach any precision by chance.
LEAST_HITS = 5
