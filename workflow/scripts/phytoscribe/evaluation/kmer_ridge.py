"""Ridge regression of labels of bins on their 6-mers: what motifs alone tell, without a network.

The number of each 6-mer, one for it and its reverse complement, is counted in a bin and its context; its square root
explains the labels linearly.  The penalty with the best mean average precision on validation bins is taken.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from phytoscribe.genome.sequence import N_CODE, Bases

logger = logging.getLogger(__name__)

K = 6
#: Penalties that are tried.
PENALTIES = (300.0, 3000.0, 30_000.0)
#: Bins whose 6-mers are in memory at a time.
BINS = 2000

Table = npt.NDArray[np.float32]


def _canonical() -> npt.NDArray[np.int64]:
    """The column of each 6-mer, whose bases are the digits of its number to base 4; int64 (4096,)."""
    numbers = np.arange(4**K)
    digits = numbers[:, None] // 4 ** np.arange(K - 1, -1, -1) % 4
    other = (3 - digits[:, ::-1]) @ 4 ** np.arange(K - 1, -1, -1)
    return np.unique(np.minimum(numbers, other), return_inverse=True)[1]


_COLUMN = _canonical()
COLUMNS = int(_COLUMN.max()) + 1


def kmer_table(bases: Bases, bins: int, width: int, context: int) -> Table:
    """Square roots of the 6-mer counts of consecutive bins, float32 (bins, COLUMNS); 6-mers with N do not count.

    Args:
        bases: codes of ``context`` bases, the bins of ``width`` bases, and ``context`` bases.
    """
    windows = np.lib.stride_tricks.sliding_window_view(bases, K)
    numbers = windows.astype(np.int64) @ 4 ** np.arange(K - 1, -1, -1)
    column = np.where((windows == N_CODE).any(axis=1), COLUMNS, _COLUMN[np.minimum(numbers, 4**K - 1)])
    span = width + 2 * context - K + 1
    own = np.lib.stride_tricks.sliding_window_view(column, span)[::width][:bins]
    place = (np.arange(bins)[:, None] * (COLUMNS + 1) + own).ravel()
    counts = np.bincount(place, minlength=bins * (COLUMNS + 1)).reshape(bins, -1)[:, :COLUMNS]
    return np.sqrt(counts, dtype=np.float32)


@dataclass
class _Sums:
    """Sums over the bins of one genome: of features, their products, labels, and features times labels."""

    count: int = 0
    parts: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, table: Table, labels: npt.NDArray[np.bool_]) -> None:
        wanted = labels.astype(np.float32)
        parts = (table.sum(axis=0), table.T @ table, wanted.sum(axis=0), table.T @ wanted)
        self.count += len(table)
        if self.parts:
            for total, part in zip(self.parts, parts, strict=True):
                total += part
        else:
            self.parts = [part.astype(np.float64) for part in parts]


class KmerRidge:
    """The regression; labels are those of the genomes that have them."""

    def __init__(self, has: Sequence[npt.NDArray[np.bool_]]) -> None:
        """
        Args:
            has: for each genome, whether each label is known there, bool (labels,).
        """
        self._has = np.stack(has)
        self._sums = [_Sums() for _ in has]
        self.weights = np.zeros((COLUMNS, self._has.shape[1]))
        self.offset = np.zeros(self._has.shape[1])

    def learn(self, genome: int, tables: Iterable[tuple[Table, npt.NDArray[np.bool_]]]) -> None:
        """Take the 6-mers and labels of training bins of a genome."""
        for table, labels in tables:
            self._sums[genome].add(table, labels)

    def solve(self, penalty: float) -> None:
        """Fit the weights with this penalty."""
        for pattern in np.unique(self._has, axis=1).T:
            columns = np.flatnonzero((self._has == pattern[:, None]).all(axis=0))
            sums = [total for total, there in zip(self._sums, pattern, strict=True) if there and total.count]
            if not sums:
                continue
            count = sum(total.count for total in sums)
            features, products, labels, both = (sum(parts) for parts in zip(*(s.parts for s in sums), strict=True))
            mean, share = features / count, labels[columns] / count
            matrix = products - count * np.outer(mean, mean)
            matrix[np.diag_indices(COLUMNS)] += penalty
            found = np.linalg.solve(matrix, both[:, columns] - count * np.outer(mean, share))
            self.weights[:, columns] = found
            self.offset[columns] = share - mean @ found

    def scores(self, table: Table) -> Table:
        """Score of each label, float32 (bins, labels); higher is likelier."""
        return (table @ self.weights.astype(np.float32) + self.offset).astype(np.float32)
