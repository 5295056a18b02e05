"""Bases to tokens and back: features of a token's bases side by side, and a token's vector spread over its bases."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.models.configuration import BigBroConfig


class FixedSegments:
    """Bases in tokens of one length: a reshape each way.

    Args:
        length: bases of a window; the last token may be cut by its end.
        tokens: tokens of a window.
        slots: bases of a token.
    """

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
    """Bases in tokens of any length up to ``slots``; slots behind a token's end are zero.

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


def segments_of(config: BigBroConfig, token_of_base: Tensor, tokens: int) -> FixedSegments | VariableSegments:
    """The segments of a batch: of one length if the model's tokenizer has tokens of one length.

    Args:
        token_of_base: int64 (batch, length).
        tokens: tokens of a window, padding included.
    """
    if config.token_length:
        return FixedSegments(token_of_base.shape[1], tokens, config.token_length)
    return VariableSegments(token_of_base, tokens, config.slots)


def token_spans(token_of_base: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    """First base and number of bases of each token, int64 (batch, tokens); padding tokens have length 0."""
    batch = token_of_base.shape[0]
    lengths = token_of_base.new_zeros(batch, tokens)
    lengths.scatter_add_(1, token_of_base, torch.ones_like(token_of_base))
    return lengths.cumsum(1) - lengths, lengths
