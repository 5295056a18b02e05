"""The section ``isoforms``: what it needs."""

from __future__ import annotations

import pytest
from example_configuration import ROOT, message_of

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES
from phytoscribe.configuration.isoforms import check_completions
from phytoscribe.errors import ConfigError


def test_isoforms_need_a_cut_and_a_model_that_ranks(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    example["isoforms"] = {"method": "lattice"}
    assert "with method 'lattice' give a number" in message_of(example)
    example["isoforms"] = {"method": "ranked"}
    for name in RELEASED_MODEL_FILES:
        (tmp_path / name).write_text("{}")
    example["predict"]["model"] = str(tmp_path)
    message = message_of(example, look_around=True)
    assert "isoforms.method: ranked needs isoforms.json and isoforms.safetensors in predict.model" in message


def test_a_completion_needs_a_model_that_ranks(tmp_path):
    requested = ["--cores", "1", "results/isoforms/tiny.gff3"]
    for model in ("trained", str(ROOT / "resources/models/brassicales"), "not/there/yet"):
        check_completions(requested, model)
    check_completions(["results/predictions/tiny.gff3"], str(tmp_path))
    (tmp_path / "isoforms.json").touch()
    with pytest.raises(ConfigError, match=r"tiny\.gff3: .* lacks isoforms\.safetensors; use a model that brings"):
        check_completions(requested, str(tmp_path))
