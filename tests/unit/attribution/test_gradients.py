"""Attributions add up, are the same for either strand, and agree with changing the bases themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.attribution import attribute
from phytoscribe.attribution.attribute import HeadAtSites, Site, agreement, check_attribution
from phytoscribe.attribution.gradients import grad_cam, integrated_gradients
from phytoscribe.attribution.mutagenesis import (
    WholeModel,
    change_when_shuffled,
    effects,
    logits_of_variants,
    shuffled_dinucleotides,
    trunk_of_pieces,
    variants,
)
from phytoscribe.genome import Genome
from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.models.regulatory import TRUNK_CELL, RegulatoryConfig, RegulatoryHead, load_head
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.prediction.windows import ContigSequence, PredictionSettings
from phytoscribe.training.tasks.regulatory.windows import RegulatoryData

RELEASED = Path(__file__).parents[3] / "resources/models/brassicales"

SMALL = {"filters": 8, "motif": 9, "width": 8, "hidden": 8, "bin": 100, "context": 50}
SITE = encode("ACGTGGCA")


def random_head(trunk: int = 0, surroundings: int = 0) -> RegulatoryHead:
    generator = torch.manual_seed(5)
    config = RegulatoryConfig(("A", "B"), trunk_channels=trunk, surroundings=surroundings, **SMALL)
    head = RegulatoryHead(config, [0.1, 0.2]).eval()
    for parameter in head.parameters():
        if not parameter.any() or parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    return head.requires_grad_(False)


def sequences(head: RegulatoryHead, count: int, flank: int = 0) -> np.ndarray:
    length = head.config.bin + 2 * (head.config.margin + flank)
    return np.random.default_rng(2).integers(0, 4, (count, length)).astype(np.uint8)


@pytest.mark.parametrize("surroundings", [0, 400])
def test_contributions_add_up_to_the_change_from_the_baseline(surroundings):
    head = random_head(surroundings=surroundings)
    bases, far = sequences(head, 3), head.config.far
    assert (far > 0) == (surroundings > 0)
    bases[0, far + 20 : far + 40] = 4
    coarse, fine = (integrated_gradients(head, bases, 1, steps) for steps in (4, 128))
    assert np.median(fine.gap) < 0.02
    assert np.median(fine.gap) < np.median(coarse.gap)
    assert fine.contribution.shape == bases.shape
    assert not fine.contribution[0, far + 20 : far + 40].any(), "an N contributes nothing"
    assert np.abs(fine.hypothetical.mean(axis=2)).max() < 1e-5
    rows, places = np.nonzero(bases < 4)
    assert not fine.contribution[:, :far].any(), "words far away are held"
    own = fine.hypothetical[rows, places, bases[rows, places]]
    assert np.allclose(own, fine.contribution[rows, places], atol=1e-5)


@pytest.mark.parametrize(("trunk", "surroundings"), [(0, 0), (3, 0), (0, 400), (3, 400)])
def test_both_strands_are_attributed_alike(trunk, surroundings):
    head = random_head(trunk, surroundings)
    bases = sequences(head, 2)
    turned = np.stack([reverse_complement(row) for row in bases])
    cells = np.random.default_rng(1).normal(size=(2, bases.shape[1] // TRUNK_CELL, trunk)).astype(np.float32)
    given, other = (cells, np.ascontiguousarray(cells[:, ::-1])) if trunk else (None, None)
    forward, backward = integrated_gradients(head, bases, 0, 8, given), integrated_gradients(head, turned, 0, 8, other)
    assert np.abs(forward.contribution).max() > 1e-3
    assert np.allclose(forward.contribution, backward.contribution[:, ::-1], atol=1e-5)
    assert np.allclose(forward.hypothetical, backward.hypothetical[:, ::-1, ::-1], atol=1e-5)
    cam = grad_cam(head, bases, 0, given)
    assert cam.std() > 1e-3
    assert np.allclose(cam, grad_cam(head, turned, 0, other)[:, ::-1], atol=1e-4)


@pytest.mark.parametrize("surroundings", [0, 400])
def test_effects_are_those_of_single_changes(surroundings):
    head = random_head(surroundings=surroundings)
    piece = sequences(head, 1)[0]
    piece[head.config.margin + 3] = 4
    found = effects(WholeModel(head), piece)
    assert found.shape == (head.config.bin, 2)
    assert np.abs(found[3]).max() < 1e-5, "an N has no other bases"

    def logits(bases: np.ndarray) -> np.ndarray:
        return head(torch.from_numpy(bases.astype(np.int64))[None])[0, 0].numpy()

    for place in (0, 57, head.config.bin - 1):
        changed = []
        for base in range(4):
            other = piece.copy()
            other[head.config.margin + place] = base
            changed.append(logits(other))
        own = piece[head.config.margin + place]
        wanted = logits(piece) - np.mean([changed[base] for base in range(4) if base != own], axis=0)
        assert np.allclose(found[place], wanted, atol=1e-5)


MADE = [lambda: random_head(), lambda: random_head(surroundings=400), lambda: load_head(RELEASED / "regulatory")[0]]


@pytest.mark.parametrize("made", MADE)
def test_reading_only_what_a_base_reaches_changes_nothing(made):
    head = made()
    model, margin = WholeModel(head), head.config.margin
    piece = sequences(head, 1)[0]
    piece[margin - 15 : margin + 2] = 4
    changed = variants(piece, range(margin, margin + head.config.bin))
    whole, near = model.logits(changed), logits_of_variants(head, piece, changed)
    own = model.logits(piece[None])[0]
    assert np.abs(whole - own).max() > 0.1
    assert np.allclose(whole, near, atol=2e-5)
    ranks = np.array([agreement(a, b) for a, b in zip((whole - own).T, (near - own).T, strict=True)])
    assert ranks.min() > 0.9999


def test_labels_are_drawn_the_same_sites_and_each_is_mutated_once(monkeypatch):
    head = random_head()
    at = Planted(head, RegulatoryData([], ("A", "B")), ["A", "B"], None, None)
    places = [Site(0, "c", n, n + 5) for n in range(40)]
    drawn = at.drawn(places, 7, 3)
    assert drawn == sorted(drawn)
    assert at.drawn(places[::2], 20, 3) == places[::2]
    assert set(at.drawn(places[::2], 7, 3)) >= set(drawn) & set(places[::2])
    assert at.drawn(places, 7, 4) != drawn
    calls = []
    real = attribute.effects
    monkeypatch.setattr(attribute, "effects", lambda *given: calls.append(1) or real(*given))
    two = check_attribution(at, [WholeModel(head)], 4, 3, 1)
    assert len(calls) == 3
    only = Planted(head, at.data, ["B"], None, None)
    alone = check_attribution(only, [WholeModel(head)], 4, 3, 1)
    assert two[two["label"] == "B"].reset_index(drop=True).equals(alone)


def test_variants_are_all_other_bases():
    made = variants(np.array([0, 3, 4, 1], dtype=np.uint8), range(1, 4))
    assert made[:, 0].tolist() == [0] * 9
    assert [sorted(made[3 * n : 3 * n + 3, n + 1].tolist()) for n in range(3)] == [[0, 1, 2], [4, 4, 4], [0, 2, 3]]


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 9))
def test_shuffled_sequences_have_the_same_dinucleotides(codes, seed):
    bases = np.array(codes, dtype=np.uint8)
    found = shuffled_dinucleotides(bases, np.random.default_rng(seed))
    pairs = [sorted(zip(row[:-1].tolist(), row[1:].tolist(), strict=True)) for row in (bases, found)]
    assert pairs[0] == pairs[1]
    assert (found[0], found[-1]) == (bases[0], bases[-1])


class CountsSites:
    """A trunk with one channel: how many sites of a word begin in a cell.  No gradient passes through it."""

    def __init__(self, word: np.ndarray = SITE) -> None:
        self.word = word

    def __call__(self, pieces: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(pieces, self.word.size, axis=1)
        begins = np.pad((windows == self.word).all(axis=2), ((0, 0), (0, self.word.size - 1)))
        return begins.reshape(len(pieces), -1, TRUNK_CELL).sum(axis=2)[:, :, None].astype(np.float32)


class Planted(HeadAtSites):
    """A head at sites of made sequences."""

    def pieces(self, sites, flank=0):
        made = np.concatenate([sequences(self.head, 4, flank)[[site.start]] for site in sites])
        middle = made.shape[1] // 2
        made[:, middle : middle + SITE.size] = SITE
        return made

    def sites(self, parts):
        return {label: [Site(0, "c", n, n + self.column(label)) for n in range(4)] for label in self.chosen}


def checked(head: RegulatoryHead, trunk=None):
    at = Planted(head, RegulatoryData([], ("A", "B")), ["A"], None, None)
    table = check_attribution(at, [WholeModel(head, trunk)], 16, 4, 1)
    assert set(table["n"]) == {4}
    return table.set_index("measure")["value"]


def test_an_attribution_that_mutagenesis_contradicts_is_marked():
    # The stem finds the site, and nothing else counts.
    told = random_head()
    told.stem.weight.zero_()
    told.stem.weight[0, :8] = 4.0 * (torch.nn.functional.one_hot(torch.from_numpy(SITE.astype(np.int64)), 4) - 0.25)
    told.stem.bias.fill_(-2.0)
    for layer in (told.sites, told.around):
        layer.weight.zero_()
    told.motifs.weight.zero_()
    told.motifs.weight[0, 0] = 1.0
    found = checked(told)
    assert found["mutagenesis_spearman"] > 0.5
    assert found["reliable"] == 1
    assert found["share_explained"] == 1
    # The trunk counts words that are everywhere; the stem, which alone has a gradient, is noise.
    hidden = random_head(trunk=1)
    hidden.gate.fill_(1.0)
    hidden.motifs.weight.zero_()
    torch.nn.init.normal_(hidden.trunk.weight, std=20.0, generator=torch.manual_seed(1))
    found = checked(hidden, CountsSites(SITE[:2]))
    assert found["mutagenesis_spearman"] < 0.5
    assert found["reliable"] == 0
    assert found["share_explained"] < 0.5


def test_the_trunk_of_the_sequence_itself_is_held_for_the_stem_alone():
    head = random_head(trunk=1)
    head.gate.fill_(1.0)
    model = WholeModel(head, CountsSites())
    piece = sequences(head, 1, model.flank)[0]
    change = change_when_shuffled(model, piece, 4, np.random.default_rng(0))
    assert np.allclose(change.stem, change.whole, atol=1e-5), "without a site the trunk says the same of both"
    piece[piece.size // 2 : piece.size // 2 + SITE.size] = SITE
    change = change_when_shuffled(model, piece, 4, np.random.default_rng(0))
    assert np.abs(change.stem - change.whole).max() > 0.01


def test_the_trunk_of_a_piece_is_that_of_a_contig_of_its_own(arabidopsis_fasta):
    settings = PredictionSettings(precision="float32")
    reader = trunk_reader(RELEASED, "cpu", 1, ("", ""), settings)
    with Genome(arabidopsis_fasta) as genome:
        pieces = np.stack([genome.bases("Chr1", start, start + 1500) for start in (60_000, 90_000)])
    found = trunk_of_pieces(reader)(pieces)
    assert found.shape == (2, 1500 // TRUNK_CELL, reader.network.channels)
    for own, bases in zip(found, pieces, strict=True):
        (piece,) = reader.pieces(ContigSequence.of("", bases))
        both = np.add(*piece.features, dtype=np.float32) / 2
        wanted = both.reshape(-1, TRUNK_CELL, both.shape[1]).mean(axis=1)
        # Not the same: a contig is filled up with N.
        varied = [(cells - cells.mean(axis=0)).ravel() for cells in (own, own[::-1], wanted)]
        alike, turned, _ = np.corrcoef(varied)[2]
        assert alike > 0.9 > 0.5 > turned


def test_what_ranks_nothing_agrees_with_nothing():
    assert agreement(np.ones(5), np.arange(5.0)) == 0.0
    assert agreement(np.array([1.0, -2.0, 3.0]), np.array([-0.1, 0.2, 0.5])) == pytest.approx(1.0)
