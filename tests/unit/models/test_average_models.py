"""The mean of models: of the same network only, in the number format of the first."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from phytoscribe.errors import ModelError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import BigBroConfig
from phytoscribe.models.loading import load_model, write_checksums

ROOT = Path(__file__).parents[3]
RELEASED = ROOT / "resources/models/brassicales"
average_models = runpy.run_path(str(ROOT / "tools/average_models.py"))["average_models"]
NAME = "heads.structure.weight"


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> tuple[Path, Path]:
    """Copies of the released model: one with other weights in its head, and one of another network."""
    shifted, small = (tmp_path_factory.mktemp("models") / name for name in ("shifted", "small"))
    shutil.copytree(RELEASED, shifted)
    tensors = load_file(shifted / "model.safetensors")
    tensors[next(name for name in tensors if name.endswith("structure.weight") or name == "output.weight")] += 1
    save_file(tensors, shifted / "model.safetensors", metadata={"format": "pt"})
    write_checksums(shifted)
    AnnotationModel(BigBroConfig(hidden_size=32, layer_count=1, head_count=2)).save_pretrained(small)
    for name in ("decoder.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(RELEASED / name, small / name)
    return shifted, small


def test_the_mean_lies_half_way(others, tmp_path):
    average_models([RELEASED, others[0]], tmp_path / "mean")
    one, two, mean = (load_model(AnnotationModel, f).state_dict() for f in (RELEASED, others[0], tmp_path / "mean"))
    assert torch.allclose(mean[NAME], (one[NAME] + two[NAME]) / 2, atol=1e-2)
    assert not torch.allclose(mean[NAME], one[NAME], atol=1e-1)
    assert all(torch.equal(mean[name], value) for name, value in one.items() if name != NAME)
    stored = [{t.dtype for t in load_file(f / "model.safetensors").values()} for f in (RELEASED, tmp_path / "mean")]
    assert stored[0] == stored[1]


def test_other_networks_have_no_mean(others, tmp_path):
    with pytest.raises(ModelError, match=r"small: not of the same network as .*brassicales: .*hidden_size"):
        average_models([RELEASED, others[1]], tmp_path / "mean")
    with pytest.raises(ModelError, match="two or more"):
        average_models([RELEASED], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
