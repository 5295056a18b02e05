"""Fit all decoders of a model: the fall-back for any species, and those of lineages and species with enough genes.

Lengths of introns and genes differ by an order of magnitude between plant families.  The fall-back is for species that
the network does not know, so it is fitted to what the network says of the regions when their species is withheld, all
of them together: a lineage with many regions weighs more.  Species of one lineage may differ in what their annotations
are worth: half of the predicted genes of one may be right, and three quarters of the other's.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from phytoscribe.decoding import scoring
from phytoscribe.decoding.decoded_gene import DecodedGene
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import UNKNOWN_LINEAGES, Decoders, DecoderSettings, LengthScore
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.tasks.structure.decoder_fit import (
    Outcome,
    decode_each,
    decode_region,
    decode_regions,
    fit_decoder,
    fit_once,
    fits_of_halves,
    outcome_of,
    tune,
)

logger = logging.getLogger(__name__)

#: Validation genes from which a lineage or species has its own decoder, and decoded genes from which its calibration.
LEAST_GENES = 60


class ReadRegions(NamedTuple):
    """The network's output for the validation regions: computed once, decoded many times.

    Attributes:
        known: read with the names of their species and lineage, as genomes of these are.
        unknown: read without them, as genomes of other lineages are.
    """

    known: Sequence[DecodedRegion]
    unknown: Sequence[DecodedRegion]


def read_regions(predictor: StructurePredictor, regions: Sequence[ValidationRegion]) -> list[DecodedRegion]:
    """The network's output for regions, with the names of their species."""
    return [_read(predictor, region, region.species, region.lineage) for region in regions]


def read_both_ways(predictor: StructurePredictor, regions: Sequence[ValidationRegion]) -> ReadRegions:
    """The network's output for regions with and without the names of their species.

    A region of no known lineage is read once, with its names: the fall-back is the decoder of its species.
    """
    known, unknown = read_regions(predictor, regions), []
    for region, named in zip(regions, known, strict=True):
        predictor.set_species(region.species, region.lineage)
        tokens = predictor.species_tokens
        predictor.set_species("", "")
        once = region.lineage in UNKNOWN_LINEAGES or tokens == predictor.species_tokens
        unknown.append(named if once else _read(predictor, region, "", ""))
    return ReadRegions(known, unknown)


def _read(predictor: StructurePredictor, region: ValidationRegion, species: str, lineage: str) -> DecodedRegion:
    predictor.set_species(species, lineage)
    plus, minus = predictor.log_probabilities(region.bases)
    return DecodedRegion(region.bases, plus, minus, region.genes, region.mask, region.species, region.lineage)


def decode_with(regions: Sequence[DecodedRegion], decoders: Decoders) -> Outcome:
    """Decode each region with the decoder of its species, and compare with the reference genes."""
    genes = [decode_region(region, decoders.of(region.lineage, region.species)) for region in regions]
    return outcome_of(regions, genes)


def tune_decoders(
    read: ReadRegions, start: Decoders, lengths: Decoders, threads: int = 1
) -> tuple[Decoders, dict[str, Any]]:
    """Fit the fall-back (:func:`tune`), then the decoders of the regions' lineages, then those of their species.

    A species is fitted where its lineage has regions of others as well, or where it has a decoder at the start.
    Lineages and species that have a decoder at the start, but no region, keep it.

    Args:
        start: with which the fits begin.
        lengths: decoders with the length scores of the training genes.

    Returns:
        The decoders, and a report: that of the fall-back's fit on the regions read without names; ``lineages`` and
        ``species``, see :func:`fit_own`; ``used``, figures of all regions, each decoded as genomes of its species will
        be; ``held_out``, the same with decoders that were fitted to other regions (empty with one region, if its
        decoder was fitted to it).
    """
    tuned = tune(read.unknown, start.fallback, threads)
    fallback = replace(tuned.settings, calibrated_on=_species_of(read.known))
    report = tuned.report | {"lineages": {}, "species": {}}
    lineages, species = dict(start.lineages), dict(start.species)
    unseen = dict(enumerate(decode_each(read.known, tuned.halves) if tuned.halves else ()))
    if not unseen and report["kept_start"]:
        unseen = {row: decode_region(region, fallback) for row, region in enumerate(read.known)}

    def fit(kind: str, name: str, rows: Sequence[int], other: DecoderSettings, begin: DecoderSettings) -> None:
        own = {"lineages": lineages, "species": species}[kind]
        rivals = [other, *([own.pop(name)] if name in own else [])]
        genes = [unseen[row] for row in rows if row in unseen]
        found = fit_own([read.known[row] for row in rows], rivals, genes, begin, threads)
        report[kind][name] = found.report
        logger.info("decoder of %s: %s", name, found.report)
        if found.settings:
            own[name] = found.settings
            unseen.update(zip(rows, found.unseen, strict=False))

    for lineage in sorted({region.lineage for region in read.known} - set(UNKNOWN_LINEAGES)):
        rows = [row for row, region in enumerate(read.known) if region.lineage == lineage]
        fit("lineages", lineage, rows, fallback, start_of(lineage, start, fallback, lengths))
    names = sorted({(region.lineage, region.species) for region in read.known})
    sizes = Counter(lineage for lineage, _ in names)
    for lineage, name in names:
        shared = sizes[lineage] > 1 and lineage not in UNKNOWN_LINEAGES
        if name not in UNKNOWN_LINEAGES and (shared or name in start.species):
            rows = [row for row, region in enumerate(read.known) if (region.lineage, region.species) == (lineage, name)]
            other = lineages.get(lineage, fallback)
            fit("species", name, rows, other, start.species.get(name, other))
    decoders = Decoders(fallback, lineages, species)
    report["used"] = decode_with(read.known, decoders).report()
    complete = len(unseen) == len(read.known)
    report["held_out"] = outcome_of(read.known, [unseen[row] for row in sorted(unseen)]).report() if complete else {}
    logger.info("decoders, each half of the regions held out: %s", report["held_out"])
    return decoders, report


