"""Encoder layers whose large products are of 8-bit integers, for processors that compute these twice as fast.

Inputs of the products are layer norms, so their range follows from the weights alone: a normalised number is hardly
ever more than a few deviations from zero.  Each channel has a step of its own, which is taken into the weights, and
each row of the weights has one; sums are exact.  Nothing is measured on data, so every model can be read this way
(the scheme is that of B. Jacob et al. 2018, arXiv:1712.05877; steps moved into the weights, that of G. Xiao et al.
2023, arXiv:2211.10438).  Convolutions over bases are left in bfloat16: rare, strong signals would be cut.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from phytoscribe.compiled import njit
from phytoscribe.models.cpu.attention import FusedAttention
from phytoscribe.models.cpu.bfloat16 import as_bits, mean_and_scale, narrow, widen
from phytoscribe.models.encoder import EncoderLayer

#: Deviations from zero that normalised numbers keep; chosen on validation contigs (benchmarks/ablations.md).
REACH = 9.0
#: The unsigned byte that stands for zero.
ZERO = 128
#: The least value of a GELU is a little above minus this.
_GELU_DEPTH = 0.17


class EightBitLayer(nn.Module):
    """:class:`phytoscribe.models.encoder.EncoderLayer` with a plain feed-forward part, for inference."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        self.mixing_norm = QuantisedNorm(layer.mixing_norm)
        self.mixing = _Convolution(layer.mixing, self.mixing_norm.steps)
        self.attends = layer.attends
        if layer.attends:
            self.attention_norm = QuantisedNorm(layer.attention_norm)
            self.query_key_value = _Linear(layer.attention.query_key_value, self.attention_norm.steps, ZERO)
            self.attention = FusedAttention(layer.attention)
        self.feed_forward_norm = QuantisedNorm(layer.feed_forward_norm)
        inner, _, outer = layer.feed_forward
        # Rows of the inner weights, as the norm stretches them, say how far a hidden number can go.
        weight, bias = (part.detach().float() for part in (inner.weight, inner.bias))
        scale, shift = (p.detach().float() for p in (layer.feed_forward_norm.weight, layer.feed_forward_norm.bias))
        highest = bias + weight @ shift + REACH * (weight * scale).norm(dim=1)
        step = (float(highest.max().clamp(min=_GELU_DEPTH)) + _GELU_DEPTH) / 255
        zero = round(_GELU_DEPTH / step)
        self.inner = _Linear(inner, self.feed_forward_norm.steps, ZERO, gelu_to=(step, zero))
        self.outer = _Linear(outer, torch.full(weight.shape[:1], step), zero)

    def forward(self, global_tokens: Tensor, tokens: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """The arguments of the layer that this stands for."""
        mixed = self.mixing(self.mixing_norm(tokens, seen=valid))
        if not self.attends:
            tokens, normalised = self.feed_forward_norm.added(tokens, mixed)
            return global_tokens, tokens + self.outer(self.inner(normalised))
        count = global_tokens.shape[1]
        hidden = torch.cat([global_tokens, tokens + mixed], dim=1)
        attended = self.attention.mix(self.query_key_value(self.attention_norm(hidden)), valid, count)
        hidden, normalised = self.feed_forward_norm.added(hidden, attended)
        hidden = hidden + self.outer(self.inner(normalised))
        return hidden[:, :count], hidden[:, count:]


class QuantisedNorm(nn.Module):
    """A layer norm over the last dimension that gives unsigned bytes.

    Attributes:
        steps: float32 (width,), what one step of each channel's bytes is worth; :data:`ZERO` stands for zero.
    """

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        weight, bias = norm.weight.detach().float(), norm.bias.detach().float()
        self.steps = ((REACH * weight.abs() + bias.abs()) / 127).clamp(min=1e-12)
        self._scale, self._shift = ((part / self.steps).numpy() for part in (weight, bias))
        self._epsilon = np.float32(norm.eps)

    def forward(self, features: Tensor, seen: Tensor | None = None) -> Tensor:
        """Normalised bfloat16 ``features`` (batch, rows, width); zero where ``seen``, bool (batch, rows), is False."""
        features = features.contiguous()
        seen = torch.ones(features.shape[:2], dtype=torch.bool) if seen is None else seen
        result = torch.empty(features.shape, dtype=torch.uint8)
        rows, steps = _rows(as_bits(features)), _rows(result.numpy())
        _normalise(rows, seen.numpy().ravel(), self._scale, self._shift, self._epsilon, steps)
        return result

    def added(self, features: Tensor, more: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of both, in bfloat16, and normalised."""
        features, more = features.contiguous(), more.contiguous()
        total, result = torch.empty_like(features), torch.empty(features.shape, dtype=torch.uint8)
        numbers = (_rows(as_bits(part)) for part in (features, more, total))
        _add_and_normalise(*numbers, self._scale, self._shift, self._epsilon, _rows(result.numpy()))
        return total, result


class _Linear(nn.Module):
    """A linear layer from unsigned bytes to bfloat16, or with a GELU behind it to unsigned bytes.

    Args:
        steps: what one step of each input channel is worth.
        zero: the byte that stands for zero.
        gelu_to: what one step of the result's bytes is worth, and the byte that stands for zero there.
    """

    def __init__(self, layer: nn.Linear, steps: Tensor, zero: int, gelu_to: tuple[float, int] | None = None) -> None:
        super().__init__()
        weight, scale = _weights(layer.weight.detach().float() * steps)
        bias = torch.zeros(weight.shape[0]) if layer.bias is None else layer.bias.detach().float()
        packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._given = (1.0, zero, packed, scale, torch.zeros(weight.shape[0], dtype=torch.int32), bias)
        as_it_is = (1.0, 0, torch.bfloat16, "none", [], "none")
        self._wanted = (*gelu_to, torch.uint8, "gelu", [], "none") if gelu_to else as_it_is

    def forward(self, steps: Tensor) -> Tensor:
        return torch.ops.onednn.qlinear_pointwise(steps, *self._given, *self._wanted)


class _Convolution(nn.Module):
    """A :class:`phytoscribe.models.encoder.SequenceConvolution` from unsigned bytes to bfloat16.

    Rows a dilation apart are read as neighbours in a column of an image as wide as the dilation: the same memory, and
    from a dilation of four on faster than with a dilated kernel.
    """

    NARROWEST = 4

    def __init__(self, layer: nn.Conv2d, steps: Tensor) -> None:
        super().__init__()
        weight, self._scale = _weights(layer.weight.detach().float() * steps[:, None, None])
        self._bias = layer.bias.detach().float()
        self._zeros = torch.zeros(weight.shape[0], dtype=torch.int32)
        self._dilation = layer.dilation[1]
        self._dilated = _Kernel(weight, self._scale, list(layer.padding), list(layer.dilation))
        self._column = _Kernel(weight.transpose(2, 3).contiguous(), self._scale, [layer.kernel_size[1] // 2, 0], [1, 1])

    def forward(self, steps: Tensor) -> Tensor:
        batch, rows, width = steps.shape
        folds = self._dilation >= self.NARROWEST and rows % self._dilation == 0
        kernel, wide = (self._column, self._dilation) if folds else (self._dilated, rows)
        image = steps.view(batch, rows // wide, wide, width).permute(0, 3, 1, 2)
        result = torch.ops.onednn.qconv_pointwise(
            image, 1.0, ZERO, kernel.weight, self._scale, self._zeros, self._bias, *kernel.shape,
            1.0, 0, torch.bfloat16, "none", [], "none",
        )  # fmt: skip
        return result.permute(0, 2, 3, 1).reshape(batch, rows, -1)


class _Kernel:
    """Weights int8 (out, in, height, width) of a convolution, in oneDNN's layout, and what else it asks for."""

    def __init__(self, weight: Tensor, scale: Tensor, padding: list[int], dilation: list[int]) -> None:
        self.shape = ([1, 1], padding, dilation, 1)
        self.weight = torch.ops.onednn.qconv_prepack(weight, scale, 1.0, ZERO, *self.shape)


def _weights(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of weights as int8, and what one step of each row is worth, float32."""
    scale = weight.flatten(1).abs().amax(1).clamp(min=1e-12) / 127
    return (weight / scale.view(-1, *[1] * (weight.ndim - 1))).round().to(torch.int8), scale


def _rows(array):
    return array.reshape(-1, array.shape[-1])


@njit(inline="always")
def _normalised_steps(values, scale, shift, epsilon, steps):
    """One row: float32 values, which are lost, to unsigned bytes."""
    mean, per_deviation = mean_and_scale(values, epsilon)
    for j in range(values.size):
        step = (values[j] - mean) * per_deviation * scale[j] + shift[j] + np.float32(ZERO + 0.5)
        steps[j] = np.uint8(np.int32(min(max(step, np.float32(0.0)), np.float32(255.0))))


@njit(cache=True, nogil=True, fastmath=True)
def _normalise(rows, seen, scale, shift, epsilon, steps):
    bits = np.empty(rows.shape[1], np.uint32)
    for i in range(rows.shape[0]):
        if seen[i]:
            widen(rows[i], bits)
            _normalised_steps(bits.view(np.float32), scale, shift, epsilon, steps[i])
        else:
            steps[i] = ZERO


@njit(cache=True, nogil=True, fastmath=True)
def _add_and_normalise(rows, more, totals, scale, shift, epsilon, steps):
    bits, more_bits = np.empty(rows.shape[1], np.uint32), np.empty(rows.shape[1], np.uint32)
    values, added = bits.view(np.float32), more_bits.view(np.float32)
    for i in range(rows.shape[0]):
        widen(rows[i], bits)
        widen(more[i], more_bits)
        for j in range(values.size):
            values[j] += added[j]
        narrow(bits, totals[i])
        _normalised_steps(values, scale, shift, epsilon, steps[i])
