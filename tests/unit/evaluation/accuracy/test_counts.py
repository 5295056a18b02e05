"""The exact criterion: literal cases on both strands, and the AUGUSTUS yardstick on real genes."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from gene_scores import score_genes
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import LEVELS, compare, scorable
from phytoscribe.genome.intervals import read_bed
from phytoscribe.tables import COLUMNS

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "resources/example/athaliana"


def exact_f1(reference, predicted, mask=None, contigs=None) -> dict[str, float]:
    agreements = compare(scorable(reference, mask, contigs), scorable(predicted, mask, contigs), mask)
    return {level: agreement.f1 for level, agreement in agreements.items()}


AUGUSTUS = ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"
CONTIG = "Chr5_25975502_26975502"


def gene(name, *chains, strand="+", contig="c"):
    transcripts = tuple(Transcript(f"{name}.{i}", chain, chain) for i, chain in enumerate(chains, start=1))
    return GeneModel(name, contig, strand, transcripts)


def values(table, subset="all"):
    chosen = table[table["subset"] == subset]
    return {(row.level, row.metric): row.value for row in chosen.itertuples()}


A = gene("a", ((100, 160), (200, 260), (300, 330)), ((100, 160), (300, 330)))
B = gene("b", ((1000, 1090),), strand="-")


def test_any_isoform_makes_a_transcript_and_its_locus_right():
    found = values(score_genes([A, B], [gene("p", ((100, 160), (300, 330)))]))
    assert found["transcript", "precision"] == 1
    assert found["transcript", "recall"] == pytest.approx(1 / 3)
    assert found["locus", "tp"] == 1
    assert found["locus", "recall"] == 0.5
    assert found["cds_exon", "recall"] == pytest.approx(2 / 4)
    assert found["base", "tp"] == 90
    assert found["base", "fn"] == 60 + 90


@pytest.mark.parametrize(
    ("chain", "strand", "contig"),
    [
        (((101, 161), (201, 261), (301, 331)), "+", "c"),
        (((100, 160), (200, 260), (300, 327)), "+", "c"),
        (((100, 160), (200, 260), (300, 330)), "-", "c"),
        (((100, 160), (200, 260), (300, 330)), "+", "d"),
    ],
    ids=["shifted by one", "without stop codon", "other strand", "other contig"],
)
def test_nothing_but_the_exact_chain_is_right(chain, strand, contig):
    found = values(score_genes([A], [gene("p", chain, strand=strand, contig=contig)]))
    assert found["transcript", "tp"] == found["locus", "tp"] == 0
    assert found["locus", "f1"] == 0


def test_utrs_do_not_matter():
    long_utrs = replace(B, transcripts=(Transcript("t", ((900, 950), (1000, 1500)), ((1000, 1090),)),))
    assert exact_f1([B], [long_utrs])["locus"] == 1


def test_mask_drops_both_sides():
    mask = {"c": [(1089, 1200)]}
    wrong = gene("w", ((1050, 1110),))
    found = values(score_genes([A, B], [A, wrong], mask))
    assert all(found[level, "f1"] == 1 for level in ("base", "cds_exon", "transcript", "locus"))
    assert values(score_genes([A, B], [A, wrong], {"c": [(1090, 1091)]}))["locus", "fn"] == 1


def test_only_scored_contigs_count():
    elsewhere = gene("x", ((5, 65),), contig="d")
    assert values(score_genes([A], [A, elsewhere], contigs={"c"}))["locus", "precision"] == 1
    assert values(score_genes([A], [A, elsewhere]))["locus", "precision"] == 0.5


def test_subset_forgets_predictions_on_loci_outside_it():
    wrong_b = gene("w", ((1000, 1060),), strand="-")
    between = gene("n", ((5000, 5060),))
    table = score_genes([A, B], [A, wrong_b, between], subsets={"no_train_homologue": {"a"}})
    assert values(table)["locus", "precision"] == pytest.approx(1 / 3)
    assert values(table, "no_train_homologue")["locus", "precision"] == 0.5
    assert values(table, "no_train_homologue")["locus", "recall"] == 1


def test_prediction_over_a_scored_and_an_ignored_locus_still_counts():
    fused = gene("f", ((100, 160), (2000, 2060)))
    ignored = [gene("i", ((2000, 2060),))]
    assert values(score_genes([A], [fused], ignored=ignored))["locus", "fp"] == 1
    assert values(score_genes([A], [gene("p", ((2000, 2060),))], ignored=ignored))["locus", "fp"] == 0


def test_genes_and_transcripts_that_code_for_nothing_are_on_neither_side():
    rna = Transcript("n.1", ((95, 160), (5200, 5300)), type="lnc_RNA")
    alone = GeneModel("n", "c", "+", (rna,), biotype="lncRNA")
    first = replace(A, transcripts=(replace(rna, id="a.n"), *A.transcripts))
    guess = gene("p", A.transcripts[1].cds)
    for mask in (None, {"c": [(1000, 1010), (5250, 5260)]}):
        plain = score_genes([A, B], [guess], mask, subsets={"some": {"a"}})
        mixed = score_genes([first, alone, B], [alone, guess], mask, subsets={"some": {"a"}}, ignored=[alone])
        pd.testing.assert_frame_equal(mixed, plain)
        assert scorable([first, alone], mask) == [A]
    assert set(exact_f1([alone, first], [first]).values()) == {1.0}
    assert not scorable([alone])


def test_undefined_is_not_zero():
    nothing = values(score_genes([], []))
    assert all(value != value for (_, metric), value in nothing.items() if metric in ("precision", "recall", "f1"))
    assert values(score_genes([A], []))["locus", "f1"] == 0


def test_table_is_complete_and_in_order():
    table = score_genes([A], [B])
    assert tuple(table.columns) == COLUMNS[1:]
    assert list(table["level"].drop_duplicates()) == list(LEVELS)
    assert len(table) == len(LEVELS) * 6


segments = st.lists(st.integers(1, 40), min_size=2, max_size=8).map(
    lambda steps: tuple((sum(steps[:i]), sum(steps[: i + 1])) for i in range(0, len(steps) - 1, 2))
)
genes = st.lists(st.tuples(segments, st.sampled_from("+-"), st.integers(0, 3)), max_size=4).map(
    lambda drawn: [gene(f"g{i}", chain, strand=s).shifted(100 * at) for i, (chain, s, at) in enumerate(drawn)]
)


@given(genes, genes)
def test_scores_are_those_of_the_reverse_complement(reference, predicted):
    flipped = [[g.reverse_complement(2000) for g in side] for side in (reference, predicted)]
    for (level, value), (_, other) in zip(exact_f1(reference, predicted).items(), exact_f1(*flipped).items()):
        assert value == pytest.approx(other, nan_ok=True), level


@given(genes, genes)
def test_swapping_the_sides_swaps_precision_and_recall(reference, predicted):
    there, back = values(score_genes(reference, predicted)), values(score_genes(predicted, reference))
    for level in LEVELS:
        assert there[level, "precision"] == pytest.approx(back[level, "recall"], nan_ok=True)


@pytest.fixture(scope="module")
def real_genes():
    return read_gff3(EXAMPLE / "annotation.gff3.gz"), read_augustus(AUGUSTUS)


def test_augustus_gets_its_published_figures(real_genes):
    """AUGUSTUS 3.5.0 on 1 Mb of Chr5, all annotated genes, no mask."""
    found = values(score_genes(*real_genes, contigs={CONTIG}))
    shown = {key: round(value, 3) for key, value in found.items()}
    assert (shown["cds_exon", "precision"], shown["cds_exon", "recall"]) == (0.904, 0.796)
    assert round(found["cds_exon", "f1"], 4) == 0.8465
    assert (shown["locus", "precision"], shown["locus", "recall"], shown["locus", "f1"]) == (0.698, 0.693, 0.696)
    assert shown["transcript", "f1"] == 0.535


def test_the_mask_changes_little_and_is_pinned(real_genes):
    found = exact_f1(*real_genes, read_bed(EXAMPLE / "mask.bed"), {CONTIG})
    assert {level: round(found[level], 3) for level in ("base", "cds_exon", "locus", "transcript")} == {
        "base": 0.969,
        "cds_exon": 0.848,
        "locus": 0.698,
        "transcript": 0.540,
    }


def test_the_annotation_is_its_own_perfect_prediction(real_genes):
    reference = real_genes[0]
    assert set(exact_f1(reference, reference).values()) == {1.0}
    without_last = exact_f1(reference, reference[:-1])
    assert 0 < without_last["locus"] < 1
