"""Untranslated regions of decoded genes: from the ends of the CDS outwards.

From each end of a CDS a small lattice of three states (UTR exon, UTR intron, intergenic) is walked away from the gene;
the region ends where the evidence for it, summed over bases, was highest.  Introns are GT-AG or GC-AG and at least
``minimum_intron`` long, exons at least three bases; the region never enters the CDS of another gene on its strand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.decoding.decoded_gene import CodingGene
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval, true_runs
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.labels.states import State

A, C, G, T = range(4)
FORBIDDEN = -1e30
MINIMUM_EXON = 3


@njit(cache=True, nogil=True)
def _walk(exon, intron, opens, closes, minimum_intron, cds_end_exon):
    """Best UTR on a path that leads away from the CDS.

    Args:
        exon, intron: float32 (n,), scores relative to intergenic, nearest base first.
        opens: bool (n,), an intron may begin with this base (counted from the CDS).
        closes: bool (n,), an intron may end with this base.
        cds_end_exon: bases of CDS in the exon that is extended; an intron may follow at once if it is long enough.

    Returns:
        ``(length, is_exon)``: bases of the region, 0 for none, and its exon mask.
    """
    n = exon.size
    in_exon = np.full(n + 1, FORBIDDEN)
    in_intron = np.full(n + 1, FORBIDDEN)
    exon_run = np.zeros(n + 1, np.int64)
    intron_run = np.zeros(n + 1, np.int64)
    in_exon[0] = 0.0
    exon_run[0] = cds_end_exon
    from_intron = np.zeros(n + 1, np.uint8)
    from_exon = np.zeros(n + 1, np.uint8)
    best, best_length = 0.0, 0
    for i in range(1, n + 1):
        stay, enter = in_exon[i - 1], FORBIDDEN
        if in_intron[i - 1] > FORBIDDEN and intron_run[i - 1] >= minimum_intron and closes[i - 2]:
            enter = in_intron[i - 1]
        if enter > stay:
            in_exon[i], exon_run[i], from_intron[i] = enter + exon[i - 1], 1, 1
        else:
            in_exon[i], exon_run[i] = stay + exon[i - 1], exon_run[i - 1] + 1
        stay, enter = in_intron[i - 1], FORBIDDEN
        if opens[i - 1] and exon_run[i - 1] >= MINIMUM_EXON:
            enter = in_exon[i - 1]
        if enter > stay:
            in_intron[i], intron_run[i], from_exon[i] = enter + intron[i - 1], 1, 1
        elif stay > FORBIDDEN:
            in_intron[i], intron_run[i] = stay + intron[i - 1], intron_run[i - 1] + 1
        if in_exon[i] > best and exon_run[i] >= MINIMUM_EXON:
            best, best_length = in_exon[i], i
    is_exon = np.zeros(best_length, np.bool_)
    exonic = True
    for i in range(best_length, 0, -1):
        is_exon[i - 1] = exonic
        if exonic and from_intron[i]:
            exonic = False
        elif not exonic and from_exon[i]:
            exonic = True
    return best_length, is_exon


def _region(
    bases: npt.NDArray[np.uint8], scores: npt.NDArray, upstream: bool, settings: DecoderSettings, cds_end_exon: int
) -> tuple[Interval, ...]:
    """UTR exons as intervals of distance from the CDS, nearest first.

    Args:
        bases: base codes in reading direction of the gene, the base next to the CDS first (downstream) or last
            (upstream).
        scores: float32 (n, 2): log odds of UTR exon and UTR intron against intergenic, same order as ``bases``.
    """
    following = np.zeros((bases.size, 2), np.uint8) + 4
    following[:-1, 0] = bases[1:]
    donor = (bases == G) & ((following[:, 0] == T) | (following[:, 0] == C))
    acceptor = np.zeros(bases.size, bool)
    acceptor[1:] = (bases[:-1] == A) & (bases[1:] == G)
    if upstream:
        opens, closes, scores = acceptor[::-1], donor[::-1], scores[::-1]
    else:
        opens, closes = donor, acceptor
    length, is_exon = _walk(
        np.ascontiguousarray(scores[:, 0]),
        np.ascontiguousarray(scores[:, 1]),
        np.ascontiguousarray(opens),
        np.ascontiguousarray(closes),
        settings.minimum_intron,
        cds_end_exon,
    )
    return true_runs(is_exon[:length])


def exons_with_untranslated_regions(
    gene: CodingGene,
    limits: Interval,
    offset: int,
    bases: npt.NDArray[np.uint8],
    table: npt.NDArray,
    settings: DecoderSettings,
) -> tuple[Interval, ...]:
    """Exons of a gene: its CDS with the untranslated regions joined on, sorted, 0-based half-open contig coordinates.

    Args:
        limits: contig interval that the exons may not leave, see :func:`reach`.
        offset: contig position of the first row of ``bases`` and ``table``, which cover ``limits`` at least.
        bases: uint8 (n,).
        table: log probabilities of the gene's strand, (n, at least the five non-coding states), contig orientation.
    """
    cds_start, cds_end = gene.cds[0][0], gene.cds[-1][1]
    left = slice(limits[0] - offset, cds_start - offset)
    right = slice(cds_end - offset, limits[1] - offset)
    five_prime = (State.UTR5_EXON, State.UTR5_INTRON)
    three_prime = (State.UTR3_EXON, State.UTR3_INTRON)
    first_exon, last_exon = gene.cds[0][1] - gene.cds[0][0], gene.cds[-1][1] - gene.cds[-1][0]
    if gene.strand == "+":
        before = _region(bases[left], _odds(table[left], five_prime), True, settings, first_exon)
        after = _region(bases[right], _odds(table[right], three_prime), False, settings, last_exon)
    else:
        left_scores, right_scores = _odds(table[left], three_prime)[::-1], _odds(table[right], five_prime)[::-1]
        before = _region(reverse_complement(bases[left]), left_scores, False, settings, first_exon)
        after = _region(reverse_complement(bases[right]), right_scores, True, settings, last_exon)
    segments = [(cds_start - e, cds_start - s) for s, e in reversed(before)]
    segments += [*gene.cds, *((cds_end + s, cds_end + e) for s, e in after)]
    return _joined(segments)


def reach(cds_span: Interval, left: int | None, right: int | None, maximum: int, contig_end: int) -> Interval:
    """How far a gene's exons may extend.

    Args:
        cds_span: from start to stop codon.
        left, right: nearest coding base (end, start) of the neighbours on the same strand; the space is shared.
        maximum: furthest distance from the CDS.
        contig_end: length of the contig, or any position past what ``maximum`` allows.
    """
    first, last = max(0, cds_span[0] - maximum), min(contig_end, cds_span[1] + maximum)
    if left is not None:
        first = max(first, (left + cds_span[0] + 1) // 2)  # a middle base is neither's, whichever way it is read
    if right is not None:
        last = min(last, (cds_span[1] + right) // 2)
    return first, last


def _odds(table: npt.NDArray, states: tuple[State, State]) -> npt.NDArray[np.float32]:
    """Log odds of the two UTR states against intergenic, float32 (n, 2)."""
    values = np.asarray(table, dtype=np.float32)
    return values[:, list(states)] - values[:, [State.INTERGENIC]]


def _joined(segments: list[Interval]) -> tuple[Interval, ...]:
    """Segments with touching neighbours joined."""
    joined = [segments[0]]
    for start, end in segments[1:]:
        if start == joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)
