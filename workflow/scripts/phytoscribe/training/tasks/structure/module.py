"""Fine-tuning of the structure model: training, choice of the checkpoint on decoded genes, export."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.decoding.gene_models import decode_contig
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.devices import choose_device
from phytoscribe.errors import ModelError
from phytoscribe.evaluation.accuracy.counts import exact_f1
from phytoscribe.files import atomic_path
from phytoscribe.labels.states import StateSet
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.settings import PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import TrainingArrays, TrainingGenome, state_shares
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.adaptation import adapt, merge_adapters
from phytoscribe.training.loop.ranks import any_rank, own_rank
from phytoscribe.training.loop.runs import MetricsTable, RunSettings, make_optimizer, train
from phytoscribe.training.loop.sampling import BothStrands, Order, WindowOrder
from phytoscribe.training.tasks.structure import decoder_fit
from phytoscribe.training.tasks.structure.decoder_fit import fit_decoder
from phytoscribe.training.tasks.structure.kmer_content import content_table
from phytoscribe.training.tasks.structure.loss import LossSettings, label_weights, structure_loss
from phytoscribe.training.tasks.structure.sequence_loss import SequenceLoss, known_loci
from phytoscribe.training.tasks.structure.windows import StructureBatch, StructureDataset, collate_structure

logger = logging.getLogger(__name__)

#: Some one base in 400 is a donor, and as many are acceptors.
SITE_LOGIT = -6.0


class StructureModule(lightning.LightningModule):
    """Training step and optimizer around :class:`AnnotationModel`.

    Args:
        sequence: the decoder's likelihood as a further term; batches then hold both strands of each window.
        sequence_weight: its weight.
    """

    def __init__(
        self,
        model: AnnotationModel,
        settings: RunSettings,
        loss: LossSettings,
        sequence: SequenceLoss | None = None,
        sequence_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.settings = settings
        self.loss = loss
        self.sequence, self.sequence_weight = sequence, sequence_weight
        self.register_buffer("per_label", label_weights(loss), persistent=False)

    def training_step(self, batch: StructureBatch, batch_idx: int) -> torch.Tensor:
        output = self.model(*batch.inputs)
        loss = structure_loss(output, batch.targets, batch.weights, batch.sites, self.per_label, self.loss)
        if self.sequence:
            term, _ = self.sequence(output.states, batch.weights, batch.places)
            # The term's own value means nothing: only its gradient joins the loss.
            loss = loss + self.sequence_weight * (term - term.detach())
        return loss + self.model.encoder.balance_loss()

    def configure_optimizers(self) -> dict[str, Any]:
        return make_optimizer(self, self.settings)


@dataclass(frozen=True)
class Decoded:
    """Validation log probabilities, computed once and decoded many times."""

    region: ValidationRegion
    plus: Any
    minus: Any


def selection_score(f1: dict[str, float]) -> float:
    """The figure that chooses checkpoints and decoder scalars: mean of exact CDS-exon and locus F1 (NaN counts 0)."""
    values = [f1["cds_exon"], f1["locus"]]
    return sum(0.0 if v != v else v for v in values) / len(values)


def validation_f1(decoded: Sequence[Decoded], settings: DecoderSettings) -> dict[str, float]:
    """Exact F1 by level over all validation regions."""
    reference: list[GeneModel] = []
    predicted: list[GeneModel] = []
    mask: dict[str, list[Interval]] = {}
    for item in decoded:
        name = item.region.name
        reference += item.region.genes
        predicted += decode_contig(name, item.region.bases, item.plus, item.minus, settings)
        mask[name] = list(item.region.mask)
    return exact_f1(reference, predicted, mask)


def predict_regions(predictor: StructurePredictor, regions: Sequence[ValidationRegion]) -> list[Decoded]:
    found = []
    for region in regions:
        predictor.set_species(region.species, region.lineage)
        found.append(Decoded(region, *predictor.log_probabilities(region.bases)))
    return found


class DecodedSelection(Callback):
    """After some epochs, predict and decode the validation regions; keep the weights with the best decoded F1.

    Args:
        patience: training stops after so many validations in a row without a better score; 0 for never.
    """

    def __init__(
        self,
        regions: Sequence[ValidationRegion],
        segmenter: Segmenter,
        prediction: PredictionSettings,
        decoder: DecoderSettings,
        every_steps: int,
        last_step: int,
        best_path: Path,
        table: MetricsTable,
        patience: int = 0,
    ) -> None:
        self.regions = regions
        self.segmenter = segmenter
        self.prediction = prediction
        self.decoder = decoder
        self.every_steps = every_steps
        self.last_step = last_step
        self.best_path = best_path
        self.table = table
        self.patience = patience
        self.best_score = -1.0
        self.best_step = 0
        self.in_vain = 0

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._stop_if_in_vain(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if trainer.global_step % self.every_steps and trainer.global_step != self.last_step:
            return
        if own_rank() == 0:
            self._validate(trainer, module)
        trainer.should_stop = any_rank(trainer.should_stop, module.device)

    def _validate(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        model = module.model
        predictor = StructurePredictor(model, self.segmenter, self.decoder, self.prediction, module.device)
        f1 = validation_f1(predict_regions(predictor, self.regions), self.decoder)
        model.train()
        score = selection_score(f1)
        self.table.add(trainer.global_step, {f"validation_{level}_f1": value for level, value in f1.items()})
        shown = "  ".join(f"{level} {value:.3f}" for level, value in f1.items())
        logger.info("step %d: validation F1  %s", trainer.global_step, shown)
        if score > self.best_score:
            self.best_score, self.best_step, self.in_vain = score, trainer.global_step, 0
            with atomic_path(self.best_path) as path:
                torch.save(model.state_dict(), path)
        else:
            self.in_vain += 1
            self._stop_if_in_vain(trainer)

    def _stop_if_in_vain(self, trainer: lightning.Trainer) -> None:
        if self.patience and self.in_vain >= self.patience:
            logger.info("no better validation score in %d validations: training stops", self.in_vain)
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        names = ("best_score", "best_step", "in_vain")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)


def tune_decoder(
    decoded: Sequence[Decoded], start: DecoderSettings, known: Sequence[Decoded] = (), threads: int = 1
) -> tuple[DecoderSettings, dict[str, float], dict[str, Any]]:
    """Fit the decoder to the validation part; where the fit decodes no better, the start is kept and recalibrated.

    Args:
        known: regions of the training part; as for :func:`decoder_fit.fit_decoder`.
        threads: that share the work.

    Returns:
        The settings, their exact F1 by level, and the report of the fit, with figures on halves that it did not see.
    """
    settings, report = decoder_fit.tune_decoder(decoded_regions(decoded), start, decoded_regions(known), threads)
    return settings, validation_f1(decoded, settings), report


def decoded_regions(decoded: Sequence[Decoded]) -> list[DecodedRegion]:
    """The same for the decoder."""
    return [DecodedRegion(d.region.bases, d.plus, d.minus, d.region.genes, d.region.mask) for d in decoded]


def start_from_statistics(model: AnnotationModel, arrays: TrainingArrays) -> None:
    """Set the content table, and the output biases to the logits of the states' and sites' shares (the base rates).

    Only for a head that has not been trained.
    """
    shares = state_shares(arrays.labels, arrays.weights)
    with torch.no_grad():
        bias = model.heads["structure"].bias
        bias[StateSet(model.config.heads["structure"]).order] = torch.from_numpy(
            np.log(shares.clip(min=1e-6)).astype(np.float32)
        )
        model.heads["sites"].bias.fill_(SITE_LOGIT)
        model.trunk.content.weight.copy_(torch.from_numpy(content_table(arrays, model.config.content_length)))


@dataclass(frozen=True)
class Start:
    """A released model that a fine-tuning starts from, and must beat.

    Attributes:
        folder: its folder.
        mode: which weights learn (:mod:`phytoscribe.training.loop.adaptation`).
        genomes: training genomes, for the loss of whole genes.
        sequence_weight: weight of that loss; 0 for none.
    """

    folder: str
    mode: str
    genomes: Sequence[TrainingGenome] = ()
    sequence_weight: float = 0.0


def finetune(
    model: AnnotationModel,
    arrays: TrainingArrays,
    segmenter: Segmenter,
    regions: Sequence[ValidationRegion],
    settings: RunSettings,
    loss: LossSettings,
    prediction: PredictionSettings,
    window: int,
    unknown_share: float,
    validate_every: int,
    patience: int,
    run_folder: Path,
    decoder: DecoderSettings,
    start: Start | None = None,
) -> tuple[DecoderSettings, dict[str, Any]] | None:
    """Train ``model`` in place, load its best weights and tune the decoder on the validation regions.

    Args:
        decoder: settings to start from: those of the released model, or with the length scores of the training genes.
        start: the released model whose weights ``model`` has; None for a head that has not been trained.

    Returns:
        The decoder settings, and a summary for the report (best step, validation F1 by level, before and after); None
        on all ranks but the first.

    Raises:
        ModelError: the fine-tuned model decodes the validation regions no better than the released one.
    """
    device = choose_device(settings.device)
    before: dict[str, float] | None = None
    order: Order = WindowOrder(arrays.contigs, window, settings.seed)
    logger.info("%d windows of %d bases per pass", order.windows_per_pass, window)
    sequence = None
    if start:
        predictor = StructurePredictor(model, segmenter, decoder, prediction, device)
        decoder, before, _ = tune_decoder(predict_regions(predictor, regions), decoder, threads=settings.threads)
        logger.info("before fine-tuning: validation F1 %s", before)
        adapt(model, start.mode)
        if start.sequence_weight:
            loci = known_loci(arrays, start.genomes, decoder)
            sequence = SequenceLoss(arrays, loci, decoder, settings.threads)
            order = BothStrands(order)
    else:
        start_from_statistics(model, arrays)
    dataset = StructureDataset(arrays, segmenter, order, unknown_share, settings.seed)
    table = MetricsTable(run_folder / "metrics.tsv")
    best_path = run_folder / "best.pt"
    selection = DecodedSelection(
        regions,
        segmenter,
        prediction,
        decoder,
        validate_every * settings.checkpoint_every,
        settings.steps,
        best_path,
        table,
        patience,
    )
    module = StructureModule(model.train(), settings, loss, sequence, start.sequence_weight if start else 0.0)
    bases = settings.batch_size * window
    train(module, dataset, collate_structure, settings, run_folder, bases, table, [selection])
    if own_rank():
        return None
    model.load_state_dict(torch.load(best_path, map_location="cpu", weights_only=True))
    merge_adapters(model)
    # Lightning has moved the model back to the CPU.
    predictor = StructurePredictor(model, segmenter, decoder, prediction, device)
    decoder, f1, fit = tune_decoder(predict_regions(predictor, regions), decoder, threads=settings.threads)
    logger.info("best step %d; validation F1 after tuning: %s", selection.best_step, f1)
    if before and selection_score(f1) <= selection_score(before):
        raise worse_than_start(start, before, selection_score(f1))
    summary = {"best_step": selection.best_step, "validation_f1": f1, "decoder_fit": fit}
    return decoder, {**summary, "validation_f1_before": before} if before else summary


def refit_decoder(
    model: AnnotationModel,
    segmenter: Segmenter,
    regions: Sequence[ValidationRegion],
    prediction: PredictionSettings,
    decoder: DecoderSettings,
    start: Start,
    run_folder: Path,
    device: torch.device,
    threads: int,
) -> tuple[DecoderSettings, dict[str, Any]]:
    """Fit a released model's decoder to a species, and leave its network as it is.

    Returns:
        As :func:`finetune`; before is the model as it was released.

    Raises:
        ModelError: there is one region only; or each half of the regions, decoded with what was fitted on the other, is
            no better than with the released decoder.
    """
    decoded = predict_regions(StructurePredictor(model, segmenter, decoder, prediction, device), regions)
    before = validation_f1(decoded, decoder)
    fitted, report = fit_decoder(decoded_regions(decoded), decoder, threads=threads)
    held_out = report["held_out"]
    if not held_out:
        raise ModelError(
            f"finetune.mode: decoder has only {len(regions)} region of validation, but needs two to tell whether the "
            "fit is worth anything; give the validation part a larger share (split.fractions, or contigs.validate)"
        )
    score = selection_score({level: held_out[f"{level}_f1"] for level in ("cds_exon", "locus")})
    if score <= selection_score(before):
        raise worse_than_start(start, before, score)
    after = validation_f1(decoded, fitted)
    logger.info("decoder fitted: validation F1 before %s, after %s, halves held out %s", before, after, held_out)
    MetricsTable(run_folder / "metrics.tsv").add(0, {f"validation_{level}_f1": value for level, value in after.items()})
    return fitted, {"best_step": 0, "validation_f1": after, "decoder_fit": report, "validation_f1_before": before}


def worse_than_start(start: Start, before: dict[str, float], score: float) -> ModelError:
    """Why a fine-tuned model is not written."""
    return ModelError(
        f"fine-tuning made no better model than {start.folder}: its validation score (mean of exact CDS-exon and locus "
        f"F1) was {selection_score(before):.4f}, the best after fine-tuning {score:.4f}. Nothing is written. Predict "
        f"with predict.model: {start.folder}, or try a lower finetune.learning_rate, finetune.mode: frozen, lora "
        "or decoder, more steps, or more annotation"
    )


def export(
    model: AnnotationModel,
    decoder: DecoderSettings,
    tokenizer_folder: Path,
    run_folder: Path,
    load_report: Mapping[str, Any],
    summary: dict[str, Any],
    target: Path,
) -> None:
    """Write the model folder; ``target`` appears complete or not at all."""
    with atomic_path(target) as folder:
        folder.mkdir()
        model.to("cpu").save_pretrained(folder)
        # Readable like every other output: the weights are written for their owner alone.
        (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)
        decoder.save(folder / "decoder.json")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer_folder / name, folder / name)
        shutil.copyfile(run_folder / "metrics.tsv", folder / "metrics.tsv")
        report = {**load_report, **summary}
        (folder / "load_report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
