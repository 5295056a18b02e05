"""The order of training windows: a pure function of seed and position, so a resumed run sees the same data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch.utils.data import Sampler

from phytoscribe.errors import ConfigError


class WindowOrder:
    """Endless order of training windows.

    Each pass lays a grid of windows over the data, shifted by a random offset (no window is centred on a gene) and kept
    inside the contigs, and visits it in random order; strands alternate between passes.

    Args:
        contigs: column length.
        window: bases of a window.
        seed: with the pass number, seeds each pass.
    """

    def __init__(self, contigs: pd.DataFrame, window: int, seed: int) -> None:
        self.window = window
        self.seed = seed
        counts = [max(1, -(-int(length) // window)) for length in contigs["length"]]
        self._contig = np.repeat(np.arange(len(counts)), counts)
        self._step = np.concatenate([np.arange(n) for n in counts])
        self._length = contigs["length"].to_numpy()
        self.windows_per_pass = len(self._contig)
        self._order = lru_cache(maxsize=2)(self._order_of_pass)

    def _order_of_pass(self, number: int) -> tuple[npt.NDArray[np.int64], int, npt.NDArray[np.int64]]:
        generator = np.random.default_rng([self.seed, number // 2])
        strands = generator.integers(0, 2, self.windows_per_pass) ^ (number % 2)
        generator = np.random.default_rng([self.seed, number, 1])
        return (
            generator.permutation(self.windows_per_pass),
            int(generator.integers(-self.window // 2, self.window // 2)),
            strands,
        )

    def __getitem__(self, index: int) -> tuple[int, int, int]:
        """``(contig row, start, strand)`` of the window at ``index``; strand 0 is plus, 1 is minus."""
        number, place = divmod(index, self.windows_per_pass)
        order, offset, strands = self._order(number)
        chosen = order[place]
        contig = int(self._contig[chosen])
        shifted = int(self._step[chosen]) * self.window + offset
        start = min(max(shifted, 0), max(0, int(self._length[contig]) - self.window))
        return contig, start, int(strands[chosen])


class Order(Protocol):
    """Gives the position of the window at an index: contig row, start, strand (0 plus, 1 minus)."""

    window: int

    def __getitem__(self, index: int) -> tuple[int, int, int]: ...


class MixtureOrder:
    """Endless order of windows over groups of contigs; index ``i`` always gives the same window.

    Args:
        contigs: columns offset, length, group.
        window: bases of a window.
        seed: of all choices.
        start, end: share of each group among the windows at index 0 and at ``last``; between them shares change
            linearly.  Groups named in neither provide no windows.
        last: index at which ``end`` is reached.
        rows: the row of a window's contig, by position in ``contigs``; the position itself if not given.

    Raises:
        ConfigError: a group does not exist, or the shares add up to zero.
    """

    def __init__(
        self,
        contigs: pd.DataFrame,
        window: int,
        seed: int,
        start: Mapping[str, float],
        end: Mapping[str, float],
        last: int,
        rows: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.window, self.seed, self.last = window, seed, max(1, last)
        names = np.arange(len(contigs)) if rows is None else rows
        there = list(dict.fromkeys(contigs["group"]))
        if unknown := sorted({*start, *end} - set(there)):
            raise ConfigError(
                f"finetune.mixture: no group {', '.join(unknown)} in the training set, which has {', '.join(there)}"
            )
        self.groups = list(dict.fromkeys([*start, *end]))
        self._start, self._end = _shares(start, self.groups), _shares(end, self.groups)
        places = [np.flatnonzero(contigs["group"] == group) for group in self.groups]
        self._rows = [names[chosen] for chosen in places]
        self._orders = [WindowOrder(contigs.iloc[chosen], window, seed) for chosen in places]
        self.windows_per_pass = sum(order.windows_per_pass for order in self._orders)

    def __getitem__(self, index: int) -> tuple[int, int, int]:
        """``(contig row, start, strand)`` as :class:`WindowOrder`."""
        done = min(1.0, index / self.last)
        shares = (1 - done) * self._start + done * self._end
        drawn = np.random.default_rng([self.seed, index, 2]).random()
        # The last sum of shares may round to just below one.
        group = min(int(np.searchsorted(shares.cumsum(), drawn)), len(self.groups) - 1)
        row, start, strand = self._orders[group][index]
        return int(self._rows[group][row]), start, strand


def order_of_groups(
    contigs: pd.DataFrame,
    rows: npt.NDArray[np.int64],
    window: int,
    seed: int,
    mixture: Mapping[str, Mapping[str, float]],
    last: int,
) -> MixtureOrder:
    """Windows of some rows of a contig table, in the mixture ``{start: shares, end: shares}``.

    Without ``end`` the shares stay constant; without ``start`` all rows form one group, with all bases equally likely.

    Args:
        last: index of the last window that training reads.
    """
    start = mixture.get("start")
    chosen = contigs.iloc[rows] if start else contigs.iloc[rows].assign(group="all")
    start = start or {"all": 1.0}
    return MixtureOrder(chosen, window, seed, start, mixture.get("end") or start, last, rows)


def _shares(shares: Mapping[str, float], groups: Sequence[str]) -> npt.NDArray[np.float64]:
    values = np.array([shares.get(group, 0.0) for group in groups], dtype=float)
    if not values.sum():
        raise ConfigError("finetune.mixture: the shares add up to nothing; give a positive share to a group")
    return values / values.sum()


class BothStrands:
    """Each window of an order twice in a row: first its plus strand, then its minus strand."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.window = order.window

    def __getitem__(self, index: int) -> tuple[int, int, int]:
        row, start, _ = self.order[index // 2]
        return row, start, index % 2


class StepSampler(Sampler[int]):
    """Indices of this rank's share of each step's batch, in an endless order, up to the next checkpoint.

    A pass begins at the current optimiser step and ends at the next checkpoint, or earlier once :attr:`stopping` is
    set.  The data of a resumed run therefore do not depend on where the earlier run ended.

    Args:
        batch_size: windows of a step, of all ranks together.
        checkpoint_every: steps between checkpoints.
        rank, ranks: this process and the number of processes.

    Attributes:
        step: completed steps; the training code updates it.
        stopping: no further step is begun.
    """

    def __init__(self, batch_size: int, checkpoint_every: int, rank: int, ranks: int) -> None:
        self.share = batch_size // ranks
        self.batch_size, self.checkpoint_every, self.rank = batch_size, checkpoint_every, rank
        self.step = 0
        self.stopping = False

    def __len__(self) -> int:
        return self.checkpoint_every * self.share

    def __iter__(self) -> Iterator[int]:
        due = (self.step // self.checkpoint_every + 1) * self.checkpoint_every
        for step in range(self.step, due):
            if self.stopping:
                return
            first = step * self.batch_size + self.rank * self.share
            yield from range(first, first + self.share)
