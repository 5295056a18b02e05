"""Settings of a prediction run, and the device and precision that it computes with."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from phytoscribe.errors import ConfigError
from phytoscribe.models.cpu import eight_bit

logger = logging.getLogger(__name__)

#: What numbers outside the integer products are computed in, by the precision's name.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "int8": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """How contigs are cut into windows.

    Attributes:
        window: bases the model sees at once, at most.
        margin: bases at each side of a window whose prediction is dropped, because their context is cut.
        batch_size: windows computed together on a GPU; changes speed and memory only.
        precision: ``float32``, ``bfloat16``, ``int8`` (processors only: bfloat16, and the encoder's large products of
            bytes), or ``auto``: the last of these that the device is fast with.
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
                f"predict.precision: {self.precision!r} is unknown; choose auto, {' or '.join(PRECISIONS)}"
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
    """The name in :data:`PRECISIONS` that ``auto`` stands for, or the wanted one.

    Raises:
        ConfigError: int8 on a device that does not compute it.
    """
    on_cpu = device.type == "cpu"
    bytes_are_fast = on_cpu and eight_bit.is_fast()
    if wanted == "int8" and not bytes_are_fast:
        raise ConfigError(
            f"predict.precision: int8 was asked for, but this {device.type} has no fast products of bytes and "
            "bfloat16; use 'auto', 'bfloat16' or 'float32'"
        )
    if wanted != "auto":
        return wanted
    if on_cpu:
        half_is_fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    else:
        half_is_fast = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return "int8" if bytes_are_fast else "bfloat16" if half_is_fast else "float32"
