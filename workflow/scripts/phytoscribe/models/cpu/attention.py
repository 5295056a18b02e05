"""Block-sparse attention in few passes over memory, for bfloat16 on processors.

Beside its matrix products, :class:`phytoscribe.models.attention.BlockSparseAttention` copies each block's neighbours,
rotates each key three times, and passes over all scores once for the mask and several times for the softmax; there
these passes take twice as long as the products.  Here each query and key is rotated once, by its place in the window;
neighbours are views; mask and softmax are one pass; and what the few global tokens add is computed on the way.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from phytoscribe.compiled import njit
from phytoscribe.models.attention import ROTARY_BASE, BlockSparseAttention
from phytoscribe.models.cpu.bfloat16 import as_bits, narrow, widen

_LOG2_E = np.float32(np.log2(np.e))
#: Stands for minus infinity, which compiled loops may take for anything.
_LOWEST = np.float32(-1e30)
#: Powers of two under this are nothing in the sum of a softmax.
_LEAST_POWER = np.float32(-100.0)
#: Coefficients of 2 to the power of x for 0 <= x < 1, interpolated at Chebyshev points; relative error under 5e-6.
_POWER = np.polynomial.Chebyshev.interpolate(np.exp2, 4, [0, 1]).convert(kind=np.polynomial.Polynomial).coef
_P0, _P1, _P2, _P3, _P4 = (np.float32(coefficient) for coefficient in _POWER)


@lru_cache(maxsize=4)
def turns(places: int, head_size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Cosine and sine of :func:`phytoscribe.models.attention.rotary_angles` at places 0, 1, ... of a window.

    Each is float32 (places, head_size / 2), computed in float64.
    """
    angles = np.arange(places)[:, None] * ROTARY_BASE ** -(np.arange(0, head_size, 2) / head_size)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


