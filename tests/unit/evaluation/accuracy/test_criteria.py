"""All criteria on arrays: equal to plain sets on random genes, and as symmetric as they should be."""

from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
from brute_force_criteria import agreements, features, loci_within
from hypothesis import given
from hypothesis import strategies as st
from predictions import CONTIGS, pairs, references

from phytoscribe.annotation.model import GeneModel, Transcript, first_transcripts
from phytoscribe.evaluation.accuracy.counts import (
    EXON_CLASSES,
    LENGTH_CLASSES,
    LEVELS,
    ONE_ISOFORM,
    SUBSET_LEVELS,
    TOLERANT_LEVELS,
    WHOLE_LEVELS,
    WHOLE_TRANSCRIPT,
    Scored,
    criterion_rows,
    longest_isoforms,
)
from phytoscribe.evaluation.accuracy.gene_arrays import codes_of
from phytoscribe.evaluation.accuracy.gene_matching import METRICS
from phytoscribe.tables import COLUMNS


def gene(name, *chains, strand="+", contig="c"):
    transcripts = tuple(Transcript(f"{name}.{i}", chain, chain) for i, chain in enumerate(chains, start=1))
    return GeneModel(name, contig, strand, transcripts)


def rows_of(reference, predicted, subsets=None, reads=None, mask=None, ignored=()):
    """Rows of every criterion, of genes as they are read from files."""
    sides = (Scored.of(reference, genes, mask, None, ignored) for genes in (predicted, first_transcripts(predicted)))
    return criterion_rows(*sides, subsets or {}, reads)


def values(reference, predicted, subset="all", reads=None, subsets=None):
    """{(ruler, level, metric): value} of one subset."""
    rows = rows_of(reference, predicted, subsets, reads)
    assert len({row[:4] for row in rows}) == len(rows), "each figure once"
    return {(criterion, level, metric): value for level, criterion, of, metric, value, _ in rows if of == subset}


def shown(agreement):
    return {row[3]: (pytest.approx(row[4], nan_ok=True), row[5]) for row in agreement.rows("", "", "")}


def found(reference, predicted):
    rows = rows_of(reference, predicted)
    return {(row[1], row[0], row[3]): row[4:] for row in rows if row[2] == "all"}


def test_the_plain_items_of_a_forward_and_a_reverse_gene():
    chain = ((100, 160), (200, 260))
    forward, reverse = features([gene("f", chain)]), features([gene("r", chain, strand="-")])
    assert forward["start"] == {("c", "+", 100)}
    assert forward["stop"] == {("c", "+", 257)}
    assert forward["donor"] == {("c", "+", 160)}
    assert forward["acceptor"] == {("c", "+", 198)}
    assert reverse["start"] == {("c", "-", 257)}
    assert reverse["stop"] == {("c", "-", 100)}
    assert reverse["donor"] == {("c", "-", 198)}
    assert reverse["acceptor"] == {("c", "-", 160)}
    assert forward["intron"] == {("c", "+", 160, 200)}
    assert forward["intron_chain"] == {("c", "+", ((160, 200),))}


@given(pairs())
def test_arrays_count_what_sets_count(drawn):
    reference, predicted = drawn
    rows = found(reference, predicted)
    for level, agreement in agreements(reference, predicted).items():
        assert {metric: rows["exact", level, metric] for metric in METRICS} == shown(agreement), level
    for tolerance in (3, 100):
        agreement = loci_within(reference, predicted, tolerance)
        of_criterion = {metric: rows[f"within_{tolerance}", "locus", metric] for metric in METRICS}
        assert of_criterion == shown(agreement), tolerance


