"""The section ``isoforms``: what it needs."""

from __future__ import annotations

from example_configuration import ROOT, message_of

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES


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
