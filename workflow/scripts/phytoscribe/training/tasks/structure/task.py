"""Fine-tuning from files to a model folder, as the rule finetune_structure does it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning

from phytoscribe.decoding.lengths import length_scores
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import load_model, load_pretrained_encoder, model_hash, trainable_parameters
from phytoscribe.prediction.settings import PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.sources import SplitSources
from phytoscribe.training.data.training_set import TrainingArrays
from phytoscribe.training.data.validation import limit_regions
from phytoscribe.training.loop.adaptation import DECODER
from phytoscribe.training.loop.fingerprint import claim_run_folder
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import RunSettings
from phytoscribe.training.tasks.structure.loss import LossSettings
from phytoscribe.training.tasks.structure.module import Start, export, finetune, refit_decoder

logger = logging.getLogger(__name__)


def run_finetuning(
    sources: SplitSources,
    accepted: Sequence[str],
    rejected: Sequence[str],
    masks: Mapping[str, str],
    settings: Mapping[str, Any],
    model_settings: Mapping[str, Any],
    ranks: Mapping[str, Any],
    arrays: Path,
    start: Path,
    tokenizer_folder: Path,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    seed: int,
    threads: int,
) -> None:
    """Fine-tune the structure model and write ``target``.

    Args:
        accepted, rejected: checked annotation and rejected transcripts of all genomes of the split, in the order of
            ``sources.names``.
        masks: BED file by genome, for those that have one.
        start: folder of the pretrained encoder, or of the released model that ``settings["from_model"]`` names.
        tokenizer_folder: folder of the tokenizer of either.
        settings, model_settings, ranks: sections ``finetune``, ``model`` and ``training`` of the configuration.
        inputs: files whose content decides the result.
    """
    everything = {"finetune": settings, "model": model_settings, "seed": seed, **sources.described()}
    claim_run_folder(run_folder, everything, inputs)
    lightning.seed_everything(seed, verbose=False)
    data = TrainingArrays.load(arrays)
    released = None
    if settings.get("from_model"):
        segmenter = Segmenter(start)
        model = load_model(AnnotationModel, start)
        weight = float(settings["sequence_weight"])
        pairs = 2 * ranks["devices"] * ranks["nodes"]
        if weight and settings["batch_size"] % pairs:
            raise PhytoScribeError(
                f"finetune.batch_size: {settings['batch_size']} is no multiple of {pairs}, but finetune.sequence_weight"
                " needs both strands of each window in the batch of each process; change it, or set sequence_weight: 0"
            )
        genomes = sources.training_genomes(accepted) if weight else []
        released = Start(str(start), settings["mode"], genomes, weight)
        decoder = DecoderSettings.load(start / "decoder.json")
        report = {"source": str(start), "hash": model_hash(start), "mode": settings["mode"]}
    else:
        segmenter = Segmenter(tokenizer_folder)
        model, report = model_on_encoder(start, segmenter, model_settings)
        genes = [gene for genome in sources.training_genomes(accepted) for gene in genome.open_genes()]
        decoder = replace(DecoderSettings(), **length_scores(genes))
    logger.info("structure model: %d parameters", trainable_parameters(model))
    regions = limit_regions(sources.validation_regions(accepted, rejected, masks), settings["validate_bases"])
    run = RunSettings.of(settings, ranks, seed, threads)
    loss = LossSettings(**{name: settings[name] for name in LossSettings.__slots__})
    # Windows of their own, so that no setting of prediction retrains the model.
    prediction = PredictionSettings(batch_size=settings["batch_size"])
    if released and released.mode == DECODER:
        # Nothing is trained: one process is enough.
        if own_rank():
            return
        device = choose_device(run.device)
        decoder, summary = refit_decoder(
            model, segmenter, regions, prediction, decoder, released, run_folder, device, threads
        )
        export(model, decoder, tokenizer_folder, run_folder, report, summary, target)
        return
    result = finetune(
        model,
        data,
        segmenter,
        regions,
        run,
        loss,
        prediction,
        settings["window"],
        settings["unknown_share"],
        settings["validate_every"],
        settings["patience"],
        run_folder,
        decoder,
        released,
    )
    if result is None:
        return
    decoder, summary = result
    export(model, decoder, tokenizer_folder, run_folder, report, summary, target)


def model_on_encoder(
    pretrained: Path, segmenter: Segmenter, model_settings: Mapping[str, Any]
) -> tuple[AnnotationModel, dict[str, Any]]:
    """A new structure model around a pretrained encoder, and the report on the encoder's tensors."""
    before = load_model(MaskedTokenModel, pretrained)
    config = config_from_settings(
        dict(model_settings),
        vocab_size=segmenter.vocabulary_size,
        pad_token_id=segmenter.pad_id,
        token_length=segmenter.token_length,
        species=before.config.species,
        lineages=before.config.lineages,
    )
    model = AnnotationModel(config)
    return model, load_pretrained_encoder(model, before, str(pretrained)).as_dict()