def start_of(lineage: str, start: Decoders, fallback: DecoderSettings, lengths: Decoders) -> DecoderSettings:
    """With what a lineage's fit begins.

    That is the decoder it was fitted before; or else the fall-back, with length scores of the lineage if training had
    genes enough for them.
    """
    own = start.lineages.get(lineage)
    if own and not np.array_equal(scoring.parameters(own), scoring.parameters(start.fallback)):
        return own
    if lineage in lengths.lineages:
        return replace(fallback, **weighted_lengths(lengths.of(lineage), lengths.fallback, fallback))
    return fallback


def weighted_lengths(own: DecoderSettings, pooled: DecoderSettings, fitted: DecoderSettings) -> dict[str, LengthScore]:
    """The length scores of a lineage with the weights that a fit gave to those of all genes.

    A fit weights log densities of lengths against the other evidence; unweighted ones in their place would rule it.
    The weights are found by least squares.

    Args:
        own, pooled: log densities of the lineage's and of all training genes.
        fitted: holds the weighted scores of all genes.
    """
    found = {}
    for name, score in own.length_scores.items():
        given, wanted = getattr(pooled, name), getattr(fitted, name)
        if not given.lengths or not wanted.lengths:
            continue
        densities = np.interp(wanted.lengths, given.lengths, given.scores)
        weight = float(densities @ np.array(wanted.scores)) / max(float(densities @ densities), 1e-9)
        found[name] = score.scaled(max(0.0, weight))
    return found


@dataclass(frozen=True)
class OwnFit:
    """What the validation regions of a lineage or species gave.

    Attributes:
        settings: its decoder; None if the one that it has without is as good.
        report: see :func:`fit_own`.
        unseen: genes of each region, decoded with parameters that were not fitted to it.
    """

    settings: DecoderSettings | None
    report: dict[str, Any]
    unseen: Sequence[Sequence[DecodedGene]] = ()


def fit_own(
    regions: Sequence[DecodedRegion],
    rivals: Sequence[DecoderSettings],
    genes: Sequence[Sequence[DecodedGene]],
    start: DecoderSettings,
    threads: int = 1,
) -> OwnFit:
    """Fit a decoder to regions of a lineage or species, and keep it if it is as good on regions that it has not seen.

    Args:
        rivals: the decoder that the regions have without one of their own, and the one that they have, if any: the fit,
            each half of the regions held out, must score at least as well as the better one. If it does not, or if
            reference genes are few, this one is kept, with a calibration to the regions if enough genes are decoded.  A
            decoder calibrated on no species (:meth:`Decoders.uncalibrated`) is a rival only where genes are few.
        genes: of each region, by the first rival as other regions have it. If there are none, since it was fitted to
            the only region, it is chosen only where it is the only one.
        start: of the fit.

    Returns:
        The fit; its report has ``genes``, the figures of the first rival (``fallback``) and of the fit ``held_out`` and
        on all regions (``start``, ``fitted``), as far as they were computed, and ``decoder``: ``fitted``,
        ``calibrated``, ``kept`` (as it was) or ``fallback``.
    """
    known, species = sum(len(region.genes) for region in regions), _species_of(regions)
    if known >= LEAST_GENES:
        # A decoder for the network before its training may have been fitted to these regions: it has an advantage here.
        rivals = [rivals[0], *(rival for rival in rivals[1:] if rival.calibrated_on)]
    outcomes = [outcome_of(regions, genes) if genes else decode_regions(regions, rivals[0])]
    outcomes += [decode_regions(regions, rival) for rival in rivals[1:]]
    choice = range(len(rivals)) if genes or len(rivals) == 1 else range(1, len(rivals))
    best = max(choice, key=lambda index: outcomes[index].score)
    report: dict[str, Any] = {"genes": known, "fallback": outcomes[0].report()}
    if known >= LEAST_GENES:
        halves = fits_of_halves(regions, lambda half: fit_once(half, start, threads)[0])
        unseen = decode_each(regions, halves) if halves else []
        found = outcome_of(regions, unseen) if unseen else None
        if found:
            report["held_out"] = found.report()
        if found and found.score >= outcomes[best].score:
            settings, fit = fit_decoder(regions, start, threads)
            return OwnFit(replace(settings, calibrated_on=species), {"decoder": "fitted"} | fit | report, unseen)
    own, outcome = rivals[best], outcomes[best]
    decoded = [decode_region(region, own) for region in regions] if best else []
    if len(outcome.genes) >= LEAST_GENES:
        calibrated = replace(outcome.calibrated(own), calibrated_on=species)
        return OwnFit(calibrated, {"decoder": "calibrated"} | report, decoded)
    return OwnFit(own if best else None, {"decoder": "kept" if best else "fallback"} | report, decoded)


def _species_of(regions: Sequence[DecodedRegion]) -> tuple[str, ...]:
    return tuple(sorted({region.species for region in regions}))
