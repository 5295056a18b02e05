"""Classes of wrong genes: literal cases, symmetries, and agreement with the exact criterion on real genes."""

from collections import Counter
from pathlib import Path

import pytest
from gene_scores import wrong_genes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import compare, scorable
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass, difference

ROOT = Path(__file__).parents[4]
LENGTH = 10_000


def gene(name, *chains, strand="+"):
    return GeneModel(
        name, "c", strand, tuple(Transcript(f"{name}.{i}", chain, chain) for i, chain in enumerate(chains))
    )


FOUR = ((100, 160), (200, 260), (300, 360), (400, 460))
LOCUS = gene("locus", FOUR)


@pytest.mark.parametrize(
    ("chain", "error"),
    [
        (((130, 160), *FOUR[1:]), "wrong_start"),
        (FOUR[1:], "wrong_start"),
        (((30, 60), *FOUR), "wrong_start"),
        ((*FOUR[:3], (400, 430)), "wrong_stop"),
        ((*FOUR, (500, 530)), "wrong_stop"),
        (((103, 160), *FOUR[1:3], (400, 430)), "wrong_start_and_stop"),
        ((FOUR[0], (203, 260), *FOUR[2:]), "one_junction"),
        (((100, 157), *FOUR[1:]), "one_junction"),
        (((100, 157), (203, 260), *FOUR[2:]), "several_introns"),
        ((FOUR[0], *FOUR[2:]), "exon_skipped"),
        ((FOUR[0], FOUR[3]), "exon_skipped"),
        ((FOUR[0], (170, 190), *FOUR[1:]), "exon_added"),
        (((100, 260), *FOUR[2:]), "intron_retained"),
        (((100, 360), FOUR[3]), "intron_retained"),
        (((100, 120), (140, 160), *FOUR[1:]), "intron_added"),
        (((103, 160), (203, 260), *FOUR[2:]), "end_and_introns"),
        (((170, 260), *FOUR[2:]), "wrong_start"),
        ((*FOUR[:2], (300, 390)), "wrong_stop"),
        ((*FOUR[:3], (400, 440), (500, 530)), "wrong_stop"),
        ((FOUR[0], (203, 260), (300, 390)), "end_and_introns"),
    ],
)
def test_one_locus_and_one_prediction(chain, error):
    predicted = gene("p", chain)
    lost, wrong = wrong_genes([LOCUS], [predicted])
    assert [e.error for e in (*lost, *wrong)] == [error, error]
    assert lost[0].partners == (predicted,)
    assert wrong[0].partners == (LOCUS,)
    flipped = [g.reverse_complement(LENGTH) for g in (LOCUS, predicted)]
    assert difference(*flipped) == error


def test_the_nearest_isoform_is_compared():
    two = gene("two", FOUR, ((100, 160), (300, 360), (400, 460)))
    assert difference(two, gene("p", ((130, 160), (300, 360), (400, 460)))) == ErrorClass.WRONG_START
    with pytest.raises(ValueError, match="in common"):
        difference(two, two)


OVERLAPPING, NEITHER = gene("over", ((450, 480),)), (*FOUR[:3], (400, 475))
NEXT = gene("next", ((600, 660), (700, 760)))


@pytest.mark.parametrize(
    ("reference", "predicted", "lost", "wrong"),
    [
        ([LOCUS], [], ["missed"], []),
        ([LOCUS], [gene("p", ((470, 560),))], ["missed"], ["intergenic"]),
        ([LOCUS], [gene("p", FOUR, strand="-")], ["wrong_strand"], ["wrong_strand"]),
        ([LOCUS], [gene("p", ((450, 600),), strand="-")], ["missed"], ["intergenic"]),
        ([LOCUS], [gene("p", FOUR[:2]), gene("q", FOUR[2:])], ["split"], ["split", "split"]),
        ([LOCUS], [LOCUS, gene("q", ((440, 560),))], [], ["split"]),
        ([LOCUS, NEXT], [gene("p", (*FOUR, *NEXT.transcripts[0].cds))], ["merged", "merged"], ["merged"]),
        ([LOCUS, OVERLAPPING], [gene("p", NEITHER)], ["wrong_stop", "wrong_start_and_stop"], ["wrong_stop"]),
        ([], [gene("p", ((2000, 2090),))], [], ["transposon"]),
        ([], [gene("p", ((2050, 2150),))], [], ["transposon"]),
        ([], [gene("p", ((2051, 2151),))], [], ["intergenic"]),
    ],
)
def test_meetings(reference, predicted, lost, wrong):
    found = wrong_genes(reference, predicted, transposons={"c": [(1990, 2100)]})
    assert [e.error for e in found[0]] == lost
    assert [e.error for e in found[1]] == wrong


def test_joining_a_locus_that_is_no_reference_is_a_merger():
    predicted = gene("p", (*FOUR, *NEXT.transcripts[0].cds))
    lost, wrong = wrong_genes([LOCUS], [predicted], unscored=[NEXT])
    assert [lost[0].error, wrong[0].error] == ["merged", "merged"]
    assert wrong_genes([], [NEXT], unscored=[NEXT])[1][0].error == "intergenic"


segments = st.lists(st.integers(1, 30), min_size=2, max_size=8).map(
    lambda steps: tuple((sum(steps[:i]), sum(steps[: i + 1])) for i in range(0, len(steps) - 1, 2))
)
genes = st.lists(st.tuples(segments, st.sampled_from("+-"), st.integers(0, 12)), max_size=5).map(
    lambda drawn: [gene(f"g{i}", chain, strand=s).shifted(20 * at) for i, (chain, s, at) in enumerate(drawn)]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(genes, genes)
def test_every_wrong_gene_has_one_class_on_either_strand(reference, predicted):
    lost, wrong = wrong_genes(reference, predicted)
    locus = compare(reference, predicted)["locus"]
    assert len(lost) == locus.reference - locus.found_reference
    assert len(wrong) == locus.predicted - locus.right_predicted
    assert not any(error.is_prediction for error in lost)
    assert all(error.is_prediction for error in wrong)
    for error in (*lost, *wrong):
        sharing = [
            other
            for other in (reference if error.is_prediction else predicted)
            if other.strand == error.gene.strand
            and any(a < d and c < b for a, b in other.transcripts[0].cds for c, d in error.gene.transcripts[0].cds)
        ]
        assert {g.id for g in sharing} == {g.id for g in error.partners}
    flipped = wrong_genes(*([g.reverse_complement(LENGTH) for g in side] for side in (reference, predicted)))
    for here, there in zip((lost, wrong), flipped):
        assert [e.error for e in here] == [e.error for e in there]


def test_augustus_on_real_genes():
    contigs = {"Chr5_25975502_26975502"}
    reference = scorable(read_gff3(ROOT / "resources/example/athaliana/annotation.gff3.gz"), contigs=contigs)
    predicted = scorable(read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"), contigs=contigs)
    lost, wrong = wrong_genes(reference, predicted)
    locus = compare(reference, predicted)["locus"]
    assert len(lost) == locus.reference - locus.found_reference
    assert len(wrong) == locus.predicted - locus.right_predicted
    counts = Counter(str(error.error) for error in lost)
    assert counts["end_and_introns"] + counts["several_introns"] < len(lost) / 2, counts
    assert counts["missed"] + counts["wrong_strand"] <= 12, counts
