"""Convert gene models to per-base labels of one strand: structure states and splice sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import COMPLEMENT_STRAND, GeneModel, Interval, Transcript
from phytoscribe.labels.states import (
    ACCEPTOR_BIT,
    CODING_STATES,
    DONOR_BIT,
    LABEL_COUNT,
    NON_CODING_LABEL,
    NON_CODING_STATES,
    STATE_COUNT,
    UNKNOWN_SITE_BIT,
    State,
)

Labels = npt.NDArray[np.uint8]
_CODING = np.isin(np.arange(LABEL_COUNT), CODING_STATES)
_UNTRANSLATED = np.isin(np.arange(LABEL_COUNT), (*NON_CODING_STATES[1:], NON_CODING_LABEL))


def label_transcript(transcript: Transcript) -> tuple[int, Labels]:
    """States of one transcript, in contig orientation.

    Returns:
        ``(start, labels)``: labels has shape (transcript.end - transcript.start,), dtype uint8, and position ``i`` is
        contig position ``start + i``, on either strand.

    A transcript without CDS is ``INTERGENIC`` throughout, because non-coding genes are not predicted.
    """
    start, end = transcript.start, transcript.end
    labels = np.zeros(end - start, dtype=np.uint8)
    if not transcript.cds:
        return start, labels
    if not transcript.is_forward:
        return start, label_transcript(_mirror(transcript, end))[1][::-1].copy()

    _label_untranslated(transcript, labels, start)
    position = (3 - transcript.start_phase) % 3
    last_segment = len(transcript.cds) - 1
    for index, (left, right) in enumerate(transcript.cds):
        codon_position = (position + np.arange(right - left)) % 3
        labels[left - start : right - start] = State.CODING0 + codon_position
        if index > 0:
            labels[left - start] = State.FIRST0 + codon_position[0]
        if index < last_segment:
            labels[right - 1 - start] = State.LAST0 + codon_position[-1]
            following = transcript.cds[index + 1][0]
            labels[right - start : following - start] = State.INTRON0 + (position + right - left) % 3
        position += right - left
    labels[transcript.cds[0][0] - start] = State.START
    labels[transcript.cds[-1][1] - 1 - start] = State.STOP
    return start, labels


def _mirror(transcript: Transcript, end: int) -> Transcript:
    def flip(segments: tuple[Interval, ...]) -> tuple[Interval, ...]:
        return tuple((end - e, end - s) for s, e in reversed(segments))

    exons, cds, strand = flip(transcript.exons), flip(transcript.cds), COMPLEMENT_STRAND[transcript.strand]
    return replace(transcript, exons=exons, cds=cds, strand=strand)


def _label_untranslated(transcript: Transcript, labels: Labels, start: int) -> None:
    cds_start, cds_end = transcript.cds[0][0] - start, transcript.cds[-1][1] - start
    labels[:cds_start] = State.UTR5_INTRON
    labels[cds_end:] = State.UTR3_INTRON
    for left, right in transcript.exons:
        labels[left - start : min(right - start, cds_start)] = State.UTR5_EXON
        if right - start > cds_end:
            labels[max(left - start, cds_end) : right - start] = State.UTR3_EXON


class StrandLabels(NamedTuple):
    """Labels of one strand of a contig, in contig orientation.

    Attributes:
        states: uint8 (length,), the state of each gene's representative transcript, or ``NON_CODING_LABEL``.
        soft_positions: int64 (m,), sorted positions where the isoforms of a gene disagree.
        soft_targets: float16 (m, STATE_COUNT), the share of the gene's isoforms in each state there.
        disputed: int64 (k,), sorted positions where two genes need different states, of which a label can hold only
            one.
    """

    states: Labels
    soft_positions: npt.NDArray[np.int64]
    soft_targets: npt.NDArray[np.float16]
    disputed: npt.NDArray[np.int64]


#: Owners of a base in :func:`label_contig` that are no gene.
_FREE, _SHARED = -1, -2


def label_contig(genes: Iterable[GeneModel], strand: str, length: int) -> StrandLabels:
    """States of one strand of a contig, with soft targets where isoforms disagree.

    Where the representative transcripts of two genes overlap, coding bases take precedence over the other's UTR,
    different UTR states become ``NON_CODING_LABEL``, and any other difference (two reading frames, a gene in an intron
    of another) is disputed; there ``states`` follows the longer CDS.
    """
    states = np.zeros(length, dtype=np.uint8)
    disputed = [np.zeros(0, np.int64)]
    owner = np.full(length, _FREE, dtype=np.int32)
    coding = [(g, t) for g in genes if g.strand == strand and (t := g.representative)]
    coding.sort(key=lambda pair: (pair[1].cds_length, pair[0].start, pair[0].id))
    for number, (_, transcript) in enumerate(coding):
        offset, own = label_transcript(transcript)
        inside = slice(offset, offset + own.size)
        there = states[inside]
        above = (there == State.INTERGENIC) | (_CODING[own] & _UNTRANSLATED[there])
        differ = (own != there) & ~above & ~(_UNTRANSLATED[own] & _CODING[there])
        both_untranslated = differ & _UNTRANSLATED[own] & _UNTRANSLATED[there]
        disputed.append(np.flatnonzero(differ & ~both_untranslated) + offset)
        owner[inside] = np.where(both_untranslated, _SHARED, np.where(above, number, owner[inside]))
        states[inside] = np.where(both_untranslated, NON_CODING_LABEL, np.where(above | differ, own, there))
    for number, (gene, _) in enumerate(coding):
        owners = owner[gene.start : gene.end]
        owners[owners == _FREE] = number
    positions, targets = [np.zeros(0, np.int64)], [np.zeros((0, STATE_COUNT), np.float16)]
    for number, (gene, _) in enumerate(coding):
        shares = _state_shares(gene)
        kept = np.flatnonzero((shares.max(axis=1) < 0.999) & (owner[gene.start : gene.end] == number))
        positions.append(kept + gene.start)
        targets.append(shares[kept].astype(np.float16))
    all_positions = np.concatenate(positions)
    order = np.argsort(all_positions, kind="stable")
    disputed_positions = np.unique(np.concatenate(disputed))
    return StrandLabels(states, all_positions[order], np.concatenate(targets)[order], disputed_positions)


def _state_shares(gene: GeneModel) -> npt.NDArray[np.float32]:
    """Share of the gene's coding transcripts in each state, shape (gene.end - gene.start, STATE_COUNT)."""
    span = np.arange(gene.end - gene.start)
    shares = np.zeros((span.size, STATE_COUNT), dtype=np.float32)
    for transcript, weight in zip(gene.coding_transcripts, isoform_weights(gene), strict=True):
        offset, states = label_transcript(transcript)
        whole = np.zeros(span.size, dtype=np.uint8)
        whole[offset - gene.start : offset - gene.start + states.size] = states
        shares[span, whole] += weight
    return shares


