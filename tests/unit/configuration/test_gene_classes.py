"""The key ``predict.gene_classes``: which file tells classes, and mistakes that the schema cannot express."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.noncoding import class_files
from phytoscribe.configuration.read import read_config
from phytoscribe.errors import ConfigError

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"


def checked(tmp_path, predict, look_around=True, **more):
    for name in ("g.fa", "g.gff3", "te.bed"):
        (tmp_path / name).write_text("")
    genome = {"name": "g", "role": "train", "genome": {"path": str(tmp_path / "g.fa")}}
    genome |= {"annotation": {"path": str(tmp_path / "g.gff3")}} | more
    config = {"genomes": [genome], "predict": predict, "clean": {"backend": "builtin"}}
    return read_config(config, SCHEMA, look_around=look_around)


def test_classes_come_from_the_models_folder_or_are_learned_here(tmp_path):
    assert class_files(checked(tmp_path, {})["predict"]) == []
    released = checked(tmp_path, {"gene_classes": "mark", "model": "m/"}, look_around=False)
    assert class_files(released["predict"]) == ["m/gene_classes.safetensors"]
    repeats = {"repeats": {"path": str(tmp_path / "te.bed")}}
    trained = checked(tmp_path, {"gene_classes": "drop", "model": "trained"}, look_around=False, **repeats)
    assert class_files(trained["predict"]) == ["results/models/gene_classes/gene_classes.safetensors"]
    assert Genomes(trained).trained_with_repeats == ["g"]


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        ({"gene_classes": "yes"}, r"predict\.gene_classes: 'yes' is not allowed.*allowed: none, mark, drop"),
        ({"gene_classes": True}, r"predict\.gene_classes: True given, but this must be a text"),
        (
            {"gene_classes": "mark", "model": "trained"},
            r"predict\.gene_classes: classes are learned from mobile elements",
        ),
        ({"gene_class": "mark"}, r"unknown key 'gene_class'.*did you mean 'gene_classes'\?"),
    ],
)
def test_mistakes(tmp_path, predict, message):
    with pytest.raises(ConfigError, match=message):
        checked(tmp_path, predict)


def test_a_model_that_cannot_tell_classes_is_named(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(ConfigError, match=r"gene_classes: mark needs gene_classes\.safetensors in predict\.model"):
        checked(tmp_path, {"gene_classes": "mark", "model": str(tmp_path / "model")})
