"""The training step of the regulatory head, and how much each label weighs in its loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.models.regulatory import RegulatoryHead
from phytoscribe.training.loop.module import AveragedModule
from phytoscribe.training.loop.ranks import divisors
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.regulatory.windows import LabelCounts, RegulatoryBatch

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
        super().__init__(model, settings, average)
        self.positive_weight = positive_weight
        self.register_buffer("weights", torch.from_numpy(weights), persistent=False)

    def training_step(self, batch: RegulatoryBatch, batch_idx: int) -> Tensor:
        logits = self.model(batch.bases, batch.trunk)
        with torch.autocast(self.device.type, enabled=False):
            return label_loss(logits.float(), batch.targets, batch.counted, self.weights, self.positive_weight)