#: Weight of a fragment beside the isoform that holds it.
FRAGMENT_WEIGHT = 0.5


def isoform_weights(gene: GeneModel) -> npt.NDArray[np.float64]:
    """Weight of each coding transcript in the gene's soft targets, float64 (coding transcripts,), summing to one.

    Weights follow the annotation's own support, if it is given for every transcript: Araport's ``conf_rating`` (one to
    five stars) or Ensembl's ``transcript_support_level`` (1 is the best of five).  Otherwise they are equal.  A
    fragment, whose CDS is part of another's in the same frame, counts half.
    """
    coding = gene.coding_transcripts
    support = [_support(transcript) for transcript in coding]
    weights = np.array(support if all(support) else [1.0] * len(coding))
    weights[[any(_is_fragment(part, whole) for whole in coding) for part in coding]] *= FRAGMENT_WEIGHT
    return weights / weights.sum()


def _support(transcript: Transcript) -> float:
    """Support of a transcript, at most 1; 0 if the annotation gives none."""
    if stars := transcript.attributes.get("conf_rating", "").count("*"):
        return stars / 5
    level = transcript.attributes.get("transcript_support_level", "")[:1]
    return 1 / int(level) if level in {*"12345"} else 0.0


def _is_fragment(part: Transcript, whole: Transcript) -> bool:
    """Whether the CDS of one transcript is a true part of another's: a later start codon, the same exon ends."""
    start, end = part.cds[0][0], part.cds[-1][1]
    inside = tuple((max(s, start), min(e, end)) for s, e in whole.cds if s < end and e > start)
    before = sum(min(e, start) - s for s, e in whole.cds if s < start)
    return part.cds == inside != whole.cds and before % 3 == 0


