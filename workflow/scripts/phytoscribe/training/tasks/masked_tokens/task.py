"""The masked-token task: from a training set and a tokenizer to a pretrained encoder (rule pretrain_encoder)."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome import encode
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import trainable_parameters
from phytoscribe.tokenizer.baselines import TokenBaselines, fit_baselines
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import SEQUENCE, STRUCTURE, TrainingSet
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.fingerprint import claim_run_folder
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.recipe import Recipe
from phytoscribe.training.loop.sampling import WindowOrder
from phytoscribe.training.tasks.masked_tokens.model import (
    HeldOutTokens,
    MaskedDataset,
    pretrain,
    start_from_bases,
    start_from_frequencies,
)

logger = logging.getLogger(__name__)

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


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
    """Pretrain the encoder and write ``target`` with its report: held-out cross-entropy beside both baselines.

    Args:
        training_set: folder of :mod:`phytoscribe.training.data.training_set`; its annotation is not used.
        tokenizer: folder of the tokenizer, which is copied beside the weights.
        corpus: the text that the tokenizer was trained on, for the baselines.
        inputs: files whose content decides the result.
        threads: of each rank.
    """
    claim_run_folder(run_folder, recipe.as_dict(), inputs)
    lightning.seed_everything(recipe.seed, verbose=False)
    data, segmenter, window = TrainingSet.load(training_set), Segmenter(tokenizer), recipe.task["window"]
    held_out = held_out_tokens(data.regions, segmenter, window, recipe.task["validation_windows"], recipe.seed)
    baselines = baselines_of(corpus, segmenter)
    dataset = masked_dataset(data, segmenter, recipe)
    config = config_from_settings(
        dict(recipe.model),
        vocab_size=segmenter.vocabulary_size,
        pad_token_id=segmenter.pad_id,
        species=list(dict.fromkeys(data.contigs["species"])),
        lineages=list(dict.fromkeys(data.contigs["lineage"])),
    )
    model = MaskedTokenModel(config)
    start_from_frequencies(model, baselines.unigram)
    start_from_bases(model, segmenter, recipe.seed)
    run = recipe.run_settings(threads)
    cross_entropy = pretrain(model, dataset, held_out, run, run_folder)
    if own_rank():
        return
    report = {
        "cross_entropy_nats_per_masked_token": {
            "model": cross_entropy,
            **baselines.cross_entropy(segmenter, held_out.asked()),
        },
        "steps": run.steps,
        "parameters": trainable_parameters(model),
        "validation_windows": len(held_out.windows),
    }
    logger.info("held-out cross-entropy: %s", report["cross_entropy_nats_per_masked_token"])
    export(model, tokenizer, run_folder, report, target)


def masked_dataset(data: TrainingSet, segmenter: Segmenter, recipe: Recipe) -> MaskedDataset:
    """Windows over all sequence of a training set, annotated or not."""
    rows = data.rows_for(STRUCTURE, SEQUENCE)
    chosen, window = data.contigs.iloc[rows], recipe.task["window"]
    ids = [
        (segmenter.species_id(species), segmenter.lineage_id(lineage))
        for species, lineage in zip(chosen["species"], chosen["lineage"], strict=True)
    ]
    unknown = (segmenter.species_id(""), segmenter.lineage_id(""))
    order = WindowOrder(chosen, window, recipe.seed)
    logger.info("%d windows of %d bases a pass", order.windows_per_pass, window)
    contigs = [data.contig_bases(row) for row in rows]
    return MaskedDataset(contigs, ids, unknown, recipe.task["unknown_share"], segmenter, order, recipe.seed)


def held_out_tokens(
    regions: Sequence[ValidationRegion], segmenter: Segmenter, window: int, maximum_windows: int, seed: int
) -> HeldOutTokens:
    """Masked windows of the validation part, without the context that training sees.

    Raises:
        PhytoScribeError: the validation part holds no sequence.
    """
    ids = [(segmenter.species_id(r.species), segmenter.lineage_id(r.lineage)) for r in regions]
    found = HeldOutTokens.of([_unseen(r) for r in regions], ids, segmenter, window, maximum_windows, seed)
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


def baselines_of(corpus: Path, segmenter: Segmenter) -> TokenBaselines:
    """Both baselines, fitted to the tokenizer's training corpus."""
    with corpus.open(encoding="utf-8") as handle:
        return fit_baselines(segmenter, (encode(line.strip()) for line in handle if line.strip()))


def export(model: MaskedTokenModel, tokenizer: Path, run_folder: Path, report: dict[str, Any], target: Path) -> None:
    """Write the folder of the pretrained encoder; it appears complete or not at all."""
    with atomic_path(target) as folder:
        folder.mkdir()
        model.to("cpu").save_pretrained(folder)
        for name in TOKENIZER_FILES:
            shutil.copyfile(tokenizer / name, folder / name)
        shutil.copyfile(run_folder / "metrics.tsv", folder / "metrics.tsv")
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
