"""Untranslated regions around a CDS whose probabilities leave no doubt."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_transcripts import transcripts_from_labels

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.decoded_gene import DecodedGene, DecodedTranscript
from phytoscribe.decoding.gene_models import gene_model, reach
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.labels.encode import label_transcript
from phytoscribe.labels.states import STATE_COUNT, State

SETTINGS = DecoderSettings(minimum_intron=20, minimum_cds=9)


def certain(labels: np.ndarray, confidence: float = 0.97) -> np.ndarray:
    rest = (1 - confidence) / (STATE_COUNT - 1)
    table = np.full((labels.size, STATE_COUNT), np.log(rest), dtype=np.float32)
    table[np.arange(labels.size), labels] = np.log(confidence)
    return table


def random_log_probabilities(generator: np.random.Generator, length: int) -> np.ndarray:
    values = generator.normal(0, 2, (length, STATE_COUNT))
    values[:, :5] -= 1.6
    return (values - np.logaddexp.reduce(values, axis=1)[:, None]).astype(np.float32)


def gene_with_utr_introns() -> tuple[np.ndarray, Transcript]:
    """A contig and a transcript: UTR exon, intron, UTR + CDS, intron, CDS + UTR, intron, UTR exon."""
    intron = "GT" + "C" * 30 + "AG"
    parts = ["C" * 40, "CCCCCCCC", intron, "CCCCC", "ATGGCC", intron, "GCCTAA", "CCCCCCC", intron, "CCCCCC", "C" * 40]
    edges = np.cumsum([0, *map(len, parts)]).tolist()
    exons = ((edges[1], edges[2]), (edges[3], edges[5]), (edges[6], edges[8]), (edges[9], edges[10]))
    cds = ((edges[4], edges[5]), (edges[6], edges[7]))
    return encode("".join(parts)), Transcript("t", exons, cds)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_utr_exons_and_introns_are_found(strand):
    bases, transcript = gene_with_utr_introns()
    gene = GeneModel("g", "c", "+", (transcript,))
    if strand == "-":
        bases, gene = reverse_complement(bases), gene.reverse_complement(bases.size)
    start, states = label_transcript(gene.transcripts[0])
    labels = np.zeros(bases.size, dtype=np.uint8)
    labels[start : start + states.size] = states
    nothing = certain(np.zeros(bases.size, dtype=np.uint8))
    both = (certain(labels), nothing) if strand == "+" else (nothing, certain(labels))
    (found,) = decode_contig("c", bases, *both, SETTINGS)
    assert found.strand == strand
    assert found.transcripts[0].cds == gene.transcripts[0].cds
    assert found.transcripts[0].exons == gene.transcripts[0].exons
    (back,) = transcripts_from_labels(labels, strand)
    assert back.exons == found.transcripts[0].exons
    assert 0.9 < found.score <= 1


def test_without_evidence_there_is_no_utr():
    bases, transcript = gene_with_utr_introns()
    start, states = label_transcript(Transcript("t", transcript.cds, transcript.cds, strand="+"))
    labels = np.zeros(bases.size, dtype=np.uint8)
    labels[start : start + states.size] = states
    nothing = certain(np.zeros(bases.size, dtype=np.uint8))
    (found,) = decode_contig("c", bases, certain(labels), nothing, SETTINGS)
    assert found.transcripts[0].exons == found.transcripts[0].cds == transcript.cds


def test_neighbours_share_the_space_between_them():
    unit = "C" * 30 + "ATGGCCGCCTAA" + "C" * 30
    bases = encode(unit * 2)
    labels = np.full(bases.size, State.UTR3_EXON, dtype=np.uint8)
    for copy in (0, len(unit)):
        labels[copy : copy + 30] = State.UTR5_EXON
        at = copy + 30
        labels[at : at + 12] = [State.START, 7, 8, 6, 7, 8, 6, 7, 8, 6, 7, State.STOP]
    nothing = certain(np.zeros(bases.size, dtype=np.uint8))
    first, second = decode_contig("c", bases, certain(labels), nothing, SETTINGS)
    assert first.end <= second.start
    assert first.end > first.transcripts[0].cds[-1][1]
    assert second.start < second.transcripts[0].cds[0][0]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 19, 400]))
def test_pieces_give_the_same_gene_models(seed, piece):
    """Untranslated regions included, with a reach that is longer than many pieces."""
    generator = np.random.default_rng(seed)
    bases = generator.integers(0, 4, 2500).astype(np.uint8)
    plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
    few = DecoderSettings(minimum_intron=12, minimum_cds=30, maximum_utr=60, coding_score=1.2, intron_score=4.0)
    whole = decode_contig("c", bases, plus, minus, few)
    assert decode_contig("c", bases, plus, minus, few, piece=piece) == whole
    assert whole


@given(st.tuples(*[st.integers(0, 400)] * 4).map(sorted), st.integers(1, 300))
def test_room_between_neighbours_is_the_same_on_the_other_strand(cuts, maximum):
    length = 420
    left, start, end, right = cuts
    first, last = reach((start, end), left, right, maximum, length)
    mirrored = reach((length - end, length - start), length - right, length - left, maximum, length)
    assert mirrored == (length - last, length - first)
    # The neighbour's room ends where this one begins, or before.
    assert reach((0, left), None, start, maximum, length)[1] <= max(first, left)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_gene_with_several_transcripts_is_one_model(strand):
    """Gene score and locus probability are the gene's; the first transcript is what it would be alone."""
    first = DecodedTranscript(((10, 40), (60, 90)), 0.75, 0.7, (0.9, 0.8), (0.85,), 0.95, 0.99)
    second = DecodedTranscript(
        ((10, 43), (60, 75)), 0.125, 0.1, (0.2, 0.15), (0.1,), 0.95, math.nan, partial_right=True
    )
    gene = DecodedGene(strand, (first, second), 0.875, 0.97)
    exons = [((5, 40), (60, 95)), second.cds]
    found = gene_model(gene, exons, "c", "7")
    cut = {"partial": "true", "end_range": "95,."}
    assert (found.id, found.strand, found.score, found.attributes) == ("7", strand, 0.875, cut)
    assert [(t.id, t.exons, t.cds, t.score) for t in found.transcripts] == [
        ("7.t1", exons[0], first.cds, 0.75),
        ("7.t2", exons[1], second.cds, 0.125),
    ]
    assert [t.attributes["cds_probabilities"] for t in found.transcripts] == (
        ["0.900,0.800", "0.200,0.150"] if strand == "+" else ["0.800,0.900", "0.150,0.200"]
    )
    assert [t.attributes["locus_probability"] for t in found.transcripts] == ["0.970", "0.970"]
    assert [t.attributes.get("partial") for t in found.transcripts] == [None, "true"]
    assert [t.attributes.get("end_range") for t in found.transcripts] == [None, "75,."]
    assert "stop_probability" not in found.transcripts[1].attributes
    alone = gene_model(DecodedGene(strand, (first,), 0.75, 0.97), exons[:1], "c", "7")
    assert alone.transcripts == found.transcripts[:1]
    assert alone.attributes == {}
