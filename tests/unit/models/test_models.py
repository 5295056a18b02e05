"""The network: attention against a plain one, tokens and bases tied rightly, padding without effect, loading proved."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.labels.states import SITE_COUNT, STATE_COUNT
from phytoscribe.models.annotation_model import AnnotationModel, for_inference
from phytoscribe.models.attention import BlockSparseAttention, rotary_angles, rotate
from phytoscribe.models.batches import TokenBatch
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import BigBroEncoder, ExpertFeedForward, MaskedTokenModel
from phytoscribe.models.kmer_content import REACHES, SUM_SCALE, cumulative_by_frame, kmer_numbers, sums_in_frame
from phytoscribe.models.loading import load_model, load_pretrained, trainable_parameters
from phytoscribe.models.sizes import SIZES
from phytoscribe.models.trunk import FixedSegments, VariableSegments, token_spans

TINY = {"size": "tiny"}
ROOT = Path(__file__).parents[3]
RELEASED = ROOT / "resources" / "models" / "brassicales"


@pytest.fixture
def config():
    torch.manual_seed(0)
    return config_from_settings(TINY, vocab_size=100)


def plain_attention(layer: BlockSparseAttention, hidden: torch.Tensor, valid: torch.Tensor, globals_: int):
    """The same attention with one full matrix of allowed pairs and true positions."""
    batch, length, width = hidden.shape
    tokens = length - globals_
    q, k, v = (
        part.view(batch, length, layer.heads, layer.head_size).transpose(1, 2)
        for part in layer.query_key_value(hidden).chunk(3, dim=-1)
    )
    block = torch.arange(tokens) // layer.block
    near = (block[:, None] - block[None]).abs() <= 1
    cos, sin = rotary_angles(torch.arange(tokens), layer.head_size)
    local = rotate(q[:, :, globals_:], cos, sin) @ rotate(k[:, :, globals_:], cos, sin).transpose(-1, -2)
    local = local.masked_fill(~(near & valid[:, None, None]), float("-inf"))
    # A global token stands in the middle of each block.
    middle = block * layer.block + layer.block // 2
    cos, sin = rotary_angles(torch.arange(tokens) - middle, layer.head_size)
    to_global = rotate(q[:, :, globals_:], cos, sin) @ k[:, :, :globals_].transpose(-1, -2)
    weights = (torch.cat([to_global, local], dim=-1) / layer.head_size**0.5).softmax(-1)
    token_out = weights @ v
    everything = torch.cat([torch.ones(batch, globals_, dtype=torch.bool), valid], dim=1)
    from_global = q[:, :, :globals_] @ k.transpose(-1, -2)
    from_global = from_global.masked_fill(~everything[:, None, None], float("-inf"))
    global_out = (from_global / layer.head_size**0.5).softmax(-1) @ v
    out = torch.cat([global_out, token_out], dim=2).transpose(1, 2).reshape(batch, length, width)
    return layer.output(out)


def test_block_sparse_attention_equals_plain_attention(config):
    layer = BlockSparseAttention(config)
    hidden = torch.randn(2, 2 + 4 * config.block_size, config.hidden_size)
    valid = torch.ones(2, 4 * config.block_size, dtype=torch.bool)
    valid[1, 100:] = False
    ours, plain = layer(hidden, valid, 2), plain_attention(layer, hidden, valid, 2)
    kept = torch.cat([torch.ones(2, 2, dtype=torch.bool), valid], dim=1)
    torch.testing.assert_close(ours[kept], plain[kept], atol=1e-5, rtol=1e-4)


def test_padding_does_not_change_the_encoder(config):
    encoder = BigBroEncoder(config).eval()
    ids, globals_ = torch.randint(10, 100, (1, 70)), torch.tensor([[7, 8]])
    padded = F.pad(ids, (0, 45), value=config.pad_token_id)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(ids, globals_), encoder(padded, globals_)[:, :70], atol=1e-5, rtol=1e-4)


def test_the_species_token_reaches_every_token(config):
    encoder = BigBroEncoder(config).eval()
    ids = torch.randint(10, 100, (1, 300))
    with torch.inference_mode():
        one, other = (encoder(ids, torch.tensor([[species, 8]])) for species in (7, 9))
    assert bool(((one - other).abs().amax(-1) > 1e-6).all())


def test_tokens_know_their_first_base_and_length():
    token_of_base = torch.tensor([[0, 0, 0, 1, 2, 2], [0, 1, 1, 1, 1, 1]])
    starts, lengths = token_spans(token_of_base, 4)
    assert starts.tolist() == [[0, 3, 4, 6], [0, 1, 6, 6]]
    assert lengths.tolist() == [[3, 1, 2, 0], [1, 5, 0, 0]]


def test_segments_gather_their_own_bases_and_give_them_back():
    token_of_base = torch.tensor([[0, 0, 0, 1, 2, 2], [0, 1, 1, 1, 1, 1]])
    segments = VariableSegments(token_of_base, 4, slots=5)
    features = torch.arange(1.0, 13.0).view(2, 6, 1)
    gathered = segments.gather(features)
    assert gathered[0].tolist() == [[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [5, 6, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert gathered[1].tolist() == [[7, 0, 0, 0, 0], [8, 9, 10, 11, 12], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert torch.equal(segments.scatter(gathered), features)


@pytest.mark.parametrize("length", [18, 16])
def test_fixed_segments_are_variable_segments_of_one_length(length):
    token_of_base = (torch.arange(length) // 6).expand(2, length)
    features = torch.randn(2, length, 5)
    fixed, variable = FixedSegments(length, 3, 6), VariableSegments(token_of_base, 3, 6)
    assert torch.equal(fixed.gather(features), variable.gather(features))
    slots = torch.randn(2, 3, 6 * 4)
    assert torch.equal(fixed.scatter(slots), variable.scatter(slots))


def test_kmers_are_numbered_by_the_base_that_they_end_with():
    bases = torch.tensor([[0, 1, 2, 4, 3, 3, 0]])
    assert kmer_numbers(bases, 2).tolist() == [[16, 1, 6, 16, 16, 15, 12]]


@pytest.mark.parametrize("size", SIZES)
def test_every_size_runs_forward_and_backward(size):
    torch.manual_seed(1)
    model = AnnotationModel(config_from_settings({"size": size}, vocab_size=64))
    bases = torch.randint(0, 5, (2, 96))
    token_of_base = (torch.arange(96) // 4).expand(2, 96)
    output = model(bases, torch.randint(10, 64, (2, 24)), token_of_base, torch.tensor([[7, 8], [7, 8]]))
    assert output.states.shape == (2, 96, STATE_COUNT)
    assert output.sites.shape == (2, 96, SITE_COUNT)
    (output.states.logsumexp(-1).sum() + output.sites.sum()).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == ["trunk.content.weight"]  # counted, not learned


def test_sizes_are_what_the_documentation_says():
    """config/README.md and the schema for a default tokenizer, the released model's card for its own."""
    small, base = (AnnotationModel(config_from_settings({"size": size})) for size in ("small", "base"))
    for folder, name in (("config", "README.md"), ("workflow/schemas", "config.schema.yaml")):
        text = (ROOT / folder / name).read_text(encoding="utf-8")
        for size, model in (("small", small), ("base", base)):
            millions = re.search(rf"{size}`? \((\d+) million", text)
            assert int(millions[1]) == round(trainable_parameters(model) / 1e6), (name, size)
    released = AnnotationModel(AnnotationModel.config_class.from_pretrained(RELEASED))
    card = (RELEASED / "README.md").read_text(encoding="utf-8")
    assert f"{trainable_parameters(released) / 1e6:.1f} million trained parameters" in card
    assert f"({released.trunk.content.weight.numel() / 1e6:.1f} million numbers" in card