@given(pairs())
def test_whole_transcripts_are_scored_where_both_sides_have_utrs(drawn):
    rows = found(*drawn)
    with_utrs = [any(t.exons != t.cds for g in side for t in g.coding_transcripts) for side in drawn]
    assert ((WHOLE_TRANSCRIPT, "exon", "f1") in rows) == all(with_utrs)
    if all(with_utrs):
        plain = agreements(*drawn, part="exons")
        for level in WHOLE_LEVELS:
            wanted = shown(plain["cds_exon" if level == "exon" else level])
            assert {metric: rows[WHOLE_TRANSCRIPT, level, metric] for metric in METRICS} == wanted, level


@given(pairs())
def test_swapping_the_sides_swaps_precision_and_recall(drawn):
    there, back = found(*drawn), found(*drawn[::-1])
    swapped = {"precision": "recall", "recall": "precision", "f1": "f1"}
    for (criterion, level, metric), (value, _) in there.items():
        if metric in swapped:
            assert value == pytest.approx(back[criterion, level, swapped[metric]][0], nan_ok=True), (criterion, level)


@given(pairs(), st.randoms(use_true_random=False))
def test_no_order_counts(drawn, random):
    def shuffled(genes, fixed):
        """Genes and their transcripts in another order, but for the first transcripts that stay first."""
        mixed = [(g, g.transcripts[:fixed], g.transcripts[fixed:]) for g in genes]
        mixed = [replace(g, transcripts=(*front, *random.sample(rest, len(rest)))) for g, front, rest in mixed]
        return random.sample(mixed, len(mixed))

    reference, predicted = drawn
    rows = rows_of(reference, predicted, {"half": {"r0", "r2"}})
    again = rows_of(shuffled(reference, 0), shuffled(predicted, 1), {"half": {"r0", "r2"}})
    # repr: NaN is equal to NaN.
    assert list(map(repr, again)) == list(map(repr, rows))


#: (gap before it, length) of single-exon genes, one behind the other.
blocks = st.lists(st.tuples(st.integers(4, 60), st.integers(10, 60)), min_size=1, max_size=6)


@given(blocks, st.sampled_from("+-"), st.sampled_from([-1, 1]))
def test_one_base_breaks_exact_ends_and_keeps_within_3(blocks, strand, step):
    """Single-exon genes, as an intron that moves is no matter of tolerance."""
    ends = accumulate(gap + length for gap, length in blocks)
    genes = [gene(f"g{end}", ((end - length, end),), strand=strand) for end, (_, length) in zip(ends, blocks)]
    moved = [g.shifted(step) for g in genes]
    rows = found(genes, moved)
    assert rows["exact", "locus", "tp"][0] == rows["exact", "cds_exon", "tp"][0] == 0
    assert rows["within_3", "locus", "f1"][0] == rows["within_100", "transcript", "f1"][0] == 1


@given(references(), st.sampled_from([-1, 1, 3]))
def test_an_intron_that_moves_is_wrong_at_any_tolerance(genes, step):
    spliced = [replace(g, transcripts=g.transcripts[:1]) for g in genes if len(g.transcripts[0].cds) > 1][:1]
    rows = found(spliced, [g.shifted(step) for g in spliced])
    assert not any(value > 0 for (_, level, metric), (value, _) in rows.items() if (level, metric) == ("locus", "tp"))


@given(references())
def test_a_reference_is_its_own_perfect_prediction(genes):
    for key, (value, n) in found(genes, genes).items():
        if key[2] in ("precision", "recall", "f1"):
            assert value == 1 or (value != value and n == 0), key


large = st.integers(-3, 3) | st.integers(2**40, 2**40 + 2) | st.integers(-(2**61), 2**61)


@given(st.lists(st.tuples(large, large), max_size=12))
def test_codes_are_equal_where_rows_are_and_keep_their_order(rows):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 2)
    ranks = {row: rank for rank, row in enumerate(sorted(set(rows)))}
    assert codes_of(columns[:, 0], columns[:, 1]).tolist() == [ranks[row] for row in rows]


TWO = gene("two", ((100, 160), (200, 260), (300, 330)), ((100, 160), (300, 330)))
ONE = gene("one", ((1000, 1090),), strand="-")


