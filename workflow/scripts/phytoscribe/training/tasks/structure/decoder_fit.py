"""Fit the decoder to regions with known genes on which the network was not trained.

The parameters maximise the likelihood of the reference genes (:mod:`phytoscribe.decoding.likelihood`); a quadratic
penalty keeps parameters near their starting values where there is little data.  Three scalars are then chosen on
decoded exact F1, and the gene probability is calibrated last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding import scoring
from phytoscribe.decoding.decoded_gene import DecodedGene, calibrate
from phytoscribe.decoding.gene_regions import DecodedRegion, gene_regions_of
from phytoscribe.decoding.likelihood import PARAMETERS, Likelihood
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.evaluation.accuracy.calibration import equal_width_bins, expected_calibration_error
from phytoscribe.evaluation.accuracy.counts import Scored

logger = logging.getLogger(__name__)

#: Sites kept while fitting, besides those of the reference.
FITTING_CUTOFF = -8.0
ITERATIONS = 60
#: Steps that the optimiser remembers: about one for each parameter.  With the usual 10 it gets less far.
MEMORY = 25
#: Strength of the pull to the starting values: standard deviation of the prior, by kind of parameter.  Weights are
#: fitted in logarithms.
WEIGHT_SPREAD = 1.0
BASE_SCORE_SPREAD = 0.2
SCORE_SPREAD = 3.0
PHASE_SCORE_SPREAD = 0.5
#: Typical distances, by which the optimiser sees the parameters: weights and scores of bases act on thousands of them.
BASE_SCALE = 0.02
SCALE = 0.3
#: Tried after fitting, one after the other, added to the fitted values.
STEPS = {
    "gene_score": (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0),
    "intron_score": (-2.0, -1.0, 1.0, 2.0),
    "coding_score": (-0.04, -0.02, 0.02, 0.04),
}
#: Smallest gain in the mean of exact CDS-exon and locus F1 for which such a step is kept.
LEAST_GAIN = 0.002
#: Scores that the data cannot determine (each gene has one start and one stop) or hold too few cases for.
_FIXED = ("start_score", "stop_score", "at_ac_score", "partial_score")
LEVELS = ("cds_exon", "locus")


@dataclass(frozen=True)
class Outcome:
    """Comparison of decoded genes with the reference.

    Attributes:
        figures: precision, recall and F1 by level (:data:`LEVELS`), such as ``locus_f1``; 0 if undefined.
        genes: decoded genes that overlap no masked interval.
        right: bool (genes,), whether a reference isoform has exactly this CDS.
    """

    figures: dict[str, float]
    genes: list[DecodedGene]
    right: npt.NDArray[np.bool_]

    @property
    def score(self) -> float:
        return selection_score(f1_by_level(self.figures))

    def report(self) -> dict[str, float]:
        """The figures with the expected calibration error of the genes' probabilities."""
        return self.figures | {"calibration_error": self.calibration_error()}

    def calibrated(self, settings: DecoderSettings) -> DecoderSettings:
        """Settings with the calibration that fits these genes."""
        return calibrate([gene.first.structure_probability for gene in self.genes], self.right, settings)

    def calibration_error(self) -> float:
        """Expected calibration error of the genes' probabilities."""
        return expected_calibration_error(equal_width_bins([gene.probability for gene in self.genes], self.right))


def decode_regions(regions: Sequence[DecodedRegion], settings: DecoderSettings) -> Outcome:
    """Decode regions and compare with their reference genes."""
    return outcome_of(regions, [decode_region(region, settings) for region in regions])


def decode_region(region: DecodedRegion, settings: DecoderSettings) -> list[DecodedGene]:
    """The genes that the decoder finds in a region."""
    return decode_coding_genes(region.bases, region.plus, region.minus, settings)


def outcome_of(regions: Sequence[DecodedRegion], decoded: Sequence[Sequence[DecodedGene]]) -> Outcome:
    """Compare the genes decoded in each region with its reference genes."""
    scored, genes = score_regions(regions, decoded)
    comparison, figures = scored.comparison, {}
    for level, agreement in comparison.agreements(comparison.everything, LEVELS).items():
        for name in ("precision", "recall", "f1"):
            figures[f"{level}_{name}"] = float(np.nan_to_num(getattr(agreement, name)))
    return Outcome(figures, genes, np.asarray(comparison.right_predicted(comparison.everything)))