def label_sites(genes: Iterable[GeneModel], strand: str, length: int, annotated: Iterable[GeneModel] = ()) -> Labels:
    """Splice sites of one strand of a contig: every intron of every transcript of ``genes``, coding or not.

    Args:
        annotated: all genes of the annotation, including those not in ``genes``.  Their introns may well be real, so
            their ends are marked as unknown unless ``genes`` have a site there.

    Returns:
        uint8, shape (length,), contig orientation: ``DONOR_BIT`` on the first base of an intron in reading direction,
        ``ACCEPTOR_BIT`` on its last, ``UNKNOWN_SITE_BIT`` on both for an intron that only ``annotated`` has.
    """
    sites = np.zeros(length, dtype=np.uint8)
    first, last = (DONOR_BIT, ACCEPTOR_BIT) if strand == "+" else (ACCEPTOR_BIT, DONOR_BIT)
    for start, end in _introns(genes, strand):
        sites[start] |= first
        sites[end - 1] |= last
    for start, end in _introns(annotated, strand):
        if 0 <= start < end <= length:  # not so where exons of a broken transcript overlap
            for base in (start, end - 1):
                sites[base] = sites[base] or UNKNOWN_SITE_BIT
    return sites


def _introns(genes: Iterable[GeneModel], strand: str) -> Iterator[Interval]:
    return (intron for g in genes if g.strand == strand for t in g.transcripts for intron in t.introns)


#: Bases beside a CDS without UTR that may belong to one: 5' and 3' UTRs of *A. thaliana* with their introns are
#: shorter in 95 % of transcripts.
UNTRANSLATED_REACH = 1000


def mark_unknown_untranslated(
    genes: Iterable[GeneModel], strand: str, labels: Labels, sites: Labels, reach: int = UNTRANSLATED_REACH
) -> None:
    """Mark, in place, the bases where an annotation with incomplete UTRs gives no information.

    At a CDS end where no transcript of the gene has a UTR, intergenic bases of that strand up to ``reach`` away become
    ``NON_CODING_LABEL``, and splice sites there become unknown.

    Args:
        labels, sites: of the same strand and contig, contig orientation.
    """
    for gene in genes:
        if gene.strand != strand or not gene.coding_transcripts:
            continue
        start = min(t.cds[0][0] for t in gene.coding_transcripts)
        end = max(t.cds[-1][1] for t in gene.coding_transcripts)
        before, behind = slice(max(0, start - reach), start), slice(end, end + reach)
        for side, no_utr in ((before, gene.start == start), (behind, gene.end == end)):
            silent = (labels[side] == State.INTERGENIC) & no_utr
            labels[side][silent] = NON_CODING_LABEL
            sites[side][silent] |= UNKNOWN_SITE_BIT


def mark_unknown_isoforms(genes: Iterable[GeneModel], strand: str, sites: Labels) -> None:
    """Mark, in place, what an annotation with one of several isoforms leaves open: any base of a gene that is no
    annotated splice site may be that of another isoform.

    Args:
        sites: of this strand and contig, contig orientation.
    """
    for gene in genes:
        if gene.strand == strand:
            inside = sites[gene.start : gene.end]
            inside[inside == 0] = UNKNOWN_SITE_BIT
