"""The loss and the training step of the expression head, and the choice of its weights on validation genes.

The hurdle loss asks: is a gene expressed, how much where it is, and which tissues have more of it than others?
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.expression.examples import Examples
from phytoscribe.models.expression import ExpressionHead, ExpressionOutput
from phytoscribe.prediction.expression import predict_windows
from phytoscribe.training.loop.callbacks import BestWeights, MetricsTable
from phytoscribe.training.loop.module import TrainedModule
from phytoscribe.training.loop.ranks import divisors
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.expression.dataset import ExpressionBatch

logger = logging.getLogger(__name__)

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


class ExpressionModule(TrainedModule):
    """Training step and optimizer around the head.

    Args:
        threshold: log2(1 + TPM) from which on a gene counts as expressed.
        loss: a name of :data:`LOSSES`.
    """

    def __init__(self, model: ExpressionHead, settings: RunSettings, threshold: float, loss: str) -> None:
        super().__init__(settings)
        self.model, self.threshold, self.loss = model, threshold, loss

    def training_step(self, batch: ExpressionBatch, batch_idx: int) -> Tensor:
        matches = self.model.matches(batch.bases) if batch.matches is None else batch.matches
        output = self.model.read(matches, batch.trunk)
        with torch.autocast(self.device.type, enabled=False):
            return expression_loss(self.model, output, batch.log, self.threshold, self.loss)


def explained(head: ExpressionHead, genes: Examples, device: torch.device) -> float:
    """R2 of the expected log levels of all tissues together, each around its own mean."""
    errors = np.nansum((predict_windows([head], genes.bases, genes.trunk, device).log - genes.log) ** 2)
    spread = np.nansum((genes.log - np.nanmean(genes.log, axis=0)) ** 2)
    return float(1 - errors / max(spread, 1e-12))


class ExplainedSelection(BestWeights):
    """Predicts the validation genes; the weights with the highest R2 are kept."""

    def __init__(self, genes: Examples, every_steps: int, best_path: Path, table: MetricsTable, patience: int) -> None:
        super().__init__(every_steps, best_path, table, patience)
        self.genes = genes

    def score(self, step: int, module: ExpressionModule) -> float:
        head = module.chosen.eval()
        with torch.autocast(module.device.type, enabled=False):
            score = explained(head, self.genes, module.device)
        self.table.add(step, {"validation_r2": score})
        logger.info("step %d: R2 of the validation genes %.4f", step, score)
        return score
