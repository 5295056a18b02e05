"""Gene models to per-base state labels and back, for one strand of one stretch of a contig."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import COMPLEMENT_STRAND, GeneModel, Interval, Transcript
from phytoscribe.genome.intervals import true_runs
from phytoscribe.labels.states import (
    ACCEPTOR_BIT,
    CODING_STATES,
    DONOR_BIT,
    INTRON_STATES,
    NON_CODING_LABEL,
    STATE_COUNT,
    UNKNOWN_SITE_BIT,
    State,
)

Labels = npt.NDArray[np.uint8]


def label_transcript(transcript: Transcript) -> tuple[int, Labels]:
    """States of one transcript, in contig orientation.

    Returns:
        ``(start, labels)``: labels has shape (transcript.end - transcript.start,), dtype uint8, and position ``i`` is
        contig position ``start + i``, on either strand.

    A transcript without CDS gives ``INTERGENIC`` throughout: what codes for no protein is not predicted.
    """
    start, end = transcript.start, transcript.end
    labels = np.zeros(end - start, dtype=np.uint8)
    if not transcript.cds:
        return start, labels
    if not transcript.is_forward:
        mirrored = _mirror(transcript, end)
        _, reading = label_transcript(mirrored)
        return start, reading[::-1].copy()

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


def label_contig(genes: Iterable[GeneModel], strand: str, length: int) -> tuple[Labels, npt.NDArray, npt.NDArray]:
    """States of one strand of a contig, with soft targets where isoforms disagree.

    Genes are laid down in order of CDS length, so that where two genes of one strand overlap the longer CDS stands.

    Returns:
        ``labels``: uint8, shape (length,), the state of each gene's representative transcript, contig orientation.
        ``soft_positions``: int64, shape (m,), sorted contig positions where the isoforms of a gene disagree.
        ``soft_targets``: float16, shape (m, STATE_COUNT), the share of the gene's isoforms in each state there.
    """
    labels = np.zeros(length, dtype=np.uint8)
    owner = np.full(length, -1, dtype=np.int32)
    spoken = [(g, t) for g in genes if g.strand == strand and (t := g.representative)]
    spoken.sort(key=lambda pair: (pair[1].cds_length, pair[0].start, pair[0].id))
    chosen = [gene for gene, _ in spoken]
    for number, (_, transcript) in enumerate(spoken):
        offset, states = label_transcript(transcript)
        labels[offset : offset + states.size] = states
        owner[offset : offset + states.size] = number
    for number, gene in enumerate(chosen):
        free = owner[gene.start : gene.end] == -1
        owner[gene.start : gene.end][free] = number
    positions, targets = [np.zeros(0, np.int64)], [np.zeros((0, STATE_COUNT), np.float16)]
    for number, gene in enumerate(chosen):
        shares = _isoform_shares(gene)
        kept = np.flatnonzero((shares.max(axis=1) < 0.999) & (owner[gene.start : gene.end] == number))
        positions.append(kept + gene.start)
        targets.append(shares[kept].astype(np.float16))
    all_positions = np.concatenate(positions)
    order = np.argsort(all_positions, kind="stable")
    return labels, all_positions[order], np.concatenate(targets)[order]


def _isoform_shares(gene: GeneModel) -> npt.NDArray[np.float32]:
    """Share of the gene's coding transcripts in each state, shape (gene.end - gene.start, STATE_COUNT)."""
    span = np.arange(gene.end - gene.start)
    shares = np.zeros((span.size, STATE_COUNT), dtype=np.float32)
    for transcript in gene.coding_transcripts:
        offset, states = label_transcript(transcript)
        whole = np.zeros(span.size, dtype=np.uint8)
        whole[offset - gene.start : offset - gene.start + states.size] = states
        shares[span, whole] += 1.0 / len(gene.coding_transcripts)
    return shares


def label_sites(genes: Iterable[GeneModel], strand: str, length: int) -> Labels:
    """Splice sites of one strand of a contig: every intron of every transcript, coding or not.

    Returns:
        uint8, shape (length,), contig orientation: ``DONOR_BIT`` on the first base of an intron in reading direction,
        ``ACCEPTOR_BIT`` on its last.
    """
    sites = np.zeros(length, dtype=np.uint8)
    first, last = (DONOR_BIT, ACCEPTOR_BIT) if strand == "+" else (ACCEPTOR_BIT, DONOR_BIT)
    for gene in genes:
        if gene.strand != strand:
            continue
        for transcript in gene.transcripts:
            for start, end in transcript.introns:
                sites[start] |= first
                sites[end - 1] |= last
    return sites


#: Bases beside a CDS without UTR that may belong to one: 5' and 3' UTRs of *A. thaliana* with their introns are
#: shorter in 95 % of transcripts.
UNTRANSLATED_REACH = 1000


def mark_unknown_untranslated(
    genes: Iterable[GeneModel], strand: str, labels: Labels, sites: Labels, reach: int = UNTRANSLATED_REACH
) -> None:
    """Mark, in place, where an annotation with incomplete untranslated regions is silent.

    Beside an end of a CDS at which no transcript of the gene has a UTR, intergenic bases of that strand up to
    ``reach`` away become ``NON_CODING_LABEL``, and sites there unknown.

    Args:
        labels, sites: of the same strand and contig, contig orientation.
    """
    for gene in genes:
        if gene.strand != strand or not gene.coding_transcripts:
            continue
        start = min(t.cds[0][0] for t in gene.coding_transcripts)
        end = max(t.cds[-1][1] for t in gene.coding_transcripts)
        sides = []
        if gene.start == start:
            sides.append(slice(max(0, start - reach), start))
        if gene.end == end:
            sides.append(slice(end, end + reach))
        for side in sides:
            silent = labels[side] == State.INTERGENIC
            labels[side][silent] = NON_CODING_LABEL
            sites[side][silent] |= UNKNOWN_SITE_BIT


def transcripts_from_labels(labels: Sequence[int] | Labels, strand: str) -> list[Transcript]:
    """Transcripts that one strand's labels spell out, in contig orientation: the inverse of :func:`label_transcript`.

    Genes must be apart by at least one intergenic base, as they are in the labels of single transcripts.
    """
    states = np.asarray(labels, dtype=np.uint8)
    if strand == "-":
        length = states.size
        return [_mirror(t, length) for t in reversed(transcripts_from_labels(states[::-1], "+"))]
    genic = states != State.INTERGENIC
    exonic = genic & ~np.isin(states, (*INTRON_STATES, State.UTR5_INTRON, State.UTR3_INTRON))
    coding = np.isin(states, CODING_STATES)
    return [
        Transcript(f"t{number}", true_runs(exonic[left:right], left), true_runs(coding[left:right], left), strand="+")
        for number, (left, right) in enumerate(true_runs(genic), start=1)
    ]
