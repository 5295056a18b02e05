"""The hurdle loss: is a gene expressed, how much where it is, and which tissues have more of it than others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.models.expression import ExpressionHead, ExpressionOutput
from phytoscribe.training.loop.ranks import divisors

HURDLE, SQUARES = LOSSES = ("hurdle", "mse")
#: Weight of the deviations beside the levels.
DEVIATION_WEIGHT = 0.5


def expression_loss(head: ExpressionHead, output: ExpressionOutput, log: Tensor, threshold: float, kind: str) -> Tensor:
    """The loss of a batch; cells that were not measured have no part in it, nor a gradient.

    ``hurdle``: binary cross-entropy of being expressed, Huber's loss of the level of expressed cells, and half of that
    of the deviations of a gene's tissues from their mean; levels in units of their deviation over the training cells.
    ``mse``: the same cross-entropy, and the squared error of all cells' expected level.

    Args:
        log: (batch, tissues), log2(1 + TPM); NaN where nothing was measured.
        threshold: log2(1 + TPM) from which on a gene counts as expressed.
    """
    measured = torch.isfinite(log)
    wanted = torch.where(measured, log, 0.0)
    expressed = measured & (wanted >= threshold)
    entropy = F.binary_cross_entropy_with_logits(output.expressed, expressed.to(log.dtype), reduction="none")
    terms, counts = [_sum(entropy, measured)], [measured.sum()]
    unit, means = head.config.deviation, torch.tensor(head.config.means, dtype=log.dtype, device=log.device)
    if kind == SQUARES:
        errors = (head.expected(output) - wanted).square() / unit**2
        terms, counts = [*terms, _sum(errors, measured)], [*counts, measured.sum()]
    else:
        scaled = (wanted - means) / unit
        levels = F.huber_loss(output.level[:, None] + output.deviation, scaled, reduction="none")
        terms, counts = [*terms, _sum(levels, expressed)], [*counts, expressed.sum()]
        # A silent gene has no tissue that it prefers.
        several = measured & (expressed.any(dim=1) & (measured.sum(dim=1) > 1))[:, None]
        apart = F.huber_loss(_centred(output.deviation, several), _centred(scaled, several), reduction="none")
        terms, counts = [*terms, DEVIATION_WEIGHT * _sum(apart, several)], [*counts, several.sum()]
    # The mean over ranks is the loss of their common batch.
    shares = divisors(torch.stack(counts).to(log.dtype))
    return sum(term / share for term, share in zip(terms, shares, strict=True))


def _sum(values: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, values, 0.0).sum()


def _centred(values: Tensor, mask: Tensor) -> Tensor:
    """Without the mean over the measured tissues of each gene."""
    mean = torch.where(mask, values, 0.0).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.where(mask, values - mean, 0.0)
