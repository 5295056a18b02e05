"""The figure of an annotation check: what it says, and that it is the same for the same numbers."""

import re

import pytest

from phytoscribe.annotation.checking.check import CheckLimits
from phytoscribe.annotation.checking.summary import LENGTH_EDGES, summarise
from phytoscribe.reporting.process_figures import check_figure

THRESHOLDS = {"warn_above": 0.1, "stop_above": 0.5}


@pytest.fixture
def summary():
    classes = [0] * (len(LENGTH_EDGES) - 1)
    return {
        "genes": 2131,
        "genes_accepted": 2109,
        "transcripts": 4012,
        "transcripts_accepted": 3938,
        "coding_transcripts": 4008,
        "coding_transcripts_rejected": 70,
        "share_rejected": 70 / 4008,
        "rejected_by_reason": {"not_protein_coding": 4, "splice_site": 1066, "no_stop": 3},
        "whole_genes_by_reason": {"lost_by_cleaner": 17, "no_stop": 2},
        "lengths": {"edges": list(LENGTH_EDGES), "introns": [*classes[:-2], 5, 1], "cds": [7, *classes[1:]]},
        "limits": {"minimum_intron": 20, "maximum_intron": 50_000, "minimum_cds_segment": 3},
    }


def words(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_numbers_and_reasons_are_written_out(summary):
    svg = check_figure("athaliana", summary, THRESHOLDS)
    found = words(svg)
    assert "athaliana: 2,109 of 2,131 genes and 3,938 of 4,012 transcripts accepted" in found
    assert "coding transcripts: 70 of 4,008 have a fault" in found
    reasons = ["lost by the cleaner", "not protein coding", "splice site not allowed", "no stop codon"]
    assert [text for text in found if text in reasons] == reasons  # in the order of the checks
    assert {"17", "4", "1,066", "5"} <= set(found)
    assert {"warn_above 0.1", "stop_above 0.5", "accepted: 6 introns", "accepted: 7 coding sequences"} <= set(found)
    assert svg == check_figure("athaliana", summary, THRESHOLDS)


def test_lengths_of_one_decade_have_labels_without_formulas(summary):
    limits = {"minimum_intron": 100, "maximum_intron": 200, "minimum_cds_segment": 100}
    narrow = {"edges": [100, 200, 300], "introns": [1, 2], "cds": [2, 1]}
    svg = check_figure("x", {**summary, "lengths": narrow, "limits": limits}, THRESHOLDS)
    assert {"100", "200", "300"} <= set(words(svg))
    assert "$" not in svg


def test_no_genes_at_all():
    empty = summarise([], [], [], CheckLimits())
    found = words(check_figure("x", empty, THRESHOLDS))
    assert "x: 0 of 0 genes and 0 of 0 transcripts accepted" in found
    assert "nothing was left out" in found
