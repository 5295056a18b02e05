"""Gene models as gene sentences, and back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from phytoscribe.annotation.checking.check import CODING_BIOTYPES
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, Chain, Direction
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.sentence import changes_of
from phytoscribe.sentences.shapes import Codes, GeneSentence, WrittenIsoform, bases_of, default_cds, shape_of
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
    gene_type = gene_type_of_model(gene)
    may_code = shape_of(gene_type).may_code
    isoforms = [_isoform_of(transcript, direction, codes, may_code) for transcript in gene.transcripts]
    return GeneSentence(gene_type, gene.strand, primary_first(isoforms))


def gene_type_of_model(gene: GeneModel) -> str:
    """The gene type that a sentence gives a gene: its biotype; ``protein_coding`` for all spellings of that."""
    return PROTEIN_CODING if gene.biotype in CODING_BIOTYPES else gene.biotype


def _isoform_of(transcript: Transcript, direction: Direction, codes: Codes, may_code: bool) -> WrittenIsoform:
    if not transcript.exons:
        raise SentenceError(Reason.NO_EXON, f"transcript {transcript.id} has no exons; give it exon or CDS lines")
    exons, cds = direction.inward(transcript.exons), direction.inward(transcript.cds)
    if any(start >= end for start, end in exons) or any(left[1] >= right[0] for left, right in pairwise(exons)):
        text = f"exons of transcript {transcript.id} overlap or touch each other"
        raise SentenceError(Reason.OVERLAPPING_EXONS, text)
    if exons[0][0] < 0 or exons[-1][1] > codes.size:
        raise SentenceError(Reason.UNKNOWN_SITE, f"transcript {transcript.id} leaves the sequence")
    isoform = WrittenIsoform(exons, cds)
    if cds and not may_code:
        raise SentenceError(
            Reason.CDS_IN_RNA_GENE, f"transcript {transcript.id} has a CDS, but the type of its gene is of RNA"
        )
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


def sharing_ends(gene: GeneSentence, codes: Codes) -> GeneSentence:
    """A gene whose alternatives have the primary's ends where that is possible, each isoform once.

    Where a transcript begins or ends is known less well than its splice sites, and would cost a sentence two words for
    nearly every annotated alternative.  An end is moved within the outermost exon, if that overlaps the primary's, and
    only where introns and CDS stay as they are and the CDS needs no other words.
    """
    primary = gene.isoforms[0]
    moved = (_with_ends_of(primary, isoform, gene.gene_type, codes) for isoform in gene.isoforms[1:])
    return gene._replace(isoforms=tuple(dict.fromkeys([primary, *moved])))


def _with_ends_of(primary: WrittenIsoform, isoform: WrittenIsoform, gene_type: str, codes: Codes) -> WrittenIsoform:
    shape, exons = shape_of(gene_type), isoform.exons
    usual = isoform.cds == default_cds(exons, shape, codes)
    first, last = primary.exons[0], primary.exons[-1]
    for begin, end in ((True, True), (True, False), (False, True)):
        chain = list(exons)
        if begin and first[0] <= chain[0][1] - MINIMUM_EXON and chain[0][0] <= first[1] - MINIMUM_EXON:
            chain[0] = first[0], chain[0][1]
        if end and chain[-1][0] <= last[1] - MINIMUM_EXON and last[0] <= chain[-1][1] - MINIMUM_EXON:
            chain[-1] = chain[-1][0], last[1]
        new = tuple(chain)
        if isoform.cds and (new[0][0] > isoform.cds[0][0] or new[-1][1] < isoform.cds[-1][1]):
            continue
        if usual == (isoform.cds == default_cds(new, shape, codes)) and new != exons:
            return WrittenIsoform(new, isoform.cds)
    return isoform


def coding_alternatives(gene: GeneSentence, codes: Codes) -> GeneSentence:
    """A coding gene with one isoform for each CDS, that with the fewest changes; what codes for nothing is left out."""
    primary, shape = gene.isoforms[0], shape_of(gene.gene_type)
    chosen: dict[Chain, WrittenIsoform] = {}
    alternatives = [isoform for isoform in gene.isoforms[1:] if isoform.cds and isoform.cds != primary.cds]
    for isoform in sorted(alternatives, key=lambda isoform: (len(changes_of(isoform, primary, shape, codes)), isoform)):
        chosen.setdefault(isoform.cds, isoform)
    return gene._replace(isoforms=(primary, *chosen.values()))
