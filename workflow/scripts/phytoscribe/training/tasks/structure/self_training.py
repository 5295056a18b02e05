"""Training on a model's own confident genes, and whether it was worth anything, judged without labels.

Exact F1 cannot tell: the first model has decoded the genes that are held back itself, so it starts near 1 and can only
fall.  Nor can the cross-entropy, which falls for any model that has become surer of itself.  So the likelihood of these
genes under the decoder is compared after its weights were fitted to each of the two models: they scale the network's
evidence, and surer numbers alone gain nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from phytoscribe.decoding.gene_regions import DecodedRegion, gene_regions_of
from phytoscribe.decoding.likelihood import Likelihood
from phytoscribe.decoding.settings import Decoders
from phytoscribe.errors import ModelError
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.module import adapt, merge_adapters
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import read_as_data
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.structure.decoder_fit import FITTING_CUTOFF, f1_by_level, maximise
from phytoscribe.training.tasks.structure.lineage_fit import decode_with, read_regions
from phytoscribe.training.tasks.structure.selection import DecodedSelection
from phytoscribe.training.tasks.structure.start import Start

logger = logging.getLogger(__name__)

#: Exact F1 of the held-back genes may fall by this much.
TOLERATED_LOSS = 0.01


class SelfTrained(Protocol):
    """What of a fine-tuning is used here (:class:`phytoscribe.training.tasks.structure.task.Finetuning`)."""

    data: TrainingSet
    start: Start
    settings: Mapping[str, Any]
    run: RunSettings
    regions: Sequence[ValidationRegion]

    def predictor(self) -> StructurePredictor: ...

    def train_network(self, decoders: Decoders) -> DecodedSelection: ...


class HeldBack(NamedTuple):
    """How a model reads the confident genes that training has not seen.

    Attributes:
        f1: exact, by level.
        log_likelihood: of the genes under the fitted decoder, in nats a kilobase.
    """

    f1: dict[str, float]
    log_likelihood: float

    @classmethod
    def of(cls, regions: Sequence[DecodedRegion], decoders: Decoders, threads: int) -> HeldBack:
        total, bases = 0.0, 0
        for name in dict.fromkeys((region.lineage, region.species) for region in regions):
            decoder, own = (
                decoders.of(*name),
                [region for region in regions if (region.lineage, region.species) == name],
            )
            parts = [part for region in own for part in gene_regions_of(region, decoder, FITTING_CUTOFF)]
            likelihood = Likelihood(parts, decoder, threads)
            _, value = maximise(likelihood)
            total, bases = total + value * likelihood.bases, bases + likelihood.bases
        return cls(f1_by_level(decode_with(regions, decoders).figures), 1000 * total / max(1, bases))

    def reasons_against(self, after: HeldBack) -> list[str]:
        """Why a model that reads the genes like ``after`` is not kept; empty if it is."""
        found = [
            f"their exact F1 ({level}) fell from {before:.4f} to {after.f1[level]:.4f}"
            for level, before in self.f1.items()
            if after.f1[level] < before - TOLERATED_LOSS
        ]
        if not after.log_likelihood > self.log_likelihood:
            found.append(
                f"their log likelihood did not rise ({self.log_likelihood:.4f} before, {after.log_likelihood:.4f} "
                "after, nats a kilobase)"
            )
        return found


def judged_training(run: SelfTrained) -> tuple[Decoders, dict[str, Any]] | None:
    """Train the model in place on its confident genes, and load the best weights.

    The decoders stay as they are, calibration included: fitted to genes that are all taken to be right, they would call
    every gene right.

    Returns:
        The decoders, and a summary for the report; None on all ranks but the first.

    Raises:
        ModelError: the trained model reads the held-back genes no better.
    """
    model, decoders, trains = run.start.model, run.start.decoders, run.settings["self"]["trains"]
    before = HeldBack.of(read_regions(run.predictor(), run.regions), decoders, run.run.threads)
    logger.info("held-back confident genes before self-training: %s", before)
    adapt(model, trains)
    selection = run.train_network(decoders)
    if own_rank():
        return None
    model.load_state_dict(read_as_data(Path(selection.best_path)))
    merge_adapters(model)
    after = HeldBack.of(read_regions(run.predictor(), run.regions), decoders, run.run.threads)
    logger.info("best step %d; held-back confident genes: %s", selection.best_step, after)
    if reasons := before.reasons_against(after):
        folder = run.start.folder
        raise ModelError(
            f"self-training made no better model than {folder}, by the confident genes that were held back: "
            f"{'; '.join(reasons)}. Nothing is written. Predict with predict.model: {folder} and give the genome the "
            "role 'predict', or try a lower finetune.learning_rate, finetune.self.trains: frozen or lora, or another "
            "finetune.self.minimum_score"
        )
    genes = {found["genome"]: found["accepted_genes"] for found in run.data.manifest["genomes"]}
    return decoders, {
        "self_training": {**run.settings["self"], "confident_genes": genes},
        "best_step": selection.best_step,
        "held_back_before": before._asdict(),
        "held_back": after._asdict(),
    }
