"""The regulatory head: the same on either strand, whatever bins are read together, and its files."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from phytoscribe.errors import ModelError
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.regulatory import (
    TRUNK_CELL,
    Calibration,
    RegulatoryConfig,
    RegulatoryHead,
    load_head,
    save_head,
)

SMALL = {"filters": 12, "motif": 9, "width": 16, "hidden": 8}


def made(trunk: int = 0, bins: int = 3, **more) -> tuple[RegulatoryHead, torch.Tensor, torch.Tensor | None]:
    """A head with random weights everywhere, bases with some N, and features of the trunk."""
    generator = torch.manual_seed(4)
    config = RegulatoryConfig(("A", "B", "C"), trunk_channels=trunk, **SMALL, **more)
    head = RegulatoryHead(config, [0.1, 0.02, 0.5]).eval()
    for parameter in head.parameters():
        if not parameter.any() or parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    length = bins * config.bin + 2 * config.margin
    bases = torch.randint(0, 5, (2, length), generator=generator)
    cells = torch.randn(2, length // TRUNK_CELL, trunk, generator=generator) if trunk else None
    return head, bases, cells


def complement(bases: torch.Tensor) -> torch.Tensor:
    return torch.where(bases == 4, 4, 3 - bases).flip(1)


@pytest.mark.parametrize(("trunk", "surroundings"), [(0, 0), (6, 0), (0, 400), (6, 400)])
@torch.no_grad()
def test_both_strands_say_the_same(trunk, surroundings):
    head, bases, cells = made(trunk, surroundings=surroundings)
    turned = head(complement(bases), None if cells is None else cells.flip(1))
    assert head(bases, cells).std() > 0.1
    assert (head(bases, cells) - turned.flip(1)).abs().max() < 1e-5
    head, bases = head.double(), bases
    cells = None if cells is None else cells.double()
    turned = head(complement(bases), None if cells is None else cells.flip(1))
    assert (head(bases, cells) - turned.flip(1)).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("width", "context", "surroundings"), [(200, 100, 0), (50, 0, 0), (100, 250, 0), (200, 100, 600), (50, 0, 200)]
)
@torch.no_grad()
def test_bins_do_not_depend_on_those_read_with_them(width, context, surroundings):
    head, bases, _ = made(bin=width, context=context, surroundings=surroundings, bins=5)
    margin = head.config.margin
    whole = head(bases)
    for number in range(5):
        alone = head(bases[:, number * width : (number + 1) * width + 2 * margin])
        assert (alone[:, 0] - whole[:, number]).abs().max() < 1e-5
    # No base beyond the margin is read, and the margin's inner bases are.
    other = bases.clone()
    other[:, : margin - max(context + 70, surroundings + 2)] = 0
    assert torch.allclose(head(other), whole)
    other[:, margin - context - 30 : margin] = 0
    assert not torch.allclose(head(other)[:, 0], whole[:, 0])


@torch.no_grad()
def test_words_are_counted_around_each_bin_on_both_strands():
    head, bases, _ = made(surroundings=400, bins=2)
    config, words = head.config, head.surroundings
    assert config.reaches == (100, 100, 400)
    sums = head.words(bases)
    text = ["".join("ACGTN"[base] for base in row) for row in bases.tolist()]
    for number, reach in itertools.product(range(2), range(3)):
        start = config.margin + number * config.bin - config.reaches[reach]
        end = start + config.bin + 2 * config.reaches[reach]
        for word in ("ACGT", "AAAA", "GCAT"):
            column = words.column[sum(4**place * "ACGT".index(base) for place, base in enumerate(word[::-1]))]
            other = word[::-1].translate(str.maketrans("ACGT", "TGCA"))
            for row, found in zip(text, sums[:, number, reach, column].tolist(), strict=True):
                at = [n for n in range(len(row)) if row[n : n + 4] in (word, other)]
                assert found == sum(0.5 * ((start <= n + 1 < end) + (start <= n + 2 < end)) for n in at)
    assert torch.equal(words.sums_of(head.stem.one_hot(bases), config.margin), sums)


@torch.no_grad()
def test_words_near_a_bin_and_beyond_are_all():
    head, bases, _ = made(surroundings=400, bins=1)
    near = head.near(bases)
    assert near.shape[1] == head.config.bin + 2 * head.config.near
    beyond = head.words_beyond(bases, near)
    assert torch.equal(beyond + head.surroundings.sums(near, head.config.near), head.words(bases))
    changed = bases.clone()
    changed[:, 20:60] = 0
    assert torch.equal(head.words_beyond(changed, near), head.words(changed) - head.words(bases) + beyond)


@torch.no_grad()
def test_counts_at_the_end_of_a_contig_are_brought_to_the_scale_of_whole_stretches():
    head, _, _ = made(surroundings=2000, bins=1)
    bases = torch.tensor([[0, 3]]).repeat(1, (head.config.bin + 2 * head.config.margin) // 2)
    cut = bases.clone()
    cut[:, : head.config.margin] = 4
    whole, half = (head.surroundings(head.words(x)) for x in (bases, cut))
    assert torch.allclose(whole, half, atol=0.02)
    assert head.surroundings(head.words(torch.full_like(bases, 4))).isfinite().all()


@torch.no_grad()
def test_a_closed_gate_lets_nothing_of_the_trunk_through():
    head, bases, cells = made(6)
    head.gate.zero_()
    assert torch.equal(head(bases, cells), head(bases, 3 * cells))
    fresh = RegulatoryHead(RegulatoryConfig(("A",), trunk_channels=6, **SMALL), [0.1])
    assert fresh.gate.item() == 0


@torch.no_grad()
def test_an_untrained_head_answers_with_the_frequencies():
    head = RegulatoryHead(RegulatoryConfig(("A", "B"), **SMALL), [0.25, 0.01]).eval()
    torch.nn.init.zeros_(head.sites.weight)
    bases = torch.randint(0, 4, (1, 200 + 2 * head.config.margin))
    assert torch.allclose(head(bases).sigmoid()[0, 0], torch.tensor([0.25, 0.01]))


def test_the_stem_is_a_convolution_of_both_strands_and_a_maximum():
    torch.manual_seed(2)
    stem = MotifStem(5, 7, 10).double()
    torch.nn.init.normal_(stem.bias)
    bases = torch.randint(0, 5, (3, 40))
    given = stem.one_hot(bases).requires_grad_()
    one_hot = given.transpose(1, 2)
    filters = stem.weight.transpose(1, 2)
    both = [torch.conv1d(one_hot, f, padding=3) for f in (filters, filters.flip(1, 2))]
    pooled = torch.nn.functional.max_pool1d(torch.maximum(*both), 10) + stem.bias[:, None]
    wanted = torch.nn.functional.elu(pooled).transpose(1, 2)
    found = stem(bases)
    assert torch.allclose(found, wanted)
    weights = torch.randn_like(found)
    expected = torch.autograd.grad((wanted * weights).sum(), stem.weight, retain_graph=True)[0]
    assert torch.allclose(torch.autograd.grad((found * weights).sum(), stem.weight)[0], expected, atol=1e-5)
    # Of the bases too, which attributions ask for.
    of_bases = [torch.autograd.grad((x * weights).sum(), given)[0] for x in (wanted, stem.matches(given))]
    assert of_bases[0].abs().max() > 0.01
    assert torch.allclose(*of_bases, atol=1e-5)


def test_a_saved_head_is_the_same_in_half_precision(tmp_path):
    head, bases, _ = made()
    calibration = Calibration(
        *(np.array(x) for x in ([1.0, 2.0, 0.5], [0.0, -1.0, 0.3], [0.4, np.nan, 0.9], [0.3, 0.2, np.nan]))
    )
    save_head(head, calibration, {"structure_model": None, "called_precision": 0.5}, tmp_path)
    again, read, report = load_head(tmp_path)
    assert again.config == head.config
    assert report["structure_model"] is None
    np.testing.assert_array_equal(read.cut, calibration.cut)
    np.testing.assert_array_equal(read.auprc, calibration.auprc)
    assert "NaN" not in (tmp_path / REGULATORY_FILES[0]).read_text()
    with torch.no_grad():
        assert (again(bases) - head(bases)).abs().max() < 0.05
        logits = again(bases).numpy()
    assert np.allclose(read.probabilities(logits), 1 / (1 + np.exp(-(read.slope * logits + read.offset))), atol=1e-6)


def test_a_damaged_or_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"regulatory\.json: missing"):
        load_head(tmp_path)
    head, _, _ = made()
    line = Calibration(*(np.ones(3) for _ in range(4)))
    save_head(head, line, {}, tmp_path)
    path = tmp_path / REGULATORY_FILES[1]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"regulatory\.safetensors: cannot be read"):
        load_head(tmp_path)
    (tmp_path / REGULATORY_FILES[0]).write_text("{")
    with pytest.raises(ModelError, match=r"regulatory\.json: cannot be read"):
        load_head(tmp_path)
