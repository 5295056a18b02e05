"""How much evidence weighs: weights of its features, which the likelihood of known genes fits, and its calibration."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_open

#: Features of a junction, in order: 1; log reads; log share of those of the strongest junction nearby on its strand;
#: log share of its reads and those of the strongest junction that overlaps it on either strand; log reads below those
#: of the library's average junction, since one read of a deep library says less than one of a shallow one.
PAIR_FEATURES = 5
#: Weights of features of nodes that may be above 0.
FREE = ("frame_weight", "start_weight", "stop_weight")


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """Weights of the features, in natural log units.

    Attributes:
        junction_score, reads_weight, neighbour_weight, rival_weight, library_weight: of :data:`PAIR_FEATURES`.
        missing_weight: of a splice site's missing reads, not above 0.
        spliced_weight: of a junction that lies in a coding segment, not above 0.
        calibration_slope, calibration_offset: map of the log odds of the gene's probability, as the decoder of the
            species calibrates it, to those that hold with this evidence.
        calibrated_on: species whose genes were used for this.
    """

    junction_score: float = 0.0
    reads_weight: float = 0.0
    neighbour_weight: float = 0.0
    rival_weight: float = 0.0
    library_weight: float = 0.0
    missing_weight: float = 0.0
    spliced_weight: float = 0.0
    calibration_slope: float = 1.0
    calibration_offset: float = 0.0
    calibrated_on: tuple[str, ...] = ()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The weights that a fit changes, in the order of their vector; after those of pairs none is above 0 but
        :data:`FREE`.
        """
        return tuple(f.name for f in fields(cls) if f.type == "float" and not f.name.startswith("calibration"))

    @classmethod
    def of_vector(cls, vector: npt.NDArray[np.float64]) -> Self:
        """Weights (without calibration) from their vector; inverse of :meth:`vector`."""
        return cls(**dict(zip(cls.names(), vector.tolist(), strict=True)))

    @classmethod
    def bounds(cls) -> list[tuple[None, float | None]]:
        """Lowest and highest value of each weight; None for no bound."""
        return [(None, None if k < PAIR_FEATURES or name in FREE else 0.0) for k, name in enumerate(cls.names())]

    def vector(self) -> npt.NDArray[np.float64]:
        """The weights of features, float64 (n,), in the order of :meth:`names`."""
        return np.array([getattr(self, name) for name in self.names()], np.float64)

    def calibrate(self, settings: DecoderSettings) -> DecoderSettings:
        """Decoder settings with the calibration that holds with evidence.

        They are calibrated on the species on which both are, the decoder's calibration and the map.
        """
        return replace(
            settings,
            calibration_slope=self.calibration_slope * settings.calibration_slope,
            calibration_offset=self.calibration_slope * settings.calibration_offset + self.calibration_offset,
            calibrated_on=tuple(species for species in settings.calibrated_on if species in self.calibrated_on),
        )

    def save(self, path: Path, model: str, report: Mapping[str, Any]) -> None:
        """Write the weights that were fitted for a model (its hash), with a report on the fit."""
        with atomic_open(path) as handle:
            json.dump({"model": model, **asdict(self), "fit": dict(report)}, handle, indent=2)
            handle.write("\n")

    @classmethod
    def load(cls, path: Path, model: str) -> Self:
        """Read the weights of a model.

        Raises:
            ModelError: the file is missing, damaged, or of another model.
        """
        again = "fit them with rule fit_evidence, or leave genomes[].evidence out"
        if not path.is_file():
            raise ModelError(f"{path}: missing, so evidence cannot be weighed; {again}")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            found = {f.name: values[f.name] for f in fields(cls)}
            numbers = {name: float(value) for name, value in found.items() if name != "calibrated_on"}
            weights = cls(**numbers, calibrated_on=tuple(map(str, found["calibrated_on"])))
            fitted_for = values["model"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{path}: cannot be read as weights of evidence ({error!r}); {again}") from error
        bounded = zip(weights.vector().tolist(), cls.bounds(), strict=True)
        if not all(map(math.isfinite, numbers.values())) or any(b is not None and v > b for v, (_, b) in bounded):
            raise ModelError(f"{path}: holds weights that are no numbers or have the wrong sign; {again}")
        if fitted_for != model:
            raise ModelError(f"{path}: fitted for model {fitted_for}, not for {model}, which predicts here; {again}")
        return weights


def calibrate_for(weights: Sequence[EvidenceWeights], settings: DecoderSettings) -> DecoderSettings:
    """Decoder settings with the calibration that holds with all these kinds of evidence: one map after the other."""
    for each in weights:
        settings = each.calibrate(settings)
    return settings