def test_one_isoform_is_the_longest_of_the_reference_and_the_first_of_a_prediction():
    long, short = (t.cds for t in TWO.transcripts)
    for predicted, right in (([short], 0), ([short, long], 0), ([long], 1), ([long, short], 1)):
        rows = values([TWO], [gene("p", *predicted)])
        assert rows["exact", "locus", "f1"] == 1
        assert rows[ONE_ISOFORM, "locus", "f1"] == right
    assert [g.transcripts for g in longest_isoforms(Scored.of([ONE, TWO], []))] == [
        ONE.transcripts,
        TWO.transcripts[:1],
    ]


@given(pairs(), references(), st.lists(st.tuples(st.integers(0, 600), st.integers(1, 60)), max_size=2))
def test_further_isoforms_of_a_prediction_leave_one_isoform_alone(drawn, unscored, masked):
    """Also where an isoform reaches into a mask or a locus that is not scored, and the first transcript does not."""
    reference, predicted = drawn
    mask = {contig: [(start, start + length) for start, length in masked] for contig in CONTIGS}

    def alone(genes):
        rows = rows_of(reference, genes, {"half": {"r0", "r2"}}, None, mask, unscored)
        return [repr(row) for row in rows if row[1] == ONE_ISOFORM]

    assert alone(predicted) == alone(first_transcripts(predicted))


def test_each_side_is_cut_by_its_own_exons_and_length():
    guess = gene("p", ((100, 160), (300, 330)))
    single = values([TWO, ONE], [guess, ONE], "cds_exons_1")
    several = values([TWO, ONE], [guess, ONE], "cds_exons_2_4")
    assert single["exact", "locus", "f1"] == several["exact", "locus", "f1"] == 1
    assert several["exact", "transcript", "recall"] == 0.5
    assert single["exact", "cds_exon", "tp"] == 1
    longer = gene("p", ((0, 900), (1000, 1090)))
    assert values([ONE], [longer], "cds_length_under_600")["exact", "locus", "fn"] == 1
    assert values([ONE], [longer], "cds_length_600_1199")["exact", "locus", "fp"] == 1


@given(pairs())
def test_classes_by_exons_and_length_share_out_all_genes(drawn):
    rows = rows_of(*drawn)
    counts = {
        (subset, metric): n
        for level, criterion, subset, metric, _, n in rows
        if (criterion, level) == ("exact", "locus")
    }
    for classes in (EXON_CLASSES, LENGTH_CLASSES):
        for metric in ("precision", "recall"):
            assert sum(counts[name, metric] for name in classes) == counts["all", metric]


def test_expression_is_a_read_on_the_cds_of_the_same_strand():
    reads = {("c", "+"): [(0, 101)], ("c", "-"): [(900, 1000)]}
    far = gene("far", ((10, 70),), contig="without reads")
    rows = {subset: values([TWO, ONE, far], [], subset, reads) for subset in ("expressed", "not_expressed")}
    assert rows["expressed"]["exact", "locus", "fn"] == 1
    assert rows["not_expressed"]["exact", "locus", "fn"] == 1
    assert not values([TWO], [], "expressed")


def test_the_table_is_complete():
    rows = rows_of([TWO, ONE], [ONE], {"some": {"two"}}, {("c", "+"): [(0, 101)]})
    tolerant = 2 * len(TOLERANT_LEVELS) * 2
    classes = len(EXON_CLASSES) + len(LENGTH_CLASSES) + 2
    assert len(rows) == (4 * len(LEVELS) + tolerant + classes * len(SUBSET_LEVELS)) * len(METRICS)
    assert {len(row) for row in rows} == {len(COLUMNS) - 1}


def test_an_unknown_level_is_refused():
    comparison = Scored.of([ONE], [ONE]).comparison
    with pytest.raises(ValueError, match="gene"):
        comparison.agreement("gene", comparison.everything)
