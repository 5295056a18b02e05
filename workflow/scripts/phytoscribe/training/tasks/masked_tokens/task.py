"""The pretraining task: train a model from a training set and a tokenizer (rule pretrain_encoder)."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome import encode
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.models.annotation_model import MaskedBaseModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import save_weights, trainable_parameters, write_checksums
from phytoscribe.tokenizer.baselines import SingleBases, TokenBaselines, fit_baselines
from phytoscribe.tokenizer.segments import Segmenter, copy_tokenizer
from phytoscribe.training.data.content_table import content_table
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.module import TrainedModule
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import claim_run_folder, train
from phytoscribe.training.loop.settings import Recipe, RunSettings
from phytoscribe.training.tasks.masked_tokens.windows import (
    BASES,
    OBJECTIVES,
    TOKENS,
    HeldOut,
    MaskedBatch,
    MaskedDataset,
    collate_masked,
    masked_cross_entropy,
)

logger = logging.getLogger(__name__)

MaskedModel = MaskedTokenModel | MaskedBaseModel


def run_pretraining(
    training_set: Path,
    tokenizer: Path,
    corpus: Path,
    recipe: Recipe,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    threads: int,
) -> None:
    """Pretrain the encoder or the whole trunk; write ``target`` and a report of its cross-entropy and both baselines.

    Args:
        training_set: folder of :mod:`phytoscribe.training.data.training_set`; of its annotation only the k-mer
            statistics are used, which a trunk takes as input.
        tokenizer: folder of the tokenizer, which is copied beside the weights.
        corpus: the text that the tokenizer was trained on, for the baselines.
        inputs: files whose content decides the result.
        threads: of each rank.
    """
    claim_run_folder(run_folder, vars(recipe), inputs)
    lightning.seed_everything(recipe.seed, verbose=False)
    data, segmenter, task = TrainingSet.load(training_set), Segmenter(tokenizer), recipe.task
    objective = OBJECTIVES[task["objective"]]
    held_out = held_out_windows(data.regions, segmenter, task, recipe.seed)
    symbols = SingleBases() if task["objective"] == BASES else segmenter
    baselines = baselines_of(corpus, symbols)
    dataset = MaskedDataset(data, segmenter, objective.hide, task["window"], task["unknown_share"], recipe.seed)
    model = untrained_model(task["objective"], data, segmenter, recipe, baselines.unigram)
    run = recipe.run_settings(threads)
    table = MetricsTable(run_folder / "metrics.tsv")
    bases = run.batch_size * task["window"]
    module, watch = MaskedModule(model, run), HeldOutLoss(held_out, table)
    train(module, dataset, collate_masked, run, run_folder, bases, table, [watch])
    if own_rank():
        return
    # Lightning has moved the model back to the CPU.
    device = choose_device(run.device)
    found = held_out.cross_entropy(model.to(device), device)
    unit = f"cross_entropy_nats_per_{objective.unit}"
    report = {
        unit: {"model": found, **baselines.cross_entropy(symbols, held_out.asked())},
        "steps": run.steps,
        "parameters": trainable_parameters(model),
        "validation_windows": len(held_out.windows),
    }
    logger.info("held-out cross-entropy: %s", report[unit])
    export(model, tokenizer, run_folder, report, target)


def untrained_model(
    objective: str, data: TrainingSet, segmenter: Segmenter, recipe: Recipe, log_frequencies: npt.NDArray[np.float64]
) -> MaskedModel:
    """A model whose output biases are the log frequencies of tokens or bases: training starts at the unigram model."""
    config = config_from_settings(
        dict(recipe.model),
        vocab_size=segmenter.vocabulary_size,
        pad_token_id=segmenter.pad_id,
        token_length=segmenter.token_length,
        species=list(dict.fromkeys(data.contigs["species"])),
        lineages=list(dict.fromkeys(data.contigs["lineage"])),
    )
    finite = np.isfinite(log_frequencies)
    bias = np.where(finite, log_frequencies, log_frequencies[finite].min() - 10).astype(np.float32)
    if objective == TOKENS:
        model = MaskedTokenModel(config)
        start_from_bases(model, segmenter, recipe.seed)
        model.token_bias.data.copy_(torch.from_numpy(bias))
        return model
    model = MaskedBaseModel(config)
    model.naming.bias.data.copy_(torch.from_numpy(bias[:N_CODE]))
    model.trunk.content.weight.data.copy_(torch.from_numpy(content_table(data, config.content_length)))
    return model


class MaskedModule(TrainedModule):
    """Training step and optimizer around a masked model."""

    def __init__(self, model: MaskedModel, settings: RunSettings) -> None:
        super().__init__(settings)
        self.model = model

    def training_step(self, batch: MaskedBatch, batch_idx: int) -> Tensor:
        return masked_cross_entropy(self.model, batch, "mean") + self.model.encoder.balance_loss()


class HeldOutLoss(Callback):
    """Held-out cross-entropy at each epoch's end, into the metrics table."""

    def __init__(self, held_out: HeldOut, table: MetricsTable) -> None:
        self.held_out, self.table = held_out, table

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if own_rank() or trainer.global_step % module.settings.checkpoint_every:
            return
        found = self.held_out.cross_entropy(module.model, module.device)
        module.model.train()
        self.table.add(trainer.global_step, {"validation_cross_entropy": found})
        unit = self.held_out.objective.unit.replace("_", " ")
        logger.info("step %d: held-out cross-entropy %.4f nats per %s", trainer.global_step, found, unit)


