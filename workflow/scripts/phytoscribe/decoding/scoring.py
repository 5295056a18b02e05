"""From decoder settings to the numbers that the lattice adds up, and length scores from an annotation.

The score of a path is linear in the parameters below, so the lattice is a conditional random field: the gradient of its
log likelihood is the difference of observed and expected features (:mod:`phytoscribe.decoding.likelihood`).
"""

from __future__ import annotations

import itertools
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, introns_between
from phytoscribe.compiled import njit
from phytoscribe.decoding import grammar
from phytoscribe.decoding.settings import (
    LENGTHS,
    MINIMUM_CDS_SEGMENT,
    SEGMENT_LENGTHS,
    UNKNOWN_LINEAGES,
    Decoders,
    DecoderSettings,
    LengthScore,
)

_NOT_FITTED = ("sensitivity", "codon_margin", "calibration_slope", "calibration_offset")
#: Scalar settings in the order of the parameter vector; DONORS and ACCEPTORS follow, by phase of the intron.
SCALARS = tuple(f.name for f in fields(DecoderSettings) if f.type == "float" and f.name not in _NOT_FITTED)
#: Index of each in the vector.
INDEX = namedtuple("INDEX", SCALARS)(*range(len(SCALARS)))
DONORS = len(SCALARS)
ACCEPTORS = DONORS + 3
PARAMETER_COUNT = ACCEPTORS + 3
#: Knots of a length score lie at these lengths, bp, as far as the annotation reaches.
KNOTS = (3, 6, 9, 12, 16, 20, 25, 30, 36, 43, 51, 60, 70, 80, 90, 100, 115, 130, 150, 175, 200, 250, 300, 400, 500, 650)
KNOTS += (800, 1000, 1300, 1700, 2200)
#: Share of lengths beyond the last knot, which a geometric tail describes.
TAIL_SHARE = 0.01
#: Standard deviation of the smoothing kernel, in natural log units of length.
SMOOTHING = 0.12
#: The density is never below this share of a log-uniform one over all lengths: a length not seen is not impossible.
FLOOR = 0.05
_LONGEST = 100_000
#: Genes from which a lineage has length scores of its own.
LEAST_LINEAGE_GENES = 100


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


def untrained_decoders(genes: Mapping[str, Sequence[GeneModel]]) -> Decoders:
    """Usual settings with the length scores of all genes, and of each lineage that has many; its rare kinds of length
    keep the score of all genes.

    Args:
        genes: by lineage.
    """
    fallback = replace(DecoderSettings(), **length_scores(itertools.chain.from_iterable(genes.values())))
    lineages = {}
    for lineage, own in sorted(genes.items()):
        if len(own) >= LEAST_LINEAGE_GENES and lineage not in UNKNOWN_LINEAGES:
            found = {name: score for name, score in length_scores(own).items() if score.lengths}
            lineages[lineage] = replace(fallback, **found)
    return Decoders(fallback, lineages)


def length_scores(genes: Iterable[GeneModel], minimum_intron: int = 40) -> dict[str, LengthScore]:
    """Log density of lengths for each length field of the settings: ``replace(settings, **length_scores(genes))``.

    Lengths are taken from the representative transcript of each gene.  A density in the logarithm of the length is
    smoothed with a Gaussian kernel and turned back into one per bp; it is given at :data:`KNOTS`, and beyond them,
    where few lengths are left, falls geometrically with their mean excess.  A kind with fewer than ten lengths
    scores 0.
    """
    found: dict[str, list[int]] = {name: [] for name in LENGTHS}
    for gene in genes:
        if transcript := gene.representative:
            cds = transcript.cds if gene.strand == "+" else transcript.cds[::-1]
            lengths = [end - start for start, end in cds]
            if len(lengths) == 1:
                found["single_lengths"] += lengths
            else:
                found["initial_lengths"].append(lengths[0])
                found["internal_lengths"] += lengths[1:-1]
                found["terminal_lengths"].append(lengths[-1])
            found["intron_lengths"] += [end - start for start, end in introns_between(transcript.cds)]
    shortest = {"intron_lengths": minimum_intron}
    return {name: length_score(values, shortest.get(name, MINIMUM_CDS_SEGMENT)) for name, values in found.items()}


def length_score(lengths: Sequence[int], shortest: int) -> LengthScore:
    """Smoothed log density of lengths of at least ``shortest`` bp."""
    kept = np.array([length for length in lengths if length >= shortest], dtype=np.float64)
    if kept.size < 10:
        return LengthScore()
    last = float(np.quantile(kept, 1 - TAIL_SHARE))
    knots = np.array([shortest, *(k for k in KNOTS if k > shortest)])
    # One knot beyond the quantile, so that the tail begins where lengths have become rare.
    knots = knots[: max(2, int(np.searchsorted(knots, last)) + 1)]
    scores = np.log(_density(kept, knots.astype(np.float64), shortest))
    beyond = kept[kept > knots[-1]]
    excess = float(beyond.mean() - knots[-1]) if beyond.size >= 5 else float(knots[-1]) / 2
    return LengthScore(tuple(int(k) for k in knots), tuple(float(s) for s in scores), -1.0 / max(excess, 10.0))


def _density(lengths: npt.NDArray, at: npt.NDArray, shortest: int) -> npt.NDArray:
    """Density per bp at the lengths ``at``."""
    logs, points = np.log(lengths), np.log(at)
    kernel = np.exp(-0.5 * ((points[:, None] - logs[None, :]) / SMOOTHING) ** 2) / (SMOOTHING * np.sqrt(2 * np.pi))
    # Mass that the kernel puts under the shortest length is mirrored back.
    mirrored = 2 * np.log(shortest) - logs
    kernel += np.exp(-0.5 * ((points[:, None] - mirrored[None, :]) / SMOOTHING) ** 2) / (SMOOTHING * np.sqrt(2 * np.pi))
    uniform = 1.0 / (np.log(_LONGEST) - np.log(shortest))
    return ((1 - FLOOR) * kernel.mean(axis=1) + FLOOR * uniform) / at


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
