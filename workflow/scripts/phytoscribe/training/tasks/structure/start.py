"""The start of a fine-tuning: random weights, an encoder or trunk pretrained here, or a released model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phytoscribe.decoding.settings import Decoders
from phytoscribe.labels.states import StateSet
from phytoscribe.models.annotation_model import AnnotationModel, MaskedBaseModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import load_model, load_pretrained, model_hash
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.content_table import content_table
from phytoscribe.training.data.training_set import TrainingSet

#: Some one base in 400 is a donor, and as many are acceptors.
SITE_LOGIT = -6.0


@dataclass(frozen=True)
class Start:
    """A model before its fine-tuning.

    Attributes:
        folder: holds the tokenizer, and the weights if there are any.
        model, segmenter, decoders: the objects with which training begins.
        report: for ``load_report.json``: which tensors came from where.
        released: the model is a released one, which the fine-tuning must beat.
    """

    folder: Path
    model: AnnotationModel
    segmenter: Segmenter
    decoders: Decoders
    report: Mapping[str, Any]
    released: bool


def load_start(folder: Path, data: TrainingSet, model_settings: Mapping[str, Any], mode: str) -> Start:
    """Load the start from a folder: a released model, a pretrained encoder, or only a tokenizer.

    Args:
        model_settings: section ``model`` of the configuration; of it a released model, which has its own dimensions,
            takes only the drop-out.
        mode: ``finetune.mode``, for the report.

    Raises:
        ModelError: the folder's weights do not fit.
    """
    segmenter = Segmenter(folder)
    if (folder / "decoder.json").is_file():
        report = {"source": str(folder), "hash": model_hash(folder), "mode": mode}
        decoders = Decoders.load(folder / "decoder.json")
        model = load_model(AnnotationModel, folder)
        set_dropout(model, model_settings.get("dropout", model.config.dropout))
        return Start(folder, model, segmenter, decoders, report, True)
    found = (folder / "config.json").is_file()
    pretrained = load_model(MaskedTokenModel, folder, MaskedBaseModel) if found else None
    known = data.contigs
    config = config_from_settings(
        dict(model_settings),
        vocab_size=segmenter.vocabulary_size,
        pad_token_id=segmenter.pad_id,
        token_length=segmenter.token_length,
        species=pretrained.config.species if pretrained else sorted(set(known["species"])),
        lineages=pretrained.config.lineages if pretrained else sorted(set(known["lineage"])),
    )
    model = AnnotationModel(config)
    report: Mapping[str, Any] = {"source": "random weights"}
    if pretrained:
        report = load_pretrained(model, pretrained, str(folder))
    start_from_statistics(model, data)
    # Lineages have decoders of their own as soon as these are fitted.
    return Start(folder, model, segmenter, Decoders(data.decoders.fallback), report, False)


def set_dropout(model: AnnotationModel, share: float) -> None:
    """Set the share of values that the encoder drops during training; prediction drops none."""
    model.config.dropout = share
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share


def start_from_statistics(model: AnnotationModel, data: TrainingSet) -> None:
    """Set the content table, and the output biases to the logits of the states' and sites' shares (the base rates).

    Use it only for an untrained head.
    """
    with torch.no_grad():
        bias = model.heads["structure"].bias
        bias[StateSet(model.config.heads["structure"]).order] = torch.from_numpy(
            np.log(data.state_shares.clip(min=1e-6)).astype(np.float32)
        )
        model.heads["sites"].bias.fill_(SITE_LOGIT)
        model.trunk.content.weight.copy_(torch.from_numpy(content_table(data, model.config.content_length)))