class FusedAttention(nn.Module):
    """:class:`phytoscribe.models.attention.BlockSparseAttention`, with the same arguments of :meth:`forward`."""

    def __init__(self, attention: BlockSparseAttention) -> None:
        super().__init__()
        self.query_key_value, self.output = attention.query_key_value, attention.output
        self.heads, self.head_size, self.block = attention.heads, attention.head_size, attention.block

    def forward(self, hidden: Tensor, valid: Tensor, global_count: int) -> Tensor:
        return self.mix(self.query_key_value(hidden), valid, global_count)

    def mix(self, projected: Tensor, valid: Tensor, global_count: int) -> Tensor:
        """What follows the projection (batch, global_count + tokens, 3 * width) to queries, keys and values."""
        batch, length, width = projected.shape
        mixed = torch.empty(batch, length, width // 3, dtype=projected.dtype)
        for rows, seen, written in zip(as_bits(projected), valid.numpy(), as_bits(mixed), strict=True):
            self._attend(rows, seen, global_count, written)
        return self.output(mixed)

    def _attend(self, rows: npt.NDArray, seen: npt.NDArray, globals_: int, written: npt.NDArray) -> None:
        """One window: queries, keys and values (globals + tokens, 3 * width) to (globals + tokens, width)."""
        heads, block, size = self.heads, self.block, self.head_size
        # An empty block on either side of each head's: the neighbours that its first and its last block lack.
        blocks = seen.size // block + 2
        query, key, value = (torch.zeros(heads * blocks, block, size, dtype=torch.bfloat16) for _ in range(3))
        global_scores = np.empty((heads * blocks, block, globals_), np.float32)
        by_head = (as_bits(part).reshape(heads, blocks * block, size) for part in (query, key, value))
        _part(rows, *turns(seen.size, size), block, *by_head, global_scores)

        # A block's neighbours lie beside it in memory: what follows are views, one block apart.
        count = heads * blocks - 2
        scores = torch.empty(3, count, block, block, dtype=torch.bfloat16)
        for place, part in enumerate(scores):
            torch.bmm(query[1:-1], key[place : place + count].transpose(1, 2), out=part)
        powers = torch.empty(count, block, 3 * block, dtype=torch.bfloat16)
        sums = np.empty((heads * blocks, block), np.float32)
        _exponentiate(as_bits(scores), np.pad(seen, block), blocks, global_scores[1:-1], as_bits(powers), sums[1:-1])
        local = powers @ value.as_strided((count, 3 * block, size), (block * size, size, 1))
        _collect(as_bits(local), global_scores[1:-1], sums[1:-1], rows, blocks, written)
        _attend_globally(rows, seen, size, written)


@njit(cache=True, nogil=True, fastmath=True)
def _part(rows, cos, sin, block, query, key, value, global_scores):
    """Queries, keys and values by head, a block after the first place, the former two rotated; scores of global keys.

    Positions of a block's queries count from its middle for global keys, which are not rotated; here, queries are
    rotated by their place in the window and global keys by that of the block's middle: the same differences.
    """
    heads, _, size = query.shape
    tokens = cos.shape[0]
    globals_ = rows.shape[0] - tokens
    width = heads * size
    scale = np.float32(size**-0.5)
    bits = np.empty(3 * width, np.uint32)
    values = bits.view(np.float32)
    turned_bits = np.empty(size, np.uint32)
    turned = turned_bits.view(np.float32)
    global_bits = np.empty(3 * width, np.uint32)
    global_values = global_bits.view(np.float32)
    global_keys = np.empty((globals_, width), np.float32)
    one = np.float32(1)
    for token in range(tokens):
        if token % block == 0:
            middle = token + block // 2
            for g in range(globals_):
                widen(rows[g], global_bits)
                for first in range(0, width, size):
                    key_of_global = global_values[width + first : width + first + size]
                    _turn(key_of_global, cos[middle], sin[middle], one, global_keys[g, first : first + size])
        widen(rows[globals_ + token], bits)
        place = block + token
        for h in range(heads):
            _turn(values[h * size : (h + 1) * size], cos[token], sin[token], scale, turned)
            narrow(turned_bits, query[h, place])
            row = (h * query.shape[1] + place) // block
            for g in range(globals_):
                global_scores[row, place % block, g] = _product(turned, global_keys[g, h * size : (h + 1) * size])
            _turn(values[width + h * size : width + (h + 1) * size], cos[token], sin[token], one, turned)
            narrow(turned_bits, key[h, place])
            for j in range(size):
                value[h, place, j] = rows[globals_ + token, 2 * width + h * size + j]


@njit(inline="always")
def _turn(values, cos, sin, scale, turned):
    """Rotate feature pairs, first half with second half, and scale."""
    half = cos.size
    for j in range(half):
        turned[j] = (values[j] * cos[j] - values[half + j] * sin[j]) * scale
        turned[half + j] = (values[half + j] * cos[j] + values[j] * sin[j]) * scale


@njit(cache=True, nogil=True, fastmath=True)
def _exponentiate(scores, seen, blocks, global_scores, powers, sums):
    """Powers of e of scores less their row's highest, zero for keys that are not seen, and their sums by row.

    Those of the block before, the block and the block after are put side by side; those of global tokens stay where
    their scores were.
    """
    _, count, block, _ = scores.shape
    wide = 3 * block
    bits = np.empty(wide, np.uint32)
    values = bits.view(np.float32)
    factor_bits = np.empty(wide, np.uint32)
    factors = factor_bits.view(np.float32)
    for row in range(count):
        number = (row + 1) % blocks
        if number == 0 or number == blocks - 1:
            continue
        around = seen[(number - 1) * block : (number + 2) * block]
        all_seen = around.all()
        for i in range(block):
            for place in range(3):
                widen(scores[place, row, i], bits[place * block : (place + 1) * block])
            if not all_seen:
                for j in range(wide):
                    if not around[j]:
                        values[j] = _LOWEST
            highest = values[0]
            for j in range(wide):
                highest = max(highest, values[j])
            for g in range(global_scores.shape[2]):
                highest = max(highest, global_scores[row, i, g])
            for j in range(wide):
                power = max((values[j] - highest) * _LOG2_E, _LEAST_POWER)
                whole = np.floor(power)
                x = power - whole
                values[j] = _P0 + x * (_P1 + x * (_P2 + x * (_P3 + x * _P4)))
                factor_bits[j] = np.uint32(np.int32(whole) + np.int32(127)) << np.uint32(23)
            if not all_seen:
                for j in range(wide):
                    if not around[j]:
                        factors[j] = np.float32(0)
            total = np.float32(0)
            for j in range(wide):
                values[j] *= factors[j]
                total += values[j]
            narrow(bits, powers[row, i])
            for g in range(global_scores.shape[2]):
                global_scores[row, i, g] = np.exp(global_scores[row, i, g] - highest)
                total += global_scores[row, i, g]
            sums[row, i] = total


@njit(cache=True, nogil=True, fastmath=True)
def _collect(local, global_powers, sums, rows, blocks, written):
    """Weighted means of values, those of global tokens included, by token and head."""
    count, block, size = local.shape
    globals_ = global_powers.shape[2]
    heads = (count + 2) // blocks
    width = heads * size
    bits = np.empty(size, np.uint32)
    values = bits.view(np.float32)
    global_bits = np.empty(rows.shape[1], np.uint32)
    global_values = np.empty((globals_, width), np.float32)
    for g in range(globals_):
        widen(rows[g], global_bits)
        global_values[g] = global_bits.view(np.float32)[2 * width :]
    for row in range(count):
        head, number = divmod(row + 1, blocks)
        if number == 0 or number == blocks - 1:
            continue
        for i in range(block):
            widen(local[row, i], bits)
            for g in range(globals_):
                power = global_powers[row, i, g]
                for j in range(size):
                    values[j] += power * global_values[g, head * size + j]
            share = np.float32(1) / sums[row, i]
            for j in range(size):
                values[j] *= share
            token = (number - 1) * block + i
            narrow(bits, written[globals_ + token, head * size : (head + 1) * size])


@njit(cache=True, nogil=True, fastmath=True)
def _attend_globally(rows, seen, size, written):
    """What global tokens take from everything."""
    length, width = rows.shape[0], rows.shape[1] // 3
    globals_ = length - seen.size
    heads = width // size
    scale = np.float32(size**-0.5)
    bits = np.empty(width, np.uint32)
    values = bits.view(np.float32)
    query = np.empty((globals_, width), np.float32)
    for g in range(globals_):
        widen(rows[g, :width], bits)
        for j in range(width):
            query[g, j] = values[j] * scale
    scores = np.full((globals_, heads, length), _LOWEST)
    for row in range(length):
        if row < globals_ or seen[row - globals_]:
            widen(rows[row, width : 2 * width], bits)
            for g in range(globals_):
                for h in range(heads):
                    scores[g, h, row] = _product(query[g, h * size : (h + 1) * size], values[h * size : (h + 1) * size])
    for g in range(globals_):
        for h in range(heads):
            powers = np.exp(scores[g, h] - scores[g, h].max())
            scores[g, h] = powers / powers.sum()
    mixed_bits = np.zeros((globals_, width), np.uint32)
    mixed = mixed_bits.view(np.float32)
    for row in range(length):
        widen(rows[row, 2 * width :], bits)
        for g in range(globals_):
            for h in range(heads):
                share = scores[g, h, row]
                for j in range(h * size, (h + 1) * size):
                    mixed[g, j] += share * values[j]
    for g in range(globals_):
        narrow(mixed_bits[g], written[g])


@njit(inline="always")
def _product(one, other):
    total = np.float32(0)
    for j in range(one.size):
        total += one[j] * other[j]
    return total
