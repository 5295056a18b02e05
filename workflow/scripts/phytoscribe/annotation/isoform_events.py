"""How one isoform of a gene differs from another: splicing events, reading frame, nonsense-mediated decay.

The events of isoform B against isoform A, in the direction of transcription:

===================  ===============================================================  =================================
``A3SS``, ``A5SS``   one intron with another acceptor, or another donor               bases between the two sites
``both_ends``        one intron with another donor and another acceptor               the same, of both ends together
``IR``               B keeps an intron of A                                           length of the intron
``intron_spliced``   B splices an intron where A has an exon                          length of the intron
``ES``               B skips one exon of A, or several in a row                       their bases
``exon_included``    the reverse                                                      their bases
``first_exon``       introns with a donor before the other transcript begins          bases between the two 5' ends
``last_exon``        introns with an acceptor after the other transcript ends         bases between the two 3' ends
``start``, ``stop``  equal introns where both transcripts run, other ends of the CDS  bases of the mRNA between the ends
``complex``          anything else, for instance one exon in place of another         none
===================  ===============================================================  =================================

An event joins the introns that only one of the two has and that overlap.  Transcript ends alone are no event: where a
transcript begins or ends is known less well than its splice sites.  Swapping A and B gives the reverse events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from phytoscribe.annotation.model import Transcript, introns_between
from phytoscribe.genome.intervals import Interval

A3SS, A5SS, BOTH_ENDS, IR, INTRON_SPLICED = "A3SS", "A5SS", "both_ends", "IR", "intron_spliced"
ES, EXON_INCLUDED, FIRST_EXON, LAST_EXON = "ES", "exon_included", "first_exon", "last_exon"
START, STOP, COMPLEX, SEVERAL = "start", "stop", "complex", "several"
EVENTS = (
    A3SS, A5SS, BOTH_ENDS, IR, INTRON_SPLICED, ES, EXON_INCLUDED, FIRST_EXON, LAST_EXON, START, STOP, COMPLEX,
)  # fmt: skip
#: One name for an isoform: that of its only event, or that it has several.
EVENT_CLASSES = (*EVENTS, SEVERAL)
#: A stop codon this far before the last exon junction, or less, is no target of nonsense-mediated decay: Nagy and
#: Maquat 1998, doi:10.1016/s0968-0004(98)01208-0.
NMD_DISTANCE = 50
#: Reading the event the other way round.
_REVERSED = {IR: INTRON_SPLICED, INTRON_SPLICED: IR, ES: EXON_INCLUDED, EXON_INCLUDED: ES}
Intervals = tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class IsoformEvent:
    """One difference of isoform B from isoform A.

    Attributes:
        kind: one of :data:`EVENTS`.
        size: bases, see the module; 0 for ``complex``.
        lost: introns of A that B has not, sorted, in contig coordinates; of ``start`` and ``stop`` A's codon.
        gained: introns of B that A has not; of ``start`` and ``stop`` B's codon.
    """

    kind: str
    size: int
    lost: Intervals
    gained: Intervals

    def __str__(self) -> str:
        """As in the GFF3 attribute ``event``: ``A3SS:3``, or ``complex``."""
        return f"{self.kind}:{self.size}" if self.size else self.kind

    def reversed(self) -> IsoformEvent:
        """The event of A against B."""
        return replace(self, kind=_REVERSED.get(self.kind, self.kind), lost=self.gained, gained=self.lost)

    def unordered(self) -> tuple[str, Intervals, Intervals]:
        """The same key whichever of the two isoforms is called A: ``IR`` and ``ES`` stand for their reverses too."""
        forth, back = (self.kind, self.lost, self.gained), (_REVERSED.get(self.kind, self.kind), self.gained, self.lost)
        if self.kind in _REVERSED:
            return forth if self.kind in (IR, ES) else back
        return min(forth, back)


def exon_chain_events(primary: Intervals, other: Intervals, forward: bool) -> tuple[IsoformEvent, ...]:
    """Events between two exon chains of a gene, in the direction of transcription; empty if their introns agree.

    Args:
        primary, other: sorted exons of isoforms A and B, half-open.  Both with or both without UTRs.
        forward: whether the gene is on the plus strand.
    """
    if not forward:
        found = exon_chain_events(_flipped(primary), _flipped(other), forward=True)
        return tuple(replace(event, lost=_flipped(event.lost), gained=_flipped(event.gained)) for event in found)
    mine, others = set(introns_between(primary)), set(introns_between(other))
    events: list[IsoformEvent] = []
    for lost, gained in _overlapping(mine - others, others - mine):
        event = _event(lost, gained, primary, other)
        last = events[-1] if events else None
        if last is not None and last.kind == event.kind and event.kind in (FIRST_EXON, LAST_EXON):
            events[-1] = replace(last, lost=last.lost + event.lost, gained=last.gained + event.gained)
        else:
            events.append(event)
    return tuple(events)


def isoform_events(primary: Transcript, other: Transcript) -> tuple[IsoformEvent, ...]:
    """Events of ``other`` against ``primary``, in the direction of transcription.

    ``start`` and ``stop`` are told only where no intron differs: otherwise they follow from what does.

    Raises:
        ValueError: a transcript has no strand.
    """
    forward = primary.is_forward
    events = exon_chain_events(primary.exons, other.exons, forward)
    if events or not primary.cds or not other.cds:
        return events
    exons, other_exons, cds, other_cds = (
        chain if forward else _flipped(chain) for chain in (primary.exons, other.exons, primary.cds, other.cds)
    )
    from_first, to_last = min(exons, other_exons), max(exons, other_exons, key=lambda chain: chain[-1][1])
    ends = (
        (START, from_first, (cds[0][0], cds[0][0] + 3), (other_cds[0][0], other_cds[0][0] + 3)),
        (STOP, to_last, (cds[-1][1] - 3, cds[-1][1]), (other_cds[-1][1] - 3, other_cds[-1][1])),
    )
    return tuple(
        IsoformEvent(kind, _spliced(chain, codon, changed), _placed(codon, forward), _placed(changed, forward))
        for kind, chain, codon, changed in ends
        if codon != changed
    )


def coding_events(primary: Transcript, other: Transcript) -> tuple[IsoformEvent, ...]:
    """The events of :func:`isoform_events` that touch the region between start and stop of either transcript.

    All of them if none does.  What differs in the UTRs alone explains no difference of the CDS.
    """
    events = isoform_events(primary, other)
    if not primary.cds or not other.cds:
        return events
    low, high = min(primary.cds[0][0], other.cds[0][0]), max(primary.cds[-1][1], other.cds[-1][1])
    touching = (e for e in events if any(start < high and low < end for start, end in e.lost + e.gained))
    return tuple(touching) or events


def events_text(events: Iterable[IsoformEvent]) -> str:
    """The value of the GFF3 attribute ``event``: ``A3SS:3,IR:87``; empty without events."""
    return ",".join(map(str, events))


def event_class(events: Sequence[IsoformEvent]) -> str:
    """One of :data:`EVENT_CLASSES`, or an empty text without events."""
    if not events:
        return ""
    return events[0].kind if len(events) == 1 else SEVERAL


def keeps_frame(primary: Transcript, other: Transcript) -> bool:
    """True if every base that is coding in both is at the same codon position in both, and there is such a base.

    ``frame=kept`` and ``frame=shifted`` in the GFF3.
    """
    frames, others = _frames(primary), _frames(other)
    shared = [
        frame == changed
        for (start, end), frame in frames
        for (other_start, other_end), changed in others
        if start < other_end and other_start < end
    ]
    return bool(shared) and all(shared)


def looks_like_nmd_target(transcript: Transcript) -> bool:
    """True if the stop codon ends more than :data:`NMD_DISTANCE` bases of mRNA before the last exon junction.

    A transcript without CDS, or without its UTRs, is none.
    """
    exons, cds = transcript.exons, transcript.cds
    if not transcript.is_forward:
        exons, cds = _flipped(exons), _flipped(cds)
    return bool(cds) and from_stop_to_last_junction(exons, cds) > NMD_DISTANCE


def from_stop_to_last_junction(exons: Intervals, cds: Intervals) -> int:
    """Bases of mRNA behind the stop codon and before the last exon junction, in the direction of transcription.

    Args:
        exons, cds: sorted in the direction of transcription, neither empty.
    """
    return sum(max(0, end - max(start, cds[-1][1])) for start, end in exons[:-1])


def _flipped(intervals: Intervals) -> Intervals:
    """Intervals in the coordinates of the other strand: negative, but in order."""
    return tuple((-end, -start) for start, end in reversed(intervals))


def _placed(interval: Interval, forward: bool) -> Intervals:
    return (interval,) if forward else _flipped((interval,))


def _overlapping(lost: Iterable[Interval], gained: Iterable[Interval]) -> list[tuple[Intervals, Intervals]]:
    """Introns in groups that overlap, directly or through others, in order."""
    groups: list[tuple[list[Interval], list[Interval]]] = []
    reach = None
    for intron, side in sorted([(intron, 0) for intron in lost] + [(intron, 1) for intron in gained]):
        if reach is None or intron[0] >= reach:
            groups.append(([], []))
        groups[-1][side].append(intron)
        reach = intron[1] if reach is None else max(reach, intron[1])
    return [(tuple(mine), tuple(others)) for mine, others in groups]


def _event(lost: Intervals, gained: Intervals, primary: Intervals, other: Intervals) -> IsoformEvent:
    """The event of one group of introns, on the plus strand."""
    sides = ((lost, other), (gained, primary))
    before = any(start <= exons[0][0] for introns, exons in sides for start, _ in introns)
    after = any(end >= exons[-1][1] for introns, exons in sides for _, end in introns)
    if before or after:
        if before and after:
            return IsoformEvent(COMPLEX, 0, lost, gained)
        if before:
            return IsoformEvent(FIRST_EXON, abs(primary[0][0] - other[0][0]), lost, gained)
        return IsoformEvent(LAST_EXON, abs(primary[-1][1] - other[-1][1]), lost, gained)
    if not gained:
        return IsoformEvent(IR, _bases(lost), lost, gained)
    if not lost:
        return IsoformEvent(INTRON_SPLICED, _bases(gained), lost, gained)
    donor, acceptor = abs(lost[0][0] - gained[0][0]), abs(lost[-1][1] - gained[-1][1])
    if len(lost) == len(gained) == 1:
        kind = BOTH_ENDS if donor and acceptor else (A5SS if donor else A3SS)
        return IsoformEvent(kind, donor + acceptor, lost, gained)
    if not donor and not acceptor and 1 in (len(lost), len(gained)):
        exons = _bases(introns_between(lost if len(gained) == 1 else gained))
        return IsoformEvent(ES if len(gained) == 1 else EXON_INCLUDED, exons, lost, gained)
    return IsoformEvent(COMPLEX, 0, lost, gained)


def _bases(intervals: Iterable[Interval]) -> int:
    return sum(end - start for start, end in intervals)


def _spliced(exons: Intervals, codon: Interval, changed: Interval) -> int:
    """Bases of mRNA between the first bases of two codons, on the plus strand."""
    low, high = sorted((codon[0], changed[0]))
    reached = takewhile(lambda exon: exon[0] < high, exons)
    return sum(max(0, min(end, high) - max(start, low)) for start, end in reached)


def _frames(transcript: Transcript) -> list[tuple[Interval, int]]:
    """CDS segments in the direction of transcription, each with the codon position of base 0 of that axis."""
    cds = transcript.cds if transcript.is_forward else _flipped(transcript.cds)
    done, frames = -transcript.start_phase, []
    for start, end in cds:
        frames.append(((start, end), (done - start) % 3))
        done += end - start
    return frames
