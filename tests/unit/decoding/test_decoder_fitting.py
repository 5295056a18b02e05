"""Fitting of the decoder: gradient, length scores, and a decoder that gets better on genes it can learn from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from decoded_regions import START, region_with_genes

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding import scoring
from phytoscribe.decoding.decoded_gene import calibrate
from phytoscribe.decoding.gene_regions import gene_regions_of
from phytoscribe.decoding.likelihood import Likelihood
from phytoscribe.decoding.scoring import KNOTS, length_score, length_scores, length_table
from phytoscribe.training.tasks.structure import decoder_fit
from phytoscribe.training.tasks.structure.decoder_fit import (
    decode_each,
    decode_regions,
    fit_decoder,
    fit_once,
    fits_of_halves,
    outcome_of,
    recalibrated,
    tune,
)

EXAMPLE = Path(__file__).parents[3] / "resources/example/athaliana/annotation.gff3.gz"


def test_gradient_is_that_of_the_likelihood():
    region = region_with_genes(1, genes=3)
    lengths = length_scores(region.genes * 4, START.minimum_intron)
    start = replace(START, **lengths)
    likelihood = Likelihood(gene_regions_of(region, start, -20.0), start)
    vector = likelihood.start()
    value, gradient = likelihood(vector)
    assert value < 0
    for index in range(vector.size):
        step = np.zeros(vector.size)
        step[index] = 1e-4
        numeric = (likelihood(vector + step)[0] - likelihood(vector - step)[0]) / 2e-4
        assert gradient[index] == pytest.approx(numeric, rel=1e-3, abs=1e-3), index


def test_threads_change_nothing():
    regions = [region_with_genes(seed, genes=3) for seed in (2, 3, 4)]
    parts = [part for region in regions for part in gene_regions_of(region, START, -20.0)]
    alone, shared = Likelihood(parts, START), Likelihood(parts, START, threads=3)
    (value, gradient), (other, other_gradient) = alone(alone.start()), shared(shared.start())
    assert value == other
    assert np.array_equal(gradient, other_gradient)


#: Penalised log likelihood a base that this package's own optimiser reached before SciPy's took its place.
FORMER_OPTIMA = {(2, 3): -0.005926247413649, (4, 5, 6): -0.002892314570043, (7, 8): -0.006518758190347}


@pytest.mark.parametrize("seeds", FORMER_OPTIMA)
def test_the_optimum_is_no_worse_than_that_of_the_former_optimiser(seeds):
    start = replace(START, gene_score=-12.0)
    parts = [part for seed in seeds for part in gene_regions_of(region_with_genes(seed), start, -8.0)]
    _, value = decoder_fit.maximise(Likelihood(parts, start))
    assert FORMER_OPTIMA[seeds] <= value < 0.99 * FORMER_OPTIMA[seeds]


def test_parameters_round_trip():
    settings = replace(START, sensitivity=1.5, donor_scores=(0.1, 0.2, 0.3), gene_score=-2.0)
    assert scoring.with_parameters(settings, scoring.parameters(settings)) == settings


def test_fitting_betters_what_is_decoded_and_tells_held_out_figures():
    regions = [region_with_genes(seed) for seed in (2, 3)]
    start = replace(START, gene_score=-12.0)
    settings, report = fit_decoder(regions, start)
    halves = fits_of_halves(regions, lambda own: fit_once(own, start)[0])
    held_out = outcome_of(regions, decode_each(regions, halves)).report()
    assert report["genes"] == 16
    assert report["fitted"]["locus_f1"] > report["start"]["locus_f1"] + 0.2
    assert held_out["locus_f1"] > report["start"]["locus_f1"]
    outcome = decode_regions(regions, settings)
    assert outcome.figures["cds_exon_f1"] == pytest.approx(report["fitted"]["cds_exon_f1"])
    assert outcome.calibration_error() < 0.25
    assert all(0 <= gene.probability <= 1 for gene in outcome.genes)
    assert held_out["calibration_error"] < 0.5


def test_one_region_has_nothing_held_out():
    assert fits_of_halves([region_with_genes(2, genes=4)], lambda own: START) == []


def test_a_kept_start_is_recalibrated_on_the_new_network(monkeypatch):
    regions = [region_with_genes(seed) for seed in (2, 3)]
    good, _ = fit_once(regions, START)
    start = replace(good, calibration_slope=9.0, calibration_offset=4.0)
    worse = replace(start, gene_score=-500.0)
    found = {name: decode_regions(regions, chosen).report() for name, chosen in (("start", start), ("fitted", worse))}
    monkeypatch.setattr(decoder_fit, "fit_decoder", lambda *_: (worse, found))
    settings, report, halves = tune(regions, start)
    assert report["kept_start"]
    assert settings == recalibrated(regions, start)
    assert halves == [recalibrated(regions[1:], start), recalibrated(regions[:1], start)]
    assert settings == replace(
        start, calibration_slope=settings.calibration_slope, calibration_offset=settings.calibration_offset
    )
    assert (settings.calibration_slope, settings.calibration_offset) != (9.0, 4.0)
    assert report["fitted"]["calibration_error"] < decode_regions(regions, start).calibration_error()


def test_a_fit_is_taken_if_what_it_has_not_seen_gets_better(monkeypatch):
    fitted = replace(START, gene_score=1.0)
    found = {name: {"cds_exon_f1": f1, "locus_f1": f1} for name, f1 in (("start", 0.3), ("fitted", 0.4))}
    monkeypatch.setattr(decoder_fit, "fit_decoder", lambda *_: (fitted, found))
    assert tune([], START) == (fitted, found | {"kept_start": False}, [])
    regions = [region_with_genes(seed, genes=3) for seed in (2, 3)]
    good = fit_once(regions, START)[0]
    for half, kept in ((good, False), (replace(good, gene_score=-500.0), True)):
        monkeypatch.setattr(decoder_fit, "fit_once", lambda *_, half=half: (half, {}))
        settings, report, _ = tune(regions, START)
        assert report["kept_start"] is kept
        assert (settings == fitted) is not kept


def test_genes_that_the_grammar_cannot_express_are_left_out_with_their_locus():
    region = region_with_genes(4, genes=3)
    cds = region.genes[1].transcripts[0].cds
    broken = ((cds[0][0], cds[0][1] - 1), cds[1])
    genes = [region.genes[0], replace(region.genes[1], transcripts=(Transcript("b", broken, broken),)), region.genes[2]]
    parts = gene_regions_of(replace(region, genes=genes), START, -20.0)
    assert [len(part.loci) for part in parts] == [1, 1]
    assert sum(part.bases for part in parts) == region.bases.size - (cds[-1][1] - cds[0][0])


def test_calibration_follows_how_often_genes_are_right():
    generator = np.random.default_rng(0)
    # Posteriors that are far too sure: odds to the third power.
    odds = generator.normal(0, 1.5, 600)
    right = generator.random(600) < 1 / (1 + np.exp(-odds))
    settings = calibrate([1 / (1 + math.exp(-3 * o)) for o in odds], right, START)
    assert settings.calibration_slope == pytest.approx(1 / 3, abs=0.08)
    assert settings.calibration_offset == pytest.approx(0.0, abs=0.25)


def test_a_gene_that_counts_twice_calibrates_as_two_genes():
    generator = np.random.default_rng(1)
    posteriors, right = generator.random(40), generator.random(40) < 0.6
    counts = np.where(np.arange(40) < 15, 2.0, 1.0)
    twice = calibrate([*posteriors, *posteriors[:15]], [*right, *right[:15]], START)
    found = calibrate(posteriors, right, START, counts)
    assert found.calibration_slope == pytest.approx(twice.calibration_slope, abs=1e-3)
    assert found.calibration_offset == pytest.approx(twice.calibration_offset, abs=1e-3)
    assert found != calibrate(posteriors, right, START)


def test_length_scores_are_densities(example_genes):
    for name, score in length_scores(example_genes).items():
        assert score.lengths[-1] <= KNOTS[-1], name
        table = np.exp(length_table(score, 60_000))
        table[: score.lengths[0]] = 0.0
        assert table.sum() == pytest.approx(1.0, abs=0.12), name
    assert length_score([100] * 5, 40).lengths == ()


@pytest.fixture(scope="module")
def example_genes() -> list[GeneModel]:
    return read_gff3(EXAMPLE)
