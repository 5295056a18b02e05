"""The example's configuration, and messages about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES
from phytoscribe.configuration.read import read_config
from phytoscribe.errors import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
EXAMPLE = ROOT / "config/config.yaml"
TRAINING_EXAMPLE = ROOT / "config/demo_training.yaml"


def message_of(config, *, look_around=False) -> str:
    """What is wrong with a configuration."""
    with pytest.raises(ConfigError) as caught:
        read_config(config, SCHEMA, look_around=look_around)
    return str(caught.value)


def by_itself(config, role="train", **finetune) -> dict:
    """Sections for self-training on a genome without annotation, beside the others."""
    given = {**config["finetune"], "mode": "self", "from_model": "resources/models/brassicales", **finetune}
    genome = {"name": "x", "role": role, "genome": {"path": "x.fa"}}
    settings = {key: value for key, value in given.items() if value is not None}
    return {"genomes": [*config["genomes"], genome], "finetune": settings}


def genome(config) -> dict:
    """The first genome."""
    return config["genomes"][0]


def genome_without(folder) -> dict:
    """A configuration of one genome that has no annotation, with a model that is named by its files alone."""
    (folder / "g.fa").write_text(">c\nA\n")
    (folder / "released").mkdir(exist_ok=True)
    for name in RELEASED_MODEL_FILES:
        (folder / "released" / name).write_text("{}")
    return {
        "genomes": [{"name": "g", "role": "predict", "genome": {"path": "g.fa"}}],
        "predict": {"model": "released"},
    }
