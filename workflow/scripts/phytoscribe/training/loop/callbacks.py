"""Callbacks of a training run: checks, signals, metrics, progress, and which weights are kept."""

from __future__ import annotations

import logging
import math
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback

from phytoscribe.errors import ConfigError
from phytoscribe.files import atomic_path
from phytoscribe.training.loop.ranks import any_rank, mean_of_ranks, own_rank
from phytoscribe.training.loop.sampling import StepSampler
from phytoscribe.training.loop.settings import RunSettings

logger = logging.getLogger(__name__)


class StepSeed(Callback):
    """Sets the random state (drop-out) from seed, step and rank, so that a resumed run draws the same numbers."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        torch.manual_seed(self.seed * 1_000_003 + trainer.global_step + 7_919_000_000 * own_rank())


def require_ranks(wanted: int, found: int) -> None:
    """Raise ConfigError unless the requested number of processes train together."""
    if found != wanted:
        raise ConfigError(
            f"training needs {wanted} processes (training.devices times training.nodes), but {found} came together; "
            "nothing was trained"
        )


def require_devices(wanted: int, found: int) -> None:
    """Raise ConfigError if this node has fewer GPUs than processes, so that several would share one."""
    if found < wanted:
        raise ConfigError(
            f"training.devices is {wanted}, but node {socket.gethostname()} shows {found} GPUs to this job; lower it, "
            "or ask for as many on each node"
        )


class AllRanks(Callback):
    """Refuses to train with a number of processes other than requested, and records the number.

    Without this check, a cluster that starts one process instead of two silently trains on half of the data.
    """

    def __init__(self, wanted: int, table: MetricsTable) -> None:
        self.wanted, self.table = wanted, table

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        require_ranks(self.wanted, trainer.world_size)
        logger.info("%d processes train together", self.wanted)
        if trainer.global_step == 0:
            self.table.add(0, {"world_size": self.wanted})


class StopOnSignal(Callback):
    """On a signal, ends training after the current step, the same on all ranks, and saves its state.

    SIGTERM comes from ``scancel``, from a time limit and from preemption; SIGUSR1 is what ``--signal`` usually sends
    ahead of them.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)

    def __init__(self, sampler: StepSampler) -> None:
        self.sampler = sampler
        self.received: str | None = None

    def _note(self, number: int, frame: Any) -> None:
        self.received = signal.Signals(number).name

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self.sampler.step = trainer.global_step
        logger.info("going on from step %d", trainer.global_step)
        # After Lightning has set its own, which would end the run without a checkpoint.
        for number in self.SIGNALS:
            signal.signal(number, self._note)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.sampler.step = trainer.global_step
        if any_rank(self.received is not None, module.device) and not self.sampler.stopping:
            logger.info("signal %s: saving after step %d", self.received or "on another rank", trainer.global_step)
            self.sampler.stopping = True
            trainer.should_stop = True


class MetricsTable(Callback):
    """Metrics as a TSV (step, name, value), also stored in the checkpoint, so a resumed run keeps one clean table."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[tuple[int, str, float]] = []

    def add(self, step: int, values: Mapping[str, float]) -> None:
        self.rows += [(step, name, float(value)) for name, value in values.items()]
        if own_rank():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame(self.rows, columns=["step", "name", "value"])
        table.to_csv(self.path, sep="\t", index=False, float_format="%.6g", na_rep="nan")

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = [tuple(row) for row in state_dict["rows"]]


class ProgressLog(Callback):
    """Logs loss, rate and remaining time a few times per epoch."""

    def __init__(self, settings: RunSettings, bases_per_step: int, table: MetricsTable) -> None:
        self.settings = settings
        self.bases_per_step = bases_per_step
        self.table = table
        self.every = max(1, min(50, settings.checkpoint_every // 4))
        self._losses: list[float] = []
        self._since = time.monotonic()

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._losses.append(float(outputs["loss"]))
        if trainer.global_step % self.every:
            return
        now = time.monotonic()
        rate = len(self._losses) / max(1e-9, now - self._since)
        loss = mean_of_ranks(sum(self._losses) / len(self._losses), module.device)
        left = (self.settings.steps - trainer.global_step) / rate
        logger.info(
            "step %d/%d  loss %.4f  %.2f steps/s  %.1f kb/s  %.1f min left",
            trainer.global_step,
            self.settings.steps,
            loss,
            rate,
            rate * self.bases_per_step / 1000,
            left / 60,
        )
        self.table.add(trainer.global_step, {"train_loss": loss})
        self._losses, self._since = [], now


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
        """How good the chosen weights (``module.chosen``) are, and add the figures of this step to the table.

        It may leave the model in evaluation.
        """
        raise NotImplementedError

    def on_train_start(self, trainer: lightning.Trainer, module: Any) -> None:
        self._stop_without_gain(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: Any) -> None:
        if trainer.global_step % self.every_steps and trainer.global_step != module.settings.steps:
            return
        if own_rank() == 0:
            self._validate(trainer, module)
        trainer.should_stop = any_rank(trainer.should_stop, module.device)

    def _validate(self, trainer: lightning.Trainer, module: Any) -> None:
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
