"""What can be wrong at several places of a configuration: files, and sections that train something."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from phytoscribe.splits.parts import PARTS

Config = Mapping[str, Any]


def unreadable(place: str, path: str) -> Iterator[str]:
    """A file that is not there or may not be read.

    Args:
        place: the key that names it.
    """
    if not os.path.isfile(path):  # unlike pathlib, it does not raise for a name that is too long
        wrong = "is a folder" if os.path.isdir(path) else "no such file"
        yield f"{place}: {path}: {wrong} (relative paths start where Snakemake runs)"
    elif not os.access(path, os.R_OK):
        yield f"{place}: {path}: no permission to read it"


def no_model_folder(place: str, folder: str, files: Iterable[str], what: str, instead: str) -> Iterator[str]:
    """A folder that is not there, or lacks files of a trained model.

    Args:
        place: the key that names it.
        files: names of the files in it.
        what: what it is a folder of.
        instead: what to name, or what the key may be instead.
    """
    if not os.path.isdir(folder):
        yield f"{place}: {folder}: no such folder; name {instead}"
    elif missing := [name for name in files if not os.path.isfile(os.path.join(folder, name))]:
        yield f"{place}: {folder}: this is no folder of {what}, {', '.join(missing)} is missing"


def uneven_steps(config: Config, section: str) -> Iterator[str]:
    """Steps of a training that end between two checkpoints."""
    steps, interval = config[section]["steps"], config[section]["checkpoint_every"]
    if steps % interval:
        yield f"{section}.steps: {steps} must be a multiple of {section}.checkpoint_every ({interval})"


def uneven_batch(config: Config, section: str) -> Iterator[str]:
    """A batch that the processes of a training cannot share evenly."""
    ranks, batch = config["training"]["devices"] * config["training"]["nodes"], config[section]["batch_size"]
    if batch % ranks:
        yield (
            f"{section}.batch_size: {batch} must be a multiple of training.devices times training.nodes ({ranks}), "
            "since all of them share it"
        )


def nothing_to_learn_from(config: Config, section: str, key: str, remedy: str, choice: str) -> Iterator[str]:
    """A head that is to be trained, without genomes whose data teach it, or without any that are held out.

    Args:
        key: of a genome, its data.
        remedy: what to do without a genome that trains.
        choice: what the genes or blocks for validation decide.
    """
    # Genomes that are divided have roles of the names of the parts.
    known = [item for item in config["genomes"] if item.get(key) and item["role"] in PARTS]
    if not any(item["role"] == "train" for item in known):
        yield f"{section}.model is 'trained', but no genome of role 'train' has `{key}`; {remedy}"
    elif config["split"]["mode"] == "contig" and not any(
        item["role"] == "validate" or item["contigs"]["validate"] for item in known
    ):
        yield (
            f"{section}.model is 'trained', but no genome with `{key}` has anything held out for validation, "
            f"where {choice}; list contigs under contigs.validate, or use split.mode: cluster"
        )
