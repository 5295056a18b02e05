"""The decoder's likelihood as a loss: its value, its gradient, and that following it makes the genes likelier."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from decoded_regions import START, region_with_genes

from phytoscribe.decoding.gene_regions import DecodedRegion, gene_regions_between, gene_regions_of, loci_of
from phytoscribe.decoding.likelihood import Likelihood
from phytoscribe.decoding.scoring import length_scores
from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.labels.states import STATE_COUNT
from phytoscribe.training.tasks.structure import sequence_loss as module
from phytoscribe.training.tasks.structure.sequence_loss import KnownWindow, Lattice, loci_within, sequence_loss

SETTINGS = replace(
    START,
    coding_weight=0.02,
    coding_frame_weight=0.03,
    intron_weight=0.01,
    intron_phase_weight=0.02,
    start_weight=0.4,
    stop_weight=0.6,
    donor_weight=0.8,
    acceptor_weight=0.7,
)


def logits_of(region: DecodedRegion) -> torch.Tensor:
    return torch.from_numpy(np.stack([region.plus, region.minus[::-1]]))


def flipped(region: DecodedRegion) -> DecodedRegion:
    """The region read from its other strand."""
    genes = [gene.reverse_complement(region.bases.size) for gene in region.genes]
    return DecodedRegion(reverse_complement(region.bases), region.minus[::-1], region.plus[::-1], genes[::-1])


def loss_of(region: DecodedRegion, logits: torch.Tensor, mask=(), settings=SETTINGS) -> tuple[torch.Tensor, float]:
    loci = loci_of(region.genes, region.bases, settings)
    return sequence_loss(logits, [KnownWindow(region.bases, loci, mask, Lattice(settings))])


def test_value_is_that_of_the_fitted_likelihood():
    region = region_with_genes(5, genes=4)
    settings = replace(SETTINGS, **length_scores(region.genes * 4, START.minimum_intron))
    likelihood = Likelihood(gene_regions_of(region, settings, module.CUTOFF), settings)
    assert loss_of(region, logits_of(region), settings=settings)[1] == pytest.approx(
        -likelihood(likelihood.start())[0], rel=1e-6
    )


@pytest.mark.parametrize("turn", [lambda region: region, flipped], ids=["plus", "minus"])
def test_gradient_is_that_of_the_likelihood(monkeypatch, turn):
    monkeypatch.setattr(module, "CUTOFF", -40.0)  # no site may come or go as numbers change
    region = turn(region_with_genes(6, genes=2))
    mask = [(10, 20)]
    logits = logits_of(region).double().requires_grad_()
    loss, value = loss_of(region, logits, mask)
    loss.backward()
    assert value > 0
    generator = np.random.default_rng(0)
    for _ in range(12):
        # One direction touches every logit, so that single-precision steps add up to something.
        direction = torch.from_numpy(generator.choice([-1.0, 1.0], tuple(logits.shape)))
        step = 2e-3
        with torch.no_grad():
            numeric = (
                (loss_of(region, logits + step * direction, mask)[1])
                - (loss_of(region, logits - step * direction, mask)[1])
            )
        assert float((logits.grad * direction).sum()) == pytest.approx(numeric / (2 * step), rel=0.02, abs=0.05)


def test_both_strands_are_alike():
    region = region_with_genes(7, genes=3)
    first, second = logits_of(region).requires_grad_(), logits_of(flipped(region)).requires_grad_()
    one, value = loss_of(region, first)
    other, flipped_value = loss_of(flipped(region), second)
    one.backward()
    other.backward()
    assert value == pytest.approx(flipped_value, rel=1e-6)
    torch.testing.assert_close(second.grad, first.grad.flip(0), atol=1e-5, rtol=1e-4)


def test_steps_along_the_gradient_make_the_genes_likelier():
    region = region_with_genes(8, genes=3)
    logits = logits_of(region).requires_grad_()
    values = []
    for _ in range(6):
        loss, value = loss_of(region, logits)
        values.append(value)
        (gradient,) = torch.autograd.grad(loss, logits)
        with torch.no_grad():
            logits -= 0.5 * gradient
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.7 * values[0]


def test_genes_that_the_window_cuts_are_left_out():
    region = region_with_genes(9, genes=3)
    loci = loci_of(region.genes, region.bases, SETTINGS)
    start = region.genes[0].start + 30
    inside = loci_within(loci, start, region.bases.size - start)
    assert [locus.start for locus in inside] == [-30, *[locus.start - start for locus in loci[1:]]]
    assert loci_within(loci, loci[-1].end, 100) == []
    logits = logits_of(region)
    part = torch.stack([logits[0][start:], logits[1][: region.bases.size - start]]).requires_grad_()
    loss, _ = sequence_loss(part, [KnownWindow(region.bases[start:], inside, [], Lattice(SETTINGS))])
    loss.backward()
    hidden = inside[0].end
    assert not part.grad[0, :hidden].any()
    assert part.grad[0, hidden:].any()


def test_windows_together_are_windows_one_by_one():
    regions = [region_with_genes(seed, genes=3) for seed in (15, 16)]
    length = min(region.bases.size for region in regions)
    windows, parts = [], []
    for region in regions:
        loci = loci_of(region.genes, region.bases, SETTINGS)
        inside = [locus for locus in loci if locus.start < length]
        windows.append(KnownWindow(region.bases[:length], inside, [(0, 50)], Lattice(SETTINGS)))
        parts += [torch.from_numpy(region.plus[:length]), torch.from_numpy(region.minus[:length][::-1].copy())]
    together = torch.stack(parts).requires_grad_()
    with ThreadPoolExecutor(2) as workers:
        loss, value = sequence_loss(together, windows, workers)
    loss.backward()
    values = []
    for number, window in enumerate(windows):
        alone = torch.stack(parts[2 * number : 2 * number + 2]).requires_grad_()
        loss, one = sequence_loss(alone, [window])
        loss.backward()
        values.append(one)
        torch.testing.assert_close(together.grad[2 * number : 2 * number + 2], alone.grad)
    assert value == pytest.approx(sum(values))


@pytest.mark.parametrize("unit", ["GTAG", "ATG", "AG", None])
def test_a_network_that_has_learnt_nothing_leaves_no_more_sites_than_the_sequence_has_motifs(unit):
    """The lattice's work has a bound without one set: even in repeats of splice sites, less than a site a base."""
    generator = np.random.default_rng(1)
    bases = encode((unit * 3000)[:3000]) if unit else generator.integers(0, 4, 3000).astype(np.uint8)
    table = np.full((3000, STATE_COUNT), -np.log(STATE_COUNT), np.float32)
    (region,) = gene_regions_between((bases, table, table), [], [], False, module.CUTOFF)
    assert 300 < region.sites.size / 3 < 800
    loss, value = sequence_loss(torch.zeros(2, 3000, STATE_COUNT), [KnownWindow(bases, [], [], Lattice(SETTINGS))])
    assert np.isfinite(value)
    assert torch.isfinite(loss)
