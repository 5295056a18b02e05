"""Contigs divided between jobs, and the file in which a job hands over its genes.

The file has one JSON object a line: the header; then for each contig a line that names it, and one for each of its
genes, sorted.  It is written and read gene by gene.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open
from phytoscribe.prediction.predictor import DecodedPiece

#: How a line that names a contig begins.
_CONTIG_LINE = '{"contig": '


def contigs_of_shard(contigs: Mapping[str, int], shard: int, shards: int) -> list[str]:
    """Contigs of one of ``shards`` parts of about equal length, in FASTA order.

    Longest first, each to the part that has least; the same on every machine.
    """
    heap = [(0, number) for number in range(shards)]
    chosen = set()
    for contig, length in sorted(contigs.items(), key=lambda item: (-item[1], item[0])):
        total, number = heapq.heappop(heap)
        if number == shard:
            chosen.add(contig)
        heapq.heappush(heap, (total + length, number))
    return [contig for contig in contigs if contig in chosen]


def sorted_genes(genes: Iterable[GeneModel], reach: int) -> Iterator[GeneModel]:
    """Genes in order of start, end and strand, from genes of one contig in order of their first transcript's CDS.

    Args:
        reach: bases, at most, that a gene begins before that CDS; only so many genes are held back.  A gene whose first
            transcript has no CDS comes in the order of its start.
    """
    held: list[tuple[int, int, str, int, GeneModel]] = []
    for number, gene in enumerate(genes):
        heapq.heappush(held, (gene.start, gene.end, gene.strand, number, gene))
        first = gene.transcripts[0].cds
        final = (first[0][0] if first else gene.start) - reach
        while held and held[0][0] < final:
            yield heapq.heappop(held)[-1]
    while held:
        yield heapq.heappop(held)[-1]


@contextmanager
def shard_writer(path: str | Path, header: Mapping[str, Any]) -> Iterator[Callable[[str, Iterable[GeneModel]], int]]:
    """A function that writes a contig with its genes, in the order given, and returns their number.

    The file appears complete or not at all.
    """
    with atomic_open(path) as handle:
        handle.write(json.dumps(header, sort_keys=True) + "\n")

        def write(contig: str, genes: Iterable[GeneModel]) -> int:
            handle.write(_CONTIG_LINE + json.dumps(contig) + "}\n")
            count = 0
            for gene in genes:
                handle.write(json.dumps(asdict(gene)) + "\n")
                count += 1
            return count

        yield write


def contigs_in_order(
    pieces: Iterable[DecodedPiece], contigs: Sequence[str]
) -> Iterator[tuple[str, Iterator[GeneModel]]]:
    """Each contig with its genes as they come, in the order of ``contigs``; pieces of later contigs are held back."""
    source = iter(pieces)
    held: dict[str, list[DecodedPiece]] = {}

    def genes_of(contig: str) -> Iterator[GeneModel]:
        for piece in itertools.chain(held.pop(contig, ()), source):
            if piece.contig != contig:
                held.setdefault(piece.contig, []).append(piece)
                continue
            yield from piece.genes
            if piece.last:
                return

    for contig in contigs:
        yield contig, genes_of(contig)


def _gene(entry: Mapping[str, Any]) -> GeneModel:
    """Inverse of ``asdict``."""
    transcripts = tuple(
        Transcript(**{**t, "exons": tuple(map(tuple, t["exons"])), "cds": tuple(map(tuple, t["cds"]))})
        for t in entry["transcripts"]
    )
    return GeneModel(**{**entry, "transcripts": transcripts})


class Shards:
    """The files of all shards of a genome; nothing of them is kept in memory but where each contig is.

    Attributes:
        header: what all shards say about themselves.

    Raises:
        PhytoScribeError: shards made with different models or settings, or a contig that is missing or there twice.
    """

    def __init__(self, paths: Iterable[str | Path], contigs: Sequence[str]) -> None:
        self._contigs = list(contigs)
        self._places: dict[str, tuple[str, int]] = {}  # file, and byte at which the contig's genes begin
        header: dict[str, Any] | None = None
        for path in paths:
            found = self._look_through(str(path))
            if header is not None and found != header:
                differing = sorted(k for k in header.keys() | found.keys() if header.get(k) != found.get(k))
                raise PhytoScribeError(
                    f"{path}: made with another {', '.join(differing)}; delete the shards and run again"
                    " (with predict.precision 'auto', machines may differ: then name one)"
                )
            header = found
        missing = [contig for contig in self._contigs if contig not in self._places]
        if missing or header is None:
            raise PhytoScribeError(
                f"the shards lack {len(missing)} contigs, first {missing[:3]}; delete them and run again"
            )
        self.header = header

    def _look_through(self, path: str) -> dict[str, Any]:
        """Note the places of all contigs of a file; its header."""
        start = _CONTIG_LINE.encode()
        with Path(path).open("rb") as handle:
            header = json.loads(handle.readline())
            offset = handle.tell()
            for line in handle:
                offset += len(line)
                if line.startswith(start):
                    contig = json.loads(line)["contig"]
                    if contig in self._places:
                        raise PhytoScribeError(
                            f"{path}: contig {contig} is in another shard too; delete the shards and run again"
                        )
                    self._places[contig] = path, offset
        return header

    def genes(self) -> Iterator[GeneModel]:
        """Genes as they were written, contigs in the given order."""
        for contig in self._contigs:
            path, offset = self._places[contig]
            with Path(path).open(encoding="utf-8") as handle:
                handle.seek(offset)
                for line in handle:
                    if line.startswith(_CONTIG_LINE):
                        break
                    yield _gene(json.loads(line))
