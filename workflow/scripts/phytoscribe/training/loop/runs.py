"""Training runs with Lightning: one epoch per checkpoint interval, resumed from the newest checkpoint.

An epoch is ``checkpoint_every`` steps of an endless data order (:mod:`phytoscribe.training.loop.sampling`), and
checkpoints are written at epoch ends only.  A signal ends the epoch after the step in work, so what is saved then is
such an end too.  A killed run loses at most one interval; either continues with the very batches, optimizer state and
random state that the undisturbed run would have had.

Several processes share each step's batch (:mod:`phytoscribe.training.loop.ranks`, started by
:mod:`phytoscribe.training.loop.launch`).
"""

from __future__ import annotations

import csv
import logging
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch.utils.data import DataLoader, Dataset

from phytoscribe.devices import bfloat16_is_fast, choose_device
from phytoscribe.errors import ConfigError, StoppedError
from phytoscribe.files import atomic_path
from phytoscribe.training.loop.ranks import any_rank, mean_of_ranks, own_rank, rank_count, started
from phytoscribe.training.loop.sampling import StepSampler

logger = logging.getLogger(__name__)

CHECKPOINT_NAME = "last.ckpt"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How long and how fast a training run goes.

    Attributes:
        steps: optimizer steps in all; a multiple of ``checkpoint_every``.
        batch_size: windows per step, of all ranks together.
        checkpoint_every: steps between checkpoints.
        learning_rate: peak, reached after ``warmup_steps``, then falling to a tenth along half a cosine.
        weight_decay: of AdamW.
        precision: ``auto`` (bfloat16 where the processor computes it fast, else float32), ``float32``, ``bfloat16``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        seed: of weights, data order and drop-out.
        threads: CPU threads of each rank.
        devices, nodes: ranks of a node, and nodes.
        strategy: Lightning's name for how ranks share the model (``ddp``, ``fsdp``, ``deepspeed_stage_2``, ...).
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
    devices: int = 1
    nodes: int = 1
    strategy: str = "ddp"

    @classmethod
    def of(cls, section: Mapping[str, Any], ranks: Mapping[str, Any], seed: int, threads: int) -> RunSettings:
        """From a section ``pretrain`` or ``finetune`` of the configuration, and its section ``training``.

        Further keys are not for the run.
        """
        given = {name: part[name] for part in (section, ranks) for name in cls.__slots__ if name in part}
        return cls(**given, seed=seed, threads=threads)

    def __post_init__(self) -> None:
        if self.steps % self.checkpoint_every:
            raise ConfigError(f"steps ({self.steps}) must be a multiple of checkpoint_every ({self.checkpoint_every})")
        if self.batch_size % self.ranks:
            raise ConfigError(
                f"batch_size ({self.batch_size}) must be a multiple of training.devices times training.nodes "
                f"({self.devices} x {self.nodes}): it is the batch of all together"
            )

    @property
    def ranks(self) -> int:
        return self.devices * self.nodes


