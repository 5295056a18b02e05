"""Events of any two isoforms, new introns with and without RNA-seq, and reads that hold an isoform."""

from dataclasses import replace
from itertools import pairwise

import pytest
from isoforms_by_hand import BY_EVENT, EXONS, LENGTH, additions, gene

from phytoscribe.evaluation.isoforms.support import event_rows, intron_rows, read_rows
from phytoscribe.evaluation.long_reads.alignments import ReadAlignment
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence


def by_metric(rows, subset="all"):
    return {(ruler, metric): (value, n) for _, ruler, part, metric, value, n in rows if part == subset}


def reads(*chains, strand="+"):
    flip = (lambda b: b) if strand == "+" else (lambda b: tuple((LENGTH - e, LENGTH - s) for s, e in reversed(b)))
    made = []
    for number, blocks in enumerate(map(flip, chains)):
        introns = tuple((a[1], b[0]) for a, b in pairwise(blocks))
        made.append(ReadAlignment(f"read{number}", "c", strand, blocks, introns))
    return ReadEvidence(made)


def test_events_do_not_depend_on_the_primary():
    reference = [gene("r", EXONS, BY_EVENT["IR"], BY_EVENT["ES"])]
    turned = [gene("p", BY_EVENT["ES"], BY_EVENT["IR"], EXONS)]
    rows = event_rows(additions(reference, turned))
    assert by_metric(rows)["exact", "f1"] == (1, 3)
    assert by_metric(rows, "ES")["exact", "tp"] == by_metric(rows, "IR")["exact", "tp"] == (1, 1)
    fewer = event_rows(additions(reference, [gene("p", BY_EVENT["ES"], EXONS, BY_EVENT["start"])]))
    assert by_metric(fewer)["exact", "precision"] == (0.5, 2)
    assert by_metric(fewer)["exact", "recall"] == (pytest.approx(1 / 3), 3)


def test_introns_that_no_primary_has():
    reference = [gene("r", EXONS, BY_EVENT["ES"], BY_EVENT["A3SS"])]
    found = additions(reference, [gene("p", EXONS, BY_EVENT["ES"], BY_EVENT["A5SS"], BY_EVENT["IR"])])
    new = ("c", "+", (406, 500))
    for count, seen in ((5, 1.0), (4, 0.5)):
        rows = by_metric(intron_rows(found, {new: count}))
        assert rows["annotated", "precision"] == rows["annotated", "recall"] == (0.5, 2)
        assert rows["annotated_or_reads", "precision"] == (seen, 2)
    assert not any(ruler == "annotated_or_reads" for ruler, _ in by_metric(intron_rows(found)))


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize(
    ("event", "blocks", "held"),
    [
        ("ES", BY_EVENT["ES"], True),
        ("ES", ((150, 200), (500, 600), (700, 720)), True),
        ("ES", ((150, 200), (500, 600)), False),
        ("ES", EXONS, False),
        ("IR", BY_EVENT["IR"], True),
        ("IR", ((390, 510),), True),
        ("IR", ((391, 510),), False),
        ("IR", ((390, 509),), False),
        ("several", ((100, 200), (303, 600), (700, 800)), True),
        ("several", ((303, 600), (700, 800)), False),
    ],
)
def test_reads_hold_isoforms(event, blocks, held, strand):
    found = additions([], [gene("p", EXONS, BY_EVENT[event], strand=strand)])
    subset = "expressed_spliced" if event == "ES" else "expressed_IR"
    rows = read_rows(found.predicted, found.additions, reads(blocks, strand=strand))
    assert by_metric(rows, subset)["reads", "supported"] == (held, 1)
    other = reads(blocks, strand="-" if strand == "+" else "+")
    for subset in ("expressed", "expressed_spliced", "expressed_IR"):
        assert by_metric(read_rows(found.predicted, found.additions, other), subset)["reads", "supported"][1] == 0


def test_the_introns_of_a_shortened_cds_are_those_of_a_longer_read():
    # A stop codon in the retained intron: of the CDS only the first intron is left, which any read has.
    short = ((100, 200), (300, 430))
    retained = replace(gene("p", EXONS, short).transcripts[1], exons=((100, 200), (300, 600), (700, 800)))
    made = gene("p", EXONS, short)
    found = additions([], [replace(made, transcripts=(made.transcripts[0], retained))])
    rows = read_rows(found.predicted, found.additions, reads(EXONS))
    assert by_metric(rows, "expressed")["reads", "supported"] == (1, 1)
    assert by_metric(rows, "expressed_IR")["reads", "supported"] == (0, 1)
    assert by_metric(rows, "expressed_spliced")["reads", "supported"][1] == 0


def test_what_introns_cannot_tell_is_not_counted():
    whole, short = ((100, 400),), ((160, 400),)
    found = additions([], [gene("p", whole, short)])
    rows = read_rows(found.predicted, found.additions, reads(((100, 400),)))
    assert by_metric(rows, "expressed")["reads", "supported"][1] == 0
