"""Decoders of lineages: with what a fit begins, when it is kept, and what becomes of the others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from decoded_regions import START, region_with_genes

from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import Decoders, DecoderSettings, LengthScore
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.tasks.structure import decoder_fit, lineage_fit
from phytoscribe.training.tasks.structure.decoder_fit import Tuned, decode_each, decode_regions
from phytoscribe.training.tasks.structure.lineage_fit import (
    ReadRegions,
    decode_with,
    fit_own,
    read_both_ways,
    start_of,
    tune_decoders,
)

#: One finds most genes of the regions, the other none.
GOOD = replace(
    START,
    gene_score=4.9,
    intron_score=4.2,
    coding_weight=0.04,
    coding_frame_weight=0.06,
    coding_score=0.18,
    intron_weight=0.07,
    intron_phase_weight=0.05,
    intron_base_score=0.2,
    stop_weight=1.45,
    donor_weight=0.8,
    acceptor_weight=1.7,
    gc_donor_score=-3.0,
)
SILENT = replace(START, gene_score=-500.0)


def regions_of(lineage: str, *seeds: int, genes: int = 4) -> list[DecodedRegion]:
    return [replace(region_with_genes(seed, genes), species=f"of {lineage}", lineage=lineage) for seed in seeds]


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(lineage_fit, "LEAST_GENES", 8)


def fits_to(monkeypatch, fitted: DecoderSettings) -> None:
    """Let every fit give these settings: what is tested is what follows."""
    monkeypatch.setattr(lineage_fit, "fit_once", lambda regions, start, _: (fitted, {}))
    monkeypatch.setattr(lineage_fit, "fit_decoder", lambda regions, start, _: (fitted, {"steps": {}}))


def keeps(monkeypatch, settings: DecoderSettings) -> None:
    """Let no fit of the fall-back be better than these settings."""
    tuned = lambda regions, *_: Tuned(settings, {"kept_start": True}, [settings] * len(regions))  # noqa: E731
    monkeypatch.setattr(lineage_fit, "tune", tuned)


def test_a_lineage_gets_what_its_own_regions_give_and_others_keep_what_they_have(monkeypatch, few_are_enough):
    """The lineages' fits are real, but stop early; the fall-back stays as it was."""
    monkeypatch.setattr(decoder_fit, "STEPS", {})
    monkeypatch.setattr(decoder_fit, "maximise", partial(decoder_fit.maximise, iterations=5))
    keeps(monkeypatch, replace(GOOD, gene_score=0.0))
    known = [*regions_of("Poales", 2, 3), *regions_of("Fabales", 4), *regions_of("unknown", 5, genes=2)]
    start = Decoders(replace(GOOD, gene_score=0.0), {"Solanales": GOOD})
    found, report = tune_decoders(ReadRegions(known, known), start, Decoders(START))
    assert found.of("Solanales") == GOOD
    assert found.fallback.calibrated_on == ("of Fabales", "of Poales", "of unknown")
    assert found.of("Poales").calibrated_on == ("of Poales",)
    assert found.of("Poales").gene_score != found.fallback.gene_score
    assert found.of("Fabales") == found.of("unknown") == found.fallback
    assert {name: own["decoder"] for name, own in report["lineages"].items()} == {
        "Poales": "fitted",
        "Fabales": "fallback",
    }
    assert report["used"] == decode_with(known, found).report()
    assert 0 < report["held_out"]["locus_f1"] <= 1
    assert report["lineages"]["Poales"]["held_out"]["locus_f1"] >= report["lineages"]["Poales"]["fallback"]["locus_f1"]


def test_species_of_one_lineage_have_decoders_of_their_own(monkeypatch, few_are_enough):
    """Real are the calibrations; a fit that is offered makes silent, so it is kept nowhere."""
    fits_to(monkeypatch, SILENT)
    keeps(monkeypatch, GOOD)
    sure, doubtful = (regions_of("Poales", *seeds, genes=8) for seeds in ((2, 3), (6, 7)))
    # Half of what is decoded in the second species is not in its annotation.
    doubtful = [replace(region, species="zmays", genes=region.genes[::2]) for region in doubtful]
    others = [replace(region, species="rcommunis") for region in regions_of("Malpighiales", 4, 5, genes=8)]
    regions = [*sure, *doubtful, *others]
    start = Decoders(GOOD, species={"hvulgare": SILENT})
    found, report = tune_decoders(ReadRegions(regions, regions), start, Decoders(START))
    assert report["species"].keys() == found.species.keys() - {"hvulgare"} == {"of Poales", "zmays"}
    assert {own["decoder"] for own in report["species"].values()} == {"calibrated"}
    offsets = [found.of("Poales", name).calibration_offset for name in ("of Poales", "", "zmays")]
    assert offsets == sorted(offsets, reverse=True)
    assert found.of("Poales", "zmays").calibrated_on == ("zmays",)
    assert found.of("Poales", "another").calibrated_on == ("of Poales", "zmays")
    assert found.of("Poales", "hvulgare") == SILENT
    errors = [report["species"][name]["fallback"]["calibration_error"] for name in report["species"]]
    of_species = [decode_with(own, found).calibration_error() for own in (sure, doubtful)]
    assert sum(of_species) < sum(errors)


def test_a_species_that_has_a_decoder_is_fitted_though_it_is_alone(monkeypatch, few_are_enough):
    fits_to(monkeypatch, replace(GOOD, maximum_utr=1234))
    keeps(monkeypatch, GOOD)
    regions = regions_of("Poales", 2, 3)
    start = Decoders(GOOD, species={"of Poales": SILENT}).uncalibrated()
    found, report = tune_decoders(ReadRegions(regions, regions), start, Decoders(START))
    assert report["species"]["of Poales"]["decoder"] == "fitted"
    assert found.of("Poales", "of Poales").maximum_utr == 1234


