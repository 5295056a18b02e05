"""The section ``noncoding`` and the key ``predict.gene_classes``: files, and what the schema cannot say of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from phytoscribe.models import CLASSIFIER_FILE
from phytoscribe.noncoding import pressed_mistake

Config = Mapping[str, Any]


def noncoding_mistakes(config: Config) -> Iterator[str]:
    """Find keys without effect; reads no file."""
    section = config["noncoding"]
    if section["clanin"] != "none" and section["rfam"] == "none":
        yield "noncoding.clanin: clans are only for the models of noncoding.rfam; name these too, or remove clanin"
    if section["drop_in_repeats"] and not any(item.get("repeats") for item in config["genomes"]):
        yield (
            "noncoding.drop_in_repeats: no genome has `repeats`, so no gene lies in mobile elements; add "
            "`repeats: {path: ...}` to a genome, or set drop_in_repeats: false"
        )


def noncoding_file_mistakes(config: Config) -> Iterator[str]:
    """Find models that are not there or not pressed, and a missing file of clans."""
    models, clans = config["noncoding"]["rfam"], config["noncoding"]["clanin"]
    if models != "none" and (mistake := pressed_mistake(models)):
        yield f"noncoding.rfam: {mistake}"
    if clans != "none" and not os.path.isfile(clans):
        yield f"noncoding.clanin: {clans}: no such file (relative paths start where Snakemake runs)"


def class_files(predict: Mapping[str, Any]) -> list[str]:
    """The file that tells classes of genes: of the model's folder, or trained here; none if no class is asked for."""
    if predict["gene_classes"] == "none":
        return []
    folder = "results/models/gene_classes" if predict["model"] == "trained" else predict["model"].rstrip("/")
    return [f"{folder}/{CLASSIFIER_FILE}"]


def class_mistakes(config: Config) -> Iterator[str]:
    """Classes that cannot be learned, because no training genome has mobile elements."""
    predict = config["predict"]
    known = any(item["role"] == "train" and item.get("repeats") for item in config["genomes"])
    if predict["gene_classes"] != "none" and predict["model"] == "trained" and not known:
        yield (
            "predict.gene_classes: classes are learned from mobile elements of training genomes, and none has "
            "`repeats`; add `repeats: {path: ...}` to a genome of role train, or set gene_classes: none"
        )


def missing_class_files(predict: Config) -> Iterator[str]:
    """A released model that cannot tell classes."""
    model = predict["model"]
    if model != "trained" and os.path.isdir(model) and not all(map(os.path.isfile, class_files(predict))):
        yield (
            f"predict.gene_classes: {predict['gene_classes']} needs {CLASSIFIER_FILE} in predict.model, {model}, which "
            "lacks it; use a model that brings it, train one (docs/noncoding.md), or set gene_classes: none"
        )
