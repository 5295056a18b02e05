"""Keep the weights whose decoded genes on the validation regions are best."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback

from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import Decoders
from phytoscribe.evaluation.accuracy.counts import LEVELS
from phytoscribe.evaluation.accuracy.splice_sites import annotated_sites, score_sites
from phytoscribe.labels.encode import label_contig
from phytoscribe.labels.states import NON_CODING_LABEL
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.callbacks import BestWeights, MetricsTable
from phytoscribe.training.loop.ranks import own_rank, wait_for_all
from phytoscribe.training.tasks.structure.decoder_fit import decode_region, score_regions, selection_score
from phytoscribe.training.tasks.structure.lineage_fit import read_both_ways, read_regions, tune_decoders
from phytoscribe.training.tasks.structure.module import StructureModule
from phytoscribe.training.tasks.structure.sequence_loss import SequenceLoss

logger = logging.getLogger(__name__)


class WholeGenes(Callback):
    """Adds the decoder's likelihood of whole genes to the loss from a given step on.

    From step 0, it uses the decoders at the start of the run.  From a later step, the decoders are first fitted to the
    current network on the validation regions.  A resumed run finds them in the checkpoint.

    Args:
        selection: the validations, which then also use the fitted decoders.
        first_step: an epoch's end.
        make: the loss under decoders.
        lengths: decoders with the length scores of the training genes.
        path: where the first rank leaves the fitted decoders for the others.
    """

    def __init__(
        self,
        selection: DecodedSelection,
        first_step: int,
        make: Callable[[Decoders], SequenceLoss],
        lengths: Decoders,
        path: Path,
    ) -> None:
        self.selection, self.first_step, self.make = selection, first_step, make
        self.lengths, self.path = lengths, path

    def on_train_start(self, trainer: lightning.Trainer, module: StructureModule) -> None:
        if trainer.global_step >= self.first_step:
            module.sequence = self.make(self.selection.decoders)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: StructureModule) -> None:
        if trainer.global_step != self.first_step:
            return
        if own_rank() == 0:
            read = read_both_ways(self.selection.predictor(module), self.selection.regions)
            module.model.train()
            fitted, _ = tune_decoders(read, self.selection.decoders, self.lengths, module.settings.threads)
            fitted.save(self.path)
            logger.info("step %d: decoder fitted, whole genes join the loss", self.first_step)
        wait_for_all()
        self.selection.decoders = Decoders.load(self.path)
        module.sequence = self.make(self.selection.decoders)
        self.selection.forget_best()


class DecodedSelection(BestWeights):
    """Predicts and decodes the validation regions; the weights with the best decoded F1 are kept.

    Args:
        by_cross_entropy: the lowest cross-entropy is best; for genes of which the first model has decoded all.
    """

    def __init__(
        self,
        regions: Sequence[ValidationRegion],
        segmenter: Segmenter,
        decoders: Decoders,
        every_steps: int,
        best_path: Path,
        table: MetricsTable,
        patience: int = 0,
        by_cross_entropy: bool = False,
    ) -> None:
        super().__init__(every_steps, best_path, table, patience)
        self.regions = regions
        self.segmenter = segmenter
        self.decoders = decoders
        self.by_cross_entropy = by_cross_entropy

    def predictor(self, module: StructureModule) -> StructurePredictor:
        """The current weights, or their average, as a predictor with the default windows."""
        settings = PredictionSettings(batch_size=module.settings.batch_size)
        return StructurePredictor(module.chosen, self.segmenter, self.decoders.fallback, settings, module.device)

    def forget_best(self) -> None:
        """Forget earlier scores, which came from another decoder; the next one becomes the best."""
        self.best_score, self.without_gain = -math.inf, 0

    def score(self, step: int, module: StructureModule) -> float:
        predictor = self.predictor(module)
        decoded = read_regions(predictor, self.regions)
        f1 = validation_f1(decoded, self.decoders)
        sites = site_precision(predictor, self.regions)
        entropy = cross_entropy(decoded)
        self.table.add(
            step,
            {f"validation_{level}_f1": value for level, value in f1.items()}
            | {f"validation_{site}_ap": value for site, value in sites.items()}
            | {"validation_cross_entropy": entropy},
        )
        shown = "  ".join(f"{level} {value:.3f}" for level, value in f1.items())
        logger.info("step %d: validation F1  %s", step, shown)
        return -entropy if self.by_cross_entropy else selection_score(f1)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"decoder": self.decoders.to_json()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        values = dict(state_dict)
        self.decoders = Decoders.from_json(values.pop("decoder"), "checkpoint")
        super().load_state_dict(values)


def validation_f1(regions: Sequence[DecodedRegion], decoders: Decoders) -> dict[str, float]:
    """Exact F1 by level over all validation regions, each decoded with the decoder of its species."""
    genes = [decode_region(region, decoders.of(region.lineage, region.species)) for region in regions]
    comparison = score_regions(regions, genes)[0].comparison
    agreements = comparison.agreements(comparison.everything, LEVELS)
    return {level: agreement.f1 for level, agreement in agreements.items()}


def cross_entropy(regions: Sequence[DecodedRegion]) -> float:
    """Mean cross-entropy of the annotated states, nats a base of each strand, where one is known."""
    total, count = 0.0, 0
    for region in regions:
        length = region.bases.size
        known = np.ones(length, dtype=bool)
        for start, end in region.mask:
            known[start:end] = False
        for strand, table in zip("+-", (region.plus, region.minus), strict=True):
            labels = label_contig(region.genes, strand, length)
            counted = np.setdiff1d(np.flatnonzero(known & (labels.states != NON_CODING_LABEL)), labels.disputed)
            total -= float(table[counted, labels.states[counted]].sum(dtype=np.float64))
            count += counted.size
    return total / max(1, count)


def site_precision(predictor: StructurePredictor, regions: Sequence[ValidationRegion]) -> dict[str, float]:
    """Average precision of donors and acceptors on the longest region, both strands."""
    region = max(regions, key=lambda region: region.bases.size)
    predictor.set_species(region.species, region.lineage)
    scores = np.stack(predictor.site_probabilities(region.bases))
    found = score_sites(scores, annotated_sites(region.genes, region.name, region.bases.size))
    return {kind: score.average_precision for kind, score in found.items()}
