"""Coding statistics of a window in one pass, for bfloat16 on processors."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor, nn

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.cpu.bfloat16 import as_bits, narrow
from phytoscribe.models.kmer_content import (
    BASE_SCALE,
    CODING,
    OTHER_CODING,
    REACHES,
    SUM_SCALE,
    ContentTable,
)

_STRANDS = ((CODING.start, 1), (OTHER_CODING.start, -1))


class FusedContent(nn.Module):
    """:class:`phytoscribe.models.kmer_content.ContentTable`, to bfloat16."""

    def __init__(self, content: ContentTable) -> None:
        super().__init__()
        self.length, self.channels = content.length, content.channels
        self._table = content.weight.detach().float().numpy()

    def forward(self, bases: Tensor) -> Tensor:
        """(batch, length) base codes to (batch, length, channels)."""
        result = torch.empty(*bases.shape, self.channels, dtype=torch.bfloat16)
        for window, written in zip(bases.numpy(), as_bits(result), strict=True):
            rows = _kmers(window, self.length)
            sums = [_sums(self._table, rows, first, step) for first, step in _STRANDS]
            _write(self._table, rows, *sums, written)
        return result


@njit(cache=True, nogil=True)
def _kmers(bases, length):
    """Row of the table for the k-mer that ends at each base: the last one where it holds N or begins outside."""
    count = 4**length
    rows = np.empty(bases.size, np.int32)
    number, known = 0, 0
    for i in range(bases.size):
        if bases[i] < N_CODE:
            number, known = (number * 4 + bases[i]) % count, known + 1
        else:
            known = 0
        rows[i] = number if known >= length else count
    return rows


@njit(cache=True, nogil=True)
def _sums(table, rows, first, step):
    """:func:`phytoscribe.models.kmer_content.cumulative_by_frame` of the three columns from ``first`` on."""
    sums = np.zeros((rows.size + 1, 3))
    for i in range(rows.size):
        for frame in range(3):
            sums[i + 1, frame] = sums[i, frame] + table[rows[i], first + (frame + step * i) % 3]
    return sums


@njit(cache=True, nogil=True)
def _write(table, rows, own, other, result):
    """Statistics per base, then for both strands and each reach the sums to the left and to the right."""
    size, columns = rows.size, table.shape[1]
    bits = np.empty(result.shape[1], np.uint32)
    values = bits.view(np.float32)
    for i in range(size):
        for j in range(columns):
            values[j] = np.float32(BASE_SCALE) * table[rows[i], j]
        place = columns
        for strand in range(2):
            sums = own if strand == 0 else other
            step = 1 if strand == 0 else -1
            for reach in REACHES:
                scale = SUM_SCALE / reach**0.5
                before, after = max(0, i - reach + 1), min(size, i + reach)
                for position in range(3):
                    frame = (position - step * i) % 3
                    values[place + position] = (sums[i + 1, frame] - sums[before, frame]) * scale
                    values[place + 3 + position] = (sums[after, frame] - sums[i, frame]) * scale
                place += 6
        narrow(bits, result[i])
