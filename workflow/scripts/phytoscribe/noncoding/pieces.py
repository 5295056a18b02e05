"""Search a genome piece by piece, with several threads and progress, for the same result whatever their number.

Contigs are cut at fixed places into pieces of :data:`PIECE` bases; a program sees :data:`MARGIN` more bases on either
side.  What starts in a margin belongs to the neighbouring piece.  Short contigs share one run of the program.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import IO

from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval, complement
from phytoscribe.genome.sequence import decode

log = logging.getLogger(__name__)

PIECE = 2_000_000
#: Longer than any RNA that is searched for.
MARGIN = 20_000
#: Runs between two lines of progress in the log.
_LOG_EVERY = 10


@dataclass(frozen=True, slots=True)
class Rna:
    """An RNA gene as a program reports it: 0-based, half-open, contig orientation.

    Attributes:
        contig: name of the contig, or while it is searched the name of the piece.
        type: term of the Sequence Ontology for the transcript: ``tRNA``, ``rRNA``, ``snoRNA``, ...
        score: the program's own.
        introns: inside ``[start, end)``, sorted.
        attributes: GFF3 attributes of the transcript, ``product`` first.
    """

    contig: str
    start: int
    end: int
    strand: str
    type: str
    score: float | None = None
    introns: tuple[Interval, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def moved(self, contig: str, offset: int) -> Rna:
        """The same gene on another sequence."""
        introns = tuple((start + offset, end + offset) for start, end in self.introns)
        return replace(self, contig=contig, start=self.start + offset, end=self.end + offset, introns=introns)

    def gene(self, identifier: str, source: str) -> GeneModel:
        """A gene with one transcript, ``{identifier}.t1``."""
        edges = [(start - self.start, end - self.start) for start, end in self.introns]
        exons = tuple((s + self.start, e + self.start) for s, e in complement(edges, self.end - self.start))
        transcript = Transcript(
            f"{identifier}.t1", exons, type=self.type, attributes=dict(self.attributes), score=self.score
        )
        return GeneModel(identifier, self.contig, self.strand, (transcript,), biotype=self.type, source=source)


def by_place(contigs: Mapping[str, int]) -> Callable[[Rna], tuple[int, int, int, str, str]]:
    """Sorting key: contig in the order of ``contigs``, start, end, strand, type."""
    rank = {name: index for index, name in enumerate(contigs)}
    return lambda rna: (rank[rna.contig], rna.start, rna.end, rna.strand, rna.type)


@dataclass(frozen=True, slots=True)
class Piece:
    """``[start, end)`` of a contig, searched with its margins as ``[left, right)``."""

    contig: str
    start: int
    end: int
    left: int
    right: int


def runs_of(contigs: Mapping[str, int], size: int = PIECE, margin: int = MARGIN) -> Iterator[list[Piece]]:
    """Pieces in order, those of short contigs together until they have ``size`` bases."""
    together: list[Piece] = []
    bases = 0
    for contig, length in contigs.items():
        for start in range(0, length, size):
            end = min(start + size, length)
            together.append(Piece(contig, start, end, max(0, start - margin), min(length, end + margin)))
            bases += end - start
            if bases >= size:
                yield together
                together, bases = [], 0
    if together:
        yield together


def search(
    genome: Genome,
    contigs: Mapping[str, int],
    find: Callable[[Sequence[tuple[str, str]]], Sequence[Rna]],
    threads: int,
    size: int = PIECE,
    margin: int = MARGIN,
) -> list[Rna]:
    """All RNA genes of ``contigs``, sorted by :func:`by_place`.

    Args:
        find: gets (name, sequence in upper-case ACGTN) of some pieces and returns what it finds, with these names as
            contigs.  The names are numbers, since programs shorten and change the names of users.
        threads: calls of ``find`` at a time.
        size: bases of a piece.
        margin: bases beside it that ``find`` sees too; more than the longest gene has.
    """
    runs = list(runs_of(contigs, size, margin))

    def one(pieces: Sequence[Piece]) -> list[Rna]:
        named = {str(number): piece for number, piece in enumerate(pieces)}
        given = [(name, decode(genome.bases(piece.contig, piece.left, piece.right))) for name, piece in named.items()]
        found = []
        for rna in find(given):
            piece = named[rna.contig]
            placed = rna.moved(piece.contig, piece.left)
            if piece.start <= placed.start < piece.end:
                found.append(placed)
        return found

    found: list[Rna] = []
    done, total = 0, sum(contigs.values())
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        for number, (pieces, rnas) in enumerate(zip(runs, pool.map(one, runs), strict=True), start=1):
            found += rnas
            done += sum(piece.end - piece.start for piece in pieces)
            if number % _LOG_EVERY == 0 or number == len(runs):
                log.info("searched %.1f of %.1f Mb: %d genes", done / 1e6, total / 1e6, len(found))
    return sorted(found, key=by_place(contigs))


def write_found(
    handle: IO[str], rnas: Sequence[Rna], contigs: Mapping[str, int], source: str, header: Sequence[str]
) -> None:
    """Write what one program found as GFF3, with ids for this file alone; arguments as for :func:`write_gff3`."""
    genes = (rna.gene(f"{source}{number}", source) for number, rna in enumerate(rnas, start=1))
    write_gff3(handle, genes, contigs, header)
