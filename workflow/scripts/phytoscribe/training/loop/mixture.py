"""Windows drawn from several groups of genomes, in shares that change as training goes on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from phytoscribe.training.loop.sampling import WindowOrder


class MixtureOrder:
    """Endless order of windows over groups of genomes; index ``i`` always gives the same window.

    Args:
        contigs: columns offset, length, group.
        window: bases of a window.
        seed: of all choices.
        start, end: share of each group among the windows at index 0 and at ``last``; between them shares change
            linearly.
        last: index at which ``end`` is reached.
    """

    def __init__(
        self,
        contigs: pd.DataFrame,
        window: int,
        seed: int,
        start: Mapping[str, float],
        end: Mapping[str, float],
        last: int,
    ) -> None:
        self.window = window
        self.seed = seed
        self.last = last
        self.groups = list(start)
        self._start = _shares(start, self.groups)
        self._end = _shares(end, self.groups)
        self._rows = [np.flatnonzero(contigs["group"] == group) for group in self.groups]
        self._orders = [WindowOrder(contigs.iloc[rows], window, seed) for rows in self._rows]

    def __getitem__(self, index: int) -> tuple[int, int, int]:
        """``(contig row, start, strand)`` as :class:`WindowOrder`."""
        done = min(1.0, index / self.last)
        shares = (1 - done) * self._start + done * self._end
        group = int(np.searchsorted(shares.cumsum(), np.random.default_rng([self.seed, index, 2]).random()))
        row, start, strand = self._orders[group][index]
        return int(self._rows[group][row]), start, strand


def _shares(shares: Mapping[str, float], groups: list[str]) -> np.ndarray:
    values = np.array([shares[group] for group in groups], dtype=float)
    return values / values.sum()
