"""Divide contigs between jobs, and write and read the file with the genes of each job.

The file has one JSON object a line: the header; then for each contig a line that names it, and one for each of its
genes, sorted; where a prediction with evidence is compared with one from DNA alone, then the contig once more with the
genes of that, whose header is part of the header; and a last line with the numbers of contigs and genes and the SHA-256
of all lines before it, which reveals a file that was cut or changed on its way between machines.  It is written and
read gene by gene.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open
from phytoscribe.prediction.predictor import DecodedPiece

#: How a line that names a contig begins.
_CONTIG_LINE = '{"contig": '
#: How the last line begins.
_END_LINE = '{"end": '
#: How a line ends that names a contig whose genes are from DNA alone, and where the header of these is.
_FROM_DNA_ENDING = ', "from": "DNA"}'
FROM_DNA = "from DNA"
_REMEDY = "delete it and run again"


def contigs_of_shard(contigs: Mapping[str, int], shard: int, shards: int) -> list[str]:
    """Contigs of one of ``shards`` parts of about equal length, in FASTA order.

    The longest contig goes first, each to the shard with the fewest bases; the result is the same on every machine.
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
    """Genes of one contig in order of the start, end and strand of their first transcripts.

    So the order, and with it the ids, is the same whether there are other transcripts or not.  Starts of genes ascend
    too: a further transcript that begins before the gene in front of it does is left out.

    Args:
        genes: in order of the CDS of their first transcripts.
        reach: maximum distance in bases between the start of a first transcript and its CDS; it limits the genes held
            back.  A gene whose first transcript has no CDS comes in the order of its start.
    """
    held: list[tuple[int, int, str, int, GeneModel]] = []
    last = 0

    def next_gene() -> GeneModel:
        nonlocal last
        gene = heapq.heappop(held)[-1]
        if gene.start < last:
            gene = replace(gene, transcripts=tuple(t for t in gene.transcripts if t.start >= last))
        last = gene.start
        return gene

    for number, gene in enumerate(genes):
        first = gene.transcripts[0]
        heapq.heappush(held, (first.start, first.end, gene.strand, number, gene))
        final = (first.cds[0][0] if first.cds else first.start) - reach
        while held and held[0][0] < final:
            yield next_gene()
    while held:
        yield next_gene()


@contextmanager
def shard_writer(path: str | Path, header: Mapping[str, Any]) -> Iterator[Callable[..., int]]:
    """A function that writes a contig with its genes, in the order given, and returns their number; with ``from_dna``
    they are those from DNA alone.

    The file is written completely or not at all.
    """
    written, digest = Counter(contigs=0, genes=0), hashlib.sha256()
    with atomic_open(path) as handle:

        def put(line: str) -> None:
            handle.write(line + "\n")
            digest.update(line.encode() + b"\n")

        def write(contig: str, genes: Iterable[GeneModel], from_dna: bool = False) -> int:
            put(_CONTIG_LINE + json.dumps(contig) + (_FROM_DNA_ENDING if from_dna else "}"))
            count = 0
            for gene in genes:
                put(json.dumps(asdict(gene)))
                count += 1
            written.update(contigs=1, genes=count)
            return count

        put(json.dumps(header, sort_keys=True))
        yield write
        handle.write(_END_LINE + json.dumps({**written, "sha256": digest.hexdigest()}) + "}\n")


def contigs_in_order(
    pieces: Iterable[DecodedPiece], contigs: Sequence[str], compared: bool = False
) -> Iterator[tuple[str, Iterator[GeneModel]]]:
    """Yield each contig with its genes in the order of ``contigs``; pieces of later contigs are held back.

    Args:
        compared: whether the pieces have genes from DNA alone too; then each contig is yielded once more with these,
            which are held back until then.
    """
    source = iter(pieces)
    held: dict[tuple[str, bool], list[DecodedPiece]] = {}

    def genes_of(wanted: tuple[str, bool]) -> Iterator[GeneModel]:
        for piece in itertools.chain(held.pop(wanted, ()), source):
            if (found := (piece.contig, piece.from_dna)) != wanted:
                held.setdefault(found, []).append(piece)
                continue
            yield from piece.genes
            if piece.last:
                return

    for contig in contigs:
        for from_dna in (False, True)[: 1 + compared]:
            yield contig, genes_of((contig, from_dna))


def _gene(entry: Mapping[str, Any]) -> GeneModel:
    """Inverse of ``asdict``."""
    transcripts = tuple(
        Transcript(**{**t, "exons": tuple(map(tuple, t["exons"])), "cds": tuple(map(tuple, t["cds"]))})
        for t in entry["transcripts"]
    )
    return GeneModel(**{**entry, "transcripts": transcripts})