def test_unknown_size_and_bad_width_are_refused():
    with pytest.raises(ConfigError, match="'huge' is unknown"):
        config_from_settings({"size": "huge"})
    with pytest.raises(ConfigError, match="hidden_size: 30 must be a multiple of twice"):
        config_from_settings({"size": "tiny", "hidden_size": 30, "head_count": 4})


def test_save_and_load_give_the_same_output(config, tmp_path):
    model = MaskedTokenModel(config).eval()
    model.save_pretrained(tmp_path)
    loaded = load_model(MaskedTokenModel, tmp_path)
    ids, globals_ = torch.randint(10, 100, (1, 64)), torch.tensor([[7, 8]])
    inputs, asked = TokenBatch(ids, ids, ids, globals_), torch.arange(64)
    with torch.inference_mode():
        assert torch.equal(model(inputs, asked), loaded(inputs, asked))


def test_loading_refuses_weights_of_another_model(config, tmp_path):
    MaskedTokenModel(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="do not fit AnnotationModel"):
        load_model(AnnotationModel, tmp_path)


def test_pretrained_encoder_arrives_tensor_by_tensor(config):
    pretrained, model = MaskedTokenModel(config), AnnotationModel(config)
    assert not torch.equal(model.encoder.embedding.weight, pretrained.encoder.embedding.weight)
    report = load_pretrained(model, pretrained, "here")
    assert report["loaded"] == len(pretrained.encoder.state_dict())
    for name, tensor in pretrained.encoder.state_dict().items():
        assert torch.equal(model.encoder.state_dict()[name], tensor), name
    assert all(not name.startswith("trunk.encoder.") for name in report["new"])


