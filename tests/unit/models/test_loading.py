"""Damaged, foreign and mixed model folders: one message each, and nothing of them is used."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from phytoscribe.errors import ModelError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import RANGES, config_from_settings
from phytoscribe.models.loading import CHECKSUMS, load_model, write_checksums

ROOT = Path(__file__).parents[3]
RELEASED = ROOT / "resources/models/brassicales"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A tiny model of today, without checksums."""
    torch.manual_seed(1)
    AnnotationModel(config_from_settings({"size": "tiny"}, vocab_size=40)).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(AnnotationModel, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(folder: Path, **values) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder, value):
    tensors = load_file(folder / "model.safetensors")
    tensors["heads.sites.weight"][1, 3] = value
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert "no numbers (nan or inf), first in heads.sites.weight; fetch or copy" in refused(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "decoder.json", "tokenizer.json"])
def test_the_released_model_notices_damage(tmp_path, name):
    folder = tmp_path / "model"
    shutil.copytree(RELEASED, folder)
    load_model(AnnotationModel, folder)
    path = folder / name
    whole = path.read_bytes()
    # Another digit somewhere: still a file that can be read.
    place = re.search(rb"[0-8](?=[,\n])", whole).start() if name.endswith(".json") else len(whole) - 40
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert f"{path}: not the file that model.sha256 was written for" in refused(folder)
    write_checksums(folder)
    (folder / name).unlink()
    assert str(path) in refused(folder)


def test_a_folder_of_an_earlier_version_has_no_checksums_and_is_read(folder, caplog):
    with caplog.at_level("INFO"):
        load_model(AnnotationModel, folder)
    assert "no model.sha256 (the model is of an earlier version), so damage might go unnoticed" in caplog.text
    write_checksums(folder)
    caplog.clear()
    with caplog.at_level("INFO"):
        load_model(AnnotationModel, folder)
    assert CHECKSUMS not in caplog.text


@pytest.mark.parametrize("text", ["", "abc", "abc  other.bin", "\x00\x01"])
def test_damaged_checksums(folder, text):
    write_checksums(folder)
    (folder / CHECKSUMS).write_text(text)
    if text:
        assert "model.sha256: " in refused(folder)


@pytest.mark.parametrize("names", [["adapter_config.json", "adapter_model.safetensors"], ["adapter_model.bin"]])
def test_adapters_are_refused(folder, names):
    for name in names:
        (folder / name).write_text("{}")
    assert f"holds {', '.join(names)}; adapters are not read" in refused(folder)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hidden_size": "256"}, "hidden_size is '256', not a whole number"),
        ({"hidden_size": 32.0}, "hidden_size is 32.0, not a whole number"),
        ({"layer_count": None}, "layer_count is None, not a whole number"),
        ({"layer_count": True}, "layer_count is True, not a whole number"),
        ({"attention_every": 0}, "attention_every is 0, not from 1 to 256"),
        ({"block_size": 0}, "block_size is 0, not from 8 to 4096"),
        ({"head_count": 3}, "hidden_size (32) is no multiple of twice head_count (3)"),
        ({"head_count": 0, "layer_count": -1}, "head_count is 0, not from 1 to 256; layer_count is -1, not from 1"),
        ({"dropout": float("nan")}, "dropout is nan, not from 0 to 1"),
        ({"dtype": "float7"}, "dtype is 'float7', not float32, float16 or bfloat16"),
        ({"dtype": []}, "dtype is [], not float32"),
        ({"quantization_config": {"quant_method": "x"}}, "quantization_config, of which this version"),
        ({"auto_map": {"AutoModel": "code.Model"}}, "auto_map, of which this version"),
        ({"heads": {"structure": "abc"}}, "heads is no mapping of names to lists of channels"),
        ({"heads": ["structure"]}, "heads is no mapping"),
        ({"heads": {"other": ["a"]}}, "declares the head other"),
        ({"species": "athaliana"}, "species is 'athaliana', not a list of names"),
        ({"architectures": "StructureModel"}, "architectures is 'StructureModel', not a list"),
        ({"model_type": "bert"}, "model_type is 'bert', not 'phytoscribe_bigbro': no model of PhytoScribe"),
        ({"vocab_size": 50}, "not a saved AnnotationModel"),
        ({"hidden_size": 64}, "not a saved AnnotationModel"),
        ({"layer_count": 200}, "do not fit AnnotationModel"),
    ],
)
def test_a_faulty_configuration_is_one_message(folder, values, said):
    change(folder, **values)
    message = refused(folder)
    assert said in message
    assert len(message) < 1000


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, "\ud800"])
def test_no_configuration_at_all(folder, text):
    (folder / "config.json").write_text(text, errors="surrogatepass")
    assert "config.json: " in refused(folder)


def test_keys_that_transformers_writes_are_harmless(folder):
    change(folder, return_dict=True, transformers_version="9", _name_or_path="x", torch_dtype="float16")
    load_model(AnnotationModel, folder)


def test_numbers_have_the_ranges_of_the_configuration():
    """A model that the configuration can describe can be loaded."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())["properties"]["model"]
    numbers = {name: part for name, part in schema["properties"].items() if name != "size"}
    assert numbers.keys() <= RANGES.keys()
    for name, part in numbers.items():
        assert RANGES[name] == (part["minimum"], part.get("maximum", part.get("exclusiveMaximum"))), name
