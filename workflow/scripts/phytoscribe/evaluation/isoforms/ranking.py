"""Precision and recall of additions by their score, from the highest down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CUTS = 20
#: Recalls at which the precision is told.
RECALLS = (0.05, 0.10, 0.20)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """Precision and recall at each distinct score, float (scores,) each, from the highest score down.

    Attributes:
        least: the lowest score that is taken.
        taken: additions with this score or a higher one.
        precision, recall: of them.
    """

    least: Floats
    taken: npt.NDArray[np.int64]
    precision: Floats
    recall: Floats

    @classmethod
    def of(cls, scores: npt.ArrayLike, right: npt.ArrayLike, total: int) -> ScoreCurve:
        """From the scores (n,) of additions, whether they are right, bool (n,), and the number of alternatives.

        Equal scores are taken together, so the order of the additions does not matter.
        """
        values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.bool_)
        order = np.argsort(-values, kind="stable")
        last = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)[: max(values.size, 0)]
        found = np.cumsum(hits[order], dtype=np.int64)[last]
        recall = found / total if total else np.full(last.size, np.nan)
        return cls(values[order][last], last + 1, found / (last + 1), recall)

    @property
    def area(self) -> float:
        """Average precision: precision times gain in recall, summed; alternatives that are never found add nothing."""
        return float(np.sum(self.precision * np.diff(self.recall, prepend=0.0)))

    def recall_at_precision(self, least: float) -> float:
        """The highest recall at which the precision is at least this; 0 if it never is."""
        return float(self.recall[self.precision >= least].max(initial=0.0))

    def precision_at_recall(self, least: float) -> float:
        """The precision at the first score that reaches this recall; NaN if none does."""
        reached = np.flatnonzero(self.recall >= least)
        return float(self.precision[reached[0]]) if reached.size else float("nan")

    def cuts(self, number: int = CUTS) -> npt.NDArray[np.int64]:
        """Indices of scores that take about 1/n, 2/n, ... of the additions, int64 (<= number,)."""
        wanted = np.ceil(np.arange(1, number + 1) * self.taken[-1] / number) if self.taken.size else np.empty(0)
        return np.unique(np.searchsorted(self.taken, wanted))
