"""The content of a model's config.json; the sizes named in config.yaml are in :mod:`phytoscribe.models.sizes`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig

from phytoscribe.errors import ModelError
from phytoscribe.labels.states import SITE_NAMES, STATE_NAMES
from phytoscribe.models.sizes import numbers_of_model

#: Kinds of sequence that the k-mer table distinguishes (:mod:`phytoscribe.training.data.content_table`).
CONTENT_CHANNELS = 10
#: Channels by head of a model whose config.json declares none.
DEFAULT_HEADS: dict[str, list[str]] = {"structure": list(STATE_NAMES), "sites": list(SITE_NAMES)}
#: Smallest and largest value of each number in config.json; as in the schema of config.yaml, where it has them.
RANGES: dict[str, tuple[float, float]] = {
    "vocab_size": (1, 1 << 20),
    "pad_token_id": (0, 1 << 20),
    "hidden_size": (8, 8192),
    "layer_count": (1, 256),
    "head_count": (1, 256),
    "attention_every": (1, 256),
    "block_size": (8, 4096),
    "feed_forward_factor": (1, 16),
    "expert_count": (0, 256),
    "expert_balance": (0, 100),
    "dropout": (0, 1),
    "stem_channels": (1, 4096),
    "stem_layers": (1, 64),
    "spread_channels": (1, 4096),
    "spread_length": (1, 256),
    "head_layers": (1, 64),
    "token_length": (0, 64),
    "content_length": (2, 9),
    "content_channels": (1, 256),
}
#: Lists of names in config.json.
_NAMES = ("species", "lineages", "architectures")
#: Keys that say nothing of the network.
_IGNORED = ("model_type", "transformers_version", "_name_or_path", "state_count")


class BigBroConfig(PretrainedConfig):
    """Sizes of the encoder and of the base-resolution parts around it, and the heads.

    BigBro is the encoder: sparse attention (as in BigBird) with rotary positions, conditioned on the species.

    Args:
        vocab_size: tokenizer vocabulary.
        pad_token_id: padding token, equal to the tokenizer's.
        hidden_size, layer_count, head_count: encoder width, depth, heads.
        attention_every: one in this many layers has attention in addition to its convolution.
        block_size: tokens of a local attention block; a token sees its own block and both neighbours.
        feed_forward_factor: width of the feed-forward layer, as a multiple of ``hidden_size``.
        expert_count: experts per feed-forward layer, of which two process each token; 0 for plain layers.
        expert_balance: weight of the load-balance term in the loss.
        dropout: share of values dropped in the encoder's residual branches during training.
        stem_channels, stem_layers: convolutions at base resolution before pooling.
        spread_channels: channels that each token passes back to each of its bases.
        spread_length: with tokens of variable length, number of bases of a token that have separate channels.
        token_length: bases of every token, 0 for a tokenizer with tokens of variable length.
        content_length: bases of the k-mers of the content table.
        content_channels: columns of the content table.
        head_layers: convolutions at base resolution after spreading, before the heads.
        heads: names of the channels of each head (:mod:`phytoscribe.models.heads`); the gene structure and the splice
            sites if not given.
        species, lineages: names that the model was trained with, for the record.
    """

    model_type = "phytoscribe_bigbro"

    vocab_size: int = 4096
    hidden_size: int = 128
    layer_count: int = 6
    head_count: int = 4
    attention_every: int = 3
    block_size: int = 64
    feed_forward_factor: int = 2
    expert_count: int = 0
    expert_balance: float = 0.01
    dropout: float = 0.0
    stem_channels: int = 48
    stem_layers: int = 2
    spread_channels: int = 24
    spread_length: int = 16
    head_layers: int = 2
    token_length: int = 0
    content_length: int = 8
    content_channels: int = CONTENT_CHANNELS

    def __init__(
        self,
        pad_token_id: int = 0,
        heads: dict[str, list[str]] | None = None,
        species: list[str] | None = None,
        lineages: list[str] | None = None,
        **given: Any,
    ) -> None:
        given.pop("state_count", None)  # what models had before heads were declared
        for name in BigBroConfig.__annotations__:
            setattr(self, name, given.pop(name, getattr(BigBroConfig, name)))
        self.heads = {name: list(channels) for name, channels in (heads or DEFAULT_HEADS).items()}
        self.species, self.lineages = species or [], lineages or []
        super().__init__(pad_token_id=pad_token_id, **given)

    @property
    def slots(self) -> int:
        """Number of bases of a token that have separate places in its vector."""
        return self.token_length or self.spread_length


def read_model_config(path: Path) -> BigBroConfig:
    """Read a model's config.json, and check the type and range of every value.

    Raises:
        ModelError: the file is missing or damaged, a value is faulty, or the model is not one of PhytoScribe's.
    """
    advice = "fetch the model again, or train it anew"
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); {advice}") from error
    if not isinstance(given, dict):
        raise ModelError(f"{path}: not a mapping of names to values; {advice}")
    kind = given.get("model_type", BigBroConfig.model_type)
    if kind != BigBroConfig.model_type:
        raise ModelError(f"{path}: model_type is {kind!r}, not {BigBroConfig.model_type!r}: no model of PhytoScribe")
    if mistakes := [*_mistakes(given)]:
        raise ModelError(f"{path}: {'; '.join(mistakes)}; {advice}")
    known = (*BigBroConfig.__annotations__, *_NAMES, "pad_token_id", "heads")
    return BigBroConfig(**{name: given[name] for name in known if name in given})


def _mistakes(given: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the values of a config.json."""
    usual = PretrainedConfig().to_dict()
    for name, value in given.items():
        if name in RANGES:
            (lowest, highest), whole = RANGES[name], isinstance(getattr(BigBroConfig, name, 0), int)
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                yield f"{name} is {value!r}, not a {'whole ' if whole else ''}number"
            elif not lowest <= value <= highest:
                yield f"{name} is {value!r}, not from {lowest} to {highest}"
        elif name in _NAMES:
            if value is not None and not _is_names(value):
                yield f"{name} is {value!r}, not a list of names"
        elif name == "heads":
            if value is not None and not (isinstance(value, dict) and all(map(_is_names, value.values()))):
                yield "heads is no mapping of names to lists of channels"
        elif name in ("dtype", "torch_dtype"):
            if value not in (None, "float32", "float16", "bfloat16"):
                yield f"{name} is {value!r}, not float32, float16 or bfloat16"
        elif name not in _IGNORED and (name not in usual or value != usual[name]):
            yield f"{name}, of which this version of PhytoScribe knows nothing"
    width, heads = (given.get(name, getattr(BigBroConfig, name)) for name in ("hidden_size", "head_count"))
    if isinstance(width, int) and isinstance(heads, int) and heads > 0 and width % (2 * heads):
        yield f"hidden_size ({width}) is no multiple of twice head_count ({heads})"


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def config_from_settings(settings: dict[str, Any], **fixed: Any) -> BigBroConfig:
    """Model configuration from the ``model`` section of config.yaml; see :func:`.numbers_of_model`.

    Args:
        fixed: values determined by the tokenizer and genomes (``vocab_size``, ``pad_token_id``, ...).
    """
    return BigBroConfig(**{**numbers_of_model(settings), **fixed})
