"""The parts of the network that are computed in fewer passes give what the plain ones give."""

from __future__ import annotations

import copy

import pytest
import torch

from phytoscribe.devices import bfloat16_is_fast, int8_is_fast
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.attention import BlockSparseAttention
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.cpu import eight_bit
from phytoscribe.models.cpu.attention import FusedAttention
from phytoscribe.models.cpu.eight_bit import EightBitLayer, QuantisedNorm
from phytoscribe.models.cpu.fused import FusedContent, FusedConvolutionBlock, FusedFeedForward, OnePassLayerNorm, fuse
from phytoscribe.models.encoder import EncoderLayer
from phytoscribe.models.kmer_content import ContentTable
from phytoscribe.models.trunk import ConvolutionBlock

#: One part in 256: bfloat16 keeps eight bits.
TOLERANCE = {"rtol": 2**-7, "atol": 2**-6}

bytes_only = pytest.mark.skipif(not int8_is_fast(), reason="this processor has no fast products of bytes")
pytestmark = pytest.mark.skipif(
    not bfloat16_is_fast(torch.device("cpu")), reason="this processor has no bfloat16 for oneDNN"
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


def config(**settings):
    wanted = {"size": "tiny", "layer_count": 3, **settings}
    return config_from_settings(wanted, vocab_size=4100, token_length=6)


def deviation(said: torch.Tensor, expected: torch.Tensor) -> float:
    """Root mean square of the difference, as a share of that of what was expected."""
    difference = said.float() - expected.float()
    return float(difference.square().mean().sqrt() / expected.float().square().mean().sqrt())


@pytest.mark.parametrize(("tokens", "hidden"), [(64, 0), (64, 5), (96, 40), (320, 0), (320, 33)])
@pytest.mark.parametrize("sharpness", [1, 6])
def test_attention(tokens, hidden, sharpness):
    """Blocks at both ends, a window of one pair of blocks, padding that hides part of a block and more than one."""
    torch.manual_seed(1)
    plain = BlockSparseAttention(config(hidden_size=64))
    torch.nn.init.normal_(plain.query_key_value.weight, std=sharpness / 8)
    torch.nn.init.normal_(plain.output.weight, std=1 / 8)
    features, valid = torch.randn(2, 2 + tokens, 64), torch.ones(2, tokens, dtype=torch.bool)
    valid[1, tokens - hidden :] = False
    seen = torch.cat([torch.ones(2, 2, dtype=torch.bool), valid], dim=1)
    with torch.inference_mode():
        expected = plain(features, valid, 2)
        half = copy.deepcopy(plain).bfloat16()
        said, as_before = (part(features.bfloat16(), valid, 2) for part in (FusedAttention(half), half))
    assert said.isfinite().all()
    assert deviation(said[seen], expected[seen]) < 1.1 * deviation(as_before[seen], expected[seen])
    # Four rows only, and the sharper they choose the more the rounding of queries and keys shows.
    assert deviation(said[:, :2], expected[:, :2]) < 0.01 * sharpness


def test_attention_does_not_see_what_is_hidden():
    torch.manual_seed(1)
    fused = FusedAttention(BlockSparseAttention(config()).bfloat16())
    features, valid = torch.randn(1, 2 + 96, 32).bfloat16(), torch.ones(1, 96, dtype=torch.bool)
    valid[:, 70:] = False
    changed = features.clone()
    changed[:, 72:] *= 1000.0
    with torch.inference_mode():
        torch.testing.assert_close(fused(changed, valid, 2)[:, :72], fused(features, valid, 2)[:, :72], rtol=0, atol=0)


def test_content():
    torch.manual_seed(1)
    plain = ContentTable(4, 10)
    torch.nn.init.normal_(plain.weight[:-1])
    bases = torch.randint(0, 4, (2, 700))
    bases[0, 100:130] = 4
    bases[1, 2] = 4
    torch.testing.assert_close(FusedContent(plain)(bases).float(), plain(bases), rtol=2**-7, atol=2**-7)
    short = bases[:, :3]
    torch.testing.assert_close(FusedContent(plain)(short).float(), plain(short), rtol=2**-7, atol=2**-7)


@pytest.mark.parametrize("eight_bits", [False, pytest.param(True, marks=bytes_only)])
def test_the_whole_network_is_replaced_and_says_the_same(eight_bits):
    torch.manual_seed(1)
    plain = AnnotationModel(config()).eval().bfloat16()
    fused = copy.deepcopy(plain)
    fuse(fused, eight_bits)
    parts = [type(part) for part in fused.modules()]
    assert parts.count(FusedConvolutionBlock) == 2
    assert parts.count(FusedFeedForward) == (0 if eight_bits else 3)
    assert parts.count(EightBitLayer) == (3 if eight_bits else 0)
    assert parts.count(FusedAttention) == parts.count(FusedContent) == 1
    assert not {torch.nn.LayerNorm, BlockSparseAttention, ContentTable} & set(parts)
    with torch.inference_mode():
        said, expected = fused(*inputs(1000)).states.float(), plain(*inputs(1000)).states.float()
    spread = (expected - expected.mean()).abs().mean()
    assert (said - expected).abs().mean() < 0.02 * spread


def test_experts_are_not_replaced():
    plain = AnnotationModel(config(expert_count=4)).eval().bfloat16()
    fuse(plain, eight_bit=int8_is_fast())
    assert not [part for part in plain.modules() if isinstance(part, EightBitLayer)]
    with torch.inference_mode():
        assert plain(*inputs(1000)).states.isfinite().all()


@bytes_only
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("tokens", [64, 160])
def test_layer_of_bytes(number, tokens):
    """Every dilation, with and without attention; tokens that fold into columns of the dilation and that do not."""
    torch.manual_seed(number)
    layer = EncoderLayer(config(hidden_size=64), number).eval()
    for part in layer.modules():
        if isinstance(part, torch.nn.LayerNorm):
            torch.nn.init.normal_(part.weight, mean=1, std=0.3)
            torch.nn.init.normal_(part.bias, std=0.3)
        elif isinstance(part, torch.nn.Linear | torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight, nonlinearity="linear")
    global_tokens, features = torch.randn(2, 2, 64), torch.randn(2, tokens, 64)
    valid = torch.ones(2, tokens, dtype=torch.bool)
    valid[1, tokens - 7 :] = False
    with torch.inference_mode():
        expected = layer(global_tokens, features, valid)
        said = EightBitLayer(copy.deepcopy(layer).bfloat16())(global_tokens.bfloat16(), features.bfloat16(), valid)
    assert deviation(said[1][valid] - features[valid], expected[1][valid] - features[valid]) < 0.04
    assert deviation(said[0], expected[0]) < 0.04


@bytes_only
def test_steps_of_a_norm_reach_as_far_as_they_should():
    """A single strong channel is cut at the reach; whatever else there is, half a step is the largest error."""
    norm = torch.nn.LayerNorm(256).bfloat16()
    features = torch.randn(1, 50, 256)
    features[0, 7] = 0.0
    features[0, 7, 3] = 100.0
    quantised = QuantisedNorm(norm)
    said = (quantised(features.bfloat16()).float() - eight_bit.ZERO) * quantised.steps
    expected = torch.nn.functional.layer_norm(features.bfloat16().float(), (256,))
    assert said[0, 7, 3] == pytest.approx(eight_bit.REACH)
    said[0, 7, 3] = expected[0, 7, 3]
    assert (said - expected).abs().max() <= 0.51 * quantised.steps.max()
