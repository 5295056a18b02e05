"""The section ``isoforms``: the files of its methods, and what the schema cannot say of them."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.errors import ConfigError
from phytoscribe.models import RANKER_CUTS, RANKER_WEIGHTS, WRITER_FILES

#: What a model's folder holds beside the model for each method that has learned from it.
METHOD_FILES = {"ranked": (RANKER_CUTS, RANKER_WEIGHTS), "generated": WRITER_FILES}
_TRAINED = {"ranked": "results/models/isoforms", "generated": "results/models/isoform_writer"}
_BRINGS = {"ranked": "its ranker", "generated": "its writer of isoforms"}
_COMPLETES = {"ranked": "ranker", "generated": "writer"}
_COMPLETION = re.compile(r"(?:\./)?results/isoforms/[^/]+\.gff3")


def isoform_files(method: str, model: str) -> list[str]:
    """Files of a method: of the model's folder, or trained here; none for methods that have learned nothing."""
    if method not in METHOD_FILES:
        return []
    folder = _TRAINED[method] if model == "trained" else model.rstrip("/")
    return [f"{folder}/{name}" for name in METHOD_FILES[method]]


def completing_method(method: str) -> str:
    """The method that completes an annotation: the ranker's unless isoforms are generated."""
    return "generated" if method == "generated" else "ranked"


def isoform_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of the section decides isoforms; with the seed where they are drawn, so that no other run depends on it."""
    isoforms = {key: value for key, value in config["isoforms"].items() if key != "training"}
    if isoforms["method"] != "generated":
        del isoforms["generated"]
        return isoforms
    return {**isoforms, "seed": config["seed"] if isoforms["generated"]["search"] == "sampled" else 0}


def written_as_sentences(genome: str, annotated: Container[str]) -> str:
    """The GFF3 whose genes are written as sentences: the cleaned annotation, or else the prediction."""
    return f"results/clean/{genome}.gff3" if genome in annotated else f"results/predictions/{genome}.gff3"


def isoform_mistakes(isoforms: Mapping[str, Any]) -> Iterator[str]:
    """A cut that there is not."""
    if isoforms["method"] == "lattice" and isoforms["minimum_probability"] == "auto":
        yield (
            "isoforms.minimum_probability: auto is the cut of the ranker or the writer; with method 'lattice' give a "
            "number, for example 0.3"
        )


def method_file_mistakes(method: str, model: str) -> Iterator[str]:
    """A model that lacks what the method needs."""
    missing = _missing(method, model)
    if missing:
        yield (
            f"isoforms.method: {method} needs {missing} in predict.model, {model}, which lacks them; use a model that "
            f"brings {_BRINGS[method]}, or set isoforms.method to lattice or none"
        )


def check_completions(requested: Iterable[str], method: str, model: str) -> None:
    """Raise ConfigError for a requested completion of an annotation where the model lacks what it needs.

    Args:
        requested: command-line arguments.
        method, model: the configuration's ``isoforms.method`` and ``predict.model``.
    """
    completing = completing_method(method)
    missing, what = _missing(completing, model), _COMPLETES[completing]
    for target in requested:
        if missing and _COMPLETION.fullmatch(target):
            raise ConfigError(
                f"{target}: isoforms are added to an annotation by a {what}, and predict.model, {model}, lacks "
                f"{missing}; use a model that brings them, or predict.model: trained, for which a {what} is trained"
            )


def _missing(method: str, model: str) -> str:
    """Files of a method that the folder of a model lacks; nothing for a model that is trained or not there."""
    there = model != "trained" and os.path.isdir(model)
    names = METHOD_FILES.get(method, ())
    return " and ".join(name for name in names if there and not os.path.isfile(Path(model) / name))
