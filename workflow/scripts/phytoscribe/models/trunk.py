"""The trunk, an hourglass (bases -> tokens -> encoder -> bases) that computes features of each base for all heads.

Base-resolution tensors are (batch, length, channels) in memory, which the convolution kernels of processors and GPUs
and the layer norm both read without copying.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.configuration import BigBroConfig
from phytoscribe.models.encoder import BigBroEncoder, SequenceConvolution
from phytoscribe.models.kmer_content import ContentTable

STEM_KERNEL = 11
INNER_KERNEL = 9


class FixedSegments:
    """A window of ``length`` bases in tokens of ``slots`` bases, the last one cut by its end; needs only a reshape."""

    def __init__(self, length: int, tokens: int, slots: int) -> None:
        self.length, self.tokens, self.slots = length, tokens, slots

    def gather(self, features: Tensor) -> Tensor:
        """(batch, length, channels) -> (batch, tokens, slots * channels)."""
        batch, _, channels = features.shape
        padded = F.pad(features, (0, 0, 0, self.tokens * self.slots - self.length))
        return padded.reshape(batch, self.tokens, self.slots * channels)

    def scatter(self, slots: Tensor) -> Tensor:
        """(batch, tokens, slots * channels) -> (batch, length, channels)."""
        return slots.reshape(slots.shape[0], self.tokens * self.slots, -1)[:, : self.length]


class VariableSegments:
    """Bases in tokens of any length up to ``slots``; slots after a token's end are zero.

    Args:
        token_of_base: int64 (batch, length).
        tokens: tokens of a window, padding included.
        slots: length of the longest token.
    """

    def __init__(self, token_of_base: Tensor, tokens: int, slots: int) -> None:
        starts, lengths = token_spans(token_of_base, tokens)
        steps = torch.arange(slots, device=token_of_base.device)
        self.token_of_base, self.slots = token_of_base, slots
        self.inside = (steps < lengths[..., None]).flatten(1)
        self.base_of_slot = (starts[..., None] + steps).flatten(1).clamp(max=token_of_base.shape[1] - 1)
        place = torch.arange(token_of_base.shape[1], device=token_of_base.device) - starts.gather(1, token_of_base)
        self.slot_of_base = token_of_base * slots + place.clamp(max=slots - 1)

    def gather(self, features: Tensor) -> Tensor:
        """(batch, length, channels) -> (batch, tokens, slots * channels)."""
        batch, _, channels = features.shape
        index = self.base_of_slot[..., None].expand(-1, -1, channels)
        values = features.gather(1, index) * self.inside[..., None]
        return values.reshape(batch, -1, self.slots * channels)

    def scatter(self, slots: Tensor) -> Tensor:
        """(batch, tokens, slots * channels) -> (batch, length, channels)."""
        batch, tokens, _ = slots.shape
        by_slot = slots.reshape(batch, tokens * self.slots, -1)
        return by_slot.gather(1, self.slot_of_base[..., None].expand(-1, -1, by_slot.shape[-1]))


def token_spans(token_of_base: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    """First base and number of bases of each token, int64 (batch, tokens); padding tokens have length 0."""
    batch = token_of_base.shape[0]
    lengths = token_of_base.new_zeros(batch, tokens)
    lengths.scatter_add_(1, token_of_base, torch.ones_like(token_of_base))
    return lengths.cumsum(1) - lengths, lengths


class ConvolutionBlock(nn.Module):
    """Residual convolution over bases, normalised per base."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.convolution = SequenceConvolution(channels, channels, INNER_KERNEL, dilation)

    def forward(self, features: Tensor) -> Tensor:
        return features + F.gelu(self.convolution(self.norm(features)))


class Trunk(nn.Module):
    """Features of each base of the strand that is read, in its context of tens of thousands of bases.

    The token segments may come from any tokenizer, with fixed or variable lengths: the trunk sees only token ids and,
    for each base, the token that it belongs to.

    Attributes:
        channels: features of a base.
    """

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__()
        self.config = config
        self.channels = channels = config.stem_channels
        width, slots = config.hidden_size, config.slots
        self.encoder = BigBroEncoder(config)
        self.content = ContentTable(config.content_length, config.content_channels)
        self.stem_input = SequenceConvolution(N_CODE + self.content.channels, channels, STEM_KERNEL)
        self.stem = nn.ModuleList(ConvolutionBlock(channels, 1 + i) for i in range(config.stem_layers))
        self.pool = nn.Linear(slots * channels, width)
        self.spread = nn.Linear(width, slots * config.spread_channels)
        self.join = SequenceConvolution(channels + config.spread_channels, channels, INNER_KERNEL)
        self.refinement = nn.ModuleList(ConvolutionBlock(channels, 1 + i) for i in range(config.head_layers))
        self.output_norm = nn.LayerNorm(channels)

    def embed(self, bases: Tensor) -> Tensor:
        """Bases as differentiable numbers.

        Args:
            bases: int64 (batch, length), base codes, 4 = N.

        Returns:
            (batch, length, 4 + content channels), of the weights' type: one-hot bases (N is zeros), then the coding
            statistics of :class:`phytoscribe.models.kmer_content.ContentTable`.
        """
        dtype = self.stem_input.weight.dtype
        one_hot = F.one_hot(bases, N_CODE + 1)[..., :N_CODE].to(dtype)
        return torch.cat([one_hot, self.content(bases).to(dtype)], dim=-1)

    def forward(self, embedded: Tensor, token_ids: Tensor, token_of_base: Tensor, global_ids: Tensor) -> Tensor:
        """
        Args:
            embedded: (batch, length, 4 + content channels), of :meth:`embed`.
            token_ids: int64 (batch, tokens).
            token_of_base: int64 (batch, length), non-decreasing index of each base's token.
            global_ids: int64 (batch, globals).

        Returns:
            (batch, length, channels), normalised.
        """
        features = F.gelu(self.stem_input(embedded))
        for block in self.stem:
            features = block(features)
        tokens = token_ids.shape[1]
        if self.config.token_length:
            segments = FixedSegments(token_of_base.shape[1], tokens, self.config.token_length)
        else:
            segments = VariableSegments(token_of_base, tokens, self.config.slots)
        hidden = self.encoder(token_ids, global_ids, self.pool(segments.gather(features)))
        given_back = segments.scatter(self.spread(hidden))
        features = F.gelu(self.join(torch.cat([features, given_back.to(features.dtype)], dim=-1)))
        for block in self.refinement:
            features = block(features)
        return self.output_norm(features)