def lightning_precision(wanted: str, device: torch.device) -> str:
    """Lightning's name for the precision, logged; ``auto`` depends on the hardware."""
    chosen = ("bfloat16" if bfloat16_is_fast(device) else "float32") if wanted == "auto" else wanted
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
    """Random state (drop-out) as a function of seed, step and rank: a resumed run draws what it would have drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        torch.manual_seed(self.seed * 1_000_003 + trainer.global_step + 7_919_000_000 * own_rank())


def require_ranks(wanted: int, found: int) -> None:
    """ConfigError unless as many processes train together as were asked for."""
    if found != wanted:
        raise ConfigError(
            f"training needs {wanted} processes (training.devices times training.nodes), but {found} came together; "
            "nothing was trained"
        )


def require_devices(wanted: int, found: int) -> None:
    """ConfigError if this node shows fewer GPUs than it has processes, of which several would then share one."""
    if found < wanted:
        raise ConfigError(
            f"training.devices is {wanted}, but node {socket.gethostname()} shows {found} GPUs to this job; lower it, "
            "or ask for as many on each node"
        )


class AllRanks(Callback):
    """Refuses to train with another number of processes than was asked for, and writes down how many there are.

    Without it, a cluster that starts one process where two were asked for trains on half of the data, in silence.
    """

    def __init__(self, wanted: int, table: MetricsTable) -> None:
        self.wanted, self.table = wanted, table

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        require_ranks(self.wanted, trainer.world_size)
        require_ranks(self.wanted, rank_count())
        logger.info("%d processes train together", self.wanted)
        if trainer.global_step == 0:
            self.table.add(0, {"world_size": self.wanted})


class StopOnSignal(Callback):
    """On a signal, training ends after the step in work, on all ranks after the same one, and its state is saved.

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
    """Metrics as a TSV (step, name, value) that travels in the checkpoint, so a resumed run keeps one clean table."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[tuple[int, str, float]] = []

    def add(self, step: int, values: Mapping[str, float]) -> None:
        self.rows += [(step, name, float(value)) for name, value in values.items()]
        if own_rank():
            return
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


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that appear complete or not at all, also where the folder is on another file system than /tmp."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with atomic_path(path) as temporary:
            torch.save(checkpoint, temporary)


def train(
    module: lightning.LightningModule,
    dataset: Dataset,
    collate: Callable[[list], Any],
    settings: RunSettings,
    run_folder: Path,
    bases_per_step: int,
    table: MetricsTable,
    callbacks: list[Callback],
) -> None:
    """Train to the last step or until a callback stops it, resuming from ``run_folder/last.ckpt`` where there is one.

    Args:
        dataset: window ``i`` of an endless order; step ``n`` reads those from ``n * batch_size`` on.
        collate: from a list of windows to a batch.
        callbacks: run in the given order at each epoch's end, before the checkpoint is written, which has their state.

    Raises:
        StoppedError: a signal ended the run; its checkpoint is there.
    """
    require_ranks(settings.ranks, rank_count())
    device = choose_device(settings.device)
    if device.type == "cuda":
        require_devices(settings.devices, torch.cuda.device_count())
    torch.set_num_threads(settings.threads)
    run_folder.mkdir(parents=True, exist_ok=True)
    checkpoint = run_folder / CHECKPOINT_NAME
    sampler = StepSampler(settings.batch_size, settings.checkpoint_every, own_rank(), settings.ranks)
    loader = DataLoader(dataset, batch_size=sampler.share, sampler=sampler, collate_fn=collate)
    stop = StopOnSignal(sampler)
    saver = ModelCheckpoint(
        dirpath=run_folder,
        filename="last",
        save_top_k=1,
        every_n_epochs=1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    ours = [
        AllRanks(settings.ranks, table),
        StepSeed(settings.seed),
        table,
        ProgressLog(settings, bases_per_step, table),
        stop,
    ]
    trainer = lightning.Trainer(
        max_steps=settings.steps,
        max_epochs=-1,
        accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[device.type],
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=settings.strategy if settings.ranks > 1 else "auto",
        precision=lightning_precision(settings.precision, device),
        gradient_clip_val=1.0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=str(run_folder),
        plugins=[TorchElasticEnvironment() if started() else LightningEnvironment(), AtomicCheckpoints()],
        callbacks=[*ours, *callbacks, saver],
        deterministic=device.type == "cpu",
    )
    resume = checkpoint if checkpoint.exists() else None
    logger.info("resuming from %s", resume) if resume else logger.info("starting from step 0 in %s", run_folder)
    trainer.fit(module, loader, ckpt_path=resume, weights_only=False)
    if sampler.stopping and trainer.global_step < settings.steps:
        raise StoppedError(
            f"training was stopped by {stop.received or 'a signal on another rank'} after step {trainer.global_step} "
            f"of {settings.steps}; its state is in {run_folder}, and the same command goes on from there"
        )
    if trainer.global_step != settings.steps and not trainer.should_stop:
        raise ConfigError(
            f"{run_folder}: training ended at step {trainer.global_step} of {settings.steps}; "
            "remove the folder if its checkpoint is of another configuration"
        )
