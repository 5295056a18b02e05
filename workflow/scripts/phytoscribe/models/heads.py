"""Heads: named outputs computed from the trunk's features.

A model's config.json declares its heads by name with their channels, for example ``{"structure": ["intergenic", ...],
"sites": ["donor", "acceptor"]}``.  A new head is a class that takes the trunk's channels and its own channels' names,
and a line in :data:`HEAD_KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from phytoscribe.errors import ModelError
from phytoscribe.labels.states import SITE_NAMES, State, StateSet
from phytoscribe.models.configuration import DEFAULT_HEADS


class BaseLogits(nn.Linear):
    """Logits of each base: (batch, length, features of the trunk) to (batch, length, named channels)."""

    def __init__(self, features: int, channels: Sequence[str]) -> None:
        super().__init__(features, len(channels))


#: Class of each head by its name; models have their heads in this order.
HEAD_KINDS: dict[str, type[nn.Module]] = {"structure": BaseLogits, "sites": BaseLogits}


def make_heads(features: int, declared: Mapping[str, Sequence[str]]) -> nn.ModuleDict:
    """Make the heads declared in config.json, for this number of trunk features.

    Raises:
        ModelError: this version does not have the head, or two channels share a name.
    """
    if unknown := sorted(declared.keys() - HEAD_KINDS.keys()):
        raise ModelError(
            f"config.json declares the head {', '.join(unknown)}; this version of PhytoScribe knows "
            f"{', '.join(HEAD_KINDS)}: use the version that the model was made with"
        )
    for name, channels in declared.items():
        if twice := sorted({channel for channel in channels if list(channels).count(channel) > 1}):
            raise ModelError(f"config.json declares the channel {', '.join(twice)} of the head {name} more than once")
    return nn.ModuleDict(
        {name: kind(features, declared[name]) for name, kind in HEAD_KINDS.items() if name in declared}
    )


class HeadOutputs(dict[str, Tensor]):
    """The heads' outputs for each base of the read strand, by head name, with channels in the model's order.

    Args:
        values: output by head.
        channels: names of each head's channels; the default ones if not given.
    """

    def __init__(self, values: Mapping[str, Tensor], channels: Mapping[str, Sequence[str]] = DEFAULT_HEADS) -> None:
        super().__init__(values)
        self._channels = channels

    @property
    def states(self) -> Tensor:
        """(batch, length, STATE_COUNT), logits of the structure states (one softmax) in the order of ``State``."""
        return in_order(self["structure"], StateSet(self._channels["structure"]))

    @property
    def sites(self) -> Tensor:
        """(batch, length, SITE_COUNT), logits of independent events.

        The base is the first base of an intron (``DONOR``), the last base of an intron (``ACCEPTOR``), of any isoform,
        including introns in UTRs.
        """
        channels = list(self._channels["sites"])
        return _columns(self["sites"], [channels.index(name) for name in SITE_NAMES])


def in_order(logits: Tensor, states: StateSet) -> Tensor:
    """Logits (..., states of the model) as logits (..., STATE_COUNT), in the order of ``State``.

    Model states missing from ``State`` count as intergenic, so that probabilities still add up to one.
    """
    ordered = _columns(logits, states.order)
    if states.others:
        ordered = ordered.clone()
        ordered[..., State.INTERGENIC] = logits[..., [*states.columns([State.INTERGENIC]), *states.others]].logsumexp(
            -1
        )
    return ordered


def _columns(values: Tensor, columns: Sequence[int]) -> Tensor:
    return values if list(columns) == list(range(values.shape[-1])) else values[..., list(columns)]
