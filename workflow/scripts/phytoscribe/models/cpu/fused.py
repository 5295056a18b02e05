"""Parts of the network that compute the same in fewer passes over memory, for bfloat16 on processors.

There, convolutions and linear layers run on matrix units, and a large share of the time goes into reading and writing
their results once more: for the GELU behind them, which oneDNN computes as it writes them, and for layer norms, which
need one pass only.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor, nn

from phytoscribe.models.attention import BlockSparseAttention
from phytoscribe.models.cpu.attention import FusedAttention
from phytoscribe.models.cpu.bfloat16 import as_bits, mean_and_scale, narrow, widen
from phytoscribe.models.cpu.eight_bit import EightBitLayer
from phytoscribe.models.cpu.kmer_content import FusedContent
from phytoscribe.models.encoder import EncoderLayer
from phytoscribe.models.kmer_content import ContentTable
from phytoscribe.models.trunk import ConvolutionBlock


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
