"""The training step of the expression head, and the choice of its weights on validation genes."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from phytoscribe.expression.examples import Examples
from phytoscribe.files import atomic_path
from phytoscribe.models.expression import ExpressionHead
from phytoscribe.prediction.expression import predict_windows
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


class ExplainedSelection(Callback):
    """After some epochs, predict the validation genes; keep the weights with the highest R2.

    Args:
        patience: number of validations in a row without a better score after which training stops; 0 for never.
    """

    def __init__(self, genes: Examples, every_steps: int, best_path: Path, table: MetricsTable, patience: int) -> None:
        self.genes, self.every_steps, self.best_path = genes, every_steps, best_path
        self.table, self.patience = table, patience
        self.best_score, self.best_step, self.without_gain = -math.inf, 0, 0

    def on_train_start(self, trainer: lightning.Trainer, module: ExpressionModule) -> None:
        self._stop_without_gain(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: ExpressionModule) -> None:
        if trainer.global_step % self.every_steps and trainer.global_step != module.settings.steps:
            return
        head = module.model.eval()
        with torch.autocast(module.device.type, enabled=False):
            score = explained(head, self.genes, module.device)
        head.train()
        self.table.add(trainer.global_step, {"validation_r2": score})
        logger.info("step %d: R2 of the validation genes %.4f", trainer.global_step, score)
        if score > self.best_score:
            self.best_score, self.best_step, self.without_gain = score, trainer.global_step, 0
            with atomic_path(self.best_path) as path:
                torch.save(head.state_dict(), path)
        else:
            self.without_gain += 1
            self._stop_without_gain(trainer)

    def _stop_without_gain(self, trainer: lightning.Trainer) -> None:
        if self.patience and self.without_gain >= self.patience:
            logger.info("no better validation score in %d validations: training stops", self.without_gain)
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("best_score", "best_step", "without_gain")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)
