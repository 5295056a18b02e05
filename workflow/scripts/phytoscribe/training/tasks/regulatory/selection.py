"""Keep the weights of the head that rank the bins of the validation blocks best."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe.decoding.decoded_gene import platt
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.label_scores import auprc_of_labels, precision_cut
from phytoscribe.models.regulatory import Calibration, RegulatoryHead
from phytoscribe.prediction.bins import BinReader, Logits
from phytoscribe.splits.parts import VALIDATE
from phytoscribe.training.loop.callbacks import BestWeights, MetricsTable
from phytoscribe.training.tasks.regulatory.module import RegulatoryModule
from phytoscribe.training.tasks.regulatory.windows import RegulatoryData

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
