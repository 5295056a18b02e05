"""Additions against a reference: an annotation against itself, events by hand on both strands, mask and subsets."""

from dataclasses import replace

import pytest
from isoforms_by_hand import BY_EVENT, EXONS, additions, gene

from phytoscribe.annotation.isoform_events import EVENTS
from phytoscribe.annotation.model import Transcript
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.additions import (
    completed,
    longest_first,
    reference_isoforms,
    scored_isoforms,
)
from phytoscribe.evaluation.isoforms.table import evaluate_isoforms
from phytoscribe.genome.intervals import IntervalIndex


def value(table, **wanted):
    rows = table
    for column, content in wanted.items():
        rows = rows[rows[column] == content]
    assert len(rows) == 1, rows
    return rows["value"].iloc[0]


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize("event", BY_EVENT)
def test_an_isoform_of_each_event_is_found(event, strand):
    reference = [gene("r", EXONS, BY_EVENT[event], strand=strand)]
    found = additions(reference, reference).agreements()
    for subset in ("all", "primary_right", event):
        assert found[subset].precision == found[subset].recall == 1
    assert found["primary_wrong"].reference == 0
    assert [name for name in (*EVENTS, "several") if found[name].reference] == [event]
    # One base aside it is wrong, and nothing is found.
    moved = tuple((start, end) if start != 700 else (701, end) for start, end in BY_EVENT[event][:-1])
    moved += ((BY_EVENT[event][-1][0], BY_EVENT[event][-1][1] - 1),)
    wrong = additions(reference, [gene("p", EXONS, moved, strand=strand)]).agreement
    assert (wrong.precision, wrong.recall, wrong.predicted) == (0, 0, 1)


def test_the_other_strand_is_another_chain():
    reference = [gene("r", EXONS, BY_EVENT["IR"])]
    mirrored = [replace(reference[0], strand="-", transcripts=tuple(
        replace(t, strand="-") for t in reference[0].transcripts))]  # fmt: skip
    found = additions(reference, mirrored).agreement
    assert (found.right_predicted, found.predicted, found.reference) == (0, 1, 2)


def test_an_annotation_against_itself(arabidopsis_genes):
    genes = [longest_first(gene) for gene in arabidopsis_genes]
    scope = Scope.of(arabidopsis_genes, [], {gene.contig for gene in genes})
    alone = [replace(gene, transcripts=gene.transcripts[:1]) for gene in genes]
    table = evaluate_isoforms({"whole": genes, "alone": alone}, scope)
    expected = sum(len({t.cds for t in gene.transcripts} - {gene.transcripts[0].cds}) for gene in genes)
    for level in ("addition", "completion", "event"):
        at = {"predictor": "whole", "level": level, "ruler": "exact", "subset": "all"}
        assert value(table, metric="precision", **at) == value(table, metric="recall", **at) == 1
        assert value(table, metric="recall", **{**at, "predictor": "alone"}) == 0
        assert value(table, metric="precision", **{**at, "predictor": "alone"}) != 0  # NaN: empty in the file
    assert value(table, metric="tp", **{**at, "level": "addition"}) == expected
    counts = {"level": "gene", "metric": "isoforms_per_gene"}
    assert value(table, predictor="whole", **counts) == value(table, predictor="reference", **counts) > 1.4
    assert value(table, predictor="alone", **counts) == 1
    assert reference_isoforms(genes).agreement.f1 == 1


def test_what_counts_as_an_addition():
    ir, skipped = BY_EVENT["IR"], BY_EVENT["ES"]
    reference = [gene("r", EXONS, ir)]
    # The same CDS twice, or that of the primary with other UTRs, is no addition.
    utr = replace(gene("p", EXONS, EXONS).transcripts[1], exons=((50, 200), *EXONS[1:]))
    predicted = gene("p", EXONS, ir, ir)
    predicted = replace(predicted, transcripts=(*predicted.transcripts, utr))
    assert additions(reference, [predicted]).agreement.predicted == 1
    # Non-coding transcripts in front are no primary.
    silent = replace(predicted, transcripts=(Transcript("n", ((10, 20),), strand="+"), *predicted.transcripts))
    assert additions(reference, [silent]).agreement.precision == 1
    # A wrong primary: its right rival counts, at the wrong primaries, and has no event in the reference.
    rival = additions(reference, [gene("p", skipped, EXONS)]).agreements()
    assert (rival["primary_wrong"].precision, rival["all"].recall) == (1, 0.5)
    assert (rival["intron_spliced"].reference, rival["intron_spliced"].found_reference) == (1, 1)
    assert rival["IR"].reference == 0
    # A right primary that is not the longest: the longest is what it lacks, and one event away.
    short = additions(reference, [gene("p", EXONS)]).agreements()
    assert short["primary_right"].reference == short["IR"].reference == 1
    assert completed(additions(reference, [gene("p", EXONS, ir)])).agreement.predicted == 0
    assert completed(additions(reference, [gene("p", ir, EXONS)])).agreement.precision == 1


