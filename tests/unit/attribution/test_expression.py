"""What expression heads look at: short cuts equal the whole way, sums are complete, shuffles move no structure."""

from __future__ import annotations

import numpy as np
import pyBigWig
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.gene_database import Span
from phytoscribe.attribution import explained_heads
from phytoscribe.attribution.explained_heads import ExplainedHeads, ReadGene, importance
from phytoscribe.attribution.expression import (
    CHANGED,
    WORD,
    GenesToExplain,
    agreement_before_tss,
    changes_when_shuffled,
    drawn_genes,
    explain_genes,
    shuffled_stretches,
    shuffled_words,
    words_of,
)
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.features import gc_of
from phytoscribe.expression.windows import GeneWindow, WindowSettings
from phytoscribe.genome.sequence import N_CODE, encode
from phytoscribe.models.expression import BIN, ExpressionConfig, ExpressionHead, save_heads
from phytoscribe.tracks.bigwig import write_base_bigwig

SETTINGS = WindowSettings("gene", 250, 100)
PIECE, MOTIF = SETTINGS.piece, encode("ACGTGGCA")


def trunk(pieces):
    """Features of pieces in which every bin depends on every base, as those of the structure model's tokens do."""
    bins = 10 * (pieces.reshape(len(pieces), -1, BIN) % 3).mean(axis=2)
    return np.stack([bins - bins.mean(axis=1, keepdims=True), np.cumsum(bins, axis=1) / 7], axis=2).astype(np.float32)


def heads_of(with_trunk: bool, column: int | None = None, filters: int = 4, stretch: int = 100) -> ExplainedHeads:
    """Two heads for two tissues with the same motifs, MOTIF among them."""
    sizes = {"pieces": 2, "piece": PIECE, "filters": filters, "motif": 9, "width": 16, "trunk_channels": 2 * with_trunk}
    sizes["stretch"] = stretch
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = ExpressionHead(ExpressionConfig(("leaf", "root"), (4.0, 5.0), (0.2, 0.3), 1.5, **sizes))
        for layer in (network.level, network.deviation, network.expressed):
            torch.nn.init.normal_(layer.weight, std=0.5)
        # Far from saturation, so that what a motif adds is seen at the end.
        network.mix.linear.weight.data *= 0.1
        torch.nn.init.normal_(network.place)
        if with_trunk:
            network.gate.data.fill_(2.0)
        if networks:
            network.stem.load_state_dict(networks[0].stem.state_dict())
        network.stem.start_from(torch.eye(4)[np.append(MOTIF, 0)][None])
        networks.append(network.eval().requires_grad_(False))
    return ExplainedHeads(networks, SETTINGS, column, trunk if with_trunk else None)


def windows_of(count: int, seed: int = 1):
    """Windows with the motif somewhere before the TSS, a codon of N, and one that begins beyond the contig."""
    generator = np.random.default_rng(seed)
    bases = generator.integers(0, 4, (count, 2, PIECE)).astype(np.uint8)
    for row in range(count):
        at = int(generator.integers(60, 240))
        bases[row, 0, at : at + len(MOTIF)] = MOTIF
    bases[:, 0, 270:273] = N_CODE
    bases[0, 0, :31] = N_CODE
    return bases


HEADS = {with_trunk: heads_of(with_trunk) for with_trunk in (False, True)}