def test_a_fit_that_is_worse_on_held_out_halves_leaves_a_calibration(monkeypatch, few_are_enough):
    fits_to(monkeypatch, SILENT)
    regions = regions_of("Poales", 2, 3, genes=8)
    fit = fit_own(regions, [GOOD], [], START)
    assert fit.report["decoder"] == "calibrated"
    assert fit.report["held_out"]["locus_f1"] == 0 < fit.report["fallback"]["locus_f1"]
    assert fit.settings == replace(
        GOOD,
        calibrated_on=("of Poales",),
        calibration_slope=fit.settings.calibration_slope,
        calibration_offset=fit.settings.calibration_offset,
    )
    assert fit.settings.calibration_slope != GOOD.calibration_slope


def test_a_fit_as_good_as_the_fallback_is_kept(monkeypatch, few_are_enough):
    fits_to(monkeypatch, replace(GOOD, maximum_utr=1234))
    fit = fit_own(regions_of("Poales", 2, 3), [GOOD], [], START)
    assert fit.report["decoder"] == "fitted"
    assert fit.settings == replace(GOOD, maximum_utr=1234, calibrated_on=("of Poales",))


def test_one_region_leaves_nothing_to_hold_out(monkeypatch, few_are_enough):
    fits_to(monkeypatch, GOOD)
    own = replace(GOOD, calibrated_on=("before",))
    fit = fit_own(regions_of("Poales", 2, genes=12), [SILENT, own], [], START)
    assert "held_out" not in fit.report
    assert fit.report["decoder"] == "calibrated", "but there are genes enough for a calibration"
    assert fit.settings.gene_score == GOOD.gene_score


def test_the_decoder_that_a_lineage_has_is_given_up_only_for_a_better_one():
    regions = regions_of("Poales", 2, genes=3)
    found, nothing = (decode_each(regions, [settings]) for settings in (GOOD, SILENT))
    kept = fit_own(regions, [SILENT, GOOD], nothing, START)
    assert (kept.settings, kept.report["decoder"]) == (GOOD, "kept")
    assert fit_own(regions, [GOOD, SILENT], found, START).settings is None
    assert fit_own(regions, [GOOD], found, START).report["decoder"] == "fallback"


def test_a_fallback_that_is_good_only_on_what_it_was_fitted_to_does_not_take_the_place_of_a_lineages_decoder():
    regions = regions_of("Poales", 2, genes=3)
    worse = replace(GOOD, gene_score=-1.0)
    assert 0 < decode_regions(regions, worse).score < decode_regions(regions, GOOD).score
    assert fit_own(regions, [GOOD, worse], [[]], START).settings == worse
    assert fit_own(regions, [GOOD, worse], [], START).settings == worse, "it was fitted to the only region"


def test_a_decoder_for_the_network_before_its_training_is_no_rival_of_a_fit(monkeypatch, few_are_enough):
    fits_to(monkeypatch, replace(GOOD, gene_score=-1.0))
    regions, better = regions_of("Poales", 2, 3), GOOD
    nothing = decode_each(regions, [SILENT] * 2)
    assert decode_regions(regions, better).score > decode_regions(regions, replace(GOOD, gene_score=-1.0)).score
    assert fit_own(regions, [SILENT, better], nothing, START).report["decoder"] == "fitted"
    of_this_network = replace(better, calibrated_on=("of Poales",))
    kept = fit_own(regions, [SILENT, of_this_network], nothing, START)
    assert (kept.report["decoder"], kept.settings.gene_score) == ("kept", better.gene_score)


def test_with_what_a_fit_begins():
    lengths, pooled = LengthScore((40, 200), (-3.0, -6.0), -0.01), LengthScore((40, 100), (-4.0, -5.0), -0.02)
    every = replace(START, intron_lengths=pooled)
    of_training = Decoders(every, {"Poales": replace(START, intron_lengths=lengths), "Fabales": START})
    fitted, calibrated = replace(START, gene_score=1.0), replace(START, calibration_slope=0.5)
    start = Decoders(START, {"Fabales": fitted, "Poales": calibrated, "Solanales": calibrated})
    # The fit gave lengths half of their weight.
    fallback = replace(START, gene_score=2.0, intron_lengths=pooled.scaled(0.5))
    assert start_of("Fabales", start, fallback, of_training) == fitted
    assert start_of("Poales", start, fallback, of_training) == replace(fallback, intron_lengths=lengths.scaled(0.5))
    assert start_of("Solanales", start, fallback, of_training) == fallback
    assert start_of("Brassicales", start, fallback, of_training) == fallback


class NamedReader:
    """A predictor whose output tells with which names it read; it knows one species and one lineage."""

    def set_species(self, species: str, lineage: str) -> None:
        self.species_tokens = (species if species == "osativa" else "?", lineage if lineage == "Poales" else "?")

    def log_probabilities(self, bases):
        return self.species_tokens, self.species_tokens


def test_the_fallback_sees_regions_as_those_of_an_unknown_species():
    names = [("osativa", "Poales"), ("zmays", "Poales"), ("rcommunis", "Malpighiales"), ("osativa", "unknown")]
    regions = [ValidationRegion("r", *name, np.zeros(1, np.uint8), [], []) for name in names]
    known, unknown = read_both_ways(NamedReader(), regions)
    assert [region.plus for region in known] == [("osativa", "Poales"), ("?", "Poales"), ("?", "?"), ("osativa", "?")]
    # Of an unknown lineage the fall-back is the only decoder: there it is fitted to what it will see.
    assert [region.plus for region in unknown] == [("?", "?"), ("?", "?"), ("?", "?"), ("osativa", "?")]
    assert [(region.species, region.lineage) for region in unknown] == names
