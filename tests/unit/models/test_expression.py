"""The expression head: what its output is by construction, and its files."""

import itertools

import pytest
import torch

from phytoscribe.errors import ModelError
from phytoscribe.models.expression import BIN, ExpressionConfig, ExpressionHead, load_heads, save_heads

SIZES = {"pieces": 2, "piece": 200, "filters": 8, "width": 12}
CONFIG = ExpressionConfig(("leaf", "root", "bud"), (4.0, 5.0, 3.0), (0.1, 0.2, 0.3), 1.5, **SIZES)


@pytest.fixture
def bases():
    return torch.randint(0, 5, (4, 2, 200), generator=torch.Generator().manual_seed(1))


def head(seed=1, **more) -> ExpressionHead:
    torch.manual_seed(seed)
    return ExpressionHead(ExpressionConfig(**{**vars(CONFIG), **more})).eval()


@pytest.mark.parametrize("stretch", [0, 100, 150])
def test_deviations_sum_to_zero_and_a_gene_does_not_depend_on_its_batch(bases, stretch):
    network = head(stretch=stretch)
    for layer in (network.deviation, network.level, network.expressed):
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias)
    output = network(bases)
    assert output.deviation.abs().max() > 0.1
    torch.testing.assert_close(output.deviation.sum(dim=1), torch.zeros(4), atol=1e-5, rtol=0)
    expected = network.expected(output)
    for row in range(4):
        alone = network(bases[row : row + 1])
        torch.testing.assert_close(network.expected(alone)[0], expected[row], atol=1e-5, rtol=0)


def test_expected_level_lies_between_silent_and_expressed(bases):
    network = head()
    output = network(bases)
    silent, level = (
        torch.tensor(CONFIG.silent),
        torch.tensor(CONFIG.means) + 1.5 * (output.level[:, None] + output.deviation),
    )
    for odds, wanted in ((-40.0, silent.expand(4, 3)), (40.0, level), (0.0, (silent + level) / 2)):
        told = output._replace(expressed=torch.full((4, 3), odds))
        torch.testing.assert_close(network.expected(told), wanted)


def test_words_are_counted_in_each_stretch_on_the_strand_of_the_gene(bases):
    network = head(stretch=150)
    text = [["".join("ACGTN"[base] for base in piece) for piece in gene] for gene in bases.tolist()]
    matches = network.matches(bases)
    counts = matches[..., 2 * CONFIG.filters :]
    number = {"".join(word): place for place, word in enumerate(itertools.product("ACGT", repeat=3))}
    for gene, piece, start in itertools.product(range(4), range(2), range(0, 200, BIN)):
        found = counts[gene, piece, start // BIN]
        for word in ("ACG", "AAA", "TCA"):
            assert found[number[word]] == sum(
                text[gene][piece][at : at + 3] == word for at in range(start, start + BIN)
            )
    roots = network.word_roots(counts).unflatten(1, (2, 2, -1))
    assert roots.shape == (4, 2, 2, 4 + 16 + 64)
    # The last stretch of a piece is what is left of it; shorter words are those at the start of longer ones.
    whole = torch.stack([counts[:, :, :3].sum(dim=2), counts[:, :, 3]], dim=2)
    torch.testing.assert_close(roots[..., 20:] ** 2 - 0.375, whole, atol=1e-4, rtol=0)
    torch.testing.assert_close(roots[..., 0] ** 2 - 0.375, whole[..., :16].sum(dim=-1), atol=1e-4, rtol=0)
    # Once they are scaled by genes, those have a mean of zero.
    network.measure_words(bases)
    torch.testing.assert_close(network.words.mean, network.word_roots(counts).mean(dim=0))
    assert network.words.spread.min() > 0
    # What they add does not depend on the motifs.
    other = head(seed=2, stretch=150)
    other.load_state_dict(network.state_dict() | {"stem.bias": network.stem.bias - 9})
    assert torch.equal(other.matches(bases)[..., 2 * CONFIG.filters :], counts)
    assert not torch.allclose(head().read(matches[..., : 2 * CONFIG.filters]).level, network.read(matches).level)


def test_the_encoder_does_nothing_until_the_gate_opens(bases):
    network = head(trunk_channels=6)
    trunk = torch.randn(4, 2, 4, 6)
    closed = network(bases, trunk)
    torch.testing.assert_close(network(bases, torch.zeros_like(trunk)), closed)
    network.gate.data.fill_(1.0)
    assert not torch.allclose(network(bases, trunk).level, closed.level)
    with pytest.raises(ValueError, match="needs the trunk's features"):
        network(bases)


def test_all_seeds_come_back(tmp_path, bases):
    heads = [head(seed) for seed in (1, 2)]
    for network in heads:
        network.load_state_dict({name: x.half().float() for name, x in network.state_dict().items()})
    save_heads(heads, {"unit": "TPM"}, tmp_path)
    found, report = load_heads(tmp_path)
    assert report["unit"] == "TPM"
    assert [network.config for network in found] == [CONFIG, CONFIG]
    for one, other in zip(heads, found, strict=True):
        torch.testing.assert_close(one(bases), other(bases))
    text = (tmp_path / "expression.json").read_text()
    (tmp_path / "expression.json").write_text(text.replace('"width": 12', '"width": 16'))
    with pytest.raises(ModelError, match=r"expression\.safetensors: cannot be read"):
        load_heads(tmp_path)
    (tmp_path / "expression.json").unlink()
    with pytest.raises(ModelError, match=r"expression\.json: missing; an expression head has"):
        load_heads(tmp_path)
    with pytest.raises(ModelError, match="no multiple of 50"):
        head(piece=210)
