"""What a model's config.json holds; the sizes that config.yaml names are in :mod:`phytoscribe.models.sizes`."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig

from phytoscribe.labels.states import SITE_NAMES, STATE_NAMES
from phytoscribe.models.sizes import numbers_of_model

#: Kinds of sequence that the k-mer table distinguishes (:mod:`phytoscribe.training.data.content_table`).
CONTENT_CHANNELS = 10
#: Channels by head of a model whose config.json declares none.
DEFAULT_HEADS: dict[str, list[str]] = {"structure": list(STATE_NAMES), "sites": list(SITE_NAMES)}


class BigBroConfig(PretrainedConfig):
    """Sizes of the encoder and of the base-resolution parts around it, and the heads.

    BigBro is the encoder: sparse attention (as in BigBird) with rotary positions, conditioned on the species.

    Args:
        vocab_size: tokenizer vocabulary.
        pad_token_id: padding token, equal to the tokenizer's.
        hidden_size, layer_count, head_count: encoder width, depth, heads.
        attention_every: one layer in so many has attention beside its convolution.
        block_size: tokens of a local attention block; a token sees its own block and both neighbours.
        feed_forward_factor: width of the feed-forward layer, as a multiple of ``hidden_size``.
        expert_count: experts of each feed-forward layer, two of which work on a token; 0 for plain layers.
        expert_balance: weight of the load-balance term in the loss.
        dropout: share of numbers that training drops in the encoder's residual branches.
        stem_channels, stem_layers: convolutions at base resolution before pooling.
        spread_channels: channels that each token gives back to each of its bases.
        spread_length: with tokens of variable length, bases of a token that have channels of their own.
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
        """Bases of a token that have places of their own in its vector."""
        return self.token_length or self.spread_length


def config_from_settings(settings: dict[str, Any], **fixed: Any) -> BigBroConfig:
    """Model configuration from the ``model`` section of config.yaml; see :func:`.numbers_of_model`.

    Args:
        fixed: values that the tokenizer and genomes decide (``vocab_size``, ``pad_token_id``, ...).
    """
    return BigBroConfig(**{**numbers_of_model(settings), **fixed})
