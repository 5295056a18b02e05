"""Settings of a prediction run, and the device and precision that it computes with."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from phytoscribe.errors import ConfigError

logger = logging.getLogger(__name__)

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """How contigs are cut into windows.

    Attributes:
        window: bases the model sees at once, at most.
        margin: bases at each side of a window whose prediction is dropped, because their context is cut.
        batch_size: windows computed together on a GPU; changes speed and memory only.
        precision: ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the device is fast with it.
    """

    window: int = 24576
    margin: int = 512
    batch_size: int = 8
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.window <= 2 * self.margin:
            raise ConfigError(
                f"predict.window is {self.window}; it must be more than twice predict.margin {self.margin}"
            )
        if self.precision not in ("auto", *PRECISIONS):
            raise ConfigError(
                f"predict.precision: {self.precision!r} is unknown; choose auto or {' or '.join(PRECISIONS)}"
            )


def choose_device(wanted: str) -> torch.device:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``mps`` stands for.

    Raises:
        ConfigError: the named device is not there: it is never replaced in silence.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    name = next((d for d in ("cuda", "mps", "cpu") if there[d]), "cpu") if wanted == "auto" else wanted
    if name not in there:
        raise ConfigError(f"device: {wanted!r} is unknown; choose auto, {', '.join(there)}")
    if not there[name]:
        raise ConfigError(
            f"device: {name} was asked for, but PyTorch finds none; use 'auto' or 'cpu', or check the node"
        )
    logger.info("device: %s (asked for: %s)", name, wanted)
    return torch.device(name)


def choose_precision(wanted: str, device: torch.device) -> str:
    """``float32`` or ``bfloat16``; ``auto`` depends on the hardware."""
    if wanted != "auto":
        return wanted
    if device.type == "cpu":
        return "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"
    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
