"""Gene models to labels and back: literal arrays, round trips on the shipped annotation, strand mirroring, genes over
one another, and what the annotation leaves open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_transcripts import transcripts_from_labels

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.labels.encode import (
    isoform_weights,
    label_contig,
    label_sites,
    label_transcript,
    mark_unknown_untranslated,
)
from phytoscribe.labels.states import ACCEPTOR_BIT, DONOR_BIT, NON_CODING_LABEL, UNKNOWN_SITE_BIT, State

EXAMPLE = "resources/example/athaliana/annotation.gff3.gz"

# Contig positions:  0 1 | 2..4 UTR | 5..9 CDS | 10..13 intron | 14..17 CDS | 18..19 UTR
PLUS = Transcript("t", ((2, 10), (14, 20)), ((5, 10), (14, 18)), strand="+")
PLUS_STATES = [
    *[State.UTR5_EXON] * 3,
    State.START,
    State.CODING1,
    State.CODING2,
    State.CODING0,
    State.LAST1,
    *[State.INTRON2] * 4,
    State.FIRST2,
    State.CODING0,
    State.CODING1,
    State.STOP,
    *[State.UTR3_EXON] * 2,
]


def test_plus_strand_literal_states():
    start, labels = label_transcript(PLUS)
    assert start == 2
    assert labels.tolist() == [int(state) for state in PLUS_STATES]


def test_minus_strand_is_the_mirror_image():
    mirrored = GeneModel("g", "c", "+", (PLUS,)).reverse_complement(22)
    start, labels = label_transcript(mirrored.transcripts[0])
    assert start == 2
    assert labels.tolist() == [int(state) for state in PLUS_STATES][::-1]


def test_utr_introns_have_their_own_states():
    transcript = Transcript("t", ((0, 2), (5, 12), (15, 17)), ((6, 12),), strand="+")
    _, labels = label_transcript(transcript)
    assert labels[2:5].tolist() == [State.UTR5_INTRON] * 3
    assert labels[12:15].tolist() == [State.UTR3_INTRON] * 3
    assert labels[6] == State.START
    assert labels[11] == State.STOP


def test_non_coding_transcripts_are_intergenic():
    _, labels = label_transcript(Transcript("t", ((0, 30),)))
    assert not labels.any()


@pytest.fixture(scope="module")
def reference() -> list[GeneModel]:
    return read_gff3(EXAMPLE)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_round_trip_on_real_transcripts(reference, strand):
    checked = 0
    for gene in reference:
        for transcript in gene.coding_transcripts:
            if gene.strand != strand or any(e - s < 2 for s, e in transcript.cds):
                continue
            start, labels = label_transcript(transcript)
            (back,) = transcripts_from_labels(labels, strand)
            assert tuple((s + start, e + start) for s, e in back.exons) == transcript.exons
            assert tuple((s + start, e + start) for s, e in back.cds) == transcript.cds
            checked += 1
    assert checked > 1500


def test_soft_targets_mark_where_isoforms_disagree():
    short = Transcript("a", ((0, 30), (60, 90)), ((0, 30), (60, 90)))
    long = Transcript("b", ((0, 33), (60, 90)), ((0, 33), (60, 90)))
    labels, positions, targets, _ = label_contig([GeneModel("g", "c", "+", (short, long))], "+", 100)
    assert GeneModel("g", "c", "+", (short, long)).representative.id == "b"
    assert labels[32] == State.LAST2
    assert set(range(29, 33)) <= set(positions.tolist())
    row = targets[positions.tolist().index(31)]
    assert row[State.INTRON0] == row[State.CODING1] == 0.5
    np.testing.assert_allclose(targets.astype(float).sum(axis=1), 1, atol=1e-3)


def test_genes_of_the_other_strand_do_not_show(reference):
    contig = "Chr4"
    minus = [gene for gene in reference if gene.contig == contig and gene.strand == "-"]
    labels, positions, _, _ = label_contig(minus, "+", 185_850)
    assert not labels.any()
    assert positions.size == 0


@st.composite
def transcripts(draw):
    """A transcript with random exons, CDS of whole codons inside."""
    exons, position = [], draw(st.integers(0, 5))
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.integers(4, 40))
        exons.append((position, position + length))
        position += length + draw(st.integers(4, 40))
    total = sum(e - s for s, e in exons)
    codons = draw(st.integers(2, total // 3)) if total >= 6 else 1
    skip = draw(st.integers(0, total - 3 * codons))
    cds = []
    for start, end in exons:
        left, right = max(0, skip), min(end - start, skip + 3 * codons)
        if left < right:
            cds.append((start + left, start + right))
        skip -= end - start
    return Transcript("t", tuple(exons), tuple(cds))


@settings(max_examples=200, deadline=None)
@given(transcripts(), st.integers(0, 20))
def test_mirrored_transcripts_give_mirrored_labels(transcript, extra):
    length = transcript.end + extra
    gene = GeneModel("g", "c", "+", (transcript,))
    forward = label_contig([gene], "+", length)
    backward = label_contig([gene.reverse_complement(length)], "-", length)
    assert np.array_equal(forward.states, backward.states[::-1])
    assert gene.reverse_complement(length).reverse_complement(length) == gene


def test_sites_of_every_isoform_are_labelled_on_both_strands():
    first = Transcript("t1", ((10, 20), (50, 60), (80, 90)), ((12, 20), (50, 58)))
    second = Transcript("t2", ((10, 20), (40, 90)), ((12, 20), (40, 44)))
    for strand, donor, acceptor in (("+", {20, 60}, {39, 49, 79}), ("-", {39, 49, 79}, {20, 60})):
        gene = GeneModel("g", "c", strand, (first, second))
        sites = label_sites([gene], strand, 100)
        assert set(np.flatnonzero(sites & DONOR_BIT)) == donor
        assert set(np.flatnonzero(sites & ACCEPTOR_BIT)) == acceptor
        assert not label_sites([gene], "-" if strand == "+" else "+", 100).any()


def test_beside_a_cds_without_utr_no_more_is_known_than_that_it_does_not_code():
    with_utr = Transcript("t1", ((95, 130),), ((95, 120),))  # a UTR on its right only
    without = Transcript("u", ((40, 70),), ((40, 70),))
    genes = [GeneModel("g", "c", "+", (with_utr,)), GeneModel("h", "c", "-", (without,))]
    labels = label_contig(genes, "+", 200).states
    sites = label_sites(genes, "+", 200)
    before = labels.copy()
    mark_unknown_untranslated(genes, "+", labels, sites, reach=30)
    unknown = labels == NON_CODING_LABEL
    assert set(np.flatnonzero(unknown)) == set(range(65, 95))
    assert np.array_equal(labels[~unknown], before[~unknown])
    assert np.array_equal((sites & UNKNOWN_SITE_BIT) > 0, unknown)


def test_introns_that_were_not_accepted_are_unknown_not_negatives():
    accepted = GeneModel("g", "c", "+", (Transcript("t1", ((10, 20), (50, 90)), ((12, 20), (50, 58))),))
    rejected = Transcript("t2", ((10, 20), (40, 60), (80, 90)))
    whole = replace(accepted, transcripts=(*accepted.transcripts, replace(rejected, contig="c", strand="+")))
    non_coding = GeneModel("n", "c", "-", (Transcript("n.1", ((5, 15), (70, 75))),), biotype="lncRNA")
    broken = GeneModel("b", "c", "+", (Transcript("b.1", ((85, 95), (90, 97), (120, 130))),))
    plus = label_sites([accepted], "+", 100, [whole, non_coding, broken])
    assert set(np.flatnonzero(plus == DONOR_BIT)) == {20}
    assert set(np.flatnonzero(plus == ACCEPTOR_BIT)) == {49}
    assert set(np.flatnonzero(plus == UNKNOWN_SITE_BIT)) == {39, 60, 79}, "the donor at 20 is an accepted one, too"
    minus = label_sites([accepted], "-", 100, [whole, non_coding, broken])
    assert set(np.flatnonzero(minus)) == set(np.flatnonzero(minus == UNKNOWN_SITE_BIT)) == {15, 69}


def coding_gene(name: str, *cds: tuple[int, int], utr: int = 0, strand: str = "+", **attributes: str) -> GeneModel:
    exons = ((cds[0][0] - utr, cds[0][1]), *cds[1:]) if len(cds) > 1 else ((cds[0][0] - utr, cds[0][1]),)
    exons = (*exons[:-1], (exons[-1][0], exons[-1][1] + utr))
    return GeneModel(name, "c", strand, (Transcript(f"{name}.1", exons, cds, attributes=attributes),))


def test_genes_that_one_label_cannot_express_together_are_disputed():
    host = coding_gene("host", (10, 40), (100, 160))
    nested = coding_gene("nested", (60, 75), utr=5)
    labels = label_contig([host, nested], "+", 200)
    assert labels.disputed.tolist() == list(range(55, 80)), "the nested gene, its UTR too"
    alone = label_contig([host], "+", 200)
    assert not alone.disputed.size
    assert np.array_equal(labels.states, alone.states), "the longer CDS stands"
    # In one frame two genes say the same of their bases, but for start and stop.
    same_frame = label_contig([coding_gene("a", (10, 40)), coding_gene("b", (31, 100))], "+", 200)
    assert same_frame.disputed.tolist() == [31, 39]
    assert not label_contig([host, coding_gene("m", (60, 75), strand="-")], "+", 200).disputed.size


def test_coding_bases_stand_over_the_utr_of_another_gene_and_two_utrs_are_non_coding():
    first, second = coding_gene("a", (30, 60), utr=20), coding_gene("b", (75, 150), utr=10)
    for genes in ([first, second], [second, first]):
        labels = label_contig(genes, "+", 200)
        assert not labels.disputed.size
        assert labels.states[60:80].tolist() == [
            *[State.UTR3_EXON] * 5,
            *[NON_CODING_LABEL] * 10,
            State.START,
            State.CODING1,
            State.CODING2,
            State.CODING0,
            State.CODING1,
        ]


def test_soft_targets_keep_to_bases_of_one_gene():
    isoform = Transcript("a.2", ((40, 60), (66, 70)), ((40, 60), (66, 70)), contig="c", strand="+")
    gene = coding_gene("a", (40, 70), utr=20)
    gene = replace(gene, transcripts=(*gene.transcripts, isoform))
    neighbour = coding_gene("b", (100, 160), utr=20)
    labels = label_contig([gene, neighbour], "+", 200)
    assert (labels.states[80:90] == NON_CODING_LABEL).all()
    assert labels.soft_positions.size
    assert not set(labels.soft_positions.tolist()) & set(range(80, 160))


def test_isoforms_count_by_their_support_and_fragments_half():
    cds, longer = ((0, 30), (60, 90)), ((0, 33), (63, 90))

    def weights(*isoforms):
        transcripts = tuple(Transcript(str(n), c, c, attributes=a) for n, (c, a) in enumerate(isoforms))
        return isoform_weights(GeneModel("g", "c", "+", transcripts)).tolist()

    stars = [(cds, {"conf_rating": "****"}), (longer, {"conf_rating": "*"})]
    assert weights(*stars) == pytest.approx([0.8, 0.2])
    level = "transcript_support_level"
    assert weights((cds, {level: "1 (assigned to previous version 3)"}), (longer, {level: "3"})) == [0.75, 0.25]
    assert weights(stars[0], (longer, {})) == [0.5, 0.5], "support of one isoform alone says nothing"
    assert weights((cds, {level: "NA"}), (longer, {level: "1"})) == [0.5, 0.5]
    later_start = ((9, 30), (60, 90))
    assert weights((cds, {}), (later_start, {})) == pytest.approx([2 / 3, 1 / 3])
    assert weights((cds, {}), (((10, 30), (60, 90)), {})) == [0.5, 0.5], "another frame is no fragment"
    assert weights((cds, {}), (cds, {})) == [0.5, 0.5]
    assert weights((cds, {}), (((9, 30), (63, 90)), {})) == [0.5, 0.5], "nor is another junction"