@given(
    with_trunk=st.booleans(), piece=st.integers(0, 1), first=st.integers(0, PIECE - 1), length=st.integers(1, 60),
    seed=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_what_a_change_reaches_is_all_that_need_be_read_again(with_trunk, piece, first, length, seed):
    heads, bases = HEADS[with_trunk], windows_of(1, seed)[0]
    last = min(PIECE, first + length)
    changed = np.repeat(bases[piece][None], 3, axis=0)
    changed[:, first:last] = np.random.default_rng(seed).integers(0, 5, (3, last - first))
    whole = np.repeat(bases[None], 3, axis=0)
    whole[:, piece] = changed
    np.testing.assert_allclose(
        ReadGene(heads, bases).changed(piece, changed, first, last), heads.levels(whole), atol=2e-5
    )


@pytest.mark.parametrize("with_trunk", [False, True])
def test_contributions_add_up_to_the_change_from_the_baseline(with_trunk):
    heads, bases = HEADS[with_trunk], windows_of(6)
    found = heads.integrated_gradients(bases, 64)
    assert np.median(found.gap) < 0.03
    assert (found.contribution.reshape(bases.shape)[bases == N_CODE] == 0).all()
    alone = heads.integrated_gradients(bases[4:5], 64)
    np.testing.assert_allclose(alone.contribution[0], found.contribution[4], atol=1e-5)


def test_one_tissue_or_their_mean():
    bases = windows_of(3)
    mean, leaf, root = (heads_of(False, column).levels(bases) for column in (None, 0, 1))
    assert np.abs(leaf - root).min() > 0.01
    np.testing.assert_allclose((leaf + root) / 2, mean, atol=1e-5)


def test_attribution_and_mutagenesis_find_a_motif_where_nothing_goes_past_the_stem():
    heads, bases, agreements = heads_of(False, filters=1, stretch=0), windows_of(6), []
    for own in bases:
        gene, found = ReadGene(heads, own), heads.integrated_gradients(own[None], 32)
        effects, contribution = gene.effects(range(60, 250)), found.contribution[0, 60:250]
        at = next(k for k in range(60, 243) if (own[0, k : k + 8] == MOTIF).all()) - 60
        inside = (np.arange(190) >= at) & (np.arange(190) < at + 8)
        for values in (effects, contribution):
            assert np.abs(values[inside]).mean() > 3 * np.abs(values[~inside]).mean()
        agreements.append(agreement_before_tss(gene, found))
    assert np.median(agreements) > 0.5, agreements
    effects = ReadGene(HEADS[False], bases[3]).effects(range(SETTINGS.upstream - CHANGED, SETTINGS.upstream))
    assert effects.shape == (CHANGED,)
    other = bases[3].copy()
    place = SETTINGS.upstream - 70
    losses = []
    for base in {0, 1, 2, 3} - {int(other[0, place])}:
        other[0, place] = base
        losses.append(HEADS[False].levels(bases[3][None])[0] - HEADS[False].levels(other[None])[0])
    assert effects[CHANGED - 70] == pytest.approx(np.mean(losses), abs=2e-5)


def test_the_share_explained_is_lower_where_a_trunk_reads_too():
    generator, gene = np.random.default_rng(1), windows_of(1)[0]
    stem, whole = changes_when_shuffled(ReadGene(HEADS[False], gene), generator)
    assert stem == whole
    stem, whole = changes_when_shuffled(ReadGene(HEADS[True], gene), generator)
    assert abs(stem - whole) > 0.01


@given(seed=st.integers(0, 99), piece=st.integers(0, 1), name=st.sampled_from(["gene", "flanks"]))
@settings(max_examples=12, deadline=None)
def test_shuffled_words_leave_structure_gc_and_unknown_bases_alone(seed, piece, name):
    how = WindowSettings(name, 250, 100)
    bases = windows_of(1, seed)[:, :, : how.piece]
    starts = words_of(how, piece)
    boundary = how.upstream if piece == 0 else how.inside
    assert boundary in {*starts, starts[-1] + WORD, starts[0]}
    made = shuffled_words(bases[0, piece], starts, np.random.default_rng(seed))
    windows = np.repeat(bases, len(starts), axis=0)
    windows[:, piece] = made
    np.testing.assert_array_equal(gc_of(windows, how.upstream), np.repeat(gc_of(bases, how.upstream), len(starts), 0))
    for row, start in enumerate(starts):
        outside = np.ones(how.piece, dtype=bool)
        outside[start : start + WORD] = False
        np.testing.assert_array_equal(made[row, outside], bases[0, piece, outside])
        np.testing.assert_array_equal(made[row] == N_CODE, bases[0, piece] == N_CODE)
    stretched = shuffled_stretches(bases[0, piece], np.random.default_rng(seed))
    np.testing.assert_array_equal(stretched == N_CODE, bases[0, piece] == N_CODE)
    np.testing.assert_array_equal(np.bincount(stretched), np.bincount(bases[0, piece]))


def test_tables_of_explained_genes():
    names = [f"g{n}" for n in range(9)]
    genes = [
        GenesToExplain(HEADS[False], genome, "test", names, windows_of(9, seed)) for seed, genome in enumerate("ab")
    ]
    drawn = drawn_genes(genes, 6, 1)
    assert sum(len(own.names) for own in drawn) == 6
    alone = drawn_genes([own._replace(names=own.names[:5], bases=own.bases[:5]) for own in genes], 4, 1)
    again = {(own.genome, name) for own in drawn for name in own.names if int(name[1]) < 5}
    assert again <= {(own.genome, name) for own in alone for name in own.names}, "others do not change who is drawn"
    few = drawn_genes(genes, 3, 1)
    found = explain_genes(few, "mean", 16, 1, lambda features: features[:, :2] * 0.1)
    trust = found.trust.set_index("measure")
    assert list(trust["n"]) == [3] * 4
    assert set(trust["model"] + trust["label"] + trust["subset"]) == {"expressionmeantest"}
    assert trust.loc["share_explained", "value"] == 1
    assert trust.loc["reliable", "value"] == (trust.loc["mutagenesis_spearman", "value"] >= 0.5)
    profile = found.profile
    tss = profile[(profile["end"] == "TSS") & (profile["model"] == "head")]
    assert list(tss["distance"]) == sorted(tss["distance"])
    assert {0, -WORD} <= set(tss["distance"])
    assert set(profile["end"]) == {"TSS", "TTS"}
    assert set(profile["model"]) == {"head", "window_kmers"}
    assert (profile["low"] <= profile["value"]).all()
    assert tss["n"].max() == 3
    pairs = explain_genes(few[::-1], "mean", 16, 1).profile
    np.testing.assert_allclose(
        pairs.loc[pairs["end"] == "TSS", "value"], tss["value"], atol=1e-12, err_msg="the order of genes does not count"
    )
    with pytest.raises(PhytoScribeError, match=r"there is nothing to explain; set attribution\.genes to 0"):
        explain_genes([], "mean", 16, 1)


def test_a_track_must_be_of_a_tissue_that_the_heads_know(tmp_path):
    report = {"structure_model": None, "windows": {"input": "gene", "upstream": 250, "downstream": 100}}
    save_heads(HEADS[False].networks, report, tmp_path)
    given = (tmp_path, None)
    assert ExplainedHeads.load(*given, "root", ("a", "b"), "cpu", 1).column == 1
    assert ExplainedHeads.load(*given, "mean", ("a", "b"), "cpu", 1).column is None
    with pytest.raises(PhytoScribeError, match=r"expression.track: 'stem' is no tissue of .*\(leaf, root\), or mean"):
        ExplainedHeads.load(*given, "stem", ("a", "b"), "cpu", 1)


@pytest.mark.parametrize("together", [50, 1])
def test_importance_stands_where_the_bases_are(tmp_path, monkeypatch, together):
    """Of two genes on opposite strands whose windows meet, and one that is cut by the contig's start."""
    spans = [("a", 150, 900, "+"), ("b", 1100, 2000, "-")]
    windows = []
    for name, start, end, strand in spans:
        left = (max(0, start - 250), start + 100)
        right = (end - 100, end + 250)
        pieces = (left, right) if strand == "+" else (right, left)
        windows.append(GeneWindow(Span(name, "c1", start, end, strand), pieces, (max(0, 250 - start), 0)))
    bases = windows_of(2, 4)
    bases[0, 0, :31], bases[0, 0, :100] = 1, N_CODE
    monkeypatch.setattr(explained_heads, "_GENES", together)
    runs = list(importance(HEADS[False], windows, bases, 8))
    assert [(contig, start, start + len(values)) for contig, start, values in runs] == [
        ("c1", 0, 250), ("c1", 800, 1200), ("c1", 1900, 2250),
    ]  # fmt: skip
    single = HEADS[False].integrated_gradients(bases, 8).contribution.reshape(2, 2, PIECE)
    np.testing.assert_allclose(runs[0][2], single[0, 0, 100:], atol=1e-6)
    np.testing.assert_allclose(runs[2][2], single[1, 0, ::-1], atol=1e-6)
    plus, minus = single[0, 1], single[1, 1, ::-1]
    shared = runs[1][2][50:350]
    np.testing.assert_allclose(runs[1][2][:50], plus[:50], atol=1e-6)
    np.testing.assert_allclose(np.abs(shared), np.maximum(np.abs(plus[50:]), np.abs(minus[:300])), atol=1e-6)
    count = write_base_bigwig(runs, {"c1": 2500, "c2": 80}, tmp_path / "x.bw")
    with pyBigWig.open(str(tmp_path / "x.bw")) as track:
        assert track.chroms() == {"c1": 2500, "c2": 80}
        values = np.array(track.values("c1", 0, 2500))
        assert np.isfinite(values).sum() == count == 1000
        np.testing.assert_allclose(values[1900:2250], runs[2][2], atol=6e-5)
