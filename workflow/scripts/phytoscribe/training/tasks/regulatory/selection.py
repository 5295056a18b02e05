"""Keep the weights of the head that rank the bins of the validation blocks best."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback

from phytoscribe.decoding.decoded_gene import platt
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.label_scores import auprc_of_labels, precision_cut
from phytoscribe.files import atomic_path
from phytoscribe.models.regulatory import Calibration, RegulatoryHead
from phytoscribe.prediction.bins import BinReader, Logits
from phytoscribe.splits.parts import VALIDATE
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.ranks import any_rank, own_rank
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


class RankedSelection(Callback):
    """After some epochs, read the validation bins; keep the weights with the highest mean average precision.

    Args:
        patience: number of validations in a row without a better score after which training stops; 0 for never.
    """

    def __init__(
        self, validation: ValidationBins, every_steps: int, best_path: Path, table: MetricsTable, patience: int
    ) -> None:
        self.validation, self.every_steps, self.best_path = validation, every_steps, best_path
        self.table, self.patience = table, patience
        self.best_score, self.best_step, self.without_gain = -math.inf, 0, 0

    def on_train_start(self, trainer: lightning.Trainer, module: RegulatoryModule) -> None:
        self._stop_without_gain(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: RegulatoryModule) -> None:
        if trainer.global_step % self.every_steps and trainer.global_step != module.settings.steps:
            return
        if own_rank() == 0:
            self._validate(trainer, module)
        trainer.should_stop = any_rank(trainer.should_stop, module.device)

    def _validate(self, trainer: lightning.Trainer, module: RegulatoryModule) -> None:
        head = module.chosen.eval()
        # In single precision, as predictions are made, whatever training computes in.
        with torch.autocast(module.device.type, enabled=False):
            found = self.validation.auprc(self.validation.logits(head, module.device))
        module.model.train()
        score = float(np.nanmean(found))
        self.table.add(trainer.global_step, {"validation_auprc": score})
        logger.info("step %d: mean AUPRC of the validation bins %.4f", trainer.global_step, score)
        if score > self.best_score:
            self.best_score, self.best_step, self.without_gain = score, trainer.global_step, 0
            with atomic_path(self.best_path) as path:
                torch.save(head.state_dict(), path)
        else:
            self.without_gain += 1
            self._stop_without_gain(trainer)

    def _stop_without_gain(self, trainer: lightning.Trainer) -> None:
        if self.patience and self.without_gain >= self.patience:
            logger.info("no better validation score in %d validations: training stops", self.without_gain)
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("best_score", "best_step", "without_gain")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)
