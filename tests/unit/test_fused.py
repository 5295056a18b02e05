"""The parts of the network that are computed in fewer passes give what the plain ones give."""

from __future__ import annotations

import copy

import pytest
import torch

from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.structure import ConvolutionBlock, StructureModel
from phytoscribe.prediction.fused import FusedConvolutionBlock, FusedFeedForward, OnePassLayerNorm, fuse

#: One part in 256: bfloat16 keeps eight bits.
TOLERANCE = {"rtol": 2**-7, "atol": 2**-6}

pytestmark = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="this processor has no bfloat16 for oneDNN"
)


def inputs(length: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    tokens = -(-length // 6)
    return (
        torch.randint(0, 5, (2, length), generator=generator),
        torch.randint(60, 4000, (2, tokens), generator=generator),
        (torch.arange(length) // 6).expand(2, length),
        torch.tensor([[7, 8], [7, 8]]),
    )


@pytest.mark.parametrize("width", [1, 7, 64, 256])
def test_layer_norm(width):
    norm = torch.nn.LayerNorm(width).bfloat16()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    features = (3 * torch.randn(2, 50, width) + 1).bfloat16()
    with torch.inference_mode():
        torch.testing.assert_close(OnePassLayerNorm(norm)(features), norm(features), **TOLERANCE)
        turned = features.transpose(0, 1)
        torch.testing.assert_close(OnePassLayerNorm(norm)(turned), norm(turned), **TOLERANCE)


def test_infinite_and_constant_rows_are_as_with_pytorch():
    norm = torch.nn.LayerNorm(8).bfloat16()
    features = torch.full((3, 8), 2.0).bfloat16()
    with torch.inference_mode():
        torch.testing.assert_close(OnePassLayerNorm(norm)(features), norm(features))


@pytest.mark.parametrize("dilation", [1, 3])
def test_convolution_block(dilation):
    block = ConvolutionBlock(16, dilation).bfloat16()
    features = torch.randn(2, 90, 16).bfloat16()
    with torch.inference_mode():
        torch.testing.assert_close(FusedConvolutionBlock(block)(features), block(features), **TOLERANCE)


def test_the_whole_network_is_replaced_and_says_the_same():
    torch.manual_seed(1)
    settings = {"size": "tiny", "layer_count": 3}
    plain = StructureModel(config_from_settings(settings, vocab_size=4100, token_length=6)).eval().bfloat16()
    fused = copy.deepcopy(plain)
    fuse(fused)
    parts = [type(part) for part in fused.modules()]
    assert parts.count(FusedConvolutionBlock) == 2
    assert parts.count(FusedFeedForward) == 3
    assert torch.nn.LayerNorm not in parts
    with torch.inference_mode():
        said, expected = fused(*inputs(1000)).states.float(), plain(*inputs(1000)).states.float()
    spread = (expected - expected.mean()).abs().mean()
    assert (said - expected).abs().mean() < 0.02 * spread
