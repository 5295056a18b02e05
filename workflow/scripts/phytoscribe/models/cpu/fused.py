"""Parts of the network that compute the same in fewer passes over memory, for bfloat16 on processors.

There, convolutions and linear layers run on matrix units, and a large share of the time goes into reading and writing
their results once more: for the GELU behind them, which oneDNN computes as it writes them, and for layer norms, which
need one pass only.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from phytoscribe.compiled import njit
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.attention import BlockSparseAttention
from phytoscribe.models.cpu.attention import FusedAttention
from phytoscribe.models.cpu.bfloat16 import as_bits, mean_and_scale, narrow, widen
from phytoscribe.models.cpu.eight_bit import EightBitLayer
from phytoscribe.models.encoder import EncoderLayer
from phytoscribe.models.kmer_content import BASE_SCALE, CODING, OTHER_CODING, REACHES, SUM_SCALE, ContentTable
from phytoscribe.models.trunk import ConvolutionBlock

_STRANDS = ((CODING.start, 1), (OTHER_CODING.start, -1))


def fuse(network: nn.Module, eight_bit: bool = False) -> None:
    """Replace the parts of a bfloat16 network for inference, in place.

    Args:
        eight_bit: compute with bytes where that is possible (:mod:`phytoscribe.models.cpu.eight_bit`).
    """
    for parent in list(network.modules()):
        for name, part in parent.named_children():
            if eight_bit and isinstance(part, EncoderLayer) and _is_feed_forward(part.feed_forward):
                setattr(parent, name, EightBitLayer(part))
            elif isinstance(part, ConvolutionBlock):
                setattr(parent, name, FusedConvolutionBlock(part))
            elif isinstance(part, nn.LayerNorm) and len(part.normalized_shape) == 1:
                setattr(parent, name, OnePassLayerNorm(part))
            elif isinstance(part, ContentTable):
                setattr(parent, name, FusedContent(part))
            elif isinstance(part, BlockSparseAttention):
                setattr(parent, name, FusedAttention(part))
            elif _is_feed_forward(part):
                setattr(parent, name, FusedFeedForward(part))


class FusedConvolutionBlock(nn.Module):
    """:class:`phytoscribe.models.trunk.ConvolutionBlock`."""

    def __init__(self, block: ConvolutionBlock) -> None:
        super().__init__()
        self.norm = OnePassLayerNorm(block.norm)
        self.convolution = block.convolution

    def forward(self, features: Tensor) -> Tensor:
        layer = self.convolution
        image = self.norm(features).transpose(1, 2).unsqueeze(2)
        result = torch.ops.mkldnn._convolution_pointwise(
            image, layer.weight, layer.bias, layer.padding, layer.stride, layer.dilation, 1, "gelu", [], "none"
        )
        return features + result.squeeze(2).transpose(1, 2)


class FusedFeedForward(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.inner, self.outer = layers[0], layers[2]

    def forward(self, hidden: Tensor) -> Tensor:
        layer = self.inner
        return self.outer(torch.ops.mkldnn._linear_pointwise(hidden, layer.weight, layer.bias, "gelu", [], "none"))


class OnePassLayerNorm(nn.Module):
    """Layer norm over the last dimension, with weights in float32."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self._weight = norm.weight.detach().float().numpy()
        self._bias = norm.bias.detach().float().numpy()
        self._epsilon = np.float32(norm.eps)

    def forward(self, features: Tensor) -> Tensor:
        features = features.contiguous()
        result = torch.empty_like(features)
        rows, written = (as_bits(t).reshape(-1, t.shape[-1]) for t in (features, result))
        _normalise(rows, self._weight, self._bias, self._epsilon, written)
        return result


@njit(cache=True, nogil=True, fastmath=True)
def _normalise(rows, weight, bias, epsilon, result):
    """Normalise each row of bfloat16 numbers."""
    count, width = rows.shape
    bits = np.empty(width, np.uint32)
    values = bits.view(np.float32)
    for i in range(count):
        widen(rows[i], bits)
        mean, scale = mean_and_scale(values, epsilon)
        for j in range(width):
            values[j] = (values[j] - mean) * scale * weight[j] + bias[j]
        narrow(bits, result[i])


def _is_feed_forward(part: nn.Module) -> bool:
    return (
        isinstance(part, nn.Sequential)
        and [type(layer) for layer in part] == [nn.Linear, nn.GELU, nn.Linear]
        and part[1].approximate == "none"
    )


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
