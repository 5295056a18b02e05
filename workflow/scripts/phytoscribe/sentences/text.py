"""Gene sentences as a table that people read: one row a gene, pointers as offsets from the gene's first base.

``D+412`` is a donor 412 bases behind the first base of the primary transcript, in the direction of transcription, and
``T-30`` a transcript that begins 30 bases before it.  With the contig, the strand and the place of that base, and with
the sequence, a row is the gene again.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.isoform_edits import Direction
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome, reverse_complement
from phytoscribe.sentences.gene_sentences import gene_type_of_model, model_of, sentence_of_model
from phytoscribe.sentences.sentence import gene_of, tokens_of
from phytoscribe.sentences.shapes import Codes
from phytoscribe.sentences.tokens import BOS, EOS, STRANDS, Reason, SentenceError, Site, SiteKind, Token
from phytoscribe.tables import Columns, read_table, write_table

log = logging.getLogger(__name__)

#: ``start``: 1-based place of the first base of the primary transcript, on the minus strand its rightmost base;
#: ``isoforms``: different ones; ``reason`` and ``detail``: why there is no sentence.
COLUMNS: Columns = {
    "gene": str, "contig": str, "strand": str, "start": int, "type": str, "isoforms": int, "sentence": str,
    "reason": str, "detail": str,
}  # fmt: skip
_POINTER = re.compile(r"([TSDAP])([+-]\d{1,18})")


class SentenceRow(NamedTuple):
    """A row of the table; see :data:`COLUMNS`."""

    gene: str
    contig: str
    strand: str
    start: int
    type: str
    isoforms: int
    sentence: str
    reason: str
    detail: str


def words_of(tokens: Sequence[Token], origin: int) -> str:
    """A sentence as text, without its first and its last word, which all have.

    Args:
        origin: cut from which pointers count.
    """
    return " ".join(
        f"{token.kind}{token.cut - origin:+d}" if isinstance(token, Site) else token for token in tokens[1:-1]
    )


def tokens_in(text: str, origin: int) -> list[Token]:
    """The inverse of :func:`words_of`."""
    tokens: list[Token] = []
    for word in text.split():
        match = _POINTER.fullmatch(word)
        tokens.append(word if match is None else Site(SiteKind(match[1]), origin + int(match[2])))
    return [BOS, *tokens, EOS]


def _window(genome: Genome, contig: str, direction: Direction) -> Codes:
    """Bases of a window in the direction of transcription."""
    codes = genome.bases(contig, direction.start, direction.end)
    return codes if direction.strand == "+" else reverse_complement(codes)


def row_of(gene: GeneModel, genome: Genome) -> SentenceRow:
    """The row of a gene, which lies on a contig of the genome."""
    # Whatever is wrong with the gene, its row says where it is.
    spans = [exon for transcript in gene.transcripts for exon in transcript.exons]
    start, end = min((s for s, _ in spans), default=0), max((e for _, e in spans), default=0)
    direction = Direction(gene.strand, max(0, start), min(end, genome.contigs[gene.contig]))
    first = end if gene.strand == "-" else start + 1
    isoforms = len({(transcript.exons, transcript.cds) for transcript in gene.transcripts})
    place = gene.id, gene.contig, gene.strand
    try:
        codes = _window(genome, gene.contig, direction)
        sentence = sentence_of_model(gene, direction, codes)
        tokens = tokens_of(sentence, codes)
    except SentenceError as error:
        return SentenceRow(*place, first, gene_type_of_model(gene), isoforms, "", error.reason, str(error))
    ends = direction.outward(sentence.isoforms[0].exons)
    first = ends[-1][1] if gene.strand == "-" else ends[0][0] + 1
    words = words_of(tokens, sentence.isoforms[0].exons[0][0])
    return SentenceRow(*place, first, sentence.gene_type, len(sentence.isoforms), words, "", "")


def write_sentences(genes: Iterable[GeneModel], genome: Genome, path: str | Path) -> Counter[str]:
    """Write one row for each gene, in the order given; the genes without a sentence have a reason.

    Returns:
        number of genes by reason; an empty text stands for those that have a sentence.
    """
    rows = [row_of(gene, genome) for gene in genes]
    write_table(pd.DataFrame(rows, columns=list(COLUMNS)), path)
    counts = Counter(row.reason for row in rows)
    for reason, count in sorted(counts.items()):
        log.info("%d genes: %s", count, reason or "with a sentence")
    return counts


def read_sentences(path: str | Path, genome: Genome) -> list[GeneModel]:
    """The gene models of all rows that have a sentence.

    Args:
        genome: whose sequence the table was made with.  The sequence decides where a reading frame ends.

    Raises:
        PhytoScribeError: a row whose contig, strand, place or sentence is none; the text names its line and gene.
    """
    table = read_table(path, COLUMNS)
    genes = []
    for line, row in enumerate(table.itertuples(index=False), start=2):
        if not row.sentence:
            continue
        where = f"{path}, line {line}, gene {row.gene}"
        if row.contig not in genome.contigs:
            raise PhytoScribeError(f"{where}: the genome has no contig {row.contig!r}; use the genome of this table")
        try:
            genes.append(_model(row.gene, row.contig, row.strand, row.start, row.sentence, genome))
        except SentenceError as error:
            text = "use the genome that the table was made with, or make the table again (rule write_sentences)"
            raise PhytoScribeError(f"{where}: {error}; {text}") from error
    return genes


def _model(gene: str, contig: str, strand: str, start: int, text: str, genome: Genome) -> GeneModel:
    """The gene model of a row.

    Raises:
        SentenceError: there is none.
    """
    offsets = [int(match[2]) for word in text.split() if (match := _POINTER.fullmatch(word))]
    low, high = min(offsets, default=0), max(offsets, default=0)
    left, right = (start - 1 + low, start - 1 + high) if strand == "+" else (start - high, start - low)
    if strand not in STRANDS:
        raise SentenceError(Reason.NO_STRAND, f"its strand is {strand!r}, not + or -")
    size = genome.contigs[contig]
    if not 0 <= left < right <= size:
        raise SentenceError(Reason.UNKNOWN_SITE, f"{left + 1}..{right} is not on {contig}, which has {size} bases")
    direction = Direction(strand, left, right)
    sentence = gene_of(tokens_in(text, -low), _window(genome, contig, direction), -low)
    if sentence.strand != strand:
        raise SentenceError(Reason.NO_STRAND, f"its sentence is of strand {sentence.strand}, its row of {strand}")
    return model_of(sentence, direction, gene, contig)
