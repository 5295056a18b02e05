"""Spliced sequences, translation and FASTA output, on both strands."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation import GeneModel, Transcript
from phytoscribe.annotation.sequences import (
    GENETIC_CODE,
    STOP_CODONS,
    cds_of,
    protein_of,
    reading_frame,
    splice,
    transcript_of,
    translate,
    write_fasta,
)
from phytoscribe.genome import encode, reverse_complement

#         0123456789012345678901234567
CONTIG = "ccATGGCAgtaaaaaagTGTTAAccccc"
GENE = GeneModel("g", "c", "+", (Transcript("t", ((1, 8), (17, 25)), ((2, 8), (17, 23))),))


@pytest.mark.parametrize("flip", [False, True])
def test_sequences_are_the_same_on_both_strands(flip):
    bases = encode(CONTIG)
    gene = GENE
    if flip:
        bases, gene = reverse_complement(bases), GENE.reverse_complement(len(CONTIG))
    (transcript,) = gene.transcripts
    assert cds_of(transcript, bases) == "ATGGCATGTTAA"
    assert protein_of(transcript, bases) == "MAC*"
    assert transcript_of(transcript, bases) == "CATGGCATGTTAACC"


def test_start_phase_is_skipped_in_the_protein_only():
    transcript = Transcript("t", ((3, 8), (17, 23)), ((3, 8), (17, 23)), start_phase=2, strand="+")
    assert protein_of(transcript, encode(CONTIG)) == "AC*"
    assert cds_of(transcript, encode(CONTIG)) == "TGGCATGTTAA"


def test_genetic_code_is_the_standard_one():
    assert len(GENETIC_CODE) == 64
    assert {codon for codon, amino_acid in GENETIC_CODE.items() if amino_acid == "*"} == {"TAA", "TAG", "TGA"}
    assert [GENETIC_CODE[c] for c in ("ATG", "TGG", "AAA", "GAT", "CGN"[:2] + "A", "AGC", "ATA")] == list("MWKDRSI")


@pytest.mark.parametrize(
    ("cds", "protein"), [("", ""), ("AT", ""), ("atgNNNtgA", "MX*"), ("ATGGCNC", "MX"), ("TTTNTT", "FX")]
)
def test_translate(cds, protein):
    assert translate(encode(cds)) == protein


@given(st.text("ACGT", max_size=60))
def test_translate_agrees_with_the_code_codon_by_codon(cds):
    assert translate(encode(cds)) == "".join(GENETIC_CODE[cds[i : i + 3]] for i in range(0, len(cds) - 2, 3))


def test_splice_of_nothing():
    assert splice((), "-", encode(CONTIG)) == ""


@pytest.mark.parametrize("sequence", [cds_of, protein_of])
def test_a_transcript_that_codes_for_nothing_has_neither_cds_nor_protein(sequence):
    with pytest.raises(ValueError, match=r"transcript t \(lnc_RNA\) has no CDS"):
        sequence(Transcript("t", ((0, 9),), type="lnc_RNA", strand="+"), encode(CONTIG))


def test_fasta_lines():
    handle = io.StringIO()
    assert write_fasta(handle, [("a x", "A" * 61), ("b", "")]) == 2
    assert handle.getvalue() == f">a x\n{'A' * 60}\nA\n>b\n"


@pytest.mark.parametrize(
    ("text", "starts", "whole", "at_end", "inside", "intact"),
    [
        ("ATGGCATAA", True, True, True, False, True),
        ("ATGTAG", True, True, True, False, True),
        ("ATGTAAGCATGA", True, True, True, True, False),
        ("ATGTAAGCA", True, True, False, True, False),
        ("CTGGCATAA", False, True, True, False, False),
        ("ATGGCATAAA", True, False, False, False, False),
        ("ATGGCA", True, True, False, False, False),
        ("ATGNNNTAA", True, True, True, False, True),  # that N is a fault of its own is for the caller to say
        ("", False, True, False, False, False),
    ],
)
def test_reading_frame(text, starts, whole, at_end, inside, intact):
    frame = reading_frame(encode(text))
    assert (frame.starts, frame.whole, frame.stops_at_end, frame.stops_inside, frame.intact) == (
        starts,
        whole,
        at_end,
        inside,
        intact,
    )


def test_stop_codons_are_those_of_the_standard_code():
    assert STOP_CODONS == ("TAA", "TAG", "TGA")
