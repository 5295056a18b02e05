"""A small network that says how probable a possible isoform is, from :mod:`phytoscribe.decoding.isoform_features`.

Two hidden layers on normalised features.  A model has a ranker for DNA alone, and may have another one for genomes with
RNA-seq reads, which weighs what the first one says against the reads; both are in one file.  They are read with NumPy,
so that a prediction needs no more than the structure network does, and in double precision, so that the third decimal
of a score does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from phytoscribe.decoding.decoded_gene import platt_probabilities
from phytoscribe.decoding.isoform_features import DNA_FEATURES
from phytoscribe.decoding.isoform_reads import READ_FEATURES
from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_path
from phytoscribe.models import RANKER_WEIGHTS

#: Kinds of rankers, by what they know.
RANKED, RANKED_WITH_READS = "ranked", "ranked_with_junctions"
#: Features of each kind, and what begins the names of its arrays.
_KINDS = {RANKED: (DNA_FEATURES, ""), RANKED_WITH_READS: (1 + READ_FEATURES, "with_junctions.")}
#: Normalised features are held within this.
LARGEST = 6.0
_HIDDEN = 2


@dataclass(frozen=True)
class IsoformRanker:
    """Probabilities of isoforms.

    Attributes:
        mean, deviation: float (features,), of the training candidates.
        layers: weights (out, in) and biases (out,) of each layer; the last has one output.
        slope, offset: from the network's output to calibrated log odds.
    """

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    layers: tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], ...]
    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probabilities (isoforms,) of features (isoforms, features)."""
        return platt_probabilities(self.log_odds(features), self.slope, self.offset)

    def log_odds(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The network's output, not calibrated."""
        values = normalised(features, self.mean, self.deviation)
        for number, (weight, bias) in enumerate(self.layers):
            # One product a row: a product of matrices rounds differently with the number of rows.
            values = np.stack([weight @ row for row in values]) + bias if len(values) else np.empty((0, len(bias)))
            if number < len(self.layers) - 1:
                values = np.maximum(values, 0.0)
        return values[:, 0]

    @classmethod
    def load(cls, folder: Path, kind: str = RANKED) -> IsoformRanker:
        """Read a ranker of a kind (:data:`RANKED` or :data:`RANKED_WITH_READS`) of a model's folder.

        The latter is only a part of :class:`RankerWithReads`.

        Raises:
            ModelError: :data:`RANKER_WEIGHTS` is missing, damaged, of another version, or has no ranker of this kind.
        """
        path = folder / RANKER_WEIGHTS
        features, prefix = _KINDS[kind]
        if not path.is_file():
            raise ModelError(f"{path}: missing, so isoforms cannot be ranked; set isoforms.method to lattice or none")
        try:
            numbers: Mapping[str, npt.NDArray] = load_file(path)
            mean, deviation, (slope, offset) = (
                numbers[prefix + name].astype(np.float64) for name in ("mean", "deviation", "calibration")
            )
            layers = tuple(
                (numbers[f"{prefix}weight{k}"].astype(np.float64), numbers[f"{prefix}bias{k}"].astype(np.float64))
                for k in range(_HIDDEN + 1)
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ModelError(f"{path}: cannot be read ({error}); fetch the model again") from error
        if mean.size != features:
            raise ModelError(f"{path}: knows {mean.size} features, not {features}: it is of another version")
        return cls(mean, deviation, layers, float(slope), float(offset))


@dataclass(frozen=True)
class RankerWithReads:
    """Probabilities of isoforms in a genome with RNA-seq reads.

    Attributes:
        dna: what DNA alone says.
        reads: from its log odds, not calibrated, and the features of reads to the probability.
    """

    dna: IsoformRanker
    reads: IsoformRanker

    def __call__(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probabilities (isoforms,) of features (isoforms, FEATURES)."""
        return self.reads(beside_reads(self.dna, features))

    @classmethod
    def load(cls, folder: Path) -> RankerWithReads:
        """Read both of a model's folder; errors as of :meth:`IsoformRanker.load`."""
        return cls(IsoformRanker.load(folder), IsoformRanker.load(folder, RANKED_WITH_READS))


def beside_reads(dna: IsoformRanker, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Log odds by DNA and the features of reads, (isoforms, 1 + READ_FEATURES), of features (isoforms, FEATURES)."""
    odds = dna.log_odds(features[:, :DNA_FEATURES]).astype(np.float32)
    return np.concatenate([odds[:, None], features[:, DNA_FEATURES:]], axis=1)


def save_rankers(rankers: Mapping[str, IsoformRanker], folder: Path) -> None:
    """Write :data:`RANKER_WEIGHTS` with rankers by kind into a model's folder."""
    numbers: dict[str, npt.NDArray] = {}
    for kind, ranker in rankers.items():
        _, prefix = _KINDS[kind]
        own = {"mean": ranker.mean, "deviation": ranker.deviation}
        own["calibration"] = np.array([ranker.slope, ranker.offset])
        for number, (weight, bias) in enumerate(ranker.layers):
            own |= {f"weight{number}": weight, f"bias{number}": bias}
        numbers |= {prefix + name: np.ascontiguousarray(values, np.float32) for name, values in own.items()}
    with atomic_path(folder / RANKER_WEIGHTS) as temporary:
        temporary.write_bytes(save(numbers))


def normalised(
    features: npt.NDArray, mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Features with mean 0 and deviation 1 over the training candidates."""
    return np.clip((features.astype(np.float64) - mean) / deviation, -LARGEST, LARGEST)
