"""Whether a predicted gene is one: coding gene or element-like, told by the trunk's features in and around its CDS.

The logarithm of the odds is linear in the mean features of a few regions, in the gene's probabilities and in its size.
The network therefore computes one number a base for each region (:attr:`GeneClassifier.projection`), and a gene needs
only their means.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import Interval
from phytoscribe.models import CLASSIFIER_FILE

#: Values of the attribute ``gene_class``.
CODING, ELEMENT = "coding", "element"
#: Regions whose means count: coding bases, so many bases before and behind the CDS, and the coding bases read on the
#: other strand.
REGIONS = ("cds", "upstream", "downstream", "opposite")
FLANK = 500
#: Numbers of a gene beside the means: logarithms of coding bases and of CDS segments, log odds of gene and structure.
NUMBERS = 4
_LEAST = 1e-3

Strands = tuple[npt.NDArray, npt.NDArray]


@dataclass(frozen=True)
class GeneClassifier:
    """Probability that a predicted gene is element-like.

    Attributes:
        projection: float32 (channels of the trunk, regions).
        numbers: float64 (NUMBERS,), weights of :func:`numbers_of`.
        bias: log odds of a gene whose features and numbers are zero.
        facts: of the training: ``model`` (hash), ``genes``, ``elements`` (numbers) and ``trained_on``.
    """

    projection: npt.NDArray[np.float32]
    numbers: npt.NDArray[np.float64]
    bias: float
    facts: Mapping[str, str]

    def __call__(self, gene: GeneModel, features: Strands, start: int) -> float:
        """Probability of the class element.

        Args:
            features: trunk features times ``projection`` of the plus and the minus strand, each (n, regions), contig
                orientation.
            start: contig position of their first row.
        """
        means = np.diagonal(region_means(gene, features, start))
        odds = float(means.sum() + numbers_of(gene) @ self.numbers + self.bias)
        return 1.0 / (1.0 + math.exp(-min(max(odds, -30.0), 30.0)))

    def __str__(self) -> str:
        """As in the header of a prediction."""
        facts = self.facts
        return f"learned from {facts['elements']} element-like of {facts['genes']} genes of {facts['trained_on']}"

    def classified(self, gene: GeneModel, features: Strands, start: int) -> GeneModel:
        """The gene with the attributes ``gene_class`` and ``class_probability``, which is that of the class."""
        element = self(gene, features, start)
        name, probability = (ELEMENT, element) if element >= 0.5 else (CODING, 1.0 - element)
        told = {"gene_class": name, "class_probability": f"{probability:.3f}"}
        return replace(gene, attributes={**gene.attributes, **told})

    def save(self, folder: Path) -> None:
        """Write :data:`CLASSIFIER_FILE` into a folder."""
        numbers = {
            # The format keeps the bytes in memory, which a transposed array has in another order.
            "projection": np.ascontiguousarray(self.projection, dtype=np.float32),
            "numbers": np.ascontiguousarray(self.numbers, dtype=np.float64),
            "bias": np.array([self.bias]),
        }
        with atomic_path(folder / CLASSIFIER_FILE) as temporary:
            temporary.write_bytes(save(numbers, {"facts": json.dumps(dict(self.facts))}))

    @classmethod
    def load(cls, folder: Path, model: str) -> GeneClassifier:
        """Read :data:`CLASSIFIER_FILE` of a folder.

        Args:
            model: hash of the structure model that predicts.

        Raises:
            ModelError: it is missing or damaged, or has learned from another structure model.
        """
        path = folder / CLASSIFIER_FILE
        if not path.is_file():
            raise ModelError(f"{path}: missing, so gene classes cannot be told; set predict.gene_classes to none")
        try:
            with safe_open(path, "numpy") as stored:
                facts = json.loads(stored.metadata()["facts"])
                projection, numbers, bias = (stored.get_tensor(name) for name in ("projection", "numbers", "bias"))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path}: cannot be read ({error}); fetch the model again") from error
        if projection.shape[1:] != (len(REGIONS),) or numbers.shape != (NUMBERS,):
            raise ModelError(f"{path}: is of another version; fetch the model again, or run rule train_gene_classes")
        if facts["model"] != model:
            raise ModelError(
                f"{path}: has learned from the features of model {facts['model']}, not of {model}, which predicts "
                "here; train it again (rule train_gene_classes), or set predict.gene_classes to none"
            )
        return cls(projection, numbers, float(bias[0]), facts)


def region_means(gene: GeneModel, features: Strands, start: int) -> npt.NDArray[np.float64]:
    """Means (regions, channels) over the regions of the gene's first transcript; 0 where a region has no base.

    Args:
        features: of the plus and the minus strand, each (n, channels), contig orientation; they reach :data:`FLANK`
            bases beyond the CDS unless the contig ends before.
        start: contig position of their first row.
    """
    own, other = features if gene.strand == "+" else features[::-1]
    cds = [(first - start, last - start) for first, last in gene.transcripts[0].cds]
    begin, end = cds[0][0], cds[-1][1]
    sides = [(max(0, begin - FLANK), begin)], [(end, min(len(own), end + FLANK))]
    before, behind = sides if gene.strand == "+" else sides[::-1]
    parts = (own, cds), (own, before), (own, behind), (other, cds)
    return np.stack([_mean(table, intervals) for table, intervals in parts])


def _mean(table: npt.NDArray, intervals: Sequence[Interval]) -> npt.NDArray[np.float64]:
    rows = np.concatenate([table[first:last] for first, last in intervals])
    return rows.mean(axis=0, dtype=np.float64) if len(rows) else np.zeros(table.shape[1])


def numbers_of(gene: GeneModel) -> npt.NDArray[np.float64]:
    """:data:`NUMBERS` of a predicted gene."""
    first = gene.transcripts[0]
    bases = sum(end - start for start, end in first.cds)
    chances = float(first.attributes["locus_probability"]), gene.score or 0.0
    return np.array([math.log(bases), math.log(len(first.cds)), *map(_log_odds, chances)])


def _log_odds(probability: float) -> float:
    held = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(held / (1 - held))
