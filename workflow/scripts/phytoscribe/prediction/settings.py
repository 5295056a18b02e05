"""Settings of a prediction run."""

from __future__ import annotations

from dataclasses import dataclass

from phytoscribe.devices import PRECISIONS
from phytoscribe.errors import ConfigError


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