def test_pretrained_encoder_of_another_shape_is_refused(config):
    other = config_from_settings(TINY, vocab_size=101)
    with pytest.raises(ModelError, match="another shape"):
        load_pretrained(AnnotationModel(config), MaskedTokenModel(other), "here")


def test_rotation_depends_on_distance_only():
    generator = np.random.default_rng(0)
    query, key = (torch.from_numpy(generator.normal(size=(1, 8)).astype(np.float32)) for _ in range(2))

    def product(i: int, j: int) -> float:
        turned = rotate(query, *rotary_angles(torch.tensor([i]), 8)), rotate(key, *rotary_angles(torch.tensor([j]), 8))
        return float((turned[0] * turned[1]).sum())

    assert product(3, 10) == pytest.approx(product(103, 110), abs=1e-4)
    assert product(3, 10) != pytest.approx(product(3, 11), abs=1e-4)


def test_experts_of_one_kind_are_a_plain_layer():
    torch.manual_seed(0)
    layer = ExpertFeedForward(16, 32, 4)
    for expert in layer.experts:
        expert.load_state_dict(layer.experts[0].state_dict())
    hidden = torch.randn(2, 30, 16)
    torch.testing.assert_close(layer(hidden), layer.experts[0](hidden), atol=1e-5, rtol=1e-4)


def test_each_token_goes_to_its_two_experts_whatever_the_batch():
    torch.manual_seed(0)
    layer = ExpertFeedForward(16, 32, 4)
    hidden = torch.randn(3, 30, 16)
    together = layer(hidden)
    for row in range(3):
        torch.testing.assert_close(layer(hidden[row : row + 1])[0], together[row], atol=1e-6, rtol=1e-5)
    token = hidden[1, 7]
    probabilities = layer.router(token).softmax(-1)
    best = probabilities.topk(2).indices.tolist()
    parts = [probabilities[e] / probabilities[best].sum() * layer.experts[e](token) for e in best]
    torch.testing.assert_close(together[1, 7], sum(parts), atol=1e-6, rtol=1e-5)


def test_load_balance_is_least_when_experts_share_the_work():
    layer = ExpertFeedForward(4, 8, 4)
    with torch.no_grad():
        layer.router.weight.copy_(20 * torch.eye(4))
    layer(torch.eye(4)[None])
    even = layer.balance.item()
    layer(torch.eye(4)[None, [0, 0, 0, 0]])
    assert even == pytest.approx(1, abs=1e-3)
    assert layer.balance.item() == pytest.approx(4, abs=1e-3)


def test_a_model_with_experts_learns_and_its_balance_counts():
    torch.manual_seed(1)
    model = AnnotationModel(config_from_settings({**TINY, "expert_count": 3}, vocab_size=64))
    bases = torch.randint(0, 5, (2, 96))
    token_of_base = (torch.arange(96) // 4).expand(2, 96)
    output = model(bases, torch.randint(10, 64, (2, 24)), token_of_base, torch.tensor([[7, 8], [7, 8]]))
    (output.states.logsumexp(-1).sum() + model.encoder.balance_loss()).backward()
    assert all(layer.feed_forward.router.weight.grad.abs().sum() > 0 for layer in model.encoder.layers)
    # As a validation during training does it.
    copied = for_inference(model, ["structure"], torch.device("cpu"), torch.float32)
    assert torch.equal(copied.encoder.embedding.weight, model.encoder.embedding.weight)
    plain = AnnotationModel(config_from_settings(TINY, vocab_size=64))
    assert float(plain.encoder.balance_loss()) == 0


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("reach", [1, 5, 200])
def test_sums_in_frame_are_those_of_a_loop(step, reach):
    coding = torch.from_numpy(np.random.default_rng(2).normal(size=(2, 40, 3)))
    found = sums_in_frame(cumulative_by_frame(coding, step), step, reach)
    expected = torch.zeros(2, 40, 6, dtype=coding.dtype)
    for i in range(40):
        for codon_position in range(3):
            for j in range(max(0, i - reach + 1), i + 1):
                expected[:, i, codon_position] += coding[:, j, (codon_position + step * (j - i)) % 3]
            for j in range(i, min(40, i + reach)):
                expected[:, i, 3 + codon_position] += coding[:, j, (codon_position + step * (j - i)) % 3]
    torch.testing.assert_close(found, expected * SUM_SCALE / reach**0.5)
    assert len(REACHES) == 2