class Shards:
    """The verified files of all shards of a genome; only the position of each contig is kept in memory.

    Args:
        from_dna: whether the genes are those from DNA alone, of shards that have both.

    Attributes:
        header: the header, which all shards share.
        gene_count: genes of all shards.

    Raises:
        PhytoScribeError: a file is truncated, changed or from another version; shards were made with different models
            or settings; a contig is missing or occurs twice.
    """

    def __init__(self, paths: Iterable[str | Path], contigs: Sequence[str], from_dna: bool = False) -> None:
        self._contigs = list(contigs)
        self._from_dna = from_dna
        self._places: dict[str, _Place] = {}
        self.gene_count = 0
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
        alone = header.pop(FROM_DNA, None)
        self.header = alone if from_dna else header

    def _look_through(self, path: str) -> dict[str, Any]:
        """Verify a file and note the places of all its contigs; its header."""
        contig_line, end_line, alone = _CONTIG_LINE.encode(), _END_LINE.encode(), _FROM_DNA_ENDING.encode()
        digest, places, last = hashlib.sha256(), [], b""
        number = offset = genes = contigs = 0
        wanted = False
        with _opened(path) as handle:
            first = handle.readline()
            handle.seek(0)
            for number, line in enumerate(handle, start=1):
                last = line
                if line.startswith(end_line):
                    break
                digest.update(line)
                offset += len(line)
                if line.startswith(contig_line):
                    contigs += 1
                    wanted = line.rstrip().endswith(alone) == self._from_dna
                    if wanted:
                        places.append((line, _Place(path, offset, number)))
                else:
                    genes += wanted
            behind = handle.read(1)
        header = _entry(path, 1, first)
        _verify(path, last, {"contigs": contigs, "genes": number - 2 - contigs, "sha256": digest.hexdigest()})
        if behind:
            raise PhytoScribeError(f"{path}, line {number + 1}: something follows the last line; {_REMEDY}")
        for line, place in places:
            contig = _entry(path, place.line, line)["contig"]
            if contig in self._places:
                raise PhytoScribeError(
                    f"{path}: contig {contig} is in another shard too; delete the shards and run again"
                )
            self._places[contig] = place
        self.gene_count += genes
        return header

    def genes(self) -> Iterator[GeneModel]:
        """Genes as they were written, contigs in the given order."""
        ends = (_CONTIG_LINE.encode(), _END_LINE.encode())
        for contig in self._contigs:
            path, offset, before = self._places[contig]
            with _opened(path) as handle:
                handle.seek(offset)
                for number, line in enumerate(handle, start=before + 1):
                    if line.startswith(ends):
                        break
                    entry = _entry(path, number, line)
                    try:
                        gene = _gene(entry)
                    except (KeyError, TypeError, ValueError) as error:
                        raise PhytoScribeError(
                            f"{path}, line {number}: no gene as this version of PhytoScribe writes it; {_REMEDY}"
                        ) from error
                    yield gene


class _Place(NamedTuple):
    """Where the genes of a contig begin: file, byte, and the number of the line before them."""

    path: str
    offset: int
    line: int


def _opened(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise PhytoScribeError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from error


def _entry(path: str, number: int, line: bytes) -> dict[str, Any]:
    """A line's JSON object."""
    try:
        entry = json.loads(line)
    except ValueError:  # of bytes that are no UTF-8, too
        entry = None
    if not isinstance(entry, dict):
        raise PhytoScribeError(f"{path}, line {number}: not readable as JSON, so the file is damaged; {_REMEDY}")
    return entry


def _verify(path: str, last: bytes, found: Mapping[str, Any]) -> None:
    """Compare a file's content with its last line."""
    if not last.startswith(_END_LINE.encode()):
        raise PhytoScribeError(
            f"{path}: the last line, which has the number of genes and a checksum, is missing: the file is cut short, "
            f"or comes from an older version of PhytoScribe; {_REMEDY}"
        )
    written = _entry(path, 2 + found["contigs"] + found["genes"], last)["end"]
    if written == found:
        return
    _find_unreadable(path)
    written = written if isinstance(written, dict) else {}
    if (counts := [found["contigs"], found["genes"]]) != [written.get("contigs"), written.get("genes")]:
        raise PhytoScribeError(
            f"{path}: {counts[0]} contigs and {counts[1]} genes instead of the {written.get('contigs')} and "
            f"{written.get('genes')} that its last line counts; {_REMEDY}"
        )
    raise PhytoScribeError(f"{path}: changed since it was written, as its checksum shows; {_REMEDY}")


def _find_unreadable(path: str) -> None:
    """Raise an error for the first line that is not JSON, if any: the damage is there."""
    with _opened(path) as handle:
        for number, line in enumerate(handle, start=1):
            _entry(path, number, line)