def score_regions(
    regions: Sequence[DecodedRegion], decoded: Sequence[Sequence[DecodedGene]]
) -> tuple[Scored, list[DecodedGene]]:
    """The genes decoded in each region beside its reference genes, and those that no masked interval touches."""
    reference: list[GeneModel] = []
    predicted: list[GeneModel] = []
    for number, (region, genes) in enumerate(zip(regions, decoded, strict=True)):
        contig = str(number)
        reference += [gene.shifted(0, contig) for gene in region.genes]
        for index, gene in enumerate(genes):
            transcripts = tuple(Transcript("", t.cds, t.cds) for t in gene.transcripts)
            predicted.append(GeneModel(str(index), contig, gene.strand, transcripts))
    masks = {str(number): list(region.mask) for number, region in enumerate(regions)}
    scored = Scored.of(reference, predicted, masks)
    return scored, [decoded[int(model.contig)][int(model.id)] for model in scored.predicted]


def spreads() -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """By parameter of :class:`Likelihood`: width of the penalty, scale for the optimiser, whether it is a weight.

    The width is the standard deviation around the starting value, 0 for fixed parameters.
    """
    pull = np.full(PARAMETERS, SCORE_SPREAD)
    scale = np.full(PARAMETERS, SCALE)
    weight = np.zeros(PARAMETERS, dtype=bool)
    for index, name in enumerate(scoring.SCALARS):
        of_bases = name.startswith("coding") or (name.startswith("intron_") and name != "intron_score")
        if name in _FIXED:
            pull[index] = 0.0
        elif name.endswith("_weight"):
            pull[index], weight[index] = WEIGHT_SPREAD, True
            scale[index] = 5 * BASE_SCALE if of_bases else SCALE
        elif of_bases:
            pull[index], scale[index] = BASE_SCORE_SPREAD, BASE_SCALE
    pull[scoring.DONORS : scoring.PARAMETER_COUNT] = PHASE_SCORE_SPREAD
    pull[scoring.PARAMETER_COUNT :], weight[scoring.PARAMETER_COUNT :] = WEIGHT_SPREAD, True
    return pull, scale, weight


def maximise(likelihood: Likelihood, iterations: int = ITERATIONS) -> tuple[npt.NDArray, float]:
    """Parameters with the highest penalised likelihood (limited-memory BFGS), and its log a base."""
    pull, scale, weight = spreads()
    free = pull > 0
    origin = likelihood.start()
    origin[weight] = np.log(np.maximum(origin[weight], 1e-3))

    def vector_of(point: npt.NDArray) -> npt.NDArray:
        vector = origin.copy()
        vector[free] += point * scale[free]
        return np.where(weight, np.exp(np.minimum(np.where(weight, vector, 0.0), 5.0)), vector)

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        vector = vector_of(point)
        value, gradient = likelihood(vector)
        gradient = np.where(weight, gradient * vector, gradient)
        distance = point * scale[free] / pull[free]
        penalty = 0.5 * float(distance @ distance)
        return penalty - value, distance * scale[free] / pull[free] - gradient[free] * scale[free]

    options = {"maxiter": iterations, "maxcor": MEMORY, "ftol": 1e-7}
    found = minimize(loss, np.zeros(int(free.sum())), jac=True, method="L-BFGS-B", options=options)
    return vector_of(found.x), -float(found.fun) / likelihood.bases


def fit_once(
    regions: Sequence[DecodedRegion], start: DecoderSettings, threads: int = 1
) -> tuple[DecoderSettings, dict[str, Any]]:
    """Fit likelihood, scalars and calibration on regions, without figures for other regions."""
    parts = [part for region in regions for part in gene_regions_of(region, start, FITTING_CUTOFF)]
    genes = sum(len(part.loci) for part in parts)
    if not genes:
        return start, {"genes": 0}
    likelihood = Likelihood(parts, start, threads)
    vector, value = maximise(likelihood)
    best = likelihood.settings_of(vector)
    outcome = decode_regions(regions, best)
    steps: dict[str, float] = {}
    for name, offsets in STEPS.items():
        fitted = getattr(best, name)
        for offset in offsets:
            candidate = replace(best, **{name: fitted + offset})
            found = decode_regions(regions, candidate)
            if found.score > outcome.score + LEAST_GAIN:
                best, outcome = candidate, found
                steps[name] = offset
    return outcome.calibrated(best), {"genes": genes, "log_likelihood_per_base": value, "steps": steps}


