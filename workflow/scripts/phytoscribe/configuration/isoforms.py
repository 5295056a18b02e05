"""The section ``isoforms``: the ranker's files, and what the schema cannot say of them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

#: What a model's folder holds beside the model if isoforms can be ranked with it.
RANKER_FILES = ("isoforms.json", "isoforms.safetensors")


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
    missing = [name for name in RANKER_FILES if not os.path.isfile(Path(model) / name)]
    if method == "ranked" and model != "trained" and os.path.isdir(model) and missing:
        yield (
            f"isoforms.method: ranked needs {' and '.join(missing)} in predict.model, {model}, which lacks them; use a "
            "model that brings its ranker, or set isoforms.method to lattice or none"
        )