#: Bases from each end of a token that its first embedding tells, and the deviation of that embedding.
TOLD_BASES, TOLD_DEVIATION = 5, 0.05


def start_from_bases(model: MaskedTokenModel, segmenter: Segmenter, seed: int) -> None:
    """Initialise each token's embedding as a random projection of its bases.

    The features are the first and the last bases, the share of each base and the length.  Similar tokens thus start
    with similar embeddings, and learning about one helps the others: a short training never sees most tokens often
    enough to learn that they share an end.
    """
    bases, lengths = segmenter.token_bases, segmenter.lengths
    count, longest = bases.shape
    columns = []
    for place in range(min(TOLD_BASES, longest)):
        from_left = np.where(lengths > place, bases[:, place], 9)
        from_right = np.where(lengths > place, bases[np.arange(count), np.maximum(lengths - 1 - place, 0)], 9)
        columns += [side == base for side in (from_left, from_right) for base in range(4)]
    columns += [(bases == base).sum(1) / np.maximum(lengths, 1) for base in range(5)]
    columns.append(np.log1p(lengths))
    features = np.stack(columns, axis=1).astype(np.float64)
    sequence = lengths > 0
    features -= features[sequence].mean(0)
    projection = np.random.default_rng(seed).normal(size=(features.shape[1], model.config.hidden_size))
    told = features[sequence] @ projection
    weight = model.encoder.embedding.weight
    with torch.no_grad():
        weight[torch.from_numpy(sequence)] += torch.from_numpy(told * TOLD_DEVIATION / told.std()).float()


def held_out_windows(
    regions: Sequence[ValidationRegion], segmenter: Segmenter, task: Mapping[str, Any], seed: int
) -> HeldOut:
    """Masked windows of the validation set, without the context that training sees.

    Raises:
        PhytoScribeError: the validation part holds no sequence.
    """
    ids = [(segmenter.species_id(r.species), segmenter.lineage_id(r.lineage)) for r in regions]
    unseen, objective = [_unseen(r) for r in regions], OBJECTIVES[task["objective"]]
    found = HeldOut(unseen, ids, segmenter, objective, task["window"], task["validation_windows"], seed)
    if not found.windows:
        raise PhytoScribeError(
            "no sequence is in part 'validate', so pretraining cannot be measured; list validation contigs, use "
            "split.mode cluster, or add a genome of role validate"
        )
    return found


def _unseen(region: ValidationRegion) -> Bases:
    """A region's bases, with N where training sees them too."""
    bases = np.array(region.bases)
    for start, end in region.seen:
        bases[start:end] = N_CODE
    return bases


def baselines_of(corpus: Path, symbols: Segmenter | SingleBases) -> TokenBaselines:
    """Both baselines, fitted to the tokenizer's training corpus."""
    with corpus.open(encoding="utf-8") as handle:
        return fit_baselines(symbols, (encode(line.strip()) for line in handle if line.strip()))


def export(model: MaskedModel, tokenizer: Path, run_folder: Path, report: dict[str, Any], target: Path) -> None:
    """Write the folder of the pretrained model, completely or not at all."""
    with atomic_path(target) as folder:
        folder.mkdir()
        save_weights(model.to("cpu"), folder)
        copy_tokenizer(tokenizer, folder)
        shutil.copyfile(run_folder / "metrics.tsv", folder / "metrics.tsv")
        write_checksums(folder)
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
