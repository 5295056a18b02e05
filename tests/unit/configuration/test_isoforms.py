"""The section ``isoforms``: what it needs."""

from __future__ import annotations

import pytest
from example_configuration import ROOT, message_of

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES
from phytoscribe.configuration.isoforms import check_completions, isoform_values
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
        check_completions(requested, "none", model)
    check_completions(["results/predictions/tiny.gff3"], "none", str(tmp_path))
    (tmp_path / "isoforms.json").touch()
    with pytest.raises(ConfigError, match=r"tiny\.gff3: .* lacks isoforms\.safetensors; use a model that brings"):
        check_completions(requested, "none", str(tmp_path))


def test_a_writer_is_asked_for_by_name(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    example["isoforms"] = {"method": "generated"}
    for name in RELEASED_MODEL_FILES:
        (tmp_path / name).write_text("{}")
    example["predict"]["model"] = str(tmp_path)
    message = message_of(example, look_around=True)
    assert "generated needs isoform_writer.json and isoform_writer.safetensors in predict.model" in message
    assert "use a model that brings its writer of isoforms" in message
    with pytest.raises(ConfigError, match="added to an annotation by a writer, and"):
        check_completions(["results/isoforms/tiny.gff3"], "generated", str(tmp_path))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"generated": {"search": "viterbi"}}, "isoforms.generated.search"),
        ({"generated": {"beam": 0}}, "isoforms.generated.beam"),
        ({"generated": {"draws": 0.5}}, "isoforms.generated.draws"),
        ({"training": {"epochs": 0}}, "isoforms.training.epochs"),
        ({"training": {"width": 30}}, "isoforms.training.width"),
        ({"training": {"decoder_layers": 0}}, "isoforms.training.decoder_layers"),
    ],
)
def test_odd_values_of_the_writer_are_named(example, section, said):
    example["isoforms"] = section
    assert said in message_of(example)


def test_only_drawn_isoforms_depend_on_the_seed():
    """Else a change of the seed would repeat predictions that it does not change."""

    def values(isoforms: dict) -> list[dict]:
        section = {"maximum": 3, "training": {"bases": 1}, "generated": {"search": "likely"}} | isoforms
        return [isoform_values({"isoforms": section, "seed": seed}) for seed in (1, 2)]

    for method in ("none", "ranked", "generated"):
        first, second = values({"method": method})
        assert first == second
        assert "training" not in first
    first, second = values({"method": "generated", "generated": {"search": "sampled"}})
    assert (first["seed"], second["seed"]) == (1, 2)
