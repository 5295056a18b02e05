"""Processor kernels are used where they agree with the plain network; elsewhere the plain one reads, and says so."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from phytoscribe.devices import bfloat16_is_fast, choose_precision, int8_is_fast
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.cpu import eight_bit, fused
from phytoscribe.models.cpu.network import CPU, disagreement, fast_cpu, trial_window
from phytoscribe.models.loading import load_model

RELEASED = Path(__file__).parents[4] / "resources" / "models" / "brassicales"
HEADS = ("structure", "sites")
PLAIN = "bfloat16, plain modules"

pytestmark = pytest.mark.skipif(not bfloat16_is_fast(CPU), reason="this processor has no bfloat16 for oneDNN")
bytes_only = pytest.mark.skipif(not int8_is_fast(), reason="this processor has no fast products of bytes")
PRECISIONS = ["bfloat16", pytest.param("int8", marks=bytes_only)]


@pytest.fixture(scope="module")
def released() -> AnnotationModel:
    return load_model(AnnotationModel, RELEASED)


def kinds(network: torch.nn.Module) -> set[type]:
    return {type(module) for module in network.modules()}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("settings", [None, {"size": "tiny"}, {"size": "small", "expert_count": 2}])
def test_released_and_new_models_are_read_by_the_kernels(released, precision, settings, caplog):
    torch.manual_seed(0)
    model = AnnotationModel(config_from_settings(settings, vocab_size=40)) if settings else released
    with caplog.at_level(logging.INFO):
        network, said = fast_cpu(model, precision, HEADS)
    assert said == precision
    assert fused.FusedConvolutionBlock in kinds(network)
    assert (eight_bit.EightBitLayer in kinds(network)) == (precision == "int8" and not model.config.expert_count)
    assert f"kernels for {precision} agree" in caplog.text
    assert fused.FusedConvolutionBlock not in kinds(model), "the model itself stays as it is"


def test_single_precision_needs_no_kernels(released):
    network, said = fast_cpu(released, "float32", ["sites"])
    window = trial_window(released.config)
    assert said == "float32"
    with torch.inference_mode():
        output, expected = network(*window), released(*window)
    assert list(output) == ["sites"]
    assert torch.equal(output.sites, expected.sites)


def falls_back(model: AnnotationModel, precision: str, message: str, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        network, said = fast_cpu(model, precision, HEADS)
    assert said == PLAIN
    assert message in caplog.text
    assert not kinds(network) & {fused.FusedConvolutionBlock, fused.OnePassLayerNorm, eight_bit.EightBitLayer}
    window = trial_window(model.config)
    with torch.inference_mode():
        assert not disagreement(network(*window), model(*window), 0.06)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_wrong_kernel_is_found_and_not_used(released, precision, monkeypatch, caplog):
    """A layer norm that is a twentieth too large; what it gives looks like any other number."""
    kernel = fused.OnePassLayerNorm.forward
    monkeypatch.setattr(fused.OnePassLayerNorm, "forward", lambda self, features: 1.05 * kernel(self, features))
    falls_back(released, precision, "logits of the head structure differ from those in float32 by", caplog)


@bytes_only
def test_a_wrong_product_of_bytes_is_found(released, monkeypatch, caplog):
    """Rows of a dilated convolution taken for neighbours."""
    monkeypatch.setattr(eight_bit._Convolution, "NARROWEST", 1)
    kernel = eight_bit._Convolution.forward
    monkeypatch.setattr(
        eight_bit._Convolution, "forward", lambda self, steps: setattr(self, "_dilation", 1) or kernel(self, steps)
    )
    falls_back(released, "int8", "logits of the head structure differ", caplog)


@pytest.mark.parametrize(
    ("precision", "namespace", "left", "missing"),
    [
        ("bfloat16", "mkldnn", ["_is_mkldnn_bf16_supported", "_linear_pointwise"], "_convolution_pointwise"),
        pytest.param(
            "int8",
            "onednn",
            ["qlinear_prepack", "qconv_prepack", "qconv_pointwise"],
            "qlinear_pointwise",
            marks=bytes_only,
        ),
    ],
)
def test_a_pytorch_without_the_operators(released, precision, namespace, left, missing, monkeypatch, caplog):
    """int8 by name, because ``auto`` would not choose it without them."""
    known = getattr(torch.ops, namespace)
    monkeypatch.setattr(torch.ops, namespace, SimpleNamespace(**{name: getattr(known, name) for name in left}))
    falls_back(released, precision, f"PyTorch {torch.__version__} does not run them", caplog)
    assert missing in caplog.text
    assert choose_precision("auto", CPU) == "bfloat16" or precision != "int8"


def test_a_pytorch_that_does_not_tell_of_bfloat16(released, monkeypatch, caplog):
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert choose_precision("auto", CPU) == "float32"
    falls_back(released, "bfloat16", "this processor has no fast bfloat16", caplog)


def test_logits_that_are_no_numbers_never_agree():
    expected = {"sites": torch.randn(1, 50, 2)}
    assert not disagreement(expected, expected, 0.01)
    assert "head sites differ" in disagreement({"sites": torch.full((1, 50, 2), torch.nan)}, expected, 0.01)
    same = torch.full((1, 50, 2), -6.0)
    assert not disagreement({"sites": same + 1e-3}, {"sites": same}, 0.01), "nothing to compare with, and close"
