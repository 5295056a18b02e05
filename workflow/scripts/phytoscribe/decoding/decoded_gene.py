"""A decoded gene, the decoder's confidence in its parts, and the calibration of gene probabilities.

A line maps the log odds of a structure's posterior to those of the gene's probability (J. Platt, *Probabilistic outputs
for support vector machines*, 1999).  A decoder looks better than it is on the genes used to choose its other
parameters, so also report the error on other genes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval

#: Log odds that single genes are held within, so that one sure mistake does not decide.
_SUREST = 1e-9


@dataclass(frozen=True, slots=True)
class DecodedTranscript:
    """One CDS of a decoded gene.

    All probabilities but ``probability`` are exact posteriors of the lattice, given the network's scores.

    Attributes:
        cds: sorted 0-based half-open segments in contig orientation, stop codon inside.
        probability: calibrated probability of a gene with exactly this CDS.
        structure_probability: posterior of exactly this CDS.
        segment_probabilities: of each CDS segment with both ends and its frame, in the order of ``cds``.
        intron_probabilities: of each gap between two segments, in the order of the contig.
        start_probability, stop_probability: of a gene that starts (stops) at this codon; NaN if the contig's end cuts
            it off.
        partial_left, partial_right: the CDS is cut by that end of the contig.
        start_phase: bases of the CDS, in reading direction, before the first full codon; 0 unless the start is cut.
    """

    cds: tuple[Interval, ...]
    probability: float = math.nan
    structure_probability: float = math.nan
    segment_probabilities: tuple[float, ...] = ()
    intron_probabilities: tuple[float, ...] = ()
    start_probability: float = math.nan
    stop_probability: float = math.nan
    partial_left: bool = False
    partial_right: bool = False
    start_phase: int = 0

    @property
    def span(self) -> Interval:
        """From the first to the last coding base."""
        return self.cds[0][0], self.cds[-1][1]

    @property
    def cds_length(self) -> int:
        return sum(end - start for start, end in self.cds)

    @property
    def partial(self) -> bool:
        return self.partial_left or self.partial_right


@dataclass(frozen=True, slots=True)
class DecodedGene:
    """The coding transcripts of a decoded gene.

    Attributes:
        strand: ``+`` or ``-``.
        transcripts: that of the best path first; it and the neighbouring genes do not depend on the other transcripts.
        probability: calibrated probability that the gene is correct, that is, that one of its transcripts is.
        locus_probability: posterior that any gene lies over the span of the first transcript's CDS.
    """

    strand: str
    transcripts: tuple[DecodedTranscript, ...]
    probability: float = math.nan
    locus_probability: float = math.nan

    @property
    def first(self) -> DecodedTranscript:
        """The transcript of the best path."""
        return self.transcripts[0]

    @property
    def span(self) -> Interval:
        """From the first to the last coding base of all transcripts."""
        return min(t.span[0] for t in self.transcripts), max(t.span[1] for t in self.transcripts)


def probability_of(log_probability: float) -> float:
    """Exponential, with rounding over 1 taken off."""
    return min(1.0, math.exp(log_probability))


def calibrated(log_posterior: float, settings: DecoderSettings) -> float:
    """Gene probability of a structure's log posterior, with the settings' slope and offset."""
    log_posterior = min(log_posterior, -1e-9)
    log_odds = log_posterior - math.log(-math.expm1(log_posterior))
    return 0.5 + 0.5 * math.tanh(0.5 * (settings.calibration_slope * log_odds + settings.calibration_offset))


def calibrate(
    posteriors: Sequence[float],
    right: Sequence[bool],
    settings: DecoderSettings,
    counts: npt.NDArray[np.float64] | None = None,
) -> DecoderSettings:
    """Settings whose gene probability matches the share of correct genes.

    Args:
        posteriors: of each gene's structure, in 0..1.
        right: whether each gene is correct.
        counts: how much each gene counts, (genes,); None: all the same.
    """
    bounded = np.clip(np.asarray(posteriors, dtype=np.float64), _SUREST, 1.0 - _SUREST)
    slope, offset = platt(np.log(bounded / (1.0 - bounded)), right, counts)
    return replace(settings, calibration_slope=slope, calibration_offset=offset)


def platt_probabilities(odds: npt.NDArray[np.float64], slope: float, offset: float) -> npt.NDArray[np.float64]:
    """Probabilities (n,) of log odds (n,) by the line of :func:`platt`."""
    return 1.0 / (1.0 + np.exp(-(slope * odds + offset)))


def platt(
    odds: npt.NDArray[np.float64],
    right: Sequence[bool] | npt.NDArray[np.bool_],
    counts: npt.NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Slope, not below 0, and offset that turn log odds (n,) into those of being right.

    A weak prior towards slope 1 and offset 0 dominates if there are few.  ``counts`` (n,) says how much each counts.
    """
    hits = np.asarray(right, dtype=np.float64)
    weight = np.ones(hits.size) if counts is None else counts

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        slope, offset = 1.0 + point[0], point[1]
        logits = slope * odds + offset
        residual = weight * (0.5 + 0.5 * np.tanh(0.5 * logits) - hits)
        value = float(np.sum(weight * (np.logaddexp(0.0, logits) - hits * logits))) + 0.5 * float(point @ point)
        return value, np.array([residual @ odds, residual.sum()]) + point

    change, offset = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-1.0, None), (None, None)]).x
    return 1.0 + float(change), float(offset)
