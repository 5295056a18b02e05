"""The training step of the regulatory head, how much each label weighs in its loss, and which weights are kept:
those that rank the bins of the validation blocks best."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.decoding.decoded_gene import platt
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.label_scores import auprc_of_labels, precision_cut
from phytoscribe.models.regulatory import Calibration, RegulatoryHead
from phytoscribe.prediction.regulatory import BinReader, Logits
from phytoscribe.splits.parts import VALIDATE
from phytoscribe.training.loop.callbacks import BestWeights, MetricsTable
from phytoscribe.training.loop.module import AveragedModule
from phytoscribe.training.loop.ranks import divisors
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.regulatory.windows import LabelCounts, RegulatoryBatch, RegulatoryData

#: Learning rates beside the others': many labels share the layer that reads words, whose counts are large numbers.
_RATES = {"model.surroundings.": 0.3}
#: Rarer labels than this weigh no more: their few positives would be learned by heart.
_RAREST = 0.002


def label_weights(counts: LabelCounts) -> npt.NDArray[np.float32]:
    """Weight of each label in the loss, float32 (labels,), mean 1.

    Factors that bind the same sites share one weight: each counts as one over the sum of its squared correlations with
    all labels, so a family of many members does not rule the filters.  And frequent labels do not drown rare ones: each
    is divided by its entropy, the loss of a guess.

    Args:
        counts: of the training bins.
    """
    bins = max(1, counts.bins)
    share = counts.positive / bins
    deviation = np.sqrt(np.maximum(share * (1 - share), 1e-12))
    correlation = (counts.together / bins - np.outer(share, share)) / np.outer(deviation, deviation)
    np.fill_diagonal(correlation, 1.0)
    alike = (correlation**2).sum(axis=1)
    bounded = np.clip(share, _RAREST, 1 - _RAREST)
    entropy = -bounded * np.log(bounded) - (1 - bounded) * np.log1p(-bounded)
    weights = 1 / (alike * entropy)
    return (weights / weights.mean()).astype(np.float32)


def label_loss(logits: Tensor, targets: Tensor, counted: Tensor, weights: Tensor, positive_weight: float) -> Tensor:
    """Weighted mean of the binary cross-entropy; the mean over ranks is the loss of their common batch.

    Args:
        logits, targets, counted: float (batch, bins, labels); what does not count has no gradient.
        weights: (labels,).
        positive_weight: weight of a positive bin; a negative one has 1.
    """
    factor = counted * weights
    balance = torch.tensor(positive_weight, dtype=logits.dtype, device=logits.device)
    entropy = F.binary_cross_entropy_with_logits(logits, targets, weight=factor, pos_weight=balance, reduction="sum")
    return entropy / divisors(factor.sum()[None])[0]


class RegulatoryModule(AveragedModule):
    """Training step, optimizer and weight average around the head.

    Args:
        weights: of the labels in the loss.
    """

    def __init__(
        self,
        model: RegulatoryHead,
        settings: RunSettings,
        weights: npt.NDArray[np.float32],
        positive_weight: float,
        average: float,
    ) -> None:
        super().__init__(model, settings, average, _RATES)
        self.positive_weight = positive_weight
        self.register_buffer("weights", torch.from_numpy(weights), persistent=False)

    def training_step(self, batch: RegulatoryBatch, batch_idx: int) -> Tensor:
        logits = self.model(batch.bases, batch.trunk)
        with torch.autocast(self.device.type, enabled=False):
            return label_loss(logits.float(), batch.targets, batch.counted, self.weights, self.positive_weight)


logger = logging.getLogger(__name__)


class ValidationBins:
    """The known bins of the validation blocks.

    Attributes:
        labels: bool (bins, labels); has: whether each is known there.

    Raises:
        PhytoScribeError: there are none, or no label has a positive bin among them.
    """

    def __init__(self, data: RegulatoryData, width: int) -> None:
        self.data, self.segments = data, data.segments(VALIDATE)
        self.labels, genomes = data.known_labels(VALIDATE, width)
        self.has = data.has(genomes)
        if not (self.labels & self.has).any():
            raise PhytoScribeError(
                "no bin with a peak is for validation, so the head cannot be chosen; list contigs under "
                "genomes[...].contigs.validate, give a genome with peaks role 'validate', or use split.mode: cluster"
            )

    def logits(self, head: RegulatoryHead, device: torch.device) -> Logits:
        """The head's log odds of these bins, (bins, labels)."""
        readers = [BinReader(head, genome.genome, device, genome.trunk) for genome in self.data.genomes]
        return np.concatenate([r.known_logits(s) for r, s in zip(readers, self.segments, strict=True)])

    def auprc(self, logits: Logits) -> npt.NDArray[np.float64]:
        """Average precision of each label; nan for those without a positive bin."""
        return auprc_of_labels(logits, self.labels, self.has)

    def calibration(self, logits: Logits, precision: float) -> Calibration:
        """Calibration of each label (Platt's line), and its cut at this precision."""
        labels = self.labels.shape[1]
        slope, offset, cut = np.ones(labels), np.zeros(labels), np.full(labels, np.nan)
        for label in range(labels):
            known = self.has[:, label]
            odds, right = logits[known, label].astype(np.float64), self.labels[known, label]
            slope[label], offset[label] = platt(odds, right)
            line = Calibration(slope[[label]], offset[[label]], cut[[label]], cut[[label]])
            cut[label] = precision_cut(line.probabilities(odds[:, None])[:, 0], right, precision)
        return Calibration(slope, offset, cut, self.auprc(logits))


class RankedSelection(BestWeights):
    """Reads the validation bins; the weights with the highest mean average precision are kept."""

    def __init__(
        self, validation: ValidationBins, every_steps: int, best_path: Path, table: MetricsTable, patience: int
    ) -> None:
        super().__init__(every_steps, best_path, table, patience)
        self.validation = validation

    def score(self, step: int, module: RegulatoryModule) -> float:
        head = module.chosen.eval()
        # In single precision, as predictions are made, whatever training computes in.
        with torch.autocast(module.device.type, enabled=False):
            found = self.validation.auprc(self.validation.logits(head, module.device))
        score = float(np.nanmean(found))
        self.table.add(step, {"validation_auprc": score})
        logger.info("step %d: mean AUPRC of the validation bins %.4f", step, score)
        return score
