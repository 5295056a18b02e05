"""The start of a fine-tuning: random weights, an encoder or trunk pretrained here, or a released model."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from phytoscribe.decoding.settings import UNKNOWN_LINEAGES, Decoders
from phytoscribe.files import scratch_folder
from phytoscribe.labels.states import StateSet
from phytoscribe.models.annotation_model import AnnotationModel, MaskedBaseModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import load_model, load_pretrained, model_hash
from phytoscribe.tokenizer.segments import (
    TOKENIZER_FILES,
    Segmenter,
    copy_tokenizer,
    lineage_token,
    species_token,
)
from phytoscribe.tokenizer.training import save_tokenizer, with_tokens
from phytoscribe.training.data.content_table import content_table
from phytoscribe.training.data.training_set import STRUCTURE, TrainingSet
from phytoscribe.training.loop.module import FULL

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

#: Some one base in 400 is a donor, and as many are acceptors.
SITE_LOGIT = -6.0


@dataclass(frozen=True)
class Start:
    """A model before its fine-tuning.

    Attributes:
        folder: holds the tokenizer that training began with, and the weights if there are any.
        model, segmenter, decoders: the objects with which training begins.
        report: for ``load_report.json``: which tensors came from where.
        released: the model is a released one, which the fine-tuning must beat.
        tokenizer: with tokens for species and lineages that the released model does not know; None for that in
            ``folder``.
    """

    folder: Path
    model: AnnotationModel
    segmenter: Segmenter
    decoders: Decoders
    report: Mapping[str, Any]
    released: bool
    tokenizer: PreTrainedTokenizerFast | None = None

    def save_tokenizer(self, folder: Path) -> None:
        """Write the tokenizer of the model into its folder."""
        if self.tokenizer:
            save_tokenizer(self.tokenizer, folder, TOKENIZER_FILES)
        else:
            copy_tokenizer(self.folder, folder)


def load_start(folder: Path, data: TrainingSet, model_settings: Mapping[str, Any], mode: str) -> Start:
    """Load the start from a folder: a released model, a pretrained encoder, or only a tokenizer.

    Args:
        model_settings: section ``model`` of the configuration; of it a released model, which has its own dimensions,
            takes only the drop-out.
        mode: ``finetune.mode``, for the report; with ``full`` a released model gets tokens for the species and lineages
            of the training set that it does not know (:func:`name_species`).

    Raises:
        ModelError: the folder's weights do not fit.
    """
    segmenter = Segmenter(folder)
    if (folder / "decoder.json").is_file():
        report = {"source": str(folder), "hash": model_hash(folder), "mode": mode}
        decoders = Decoders.load(folder / "decoder.json")
        model = load_model(AnnotationModel, folder)
        set_dropout(model, model_settings.get("dropout", model.config.dropout))
        start = Start(folder, model, segmenter, decoders, report, True)
        return name_species(start, data) if mode == FULL else start
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


def name_species(start: Start, data: TrainingSet) -> Start:
    """The start with a token for each species and lineage of the training set that its model does not know.

    The model read them as unknown, so their vectors begin as copies of that of the unknown, and nothing changes before
    they learn.
    """
    model, before = start.model, start.segmenter
    annotated = data.contigs.iloc[data.rows_for(STRUCTURE)]
    species, lineages = (sorted(set(annotated[kind]) - set(UNKNOWN_LINEAGES)) for kind in ("species", "lineage"))
    unknown = before.species_id(""), before.lineage_id("")
    added = {species_token(name): unknown[0] for name in species if before.species_id(name) == unknown[0]}
    added |= {lineage_token(name): unknown[1] for name in lineages if before.lineage_id(name) == unknown[1]}
    if not added:
        return start
    tokenizer = with_tokens(start.folder, added)
    with scratch_folder() as folder:
        tokenizer.save_pretrained(folder)
        segmenter = Segmenter(folder)
    vectors = model.encoder.embedding.weight.detach()
    vectors = torch.cat([vectors, vectors[list(added.values())]])
    model.encoder.embedding = torch.nn.Embedding.from_pretrained(vectors, freeze=False)
    model.config.vocab_size = segmenter.vocabulary_size
    model.config.species = sorted({*model.config.species, *species})
    model.config.lineages = sorted({*model.config.lineages, *lineages})
    logger.info("new to the model: %s", " ".join(added))
    return replace(start, segmenter=segmenter, tokenizer=tokenizer, report={**start.report, "new_names": list(added)})


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
