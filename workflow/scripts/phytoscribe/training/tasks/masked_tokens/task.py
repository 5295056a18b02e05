"""Pretraining from files to a model folder, as the rule pretrain_encoder does it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome import encode
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import trainable_parameters
from phytoscribe.tokenizer.baselines import TokenBaselines, fit_baselines
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.sources import SplitSources
from phytoscribe.training.data.training_set import masked_bases
from phytoscribe.training.loop.fingerprint import claim_run_folder
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import RunSettings
from phytoscribe.training.loop.sampling import WindowOrder, contig_table
from phytoscribe.training.tasks.masked_tokens.model import (
    HeldOutTokens,
    MaskedDataset,
    pretrain,
    start_from_bases,
    start_from_frequencies,
)

logger = logging.getLogger(__name__)


def run_pretraining(
    sources: SplitSources,
    settings: Mapping[str, Any],
    model_settings: Mapping[str, Any],
    ranks: Mapping[str, Any],
    tokenizer_folder: Path,
    corpus: Path,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    seed: int,
    threads: int,
) -> None:
    """Pretrain the encoder and write ``target`` with its report: held-out cross-entropy beside both baselines.

    Args:
        settings, model_settings, ranks: sections ``pretrain``, ``model`` and ``training`` of the configuration.
        inputs: files whose content decides the result.
    """
    everything = {"pretrain": settings, "model": model_settings, "seed": seed, **sources.described()}
    claim_run_folder(run_folder, everything, inputs)
    lightning.seed_everything(seed, verbose=False)
    segmenter = Segmenter(tokenizer_folder)
    training = sources.training_genomes()
    contigs, ids = [], []
    for source in training:
        own = (segmenter.species_id(source.name), segmenter.lineage_id(source.lineage))
        for contig in source.contigs:
            contigs.append(masked_bases(source.genome, contig, source.held_out[contig]))
            ids.append(own)
    window = settings["window"]
    held_out = held_out_tokens(sources, segmenter, window, settings["validation_windows"], seed)
    baselines = baselines_of(corpus, segmenter)
    unknown = (segmenter.species_id(""), segmenter.lineage_id(""))
    config = config_from_settings(
        dict(model_settings),
        vocab_size=segmenter.vocabulary_size,
        pad_token_id=segmenter.pad_id,
        species=[source.name for source in training],
        lineages=list(dict.fromkeys(source.lineage for source in training)),
    )
    model = MaskedTokenModel(config)
    start_from_frequencies(model, baselines.unigram)
    start_from_bases(model, segmenter, seed)
    order = WindowOrder(contig_table(contigs), window, seed)
    dataset = MaskedDataset(contigs, ids, unknown, settings["unknown_share"], segmenter, order, seed)
    logger.info(
        "%d parameters; %d windows of %d bases a pass", trainable_parameters(model), order.windows_per_pass, window
    )
    run = RunSettings.of(settings, ranks, seed, threads)
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
    with atomic_path(target) as folder:
        folder.mkdir()
        model.to("cpu").save_pretrained(folder)
        shutil.copyfile(run_folder / "metrics.tsv", folder / "metrics.tsv")
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def held_out_tokens(
    sources: SplitSources, segmenter: Segmenter, window: int, maximum_windows: int, seed: int
) -> HeldOutTokens:
    """Masked windows of the validation part.

    Raises:
        PhytoScribeError: the validation part holds no sequence.
    """
    regions = sources.validation_regions(context=sources.flank)
    ids = [(segmenter.species_id(r.species), segmenter.lineage_id(r.lineage)) for r in regions]
    found = HeldOutTokens.of([r.bases for r in regions], ids, segmenter, window, maximum_windows, seed)
    if not found.windows:
        raise PhytoScribeError(
            "no sequence is in part 'validate', so pretraining cannot be measured; list validation contigs, use "
            "split.mode cluster, or add a genome of role validate"
        )
    return found


def baselines_of(corpus: Path, segmenter: Segmenter) -> TokenBaselines:
    """Both baselines, fitted to the tokenizer's training corpus."""
    with corpus.open(encoding="utf-8") as handle:
        return fit_baselines(segmenter, (encode(line.strip()) for line in handle if line.strip()))
