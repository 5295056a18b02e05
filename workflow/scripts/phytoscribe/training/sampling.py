"""Which window comes when: a pure function of seed and position in the order, so a resumed run sees the same data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch.utils.data import Sampler

from phytoscribe.genome.sequence import Bases


class WindowOrder:
    """Endless order of training windows.

    Each pass lays a grid of windows over the data, shifted by a random offset (no window is centred on a gene) and kept
    inside the contigs, and visits it in random order; strands alternate between passes.

    Args:
        contigs: columns offset, length.
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
    """Where the window at an index lies: contig row, start, strand (0 plus, 1 minus)."""

    window: int

    def __getitem__(self, index: int) -> tuple[int, int, int]: ...


class BothStrands:
    """Each window of an order twice in a row: first its plus strand, then its minus strand."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.window = order.window

    def __getitem__(self, index: int) -> tuple[int, int, int]:
        row, start, _ = self.order[index // 2]
        return row, start, index % 2


class EpochSampler(Sampler[int]):
    """Indices of one epoch in the endless order; Lightning calls :meth:`set_epoch`, also when it resumes."""

    def __init__(self, samples_per_epoch: int) -> None:
        self.samples_per_epoch = samples_per_epoch
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.samples_per_epoch

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.samples_per_epoch
        return iter(range(first, first + self.samples_per_epoch))


def contig_table(contigs: Sequence[Bases]) -> pd.DataFrame:
    """Columns offset, length of contigs laid end to end."""
    lengths = np.array([bases.size for bases in contigs])
    return pd.DataFrame({"offset": np.cumsum(lengths) - lengths, "length": lengths})
