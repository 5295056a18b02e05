"""A small network that says how probable a possible isoform is, from :mod:`phytoscribe.decoding.isoform_features`.

Two hidden layers on normalised features.  It is read with NumPy, so that a prediction needs no more than the structure
network does, and in double precision, so that the third decimal of a score does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from phytoscribe.decoding.isoform_features import FEATURES
from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_path

WEIGHTS_FILE = "isoforms.safetensors"
#: Normalised features are held within this.
LARGEST = 6.0
_HIDDEN = 2


@dataclass(frozen=True)
class IsoformRanker:
    """Probabilities of isoforms.

    Attributes:
        mean, deviation: float (FEATURES,), of the training candidates.
        layers: weights (out, in) and biases (out,) of each layer; the last has one output.
        slope, offset: from the network's output to calibrated log odds.
    """

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    layers: tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], ...]
    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probabilities (isoforms,) of features (isoforms, FEATURES)."""
        return 1.0 / (1.0 + np.exp(-(self.slope * self.log_odds(features) + self.offset)))

    def log_odds(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The network's output, not calibrated."""
        values = normalised(features, self.mean, self.deviation)
        for number, (weight, bias) in enumerate(self.layers):
            # One product a row: a product of matrices rounds differently with the number of rows.
            values = np.stack([weight @ row for row in values]) + bias if len(values) else np.empty((0, len(bias)))
            if number < len(self.layers) - 1:
                values = np.maximum(values, 0.0)
        return values[:, 0]

    def save(self, folder: Path) -> None:
        """Write :data:`WEIGHTS_FILE` into a model's folder."""
        numbers = {"mean": self.mean, "deviation": self.deviation, "calibration": np.array([self.slope, self.offset])}
        for number, (weight, bias) in enumerate(self.layers):
            numbers |= {f"weight{number}": weight, f"bias{number}": bias}
        single = {name: np.ascontiguousarray(values, np.float32) for name, values in numbers.items()}
        with atomic_path(folder / WEIGHTS_FILE) as temporary:
            temporary.write_bytes(save(single))

    @classmethod
    def load(cls, folder: Path) -> IsoformRanker:
        """Read :data:`WEIGHTS_FILE` of a model's folder.

        Raises:
            ModelError: it is missing, damaged, or of another version.
        """
        path = folder / WEIGHTS_FILE
        if not path.is_file():
            raise ModelError(f"{path}: missing, so isoforms cannot be ranked; set isoforms.method to lattice or none")
        try:
            numbers: Mapping[str, npt.NDArray] = load_file(path)
            mean, deviation, (slope, offset) = (
                numbers[name].astype(np.float64) for name in ("mean", "deviation", "calibration")
            )
            layers = tuple(
                (numbers[f"weight{k}"].astype(np.float64), numbers[f"bias{k}"].astype(np.float64))
                for k in range(_HIDDEN + 1)
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ModelError(f"{path}: cannot be read ({error}); fetch the model again") from error
        if mean.size != FEATURES:
            raise ModelError(f"{path}: knows {mean.size} features, not {FEATURES}: it is of another version")
        return cls(mean, deviation, layers, float(slope), float(offset))


def normalised(
    features: npt.NDArray, mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Features with mean 0 and deviation 1 over the training candidates."""
    return np.clip((features.astype(np.float64) - mean) / deviation, -LARGEST, LARGEST)