def fit_decoder(
    decoded: Sequence[DecodedRegion], start: DecoderSettings, threads: int = 1
) -> tuple[DecoderSettings, dict[str, Any]]:
    """Fit the decoder on regions that the network was not trained on.

    Give ``start`` the length scores of the training annotation (:func:`phytoscribe.decoding.settings.length_scores`):
    the fit only weights them.

    Args:
        decoded: about 1.5 Mb with 300 genes or more.
        start: starting values, near which parameters stay where there is little data.
        threads: threads that share the regions; only the run time depends on their number.

    Returns:
        The settings, and a report: figures (precision, recall and F1 of exact CDS segments and loci, expected
        calibration error) of ``start`` and ``fitted`` on these same regions.  :func:`fits_of_halves` leads to unbiased
        ones.
    """
    settings, report = fit_once(decoded, start, threads)
    report |= {
        "start": decode_regions(decoded, start).report(),
        "fitted": decode_regions(decoded, settings).report(),
    }
    logger.info("decoder fitted on %d genes: %s", report["genes"], report["fitted"])
    return settings, report


def recalibrated(decoded: Sequence[DecodedRegion], settings: DecoderSettings) -> DecoderSettings:
    """The same decoder with its calibration fitted to a network's output for these regions."""
    return decode_regions(decoded, settings).calibrated(settings)


class Tuned(NamedTuple):
    """What tuning a decoder gives.

    Attributes:
        report: of the fit; ``kept_start`` is True if the start was kept; its figures are then reported as ``fitted``.
        halves: for each region, what the half of the regions without it gives; empty with one region.
    """

    settings: DecoderSettings
    report: dict[str, Any]
    halves: list[DecoderSettings]


def tune(decoded: Sequence[DecodedRegion], start: DecoderSettings, threads: int = 1) -> Tuned:
    """Fit the decoder as :func:`fit_decoder` does; if the fit decodes no better, keep and recalibrate the start.

    Each half of the regions is decoded with the fit to the other: a fit to few genes is always better on these. (With
    one region nothing can be held out.)
    """
    settings, report = fit_decoder(decoded, start, threads)
    halves = fits_of_halves(decoded, lambda half: fit_once(half, start, threads)[0])
    unseen = outcome_of(decoded, decode_each(decoded, halves)).figures if halves else report["fitted"]
    if selection_score(f1_by_level(unseen)) > selection_score(f1_by_level(report["start"])):
        return Tuned(settings, report | {"kept_start": False}, halves)
    logger.info("the fitted decoder is no better than the one it started from, which is kept and recalibrated")
    settings = recalibrated(decoded, start)
    report |= {"fitted": decode_regions(decoded, settings).report(), "kept_start": True}
    return Tuned(settings, report, fits_of_halves(decoded, lambda half: recalibrated(half, start)))


def fits_of_halves(
    decoded: Sequence[DecodedRegion], fit: Callable[[Sequence[DecodedRegion]], DecoderSettings]
) -> list[DecoderSettings]:
    """For each region, the fit to the half of the regions in which it is not.

    Args:
        decoded: at least two regions; with one, nothing can be held out and there is no list.
        fit: from regions to settings.
    """
    halves = two_halves(decoded)
    if not all(halves):
        return []
    found: dict[int, DecoderSettings] = {}
    for own, other in (halves, halves[::-1]):
        found |= dict.fromkeys(own, fit([decoded[row] for row in other]))
    return [found[row] for row in range(len(decoded))]


def decode_each(regions: Sequence[DecodedRegion], settings: Sequence[DecoderSettings]) -> list[list[DecodedGene]]:
    """The genes of each region, decoded with settings of its own."""
    return [decode_region(region, own) for region, own in zip(regions, settings, strict=True)]


def selection_score(f1: Mapping[str, float]) -> float:
    """The score for choosing checkpoints and decoders: mean of exact CDS-exon and locus F1 (NaN counts as 0)."""
    return float(np.mean(np.nan_to_num([f1[level] for level in LEVELS])))


def f1_by_level(figures: Mapping[str, float]) -> dict[str, float]:
    """Exact F1 of a report's figures, by level (:data:`LEVELS`)."""
    return {level: figures[f"{level}_f1"] for level in LEVELS}


def two_halves(regions: Sequence[DecodedRegion]) -> tuple[list[int], list[int]]:
    """Positions of the regions in two groups with about as many genes, the largest regions first."""
    halves: tuple[list[int], list[int]] = ([], [])
    sizes = [0, 0]
    for row, region in sorted(enumerate(regions), key=lambda item: -len(item[1].genes)):
        smaller = int(sizes[1] < sizes[0])
        halves[smaller].append(row)
        sizes[smaller] += len(region.genes)
    return halves
