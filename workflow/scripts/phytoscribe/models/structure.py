"""The hourglass: bases -> tokens -> encoder -> bases, with the gene structure head on top."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.configuration import BigBroConfig
from phytoscribe.models.encoder import BigBroEncoder, BigBroPreTrainedModel

STEM_KERNEL = 15
INNER_KERNEL = 9


class ConvolutionBlock(nn.Module):
    """Residual convolution over bases, normalised per base."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        padding = dilation * (INNER_KERNEL // 2)
        self.convolution = nn.Conv1d(channels, channels, INNER_KERNEL, padding=padding, dilation=dilation)

    def forward(self, features: Tensor) -> Tensor:
        return features + F.gelu(self.convolution(self.norm(features)))


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each base, for (batch, channels, length)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features, dim=1) * self.scale * features.shape[1] ** 0.5


class StructureModel(BigBroPreTrainedModel):
    """Per-base logits of the structure states (:class:`phytoscribe.labels.states.State`) for the strand that is read.

    The token segments may come from any tokenizer, with fixed or variable lengths: the model sees only token ids and,
    for each base, the token that it belongs to.
    """

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__(config)
        channels, width = config.stem_channels, config.hidden_size
        self.encoder = BigBroEncoder(config)
        self.stem_input = nn.Conv1d(4, channels, STEM_KERNEL, padding=STEM_KERNEL // 2)
        self.stem = nn.ModuleList(ConvolutionBlock(channels, 1 + 2 * i) for i in range(config.stem_layers))
        self.pool = nn.Linear(channels, width)
        self.spread = nn.Linear(width, config.spread_length * config.spread_channels)
        self.join = nn.Conv1d(channels + config.spread_channels, channels, 1)
        self.head = nn.ModuleList(ConvolutionBlock(channels, 1 + 2 * i) for i in range(config.head_layers))
        self.output = nn.Conv1d(channels, config.state_count, 1)
        self.post_init()

    def forward(self, bases: Tensor, token_ids: Tensor, token_of_base: Tensor, global_ids: Tensor) -> Tensor:
        """
        Args:
            bases: int64 (batch, length), base codes, 4 = N.
            token_ids: int64 (batch, tokens).
            token_of_base: int64 (batch, length), non-decreasing index of each base's token.
            global_ids: int64 (batch, globals).

        Returns:
            logits, (batch, length, state_count).
        """
        one_hot = F.one_hot(bases, N_CODE + 1)[..., :N_CODE].transpose(1, 2).to(self.stem_input.weight.dtype)
        features = F.gelu(self.stem_input(one_hot))
        for block in self.stem:
            features = block(features)
        starts, lengths = token_spans(token_of_base, token_ids.shape[1])
        hidden = self.encoder(token_ids, global_ids, self.pool(segment_means(features, starts, lengths)))
        given_back = self._spread(hidden, token_of_base, starts)
        features = self.join(torch.cat([features, given_back.to(features.dtype)], dim=1))
        for block in self.head:
            features = block(features)
        return self.output(features).transpose(1, 2)

    def _spread(self, hidden: Tensor, token_of_base: Tensor, starts: Tensor) -> Tensor:
        """Each base's channels from its token's vector, (batch, spread_channels, length)."""
        batch, tokens, _ = hidden.shape
        steps, channels = self.config.spread_length, self.config.spread_channels
        slots = self.spread(hidden).view(batch, tokens * steps, channels)
        place = torch.arange(token_of_base.shape[1], device=hidden.device) - starts.gather(1, token_of_base)
        index = token_of_base * steps + place.clamp(max=steps - 1)
        return slots.gather(1, index[..., None].expand(-1, -1, channels)).transpose(1, 2)


def token_spans(token_of_base: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    """First base and number of bases of each token, int64 (batch, tokens); padding tokens have length 0."""
    batch = token_of_base.shape[0]
    lengths = token_of_base.new_zeros(batch, tokens)
    lengths.scatter_add_(1, token_of_base, torch.ones_like(token_of_base))
    return lengths.cumsum(1) - lengths, lengths


def segment_means(features: Tensor, starts: Tensor, lengths: Tensor) -> Tensor:
    """Mean of ``features`` (batch, channels, length) over each token's bases, (batch, tokens, channels)."""
    channels = features.shape[1]
    sums = F.pad(features.float().cumsum(dim=2), (1, 0))
    first = starts[:, None].expand(-1, channels, -1)
    last = (starts + lengths)[:, None].expand(-1, channels, -1)
    totals = sums.gather(2, last) - sums.gather(2, first)
    return (totals / lengths.clamp(min=1)[:, None]).transpose(1, 2).to(features.dtype)
