"""What must hold for whatever file a reader is given: a clear message, or a result that makes sense.

Each ``*_rules`` function reads one file in every way and raises AssertionError where a rule is broken; anything else
that comes out of it is a fault too.
"""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TypeVar

from phytoscribe.annotation import GeneModel
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES
from phytoscribe.annotation.gff_lines import read_rows
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome, check_fasta, read_index
from phytoscribe.genome.fasta import write_index

Result = TypeVar("Result")
#: Seconds of processor time for one small file; real time would fail on a busy machine.
TIME_LIMIT = 5.0
LONGEST_MESSAGE = 1500
_CODES = {"A": 0, "C": 1, "G": 2, "T": 3, "U": 3}
_PLACE = re.compile(
    r"line \d+|'[^']+'|\"[^\"]+\"|no sequences found|index is empty|(gzip|bzip2|xz) file|this is an? |no contig"
)


@contextmanager
def time_limit(seconds: float = TIME_LIMIT) -> Iterator[None]:
    """Raise AssertionError in the block after that much processor time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"not done after {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def read_or_refuse(path: Path, read: Callable[[], Result]) -> Result | None:
    """The result, or None after a message that a user can act on."""
    try:
        with time_limit():
            return read()
    except PhytoScribeError as error:
        message = str(error)
    assert str(path) in message, f"the message does not name the file: {message}"
    assert _PLACE.search(message.replace(str(path), "")), f"the message does not say where: {message}"
    assert all(map(str.isprintable, message.split("\n"))), f"the message holds control characters: {message!r}"
    assert len(message) <= LONGEST_MESSAGE + len(str(path)), f"the message has {len(message)} characters"
    return None


def annotation_rules(path: Path, contigs: Mapping[str, int]) -> bool:
    """Rules for GFF3 and GTF files; True if the file was read."""
    rows = read_or_refuse(path, lambda: list(read_rows(path, contigs)))
    for row in rows or ():
        assert 0 <= row.start < row.end <= contigs[row.contig], row
    strict = read_or_refuse(path, lambda: read_gff3(path, contigs))
    if strict is not None:
        assert rows is not None
        _assert_sound(strict, contigs)
        assert _written_and_read(path, strict, contigs) == _as_written(strict)
    cleaned = read_or_refuse(path, lambda: normalise(path, contigs))
    if cleaned is None:
        return False
    genes, report = cleaned
    _assert_sound(genes, contigs)
    assert report.genes_out == len(genes)
    assert _written_and_read(path, genes, contigs) == _as_written(genes)
    final, second_report = normalise(_clean_path(path), contigs)
    assert final == _as_written(genes), "cleaning a clean file changes it"
    assert not [row for row in second_report.rows if row.kind in LOSSES]
    return True


def _clean_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.clean.gff3")


def _written_and_read(path: Path, genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> list[GeneModel]:
    handle = io.StringIO()
    write_gff3(handle, genes, contigs)
    _clean_path(path).write_text(handle.getvalue(), encoding="utf-8", newline="\n")
    return read_gff3(_clean_path(path), contigs)


def _as_written(genes: Sequence[GeneModel]) -> list[GeneModel]:
    """The genes with scores of three decimals, as the writer has them."""
    return [
        replace(
            gene,
            score=_rounded(gene.score),
            transcripts=tuple(replace(item, score=_rounded(item.score)) for item in gene.transcripts),
        )
        for gene in genes
    ]


def _rounded(score: float | None) -> float | None:
    return None if score is None else float(f"{score:.3f}")


def _assert_sound(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> None:
    ids = [gene.id for gene in genes] + [transcript.id for gene in genes for transcript in gene.transcripts]
    assert len(ids) == len(set(ids)), "an id is used twice"
    for gene in genes:
        assert gene.strand in ("+", "-")
        assert gene.transcripts, gene.id
        for transcript in gene.transcripts:
            assert transcript.exons, transcript.id
            assert transcript.start_phase in (0, 1, 2)
            for segments in (transcript.exons, transcript.cds):
                assert list(segments) == sorted(segments)
                assert all(0 <= start < end <= contigs[gene.contig] for start, end in segments), transcript


def fasta_rules(path: Path, folder: Path) -> bool:
    """Rules for FASTA files; True if the file was read.  ``folder`` is empty and is left empty."""
    target = folder / "copy.fa"
    lengths = read_or_refuse(path, lambda: check_fasta(path, target))
    if lengths is None:
        assert list(folder.iterdir()) == [], "something half-written was left behind"
        return False
    expected: dict[str, str] = {}
    for line in target.read_text(encoding="utf-8").removesuffix("\n").split("\n"):
        if line[0] == ">":
            name = line[1:]
            expected[name] = ""
        else:
            expected[name] += line
    assert lengths == {name: len(sequence) for name, sequence in expected.items()}
    index = Path(f"{target}.fai")
    with time_limit():
        assert write_index(target, index) == lengths
        with Genome(target) as genome:
            for name, sequence in expected.items():
                upper = sequence.upper()
                codes = genome.bases(name)
                assert codes.tolist() == [_CODES.get(letter, 4) for letter in upper]
                middle = len(sequence) // 2
                assert genome.bases(name, middle).tolist() == codes[middle:].tolist()
    for file in folder.iterdir():
        file.unlink()
    return True


def index_rules(fasta: Path) -> bool:
    """Rules for a FASTA beside an index of which one or both are damaged; True if the index was read.

    An index that names places inside the FASTA is believed; a wrong length of what comes back is a fault.
    """
    index = Path(f"{fasta}.fai")
    lengths = read_or_refuse(index, lambda: read_index(index))
    if lengths is None:
        return False
    assert all(length >= 0 for length in lengths.values()), lengths
    genome = read_or_refuse(fasta, lambda: Genome(fasta))
    if genome is None:
        return True
    with genome:
        for name, length in list(genome.contigs.items())[:5]:
            end = min(length, 1000)
            for start in {0, end // 2}:
                codes = read_or_refuse(fasta, partial(genome.bases, name, start, end))
                assert codes is None or (len(codes) == end - start and codes.max() <= 4)
    return True
