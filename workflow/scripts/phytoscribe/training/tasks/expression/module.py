"""The training step of the expression head, and the choice of its weights on validation genes."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from phytoscribe.expression.examples import Examples
from phytoscribe.models.expression import ExpressionHead
from phytoscribe.prediction.expression import predict_windows
from phytoscribe.training.loop.best_weights import BestWeights
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.module import TrainedModule
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.expression.dataset import ExpressionBatch
from phytoscribe.training.tasks.expression.loss import expression_loss

logger = logging.getLogger(__name__)


class ExpressionModule(TrainedModule):
    """Training step and optimizer around the head.

    Args:
        threshold: log2(1 + TPM) from which on a gene counts as expressed.
        loss: a name of :data:`phytoscribe.training.tasks.expression.loss.LOSSES`.
    """

    def __init__(self, model: ExpressionHead, settings: RunSettings, threshold: float, loss: str) -> None:
        super().__init__(settings)
        self.model, self.threshold, self.loss = model, threshold, loss

    def training_step(self, batch: ExpressionBatch, batch_idx: int) -> Tensor:
        output = self.model(batch.bases, batch.trunk)
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
