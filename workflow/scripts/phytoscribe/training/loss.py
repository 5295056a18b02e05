"""Loss of the structure head: what the decoder needs to be right about."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.labels.states import BOUNDARY_STATES, CODING_STATES, STATE_COUNT


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the terms.

    Attributes:
        boundary_weight: weight of bases whose state is a boundary (start, stop, first, last), relative to others.
        f1_weight: weight of ``1 - soft F1`` of coding bases, per window with coding bases.
        empty_weight: weight of the mean coding probability on windows without coding bases.
    """

    boundary_weight: float = 5.0
    f1_weight: float = 0.3
    empty_weight: float = 0.3


def state_weights(settings: LossSettings) -> Tensor:
    """Cross-entropy weight of each state, float32 (STATE_COUNT,)."""
    weights = torch.ones(STATE_COUNT)
    weights[list(BOUNDARY_STATES)] = settings.boundary_weight
    return weights


def structure_loss(
    logits: Tensor, targets: Tensor, weights: Tensor, per_state: Tensor, settings: LossSettings
) -> Tensor:
    """Cross-entropy with soft targets + coding F1 + false positives on empty windows.

    Args:
        logits: (batch, length, STATE_COUNT).
        targets: float (batch, length, STATE_COUNT), rows sum to one.
        weights: float (batch, length), 0 where nothing is known: such bases touch no term.
        per_state: from :func:`state_weights`.

    Returns:
        scalar; zero where all weights are zero.
    """
    log_probabilities = F.log_softmax(logits.float(), dim=-1)
    base_weight = weights * (targets * per_state).sum(-1)
    entropy = -(targets * log_probabilities).sum(-1)
    cross_entropy = (entropy * base_weight).sum() / base_weight.sum().clamp(min=1.0)

    coding = list(CODING_STATES)
    predicted = log_probabilities[..., coding].exp().sum(-1) * weights
    wanted = targets[..., coding].sum(-1) * weights
    together, total = (predicted * wanted).sum(1), predicted.sum(1) + wanted.sum(1)
    known = weights.sum(1)
    filled = wanted.sum(1) > 0
    empty = ~filled & (known > 0)
    zero = logits.new_zeros(())
    f1_term = (1 - 2 * together[filled] / total[filled]).mean() if bool(filled.any()) else zero
    empty_term = (predicted[empty].sum(1) / known[empty]).mean() if bool(empty.any()) else zero
    return cross_entropy + settings.f1_weight * f1_term + settings.empty_weight * empty_term
