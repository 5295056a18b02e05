"""Training runs with Lightning: one epoch per checkpoint interval, resumed from the newest checkpoint.

An epoch is ``checkpoint_every`` steps of an endless data order (:mod:`phytoscribe.training.sampling`), and checkpoints
are written at epoch ends only.  So a killed run loses at most one interval, and continues with the very batches,
optimizer state and random state that the undisturbed run would have had.
"""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch.utils.data import DataLoader

from phytoscribe.errors import ConfigError
from phytoscribe.files import atomic_path
from phytoscribe.prediction.settings import choose_device

logger = logging.getLogger(__name__)

CHECKPOINT_NAME = "last.ckpt"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How long and how fast a training run goes.

    Attributes:
        steps: optimizer steps in all; a multiple of ``checkpoint_every``.
        batch_size: windows per step.
        checkpoint_every: steps between checkpoints.
        learning_rate: peak, reached after ``warmup_steps``, then falling to a tenth along half a cosine.
        weight_decay: of AdamW.
        precision: ``auto`` (bfloat16 where the processor computes it fast, else float32), ``float32``, ``bfloat16``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        seed: of weights, data order and drop-out.
        threads: CPU threads.
    """

    steps: int
    batch_size: int
    checkpoint_every: int
    learning_rate: float
    warmup_steps: int = 50
    weight_decay: float = 0.05
    precision: str = "auto"
    device: str = "auto"
    seed: int = 1
    threads: int = 2

    @classmethod
    def of(cls, section: Mapping[str, Any], seed: int, threads: int) -> RunSettings:
        """From a section ``pretrain`` or ``finetune`` of the configuration; its further keys are not for the run."""
        return cls(**{name: section[name] for name in cls.__slots__ if name in section}, seed=seed, threads=threads)

    def __post_init__(self) -> None:
        if self.steps % self.checkpoint_every:
            raise ConfigError(f"steps ({self.steps}) must be a multiple of checkpoint_every ({self.checkpoint_every})")


def lightning_precision(wanted: str, device: torch.device) -> str:
    """Lightning's name for the precision, logged; ``auto`` depends on the hardware."""
    fast = torch.ops.mkldnn._is_mkldnn_bf16_supported() if device.type == "cpu" else device.type == "cuda"
    chosen = ("bfloat16" if fast else "float32") if wanted == "auto" else wanted
    logger.info("training precision: %s (asked for: %s)", chosen, wanted)
    return {"bfloat16": "bf16-mixed", "float32": "32-true"}[chosen]


def cosine_schedule(step: int, settings: RunSettings) -> float:
    """Factor of the peak learning rate at a step: linear warm-up, then half a cosine down to 0.1."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    return 0.1 + 0.9 * 0.5 * (1 + float(torch.cos(torch.tensor(min(1.0, done) * torch.pi))))


def make_optimizer(module: lightning.LightningModule, settings: RunSettings) -> dict[str, Any]:
    """AdamW without decay on vectors, with the cosine schedule per step, in Lightning's form."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine_schedule(step, settings))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class StepSeed(Callback):
    """Random state (drop-out) as a function of seed and step: a resumed run draws what it would have drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        torch.manual_seed(self.seed * 1_000_003 + trainer.global_step)


class MetricsTable(Callback):
    """Metrics as a TSV (step, name, value) that travels in the checkpoint, so a resumed run keeps one clean table."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[tuple[int, str, float]] = []

    def add(self, step: int, values: Mapping[str, float]) -> None:
        self.rows += [(step, name, float(value)) for name, value in values.items()]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
            writer.writerow(("step", "name", "value"))
            writer.writerows((step, name, f"{value:.6g}") for step, name, value in self.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = [tuple(row) for row in state_dict["rows"]]


class ProgressLog(Callback):
    """Log lines with loss, rate and time left, a few times an epoch."""

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
        loss = sum(self._losses) / len(self._losses)
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


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that appear complete or not at all, also where the folder is on another file system than /tmp."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with atomic_path(path) as temporary:
            torch.save(checkpoint, temporary)


def train(
    module: lightning.LightningModule,
    loader: DataLoader,
    settings: RunSettings,
    run_folder: Path,
    bases_per_step: int,
    table: MetricsTable,
    callbacks: list[Callback],
) -> None:
    """Train to the last step or until a callback stops it, resuming from ``run_folder/last.ckpt`` where there is one.

    ``callbacks`` run in the given order at each epoch's end, before the checkpoint is written, so their state is in it.
    """
    device = choose_device(settings.device)
    torch.set_num_threads(settings.threads)
    run_folder.mkdir(parents=True, exist_ok=True)
    checkpoint = run_folder / CHECKPOINT_NAME
    saver = ModelCheckpoint(
        dirpath=run_folder,
        filename="last",
        save_top_k=1,
        every_n_epochs=1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = lightning.Trainer(
        max_epochs=settings.steps // settings.checkpoint_every,
        accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[device.type],
        devices=1,
        precision=lightning_precision(settings.precision, device),
        gradient_clip_val=1.0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=str(run_folder),
        plugins=[LightningEnvironment(), AtomicCheckpoints()],
        callbacks=[StepSeed(settings.seed), table, ProgressLog(settings, bases_per_step, table), *callbacks, saver],
        deterministic=device.type == "cpu",
    )
    if trainer.world_size != 1:
        raise ConfigError(f"training started {trainer.world_size} processes, one was asked for")
    resume = checkpoint if checkpoint.exists() else None
    logger.info("resuming from %s", resume) if resume else logger.info("starting from step 0 in %s", run_folder)
    trainer.fit(module, loader, ckpt_path=resume, weights_only=False)
    if trainer.global_step != settings.steps and not trainer.should_stop:
        raise ConfigError(
            f"{run_folder}: training ended at step {trainer.global_step} of {settings.steps}; "
            "remove the folder if its checkpoint is of another configuration"
        )
