"""The section ``isoforms``: the ranker's files, and what the schema cannot say of them."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.errors import ConfigError

#: What a model's folder holds beside the model if isoforms can be ranked with it.
RANKER_FILES = ("isoforms.json", "isoforms.safetensors")
_COMPLETION = re.compile(r"(?:\./)?results/isoforms/[^/]+\.gff3")


def ranker_files(method: str, model: str) -> list[str]:
    """Files with which isoforms are ranked: of the model's folder, or trained here; none for other methods."""
    folder = "results/models/isoforms" if model == "trained" else model.rstrip("/")
    return [f"{folder}/{name}" for name in RANKER_FILES] if method == "ranked" else []


def written_as_sentences(genome: str, annotated: Container[str]) -> str:
    """The GFF3 whose genes are written as sentences: the cleaned annotation, or else the prediction."""
    return f"results/clean/{genome}.gff3" if genome in annotated else f"results/predictions/{genome}.gff3"


def isoform_mistakes(isoforms: Mapping[str, Any]) -> Iterator[str]:
    """A cut that there is not."""
    if isoforms["method"] == "lattice" and isoforms["minimum_probability"] == "auto":
        yield (
            "isoforms.minimum_probability: auto is the cut of the ranker; with method 'lattice' give a number, for "
            "example 0.3"
        )


def ranker_mistakes(method: str, model: str) -> Iterator[str]:
    """A model without a ranker where one is needed."""
    missing = _missing_of_ranker(model)
    if method == "ranked" and missing:
        yield (
            f"isoforms.method: ranked needs {missing} in predict.model, {model}, which lacks them; use a model that "
            "brings its ranker, or set isoforms.method to lattice or none"
        )


def check_completions(requested: Iterable[str], model: str) -> None:
    """Raise ConfigError for a requested completion of an annotation where the model has no ranker.

    Args:
        requested: command-line arguments.
        model: the configuration's ``predict.model``.
    """
    missing = _missing_of_ranker(model)
    for target in requested:
        if missing and _COMPLETION.fullmatch(target):
            raise ConfigError(
                f"{target}: isoforms are added to an annotation by a ranker, and predict.model, {model}, lacks "
                f"{missing}; use a model that brings them, or predict.model: trained, for which a ranker is trained"
            )


def _missing_of_ranker(model: str) -> str:
    """Files of the ranker that the folder of a model lacks; nothing for a model that is trained or not there."""
    there = model != "trained" and os.path.isdir(model)
    return " and ".join(name for name in RANKER_FILES if there and not os.path.isfile(Path(model) / name))
