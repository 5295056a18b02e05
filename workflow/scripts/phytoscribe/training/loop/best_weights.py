"""Keep the weights that a task's validations find best, and stop when they get no better."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback

from phytoscribe.files import atomic_path
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.module import TrainedModule
from phytoscribe.training.loop.ranks import any_rank, own_rank

logger = logging.getLogger(__name__)


class BestWeights(Callback):
    """After some epochs, validate the chosen weights and keep them if their score is the highest; tasks add ``score``.

    Args:
        best_path: where the state of the best weights is kept.
        patience: number of validations in a row without a better score after which training stops; 0 for never.
    """

    def __init__(self, every_steps: int, best_path: Path, table: MetricsTable, patience: int) -> None:
        self.every_steps, self.best_path = every_steps, best_path
        self.table, self.patience = table, patience
        self.best_score, self.best_step, self.without_gain = -math.inf, 0, 0

    def score(self, step: int, module: Any) -> float:
        """How good :attr:`TrainedModule.chosen` is, and add the figures of this step to the table.

        It may leave the model in evaluation.
        """
        raise NotImplementedError

    def on_train_start(self, trainer: lightning.Trainer, module: TrainedModule) -> None:
        self._stop_without_gain(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: TrainedModule) -> None:
        if trainer.global_step % self.every_steps and trainer.global_step != module.settings.steps:
            return
        if own_rank() == 0:
            self._validate(trainer, module)
        trainer.should_stop = any_rank(trainer.should_stop, module.device)

    def _validate(self, trainer: lightning.Trainer, module: TrainedModule) -> None:
        score = self.score(trainer.global_step, module)
        module.model.train()
        if score > self.best_score:
            self.best_score, self.best_step, self.without_gain = score, trainer.global_step, 0
            with atomic_path(self.best_path) as path:
                torch.save(module.chosen.state_dict(), path)
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
