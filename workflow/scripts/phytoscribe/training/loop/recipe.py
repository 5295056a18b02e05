"""What a training run is told by the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from phytoscribe.training.loop.settings import RunSettings


@dataclass(frozen=True)
class Recipe:
    """The sections of the configuration that decide a training run.

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
        """Steps, rates and ranks, with so many threads of each rank."""
        return RunSettings.of(self.task, self.training, self.seed, threads)

    def as_dict(self) -> dict[str, Any]:
        """All of it that decides the result."""
        return asdict(self)
