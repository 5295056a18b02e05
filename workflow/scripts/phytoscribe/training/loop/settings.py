"""Settings of a training run from the configuration: length, batch size, hardware, and learning rate schedule."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from phytoscribe.devices import bfloat16_is_fast
from phytoscribe.errors import ConfigError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Length, learning rate and hardware of a training run.

    Attributes:
        steps: optimizer steps in all; a multiple of ``checkpoint_every``.
        batch_size: windows per step, of all ranks together.
        checkpoint_every: steps between checkpoints.
        learning_rate: peak, reached after ``warmup_steps``, then falling along half a cosine.
        final_rate: final learning rate as a share of the peak.
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
    final_rate: float = 0.1
    weight_decay: float = 0.05
    precision: str = "auto"
    device: str = "auto"
    seed: int = 1
    threads: int = 2
    devices: int = 1
    nodes: int = 1
    strategy: str = "ddp"

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


@dataclass(frozen=True)
class Recipe:
    """The sections of the configuration that determine a training run.

    Attributes:
        task: section ``pretrain`` or ``finetune``.
        model: section ``model``.
        training: section ``training``: ranks, and how they share the model.
        seed: of weights, data order and drop-out.
    """

    task: Mapping[str, Any]
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    seed: int

    def run_settings(self, threads: int) -> RunSettings:
        """Steps, rates and ranks, with this number of threads per rank; other keys are ignored."""
        parts, names = (self.task, self.training), RunSettings.__slots__
        given = {name: part[name] for part in parts for name in names if name in part}
        return RunSettings(**given, seed=self.seed, threads=threads)


def lightning_precision(wanted: str, device: torch.device) -> str:
    """Lightning's name for the precision, logged; ``auto`` depends on the hardware."""
    chosen = ("bfloat16" if bfloat16_is_fast(device) else "float32") if wanted == "auto" else wanted
    logger.info("training precision: %s (asked for: %s)", chosen, wanted)
    return {"bfloat16": "bf16-mixed", "float32": "32-true"}[chosen]


def cosine_schedule(step: int, settings: RunSettings) -> float:
    """Factor of the peak learning rate at a step: linear warm-up, then half a cosine down to the final rate."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return settings.final_rate + (1 - settings.final_rate) * falling
