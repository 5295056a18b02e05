"""From decoder settings to the numbers that the lattice adds up.

The score of a path is linear in the parameters below, so the lattice is a conditional random field: the gradient of its
log likelihood is the difference of observed and expected features (:mod:`phytoscribe.decoding.likelihood`).
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding import grammar
from phytoscribe.decoding.settings import MINIMUM_CDS_SEGMENT, SEGMENT_LENGTHS, DecoderSettings, LengthScore

_NOT_FITTED = ("sensitivity", "calibration_slope", "calibration_offset")
#: Scalar settings in the order of the parameter vector; DONORS and ACCEPTORS follow, by phase of the intron.
SCALARS = tuple(f.name for f in fields(DecoderSettings) if f.type == "float" and f.name not in _NOT_FITTED)
#: Index of each in the vector.
INDEX = namedtuple("INDEX", SCALARS)(*range(len(SCALARS)))
DONORS = len(SCALARS)
ACCEPTORS = DONORS + 3
PARAMETER_COUNT = ACCEPTORS + 3


def parameters(settings: DecoderSettings) -> npt.NDArray[np.float64]:
    """Parameter vector (PARAMETER_COUNT,) of the settings, a positive sensitivity included in the gene's score."""
    values = [getattr(settings, name) for name in SCALARS]
    vector = np.array([*values, *settings.donor_scores, *settings.acceptor_scores], dtype=np.float64)
    vector[INDEX.gene_score] += max(0.0, settings.sensitivity)
    return vector


def with_parameters(settings: DecoderSettings, vector: npt.NDArray[np.float64]) -> DecoderSettings:
    """Settings with the values of a parameter vector; inverse of :func:`parameters`."""
    values = {name: float(value) for name, value in zip(SCALARS, vector, strict=False)}
    values["gene_score"] -= max(0.0, settings.sensitivity)
    donors = tuple(float(v) for v in vector[DONORS:ACCEPTORS])
    acceptors = tuple(float(v) for v in vector[ACCEPTORS:])
    return replace(settings, **values, donor_scores=donors, acceptor_scores=acceptors)


def length_table(score: LengthScore, limit: int) -> npt.NDArray[np.float64]:
    """Scores of the lengths 0 to ``limit``, float64 (limit + 1,)."""
    if not score.lengths:
        return score.slope * np.arange(limit + 1, dtype=np.float64)
    lengths = np.arange(limit + 1)
    values = np.interp(lengths, score.lengths, score.scores)
    return values + score.slope * np.maximum(lengths - score.limit, 0)


def edge_scores(settings: DecoderSettings, limit: int = 0) -> grammar.Scores:
    """Length scores and limits of the lattice's edges.

    Args:
        limit: least length, bp, up to which lengths are looked up one by one; changes time, not results.
    """
    segments = [getattr(settings, name) for name in SEGMENT_LENGTHS]
    longest = max(limit, MINIMUM_CDS_SEGMENT, *(score.limit for score in segments))
    table = np.zeros((grammar.SEGMENT_KINDS, longest + 1))
    slopes = np.zeros(grammar.SEGMENT_KINDS)
    for kind, score in enumerate(segments):
        table[kind] = length_table(score, longest)
        slopes[kind] = score.slope
    introns = settings.intron_lengths
    return grammar.Scores(
        table,
        slopes,
        length_table(introns, max(limit, settings.minimum_intron, introns.limit)),
        float(introns.slope),
        settings.minimum_intron,
        settings.minimum_cds,
    )


@njit(cache=True, inline="always")
def is_donor(kind, strand):
    return (kind == grammar.INTRON_BEGIN) == (strand == grammar.PLUS)


@njit(cache=True, inline="always")
def phase_of(strand, t):
    """Phase of an intron (bases of the split codon before it in reading direction) from those left of it."""
    return t if strand == grammar.PLUS else (3 - t) % 3


@njit(cache=True, inline="always")
def coding_reach(kind, variant, position):
    """Position up to which a row's coding prefix counts bases."""
    if variant == grammar.EDGE:
        return position
    return position - 1 if kind in (grammar.INTRON_BEGIN, grammar.END) else position + 1


@njit(cache=True, nogil=True)
def compose(first, last, sites, theta, site, span):
    """Scores of rows ``first..last-1`` under the parameters ``theta``.

    ``site`` (n, 3) by ``t`` is what a segment that opens or closes here adds: the site's own score, and the prefix sum
    of coding scores (added where it closes, subtracted where it opens).  ``span`` is the same for introns.  Checks get
    the plain prefix sums.
    """
    for r in range(first, last):
        kind, strand, variant, position = sites.kind[r], sites.strand[r], sites.variant[r], sites.position[r]
        opens = kind in (grammar.BEGIN, grammar.INTRON_END)
        reach = coding_reach(kind, variant, position)
        for t in range(3):
            if sites.odds[r, t] <= grammar.FORBIDDEN:
                site[r, t] = grammar.FORBIDDEN
                span[r, t] = grammar.FORBIDDEN
                continue
            coding = (
                theta[INDEX.coding_weight] * sites.coding_total[r]
                + theta[INDEX.coding_frame_weight] * sites.coding_frame[r, t]
                + theta[INDEX.coding_score] * reach
            )
            intron = (
                theta[INDEX.intron_weight] * sites.intron_total[r]
                + theta[INDEX.intron_phase_weight] * sites.intron_phase[r, t]
                + theta[INDEX.intron_base_score] * position
            )
            if kind == grammar.CHECK:
                site[r, t] = coding
                span[r, t] = intron
                continue
            if kind == grammar.INTRON_BEGIN:
                span[r, t] = theta[INDEX.intron_score] - intron
            else:
                span[r, t] = intron if kind == grammar.INTRON_END else 0.0
            if variant == grammar.EDGE:
                value = theta[INDEX.partial_score]
                if kind in (grammar.BEGIN, grammar.INTRON_BEGIN):
                    value += theta[INDEX.gene_score]
                if kind == grammar.BEGIN:
                    value -= coding
                elif kind == grammar.END:
                    value += coding
                site[r, t] = value
                continue
            odds = sites.odds[r, t]
            value = -coding if opens else coding
            if kind == grammar.BEGIN:
                value += theta[INDEX.gene_score]
            if kind in (grammar.BEGIN, grammar.END):
                if (kind == grammar.BEGIN) == (strand == grammar.PLUS):
                    value += theta[INDEX.start_weight] * odds + theta[INDEX.start_score]
                else:
                    value += theta[INDEX.stop_weight] * odds + theta[INDEX.stop_score]
            elif is_donor(kind, strand):
                value += theta[INDEX.donor_weight] * odds + theta[DONORS + phase_of(strand, t)]
                if variant == grammar.GC:
                    value += theta[INDEX.gc_donor_score]
                elif variant == grammar.AT_AC:
                    value += theta[INDEX.at_ac_score]
            else:
                value += theta[INDEX.acceptor_weight] * odds + theta[ACCEPTORS + phase_of(strand, t)]
            site[r, t] = value
