"""The files that fuzzing starts from: the annotations and sequences of the tests, cut to a few kilobytes."""

from __future__ import annotations

import gzip
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
_EXAMPLE = ROOT / "resources/example/athaliana"
_MOST_LINES = 45


def annotation_seeds() -> list[tuple[bytes, dict[str, int]]]:
    """(file, contigs): every input of the tests and slices of real annotations, all features inside their contigs."""
    paths = sorted((ROOT / "tests/data").rglob("*.in.g*"))
    paths += sorted((ROOT / "tests/data/dialects").glob("*.gff3"))
    paths += [ROOT / "tests/data/evaluation/augustus_chr5.gff.gz", _EXAMPLE / "annotation.gff3.gz"]
    seeds = []
    for path in paths:
        data = b"".join(_first_lines(path, _MOST_LINES))
        contigs = {"chr1": 10_000, "chr2": 10_000}
        for line in data.decode().splitlines():
            columns = line.split("\t")
            if len(columns) == 9 and columns[3].isdecimal() and columns[4].isdecimal():
                contigs[columns[0]] = max(contigs.get(columns[0], 0), int(columns[3]), int(columns[4]))
        seeds.append((data, contigs))
    return seeds


def fasta_seeds() -> list[bytes]:
    """The example's first bases, and small files with every way of writing a sequence."""
    start = b"".join(_first_lines(_EXAMPLE / "genome.fa.gz", 8))
    return [
        start,
        start + b">Chr2 second\n" + start.split(b"\n", 1)[1],
        b">one first contig\nACGTnn\nacg\n\n>two\r\n" + b"ACGTRYKM" * 20 + b"\r\n",
        b">a\nACGT\n>b\nGGCC\n>c|d|e len=4\nacgtnnnn",
        b">only\n" + b"N" * 700 + b"\n",
    ]


def _first_lines(path: Path, count: int) -> list[bytes]:
    packed = path.suffix == ".gz"
    with gzip.open(path) if packed else path.open("rb") as lines:
        return list(islice(lines, count))
