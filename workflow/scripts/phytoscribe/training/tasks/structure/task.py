"""The structure task: train a model folder from a training set and a start (rule finetune_structure)."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch

from phytoscribe.decoding.settings import Decoders
from phytoscribe.devices import choose_device
from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.files import atomic_path
from phytoscribe.models.loading import save_weights, trainable_parameters, write_checksums
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.data.training_set import SITES, STRUCTURE, TrainingSet
from phytoscribe.training.data.validation import ValidationRegion, limit_regions
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.module import DECODER, SELF, adapt, merge_adapters
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import claim_run_folder, read_as_data, train
from phytoscribe.training.loop.sampling import BothStrands, Order, order_of_groups
from phytoscribe.training.loop.settings import Recipe, RunSettings
from phytoscribe.training.tasks.structure.decoder_fit import LEVELS, f1_by_level, selection_score
from phytoscribe.training.tasks.structure.lineage_fit import ReadRegions, decode_with, read_both_ways, tune_decoders
from phytoscribe.training.tasks.structure.module import LossSettings, StructureModule
from phytoscribe.training.tasks.structure.selection import DecodedSelection, WholeGenes
from phytoscribe.training.tasks.structure.self_training import judged_training
from phytoscribe.training.tasks.structure.sequence_loss import SequenceLoss
from phytoscribe.training.tasks.structure.start import Start, load_start
from phytoscribe.training.tasks.structure.windows import StructureDataset, collate_structure

logger = logging.getLogger(__name__)

#: Names of the numbers that weights are saved in.
SAVED = {"float32": torch.float32, "float16": torch.float16}


def run_finetuning(
    training_set: Path, start: Path, recipe: Recipe, inputs: Sequence[str], run_folder: Path, target: Path, threads: int
) -> None:
    """Train the structure model and write ``target``.

    Args:
        training_set: folder of :mod:`phytoscribe.training.data.training_set`.
        start: folder of a released model, of the encoder pretrained here, or of a tokenizer (random weights).
        inputs: files whose content decides the result.
        run_folder: checkpoints, from which a killed run continues.
        threads: of each rank.

    Raises:
        ModelError: the fine-tuned model is no better than the released one.
    """
    claim_run_folder(run_folder, vars(recipe), inputs)
    lightning.seed_everything(recipe.seed, verbose=False)
    data = TrainingSet.load(training_set)
    begin = load_start(start, data, recipe.model, recipe.task["mode"])
    logger.info("structure model: %d parameters", trainable_parameters(begin.model))
    run = Finetuning(data, begin, recipe, run_folder, threads)
    if begin.released and recipe.task["mode"] == DECODER:
        # Nothing is trained: one process is enough.
        if own_rank():
            return
        decoders, summary = run.refit_decoder()
    else:
        by_itself = begin.released and recipe.task["mode"] == SELF
        found = judged_training(run) if by_itself else run.train()
        if found is None:
            return
        decoders, summary = found
    export(begin, decoders, run_folder, summary, target, recipe.task["weights"])


class Finetuning:
    """One fine-tuning: the training set, the start and the settings.

    Args:
        threads: of each rank.
    """

    def __init__(self, data: TrainingSet, start: Start, recipe: Recipe, run_folder: Path, threads: int) -> None:
        self.data, self.start, self.run_folder = data, start, run_folder
        self.settings = recipe.task
        self.run: RunSettings = recipe.run_settings(threads)
        self.device = choose_device(self.run.device)
        self.regions: list[ValidationRegion] = limit_regions(data.regions, self.settings["validate_bases"])
        self.table = MetricsTable(run_folder / "metrics.tsv")
        self.whole_genes = float(self.settings["sequence_weight"])
        pairs = 2 * self.run.ranks
        if self.whole_genes and self.run.batch_size % pairs:
            raise ConfigError(
                f"finetune.batch_size: {self.run.batch_size} is no multiple of {pairs}, but finetune.sequence_weight "
                "needs both strands of each window in the batch of each process; change it, or set sequence_weight: 0"
            )

    def train(self) -> tuple[Decoders, dict[str, Any]] | None:
        """Train the model in place, load its best weights and tune the decoders on the validation regions.

        Returns:
            The decoders, and a summary for the report (best step, validation F1 by level, before and after);
            None on all ranks but the first.

        Raises:
            ModelError: the fine-tuned model decodes the validation regions no better than the released one.
        """
        model, decoders, before = self.start.model, self.start.decoders, None
        if self.start.released:
            read = self._read()
            decoders, fit = tune_decoders(read, decoders, self.data.decoders, self.run.threads)
            before = self._released_f1(read)
            if not fit["held_out"]:
                # The decoders after training are fitted to the only region as well.
                before = f1_by_level(fit["used"])
            logger.info("before fine-tuning: validation F1 %s", before)
            adapt(model, self.settings["mode"])
        selection = self.train_network(decoders)
        if own_rank():
            return None
        model.load_state_dict(read_as_data(selection.best_path))
        merge_adapters(model)
        # Lightning has moved the model back to the CPU.
        decoders, fit = tune_decoders(
            self._read(), selection.decoders.uncalibrated(), self.data.decoders, self.run.threads
        )
        f1 = f1_by_level(fit["used"])
        logger.info("best step %d; validation F1 after tuning: %s", selection.best_step, f1)
        if before:
            self._refuse_unless_better(before, f1_by_level(fit["held_out"] or fit["used"]))
        summary = {"best_step": selection.best_step, "validation_f1": f1, "decoder_fit": fit}
        return decoders, {**summary, "validation_f1_before": before} if before else summary

    def train_network(self, decoders: Decoders) -> DecodedSelection:
        """Train to the last step; returns the selected weights with their decoders (new ones if they were fitted)."""
        settings, window = self.settings, self.settings["window"]
        selection = DecodedSelection(
            self.regions,
            self.start.segmenter,
            decoders,
            settings["validate_every"] * self.run.checkpoint_every,
            self.run_folder / "best.pt",
            self.table,
            settings["patience"],
            by_cross_entropy=settings["mode"] == SELF,
        )
        module = StructureModule(
            self.start.model.train(),
            self.run,
            LossSettings(**{name: settings[name] for name in LossSettings.__slots__}),
            settings["average"],
            settings["encoder_rate"],
            self.whole_genes,
        )
        order = self._order(window)
        dataset = StructureDataset(
            self.data,
            self.start.segmenter,
            order,
            settings["unknown_share"],
            self.run.seed,
            settings["mutation_rate"],
        )
        callbacks = [selection]
        if self.whole_genes:
            every = self.run.checkpoint_every
            share = 0.0 if self.start.released else settings["sequence_start"]
            first_step = round(share * self.run.steps / every) * every
            path = self.run_folder / "decoder.json"
            callbacks = [
                WholeGenes(selection, first_step, self._sequence_loss, self.data.decoders, path),
                selection,
            ]
        bases = self.run.batch_size * window
        train(module, dataset, collate_structure, self.run, self.run_folder, bases, self.table, callbacks)
        return selection

    def _order(self, window: int) -> Order:
        """Order of the windows: contigs with labels, in the configured mixture."""
        strands = 2 if self.whole_genes else 1
        order = order_of_groups(
            self.data.contigs,
            self.data.rows_for(STRUCTURE, SITES),
            window,
            self.run.seed,
            self.settings.get("mixture") or {},
            self.run.steps * self.run.batch_size // strands,
        )
        logger.info("%d windows of %d bases per pass", order.windows_per_pass, window)
        return BothStrands(order) if self.whole_genes else order

    def _sequence_loss(self, decoders: Decoders) -> SequenceLoss:
        return SequenceLoss(self.data, decoders, self.run.threads)

    def refit_decoder(self) -> tuple[Decoders, dict[str, Any]]:
        """Fit a released model's decoders to a species, without changing its network.

        Returns:
            As :meth:`train`; "before" is the released model.

        Raises:
            ModelError: there is only one region; or each half of the regions, decoded with the fits to the other half,
                is no better than with the released decoders: its score must rise, and neither F1 of the score may fall.
        """
        if len(self.regions) < 2:
            raise ModelError(
                f"finetune.mode: decoder has only {len(self.regions)} region of validation, but needs two to tell "
                "whether the fit is worth anything; give the validation part a larger share (split.fractions, or "
                "contigs.validate)"
            )
        read, start = self._read(), self.start.decoders
        fitted, report = tune_decoders(read, start, self.data.decoders, self.run.threads)
        before, after, held_out = self._released_f1(read), f1_by_level(report["used"]), f1_by_level(report["held_out"])
        self._refuse_unless_better(before, held_out)
        logger.info("decoder fitted: validation F1 before %s, after %s, halves held out %s", before, after, held_out)
        self.table.add(0, {f"validation_{level}_f1": value for level, value in after.items()})
        return fitted, {"best_step": 0, "validation_f1": after, "decoder_fit": report, "validation_f1_before": before}

    def predictor(self) -> StructurePredictor:
        """The model as it is now, for the validation regions."""
        settings, start = PredictionSettings(batch_size=self.run.batch_size), self.start
        return StructurePredictor(start.model, start.segmenter, start.decoders.fallback, settings, self.device)

    def _read(self) -> ReadRegions:
        """The network's output for the validation regions."""
        return read_both_ways(self.predictor(), self.regions)

    def _released_f1(self, read: ReadRegions) -> dict[str, float]:
        """Of the validation regions, decoded with the released decoders."""
        return f1_by_level(decode_with(read.known, self.start.decoders).figures)

    def _refuse_unless_better(self, before: dict[str, float], after: dict[str, float]) -> None:
        """Refuse a model whose score has not risen, or one F1 of whose score has fallen.

        Where genes are few, one F1 rises by chance while the other falls, and then both fall on other genes.
        """
        risen = selection_score(after) > selection_score(before)
        if risen and all(after[level] >= before[level] for level in LEVELS):
            return
        folder = self.start.folder
        raise ModelError(
            f"fine-tuning made no better model than {folder}: on the validation genes its exact F1 was "
            f"{_scores(before)}, the best after fine-tuning {_scores(after)}. Nothing is written. "
            f"Predict with predict.model: {folder}, or try a lower finetune.learning_rate, finetune.mode: frozen, lora "
            "or decoder, more steps, or more annotation"
        )


def _scores(f1: Mapping[str, float]) -> str:
    """The F1 by level and their mean, for a message."""
    return f"{f1['cds_exon']:.4f} for CDS exons and {f1['locus']:.4f} for loci (mean {selection_score(f1):.4f})"


def export(
    start: Start,
    decoders: Decoders,
    run_folder: Path,
    summary: dict[str, Any],
    target: Path,
    saved_as: str = "float32",
) -> None:
    """Write the model folder; ``target`` appears complete or not at all.

    Args:
        start: its model has been trained.
        summary: joined to the start's report in ``load_report.json``.
        saved_as: number format of the weights; half precision halves the folder's size.
    """
    with atomic_path(target) as folder:
        folder.mkdir()
        save_weights(start.model.to("cpu", SAVED[saved_as]), folder)
        decoders.save(folder / "decoder.json")
        start.save_tokenizer(folder)
        write_checksums(folder)
        shutil.copyfile(run_folder / "metrics.tsv", folder / "metrics.tsv")
        report = {**start.report, **summary}
        (folder / "load_report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
