"""Training runs with Lightning: one epoch per checkpoint interval, resumed from the newest checkpoint.

An epoch is ``checkpoint_every`` steps of an endless data order (:mod:`phytoscribe.training.loop.sampling`), and
checkpoints are written at epoch ends only.  A signal ends the epoch after the current step, so the state is saved at an
epoch end then too.  A killed run loses at most one interval.  Both continue with exactly the batches, optimizer state
and random state of an uninterrupted run.

Several processes share each step's batch (:mod:`phytoscribe.training.loop.ranks`, started by
:mod:`phytoscribe.training.loop.launch`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch.utils.data import DataLoader, Dataset

from phytoscribe.devices import choose_device
from phytoscribe.errors import ConfigError, ModelError, StoppedError
from phytoscribe.files import atomic_open, atomic_path, sha256_of
from phytoscribe.training.loop.callbacks import (
    AllRanks,
    MetricsTable,
    ProgressLog,
    StepSeed,
    StopOnSignal,
    require_devices,
    require_ranks,
)
from phytoscribe.training.loop.ranks import own_rank, rank_count, started, wait_for_all
from phytoscribe.training.loop.sampling import StepSampler
from phytoscribe.training.loop.settings import RunSettings, lightning_precision

logger = logging.getLogger(__name__)

CHECKPOINT_NAME = "last.ckpt"
FINGERPRINT = "fingerprint.json"
#: What a checkpoint of Lightning holds at least.
_PARTS = {"state_dict", "optimizer_states", "lr_schedulers", "callbacks", "loops", "global_step"}
#: What scores that NumPy computed are read with, besides tensors and plain Python.
_HARMLESS = [np.dtype, np.dtypes.Float64DType, np.dtypes.Int64DType, np._core.multiarray.scalar]
#: Parts of the library that decide what is learned and which checkpoint is kept.
LEARNING = (
    "genome",
    "annotation",
    "labels",
    "splits",
    "regulatory",
    "expression",
    "tokenizer",
    "models",
    "decoding",
    "training",
    "prediction",
    "evaluation",
)


def claim_run_folder(folder: Path, settings: Mapping[str, Any], inputs: Iterable[str | Path]) -> None:
    """Prepare ``folder`` as the run folder of this configuration; the first rank does it for all.

    A folder from other settings, inputs or library code is emptied, and the log says so, so that no run resumes from
    another run's checkpoints.

    Args:
        settings: everything that determines the result of training.
        inputs: files that determine it, by content, not modification time.
    """
    if own_rank() == 0:
        _claim(folder, settings, inputs)
    wait_for_all()


def _claim(folder: Path, settings: Mapping[str, Any], inputs: Iterable[str | Path]) -> None:
    root = Path(__file__).parents[2]
    library = sorted(path for part in LEARNING for path in (root / part).rglob("*.py"))
    digest = hashlib.sha256("".join(sha256_of(path) for path in library).encode()).hexdigest()
    wanted = {
        "settings": json.loads(json.dumps(settings, sort_keys=True, default=str)),
        "inputs": {str(path): sha256_of(path) for path in inputs},
        "library": digest,
    }
    record = folder / FINGERPRINT
    if folder.exists():
        found = _read_record(record)
        if found == wanted:
            return
        changed = [key for key in wanted if found.get(key) != wanted[key]]
        logger.warning("%s was made with other %s: starting anew", folder, ", ".join(changed))
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with atomic_open(record) as handle:
        json.dump(wanted, handle, indent=1, sort_keys=True)


def _read_record(path: Path) -> dict[str, Any]:
    """The record of a run folder; empty if its file is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes checkpoints completely or not at all, even if the folder is on another file system than /tmp."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with atomic_path(path) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(
        self, path: Any, map_location: Any = lambda storage, location: storage, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Load the checkpoint as data, without executing its content.

        Raises:
            ModelError: the file is damaged, or holds more than a checkpoint does.
        """
        path = Path(path)
        found = read_as_data(path, map_location)
        if not isinstance(found, dict) or not found.keys() >= _PARTS:
            raise ModelError(f"{path}: this is no checkpoint of a training run; {_begin_anew(path.parent)}")
        return found


def read_as_data(path: Path, map_location: Any = "cpu") -> Any:
    """Read tensors and plain Python data from a file of a run folder, without ever executing its content.

    Raises:
        ModelError: the file is damaged, or holds other objects.
    """
    try:
        # PyTorch reads on past flipped bits: it compares no checksums.
        with zipfile.ZipFile(path) as archive:
            if part := archive.testzip():
                raise zipfile.BadZipFile(f"{part} differs from its checksum")
        with torch.serialization.safe_globals(_HARMLESS):
            return torch.load(path, map_location=map_location, weights_only=True)
    except (PermissionError, MemoryError):
        raise
    except Exception as error:
        # A damaged archive or pickle may fail as anything.
        with_code = isinstance(error, UnpicklingError) and "GLOBAL" in str(error)
        wrong = "it holds Python objects, which could run code and are not read" if with_code else "it is damaged"
        raise ModelError(f"{path}: {wrong}; {_begin_anew(path.parent)}") from error


def _begin_anew(folder: Path) -> str:
    return f"put back a copy that is whole, or delete the folder {folder}: training then begins anew"


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
    """Train to the last step or until a callback stops it; resumes from ``run_folder/last.ckpt`` if it exists.

    Args:
        dataset: gives window ``i`` of an endless order; step ``n`` reads from ``n * batch_size`` on.
        collate: turns a list of windows into a batch.
        callbacks: run in the given order at each epoch's end, before the checkpoint with their state is written.

    Raises:
        ModelError: the checkpoint is damaged, or holds more than a checkpoint does.
        StoppedError: a signal ended the run, after its checkpoint was saved.
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
    trainer.fit(module, loader, ckpt_path=resume, weights_only=True)
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
