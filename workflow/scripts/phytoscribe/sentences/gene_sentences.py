"""Gene models as gene sentences, and back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from phytoscribe.annotation.checking.check import CODING_BIOTYPES
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import Chain, Direction
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.shapes import Codes, GeneSentence, WrittenIsoform, bases_of
from phytoscribe.sentences.tokens import PROTEIN_CODING, STRANDS, Reason, SentenceError


def primary_first(isoforms: Iterable[WrittenIsoform]) -> tuple[WrittenIsoform, ...]:
    """Isoforms, each once, with the primary in front: longest CDS, then most exonic bases, then first in position."""

    def order(isoform: WrittenIsoform) -> tuple[int, int, Chain, Chain]:
        return -bases_of(isoform.cds), -bases_of(isoform.exons), isoform.exons, isoform.cds

    return tuple(sorted(set(isoforms), key=order))


def sentence_of_model(gene: GeneModel, direction: Direction, codes: Codes) -> GeneSentence:
    """What the sentence of a gene model says; transcripts with the same exons and CDS are one isoform.

    Args:
        direction: of a window that holds the gene.
        codes: bases of that window in the direction of transcription.

    Raises:
        SentenceError: a transcript has no exons, or exons that touch or leave the window, or a CDS without intact
            reading frame; or the gene has no strand.
    """
    if gene.strand not in STRANDS:
        raise SentenceError(Reason.NO_STRAND, f"gene {gene.id} has the strand {gene.strand!r}, not + or -")
    isoforms = [_isoform_of(transcript, direction, codes) for transcript in gene.transcripts]
    gene_type = PROTEIN_CODING if gene.biotype in CODING_BIOTYPES else gene.biotype
    return GeneSentence(gene_type, gene.strand, primary_first(isoforms))


def _isoform_of(transcript: Transcript, direction: Direction, codes: Codes) -> WrittenIsoform:
    if not transcript.exons:
        raise SentenceError(Reason.NO_EXON, f"transcript {transcript.id} has no exons; give it exon or CDS lines")
    exons, cds = direction.inward(transcript.exons), direction.inward(transcript.cds)
    if any(start >= end for start, end in exons) or any(left[1] >= right[0] for left, right in pairwise(exons)):
        text = f"exons of transcript {transcript.id} overlap or touch each other"
        raise SentenceError(Reason.OVERLAPPING_EXONS, text)
    if exons[0][0] < 0 or exons[-1][1] > codes.size:
        raise SentenceError(Reason.UNKNOWN_SITE, f"transcript {transcript.id} leaves the sequence")
    isoform = WrittenIsoform(exons, cds)
    if cds and (transcript.start_phase or open_frame(exons, cds[0][0], codes) != cds):
        raise SentenceError(
            Reason.CDS_NO_OPEN_FRAME,
            f"the CDS of transcript {transcript.id} is not the reading frame of its exons from ATG to the first stop",
        )
    return isoform


def model_of(sentence: GeneSentence, direction: Direction, identifier: str, contig: str) -> GeneModel:
    """The gene model of a sentence, its transcripts named ``.t1``, ``.t2``, ... in the order of the isoforms."""
    name = sentence.gene_type.removesuffix("_gene")
    silent = {"pseudogene": "pseudogenic_transcript"}.get(name, name if name.endswith("RNA") else "transcript")
    transcripts = tuple(
        Transcript(
            f"{identifier}.t{number}",
            direction.outward(isoform.exons),
            direction.outward(isoform.cds),
            type="mRNA" if isoform.cds else silent,
        )
        for number, isoform in enumerate(sentence.isoforms, start=1)
    )
    return GeneModel(identifier, contig, sentence.strand, transcripts, biotype=sentence.gene_type)
