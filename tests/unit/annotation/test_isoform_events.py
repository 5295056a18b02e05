"""Events between two isoforms: each kind by hand on both strands, their symmetries, and a whole annotation."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation.isoform_events import (
    EVENTS,
    coding_events,
    event_class,
    events_text,
    exon_chain_events,
    isoform_events,
    keeps_frame,
    looks_like_nmd_target,
)
from phytoscribe.annotation.model import COMPLEMENT_STRAND, GeneModel, Transcript

LENGTH = 1000
EXONS = ((100, 200), (300, 400), (500, 600), (700, 800))
#: Exons of the other isoform and its events, on the plus strand.
BY_HAND = {
    "the same": (EXONS, ""),
    "other ends": (((90, 200), (300, 400), (500, 600), (700, 850)), ""),
    "acceptor upstream": (((100, 200), (297, 400), (500, 600), (700, 800)), "A3SS:3"),
    "acceptor downstream": (((100, 200), (304, 400), (500, 600), (700, 800)), "A3SS:4"),
    "donor": (((100, 200), (300, 412), (500, 600), (700, 800)), "A5SS:12"),
    "both ends of an intron": (((100, 200), (300, 390), (505, 600), (700, 800)), "both_ends:15"),
    "both ends of an exon": (((100, 200), (290, 405), (500, 600), (700, 800)), "A3SS:10,A5SS:5"),
    "retained": (((100, 200), (300, 600), (700, 800)), "IR:100"),
    "two retained": (((100, 200), (300, 800)), "IR:100,IR:100"),
    "spliced": (((100, 200), (300, 400), (500, 530), (570, 600), (700, 800)), "intron_spliced:40"),
    "skipped": (((100, 200), (500, 600), (700, 800)), "ES:100"),
    "two skipped": (((100, 200), (700, 800)), "ES:200"),
    "included": (((100, 200), (230, 260), (300, 400), (500, 600), (700, 800)), "exon_included:30"),
    "skipped, with another acceptor": (((100, 200), (510, 600), (700, 800)), "complex"),
    "one exon for another": (((100, 200), (220, 280), (500, 600), (700, 800)), "complex"),
    "another first exon": (((20, 50), (300, 400), (500, 600), (700, 800)), "first_exon:80"),
    "a first exon fewer": (((280, 400), (500, 600), (700, 800)), "first_exon:180"),
    "first exons more": (((10, 30), (50, 70), (90, 200), (300, 400), (500, 600), (700, 800)), "first_exon:90"),
    "another last exon": (((100, 200), (300, 400), (500, 600), (860, 950)), "last_exon:150"),
    "last exons fewer": (((100, 200), (300, 420)), "last_exon:380"),
    "inside an intron": (((620, 680),), "first_exon:520,complex"),
}
exons = st.lists(st.integers(1, LENGTH - 1), min_size=2, max_size=14, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2]))
)


def flipped(chain):
    return tuple((LENGTH - end, LENGTH - start) for start, end in reversed(chain))


@pytest.mark.parametrize(("other", "told"), BY_HAND.values(), ids=BY_HAND)
def test_events_by_hand_on_both_strands(other, told):
    assert events_text(exon_chain_events(EXONS, other, forward=True)) == told
    assert events_text(exon_chain_events(flipped(EXONS), flipped(other), forward=False)) == told


@given(exons, exons, st.booleans())
def test_strand_and_order_change_nothing_but_the_names(primary, other, forward):
    events = exon_chain_events(primary, other, forward)
    on_other_strand = exon_chain_events(flipped(primary), flipped(other), not forward)
    assert [(e.kind, e.size) for e in on_other_strand] == [(e.kind, e.size) for e in events]
    assert [(flipped(e.lost), flipped(e.gained)) for e in on_other_strand] == [(e.lost, e.gained) for e in events]
    back = exon_chain_events(other, primary, forward)
    assert back == tuple(event.reversed() for event in events)
    assert [event.unordered() for event in back] == [event.unordered() for event in events]


@given(exons, exons)
def test_events_hold_every_intron_that_differs_once(primary, other):
    events = exon_chain_events(primary, other, forward=True)
    introns = [{(a[1], b[0]) for a, b in pairwise(chain)} for chain in (primary, other)]
    assert Counter(i for e in events for i in e.lost) == Counter(introns[0] - introns[1])
    assert Counter(i for e in events for i in e.gained) == Counter(introns[1] - introns[0])
    assert all(e.kind in EVENTS and (e.size > 0 or e.kind == "complex") for e in events)


def transcripts(strand, *pairs):
    """Transcripts of one gene from (exons, first and end of the CDS) on the plus strand."""
    made = []
    for number, (chain, start, end) in enumerate(pairs):
        cds = tuple((max(a, start), min(b, end)) for a, b in chain if a < end and start < b)
        made.append(Transcript(f"t{number}", chain, cds))
    gene = GeneModel("g", "c", "+", tuple(made))
    return (gene if strand == "+" else gene.reverse_complement(LENGTH)).transcripts


@pytest.mark.parametrize("strand", COMPLEMENT_STRAND)
def test_other_ends_of_the_cds_are_told_where_nothing_else_differs(strand):
    whole, later, early = transcripts(strand, (EXONS, 150, 750), (EXONS, 310, 750), (EXONS, 150, 560))
    assert events_text(isoform_events(whole, later)) == "start:60"
    assert events_text(isoform_events(later, whole)) == "start:60"
    assert events_text(isoform_events(later, early)) == "start:60,stop:90"
    assert event_class(isoform_events(later, early)) == "several"
    assert isoform_events(whole, replace(whole, id="same")) == ()
    assert event_class(()) == ""


@pytest.mark.parametrize("strand", COMPLEMENT_STRAND)
def test_events_of_the_utrs_explain_no_cds(strand):
    utr = ((100, 120), (140, 200), (300, 410), (500, 600), (700, 800))
    whole, both, silent = transcripts(strand, (EXONS, 150, 750), (utr, 150, 750), (EXONS[:1] + EXONS[1:], 150, 750))
    assert events_text(isoform_events(whole, both)) == "intron_spliced:20,A5SS:10"
    assert events_text(coding_events(whole, both)) == "A5SS:10"
    only = transcripts(strand, (EXONS, 150, 750), (((100, 120), (140, 200), *EXONS[1:]), 150, 750))
    assert events_text(coding_events(*only)) == "intron_spliced:20"
    assert coding_events(whole, silent) == ()


@pytest.mark.parametrize("strand", COMPLEMENT_STRAND)
@pytest.mark.parametrize(("moved", "kept"), [(3, True), (4, False), (9, True)])
def test_the_frame_is_kept_by_threes(strand, moved, kept):
    other = (EXONS[0], (300 + moved, 400), *EXONS[2:])
    one, two = transcripts(strand, (EXONS, 150, 750), (other, 150, 750))
    assert keeps_frame(one, two) is keeps_frame(two, one) is kept
    apart = transcripts(strand, (EXONS, 150, 200), (EXONS, 300, 400))
    assert keeps_frame(*apart) is False


@pytest.mark.parametrize("strand", COMPLEMENT_STRAND)
def test_nmd_begins_more_than_50_nt_before_the_last_junction(strand):
    late, early, last, single = transcripts(
        strand, (EXONS, 150, 550), (EXONS, 150, 549), (EXONS, 150, 750), (EXONS[:1], 110, 130)
    )
    assert [looks_like_nmd_target(t) for t in (late, early, last, single)] == [False, True, False, False]
    assert not looks_like_nmd_target(replace(early, cds=()))


def test_the_isoforms_of_an_annotation(arabidopsis_genes):
    """Each isoform with a CDS of its own has an event, most often a retained intron, as in all of Araport11."""
    classes = Counter()
    for gene in arabidopsis_genes:
        primary = gene.representative
        for other in gene.coding_transcripts:
            if other.cds != primary.cds:
                classes[event_class(coding_events(primary, other))] += 1
    assert classes == {
        "IR": 292, "several": 274, "intron_spliced": 171, "A3SS": 169, "A5SS": 112, "last_exon": 101, "first_exon": 83,
        "start": 53, "ES": 38, "both_ends": 28, "complex": 21, "exon_included": 6,
    }  # fmt: skip
