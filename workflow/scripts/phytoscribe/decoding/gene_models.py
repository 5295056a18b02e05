"""A gene model from a decoded gene: its CDS with untranslated regions.

From each end of a CDS a small lattice of three states (UTR exon, UTR intron, intergenic) is walked away from the gene;
the region ends where the evidence for it, summed over bases, was highest.  Introns are GT-AG or GC-AG and at least
``minimum_intron`` long, exons at least three bases; the region never enters the CDS of another gene on its strand.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.compiled import njit
from phytoscribe.decoding.decoded_gene import DecodedGene, DecodedTranscript
from phytoscribe.decoding.grammar import FORBIDDEN, A, C, G, N, T
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval, merge_intervals, true_runs
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.labels.states import State

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
    following = np.append(bases[1:], np.uint8(N))
    opens = (bases == G) & ((following == T) | (following == C))
    closes = np.append(False, (bases[:-1] == A) & (bases[1:] == G))
    if upstream:
        opens, closes, scores = closes[::-1], opens[::-1], scores[::-1]
    exon, intron, opens, closes = map(np.ascontiguousarray, (*scores.T, opens, closes))
    length, is_exon = _walk(exon, intron, opens, closes, settings.minimum_intron, cds_end_exon)
    return true_runs(is_exon[:length])


def exons_with_untranslated_regions(
    cds: tuple[Interval, ...],
    strand: str,
    limits: Interval,
    offset: int,
    bases: npt.NDArray[np.uint8],
    table: npt.NDArray,
    settings: DecoderSettings,
) -> tuple[Interval, ...]:
    """A CDS with the untranslated regions joined on: sorted exons, 0-based half-open contig coordinates.

    Args:
        limits: contig interval that the exons may not leave, see :func:`reach`.
        offset: contig position of the first row of ``bases`` and ``table``, which cover ``limits`` at least.
        bases: uint8 (n,).
        table: log probabilities of the gene's strand, (n, at least the five non-coding states), contig orientation.
    """
    cds_start, cds_end = cds[0][0], cds[-1][1]

    def beside(start: int, end: int, upstream: bool, segment: Interval) -> tuple[Interval, ...]:
        rows = slice(start - offset, end - offset)
        exon, intron = (State.UTR5_EXON, State.UTR5_INTRON) if upstream else (State.UTR3_EXON, State.UTR3_INTRON)
        values, codes = np.asarray(table[rows], dtype=np.float32), bases[rows]
        odds = values[:, [exon, intron]] - values[:, [State.INTERGENIC]]
        if strand == "-":
            codes, odds = reverse_complement(codes), odds[::-1]
        return _region(codes, odds, upstream, settings, segment[1] - segment[0])

    before = beside(limits[0], cds_start, strand == "+", cds[0])
    after = beside(cds_end, limits[1], strand == "-", cds[-1])
    segments = [(cds_start - e, cds_start - s) for s, e in before]
    return tuple(merge_intervals([*segments, *cds, *((cds_end + s, cds_end + e) for s, e in after)]))


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


def gene_model(gene: DecodedGene, exons: list[tuple[Interval, ...]], contig: str, identifier: str) -> GeneModel:
    """The gene model of a decoded gene, its transcripts ``.t1``, ``.t2``, ... in their order.

    The probabilities of a transcript's parts become its attributes; lists of them are in reading direction of the gene,
    as exons are counted.

    Args:
        exons: of each transcript.
    """
    transcripts = tuple(
        Transcript(
            f"{identifier}.t{number}",
            its_exons,
            transcript.cds,
            attributes=_attributes(transcript, gene)
            | _cut_ends(its_exons[0][0], its_exons[-1][1], transcript.partial_left, transcript.partial_right),
            score=transcript.probability,
            start_phase=transcript.start_phase,
        )
        for number, (transcript, its_exons) in enumerate(zip(gene.transcripts, exons, strict=True), start=1)
    )
    cut = _cut_ends(
        min(t.start for t in transcripts),
        max(t.end for t in transcripts),
        any(t.partial_left for t in gene.transcripts),
        any(t.partial_right for t in gene.transcripts),
    )
    return GeneModel(identifier, contig, gene.strand, transcripts, attributes=cut, score=gene.probability)


def _attributes(transcript: DecodedTranscript, gene: DecodedGene) -> dict[str, str]:
    order = slice(None) if gene.strand == "+" else slice(None, None, -1)
    attributes = {
        "locus_probability": _shown(gene.locus_probability),
        "cds_probabilities": ",".join(map(_shown, transcript.segment_probabilities[order])),
        "intron_probabilities": ",".join(map(_shown, transcript.intron_probabilities[order])),
        "start_probability": _shown(transcript.start_probability),
        "stop_probability": _shown(transcript.stop_probability),
    }
    return {name: value for name, value in attributes.items() if value}


def _cut_ends(start: int, end: int, left: bool, right: bool) -> dict[str, str]:
    """GFF3 attributes of a feature that an end of the contig cuts, as NCBI writes them; coordinates count from 1."""
    ends = {"start_range": f".,{start + 1}" if left else "", "end_range": f"{end},." if right else ""}
    return {"partial": "true", **{name: value for name, value in ends.items() if value}} if left or right else {}


def _shown(probability: float) -> str:
    """Three decimals; empty for none."""
    return "" if math.isnan(probability) else f"{probability:.3f}"
