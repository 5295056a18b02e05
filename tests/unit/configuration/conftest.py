"""The example's genomes with all sections."""

from __future__ import annotations

import pytest
import yaml
from example_configuration import EXAMPLE, TRAINING_EXAMPLE


@pytest.fixture
def example():
    """The example's genomes with all sections of the training example."""
    config, training = (yaml.safe_load(file.read_text()) for file in (EXAMPLE, TRAINING_EXAMPLE))
    rest = {"tokenizer": {"kind": "bpe"}, "model": {"size": "small"}, "check": {"minimum_intron": 20}}
    split = {"mode": "contig", "fractions": {"train": 75, "validate": 10, "test": 15}}
    return {**rest, **config, **training, "genomes": config["genomes"], "split": split}