def test_the_mask_hides_a_gene_by_its_primary_only():
    reference = [gene("r", BY_EVENT["ES"], EXONS)]
    predicted = [gene("p", BY_EVENT["ES"], EXONS, BY_EVENT["IR"])]
    # The exon that the primary skips is masked: what it adds is hidden, the primary is not.
    assert additions(reference, predicted, mask={"c": [(320, 330)]}).agreement.predicted == 0
    swapped = [gene("p", EXONS, BY_EVENT["ES"])]
    assert additions(reference, swapped, mask={"c": [(320, 330)]}).predicted == []


def test_a_reference_gene_that_the_mask_touches_has_intervals_with_several_predictors():
    """Such a gene is reduced for each predictor, and still has an alternative."""
    skipped, shorter = BY_EVENT["ES"], (*BY_EVENT["ES"][:-1], (700, 770))
    scope = Scope.of([gene("r", skipped, shorter, EXONS)], [], ["c"], mask={"c": [(320, 330)]})
    predictions = {"one": [gene("p", skipped)], "both": [gene("p", skipped, shorter)]}
    table = evaluate_isoforms(predictions, scope)
    at = {"level": "addition", "ruler": "exact", "subset": "all", "metric": "recall_low"}
    assert [value(table, predictor=predictor, **at) for predictor in predictions] == [0, 1]


def test_the_best_score_of_a_chain_counts():
    twice = [gene("p", EXONS, BY_EVENT["IR"], scores=(0.9, 0.2)), gene("q", EXONS, BY_EVENT["IR"], scores=(0.9, 0.4))]
    (found,) = additions([gene("r", EXONS)], twice).additions
    assert found.transcript.score == 0.4


def test_subsets_of_the_reference_and_regions_that_were_held_out():
    far = [gene.shifted(5000) for gene in (gene("f", EXONS, BY_EVENT["ES"]),)]
    reference = [gene("r", EXONS, BY_EVENT["IR"]), *far]
    predicted = [gene("p", EXONS, BY_EVENT["IR"]), *(replace(g, id="q") for g in far)]
    scope = replace(Scope.of(reference, [], ["c"]), subsets={"no_train_homologue": {"f"}})
    found = scored_isoforms(scope, predicted)
    assert {name: part.agreement.right_predicted for name, part in found.items()} == {"all": 2, "no_train_homologue": 1}
    near = replace(scope, held_out=IntervalIndex({"c": [(4000, 9000)]}))
    table = evaluate_isoforms({"p": predicted}, near)
    at = {"predictor": "p", "level": "addition", "ruler": "exact", "subset": "all"}
    assert value(table, metric="precision_near_loci", **at) == 1
    assert value(table, metric="recall", **at) == pytest.approx(1 / 3)  # what lies elsewhere was not predicted


def test_intervals_are_paired():
    reference = [gene(f"r{n}", EXONS, BY_EVENT["IR"]).shifted(2000 * n) for n in range(40)]
    half = [gene if n % 2 else replace(gene, transcripts=gene.transcripts[:1]) for n, gene in enumerate(reference)]
    table = evaluate_isoforms({"half": half, "same": half, "whole": reference}, Scope.of(reference, [], ["c"]))
    at = {"level": "addition", "ruler": "exact", "subset": "all"}
    low, high = (value(table, predictor="half", metric=f"recall_{end}", **at) for end in ("low", "high"))
    assert 0.3 < low < 0.5 < high < 0.7
    for end in ("low", "high"):
        assert value(table, predictor="same", metric=f"recall_lead_{end}", **at) == 0
        assert value(table, predictor="whole", metric=f"recall_{end}", **at) == 1
        lead = value(table, predictor="whole", metric=f"recall_lead_{end}", **at)
        assert lead == pytest.approx((low if end == "low" else high) - 1)


def test_a_gene_of_two_hundred_isoforms():
    many = [tuple((start + n * (start == 300), end) for start, end in EXONS) for n in range(100)]
    many += [tuple((start, end + n * (end == 600)) for start, end in EXONS) for n in range(1, 100)]
    reference = [gene("r", *many)]
    table = evaluate_isoforms({"p": reference}, Scope.of(reference, [], ["c"]))
    assert value(table, predictor="p", level="addition", ruler="exact", subset="A5SS", metric="tp") == 99
    assert value(table, predictor="p", level="event", ruler="exact", subset="all", metric="f1") == 1
