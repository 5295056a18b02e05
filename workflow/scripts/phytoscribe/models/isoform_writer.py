"""A pointer network that writes the further isoforms of a gene: at each step a fixed token, or a site of the gene.

The sites of the gene are read by a small transformer encoder; a causal decoder with attention to them gives the next
token: a softmax over the fixed tokens and, for each site, the product of the decoder's query with the site's key
(Vinyals et al. 2015, Pointer Networks).  A position is thus never spelled out in digits, and a gene has as many pointer
tokens as it has sites.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from phytoscribe.models import WRITER_FILES
from phytoscribe.models.loading import load_beside, save_beside

#: Normalised features are held within this.
LARGEST = 6.0
#: Score of what is not allowed.
NEVER = -1e9


@dataclass(frozen=True)
class WriterConfig:
    """Sizes of the network.

    Attributes:
        features: numbers for each site.
        kinds: kinds of site.
        tokens: fixed tokens; their ids come before those of the sites.
        longest: most tokens of a sentence.
        expansion: width of the feed-forward layers, in widths.
    """

    features: int
    kinds: int
    tokens: int
    longest: int
    width: int = 96
    heads: int = 4
    encoder_layers: int = 2
    decoder_layers: int = 2
    expansion: int = 2
    dropout: float = 0.1


KeysValues = tuple[Tensor, Tensor]


class Memory(NamedTuple):
    """The sites of genes as the decoder sees them.

    Attributes:
        sites: (genes, n, width); padded: bool (genes, n), whether there is no such site.
        keys: (genes, n, width), for pointers.
        start: (genes, width), of the whole gene.
        crossed: keys and values of each decoder layer.
    """

    sites: Tensor
    padded: Tensor
    keys: Tensor
    start: Tensor
    crossed: list[KeysValues]

    def repeated(self, count: int) -> Memory:
        """The same gene for several sentences; only of one gene."""

        def wide(x: Tensor) -> Tensor:
            return x.expand(count, *x.shape[1:])

        crossed = [(wide(k), wide(v)) for k, v in self.crossed]
        return Memory(wide(self.sites), wide(self.padded), wide(self.keys), wide(self.start), crossed)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_values(self, x: Tensor) -> KeysValues:
        """Of (batch, n, width), each (batch, heads, n, width / heads)."""
        return self._split(self.key(x)), self._split(self.value(x))

    def forward(self, x: Tensor, seen: KeysValues, mask: Tensor | None = None) -> Tensor:
        found = functional.scaled_dot_product_attention(self._split(self.query(x)), *seen, attn_mask=mask)
        return self.out(found.transpose(1, 2).flatten(2))


def _feed_forward(config: WriterConfig) -> nn.Sequential:
    wide = config.width * config.expansion
    return nn.Sequential(nn.Linear(config.width, wide), nn.GELU(), nn.Linear(wide, config.width))


class _EncoderLayer(nn.Module):
    def __init__(self, config: WriterConfig) -> None:
        super().__init__()
        self.attention, self.feed_forward = _Attention(config.width, config.heads), _feed_forward(config)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norms[0](x)
        x = x + self.dropout(self.attention(y, self.attention.keys_values(y), mask))
        return x + self.dropout(self.feed_forward(self.norms[1](x)))


class _DecoderLayer(nn.Module):
    def __init__(self, config: WriterConfig) -> None:
        super().__init__()
        self.own, self.cross = (_Attention(config.width, config.heads) for _ in range(2))
        self.feed_forward = _feed_forward(config)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(3))
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, before: KeysValues | None, mask: Tensor | None, sites: KeysValues, padding: Tensor
    ) -> tuple[Tensor, KeysValues]:
        """New values of the tokens, and keys and values of all tokens up to the last.

        Args:
            before: keys and values of the tokens before; all tokens are given if there are none.
        """
        y = self.norms[0](x)
        seen = self.own.keys_values(y)
        if before is not None:
            seen = tuple(torch.cat(pair, dim=2) for pair in zip(before, seen, strict=True))
        x = x + self.dropout(self.own(y, seen, mask))
        x = x + self.dropout(self.cross(self.norms[1](x), sites, padding))
        return x + self.dropout(self.feed_forward(self.norms[2](x))), seen


class IsoformWriter(nn.Module):
    """The network; tokens are int64 ids: fixed ones, then ``config.tokens + i`` for the i-th site of a gene."""

    def __init__(self, config: WriterConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("deviation", torch.ones(config.features))
        self.features = nn.Sequential(nn.Linear(config.features, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.kinds = nn.Embedding(config.kinds, width)
        self.encoder = nn.ModuleList(_EncoderLayer(config) for _ in range(config.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.fixed = nn.Embedding(config.tokens, width)
        self.places = nn.Embedding(config.longest, width)
        self.pointer, self.pooled, self.key = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.decoder = nn.ModuleList(_DecoderLayer(config) for _ in range(config.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.query, self.choice = nn.Linear(width, width), nn.Linear(width, config.tokens)
        self.dropout = nn.Dropout(config.dropout)

    def normalise_by(self, mean: Tensor, deviation: Tensor) -> None:
        """Take mean and deviation of the features, (features,) each, over the training sites."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def read(self, features: Tensor, kinds: Tensor, padded: Tensor) -> Memory:
        """The sites of genes.

        Args:
            features: (genes, n, features); kinds: int64 (genes, n); padded: bool (genes, n), True behind the last site.
        """
        x = torch.clamp((features - self.mean) / self.deviation, -LARGEST, LARGEST)
        x = self.dropout(self.features(x) + self.kinds(kinds))
        mask = ~padded[:, None, None, :]
        for layer in self.encoder:
            x = layer(x, mask)
        x = self.encoder_norm(x)
        real = (~padded)[..., None].to(x.dtype)
        start = self.pooled((x * real).sum(1) / real.sum(1).clamp(min=1.0))
        return Memory(x, padded, self.key(x), start, [layer.cross.keys_values(x) for layer in self.decoder])

    def write(
        self, tokens: Tensor, memory: Memory, before: Sequence[KeysValues] | None = None
    ) -> tuple[Tensor, list[KeysValues]]:
        """Scores of the token after each.

        Args:
            tokens: int64 (genes, length): all from the first on, or, with ``before``, only the last.
            before: what the previous call returned, for the tokens before.

        Returns:
            Scores (genes, length, tokens + n), not normalised; and keys and values for the next call.
        """
        count, first = self.config.tokens, 0 if before is None else before[0][0].shape[2]
        length = tokens.shape[1]
        sites = self.pointer(memory.sites).gather(
            1, (tokens - count).clamp(min=0)[..., None].expand(-1, -1, self.config.width)
        )
        x = torch.where((tokens < count)[..., None], self.fixed(tokens.clamp(max=count - 1)), sites)
        x = x + self.places.weight[first : first + length]
        if before is None:
            x = torch.cat([x[:, :1] + memory.start[:, None], x[:, 1:]], dim=1)
            mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        else:
            mask = None
        x, padding, seen = self.dropout(x), ~memory.padded[:, None, None, :], []
        for number, layer in enumerate(self.decoder):
            earlier = None if before is None else before[number]
            x, own = layer(x, earlier, mask, memory.crossed[number], padding)
            seen.append(own)
        x = self.decoder_norm(x)
        pointers = self.query(x) @ memory.keys.transpose(1, 2) / math.sqrt(self.config.width)
        pointers = pointers.masked_fill(memory.padded[:, None, :], NEVER)
        return torch.cat([self.choice(x), pointers], dim=-1), seen

    def forward(self, features: Tensor, kinds: Tensor, padded: Tensor, tokens: Tensor) -> Tensor:
        """Scores (genes, length, tokens + n) of the token after each of whole sentences."""
        return self.write(tokens, self.read(features, kinds, padded))[0]


def save_writer(network: IsoformWriter, report: dict[str, Any], folder: Path) -> None:
    """Write :data:`WRITER_FILES`: the weights, and the sizes beside what ``report`` says."""
    description = {**report, "network": asdict(network.config)}
    save_beside(WRITER_FILES, description, network.state_dict(), folder, single=("mean", "deviation"))


def load_writer(folder: Path) -> tuple[IsoformWriter, dict[str, Any]]:
    """The network of a model's folder in double precision, ready to be used, and what its JSON file says.

    In double precision the third decimal of a probability does not depend on the machine.

    Raises:
        ModelError: a file is missing, damaged, or of another version.
    """

    def build(report: dict[str, Any], tensors: dict[str, Tensor]) -> IsoformWriter:
        network = IsoformWriter(WriterConfig(**report["network"])).double()
        network.load_state_dict({name: x.double() for name, x in tensors.items()})
        return network.eval()

    missing = ", so isoforms cannot be generated; set isoforms.method to ranked, lattice or none"
    return load_beside(WRITER_FILES, folder, build, missing, "fetch the model again")
