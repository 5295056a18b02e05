"""Read splice junctions with their numbers of RNA-seq reads: GFF3, STAR's ``SJ.out.tab``, or BED12."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import Interval, data_rows
from phytoscribe.genome.names import some_names

log = logging.getLogger(__name__)
#: Contig, strand, intron (0-based, half-open).
Junction = tuple[str, str, Interval]
_STAR_STRANDS = {"1": "+", "2": "-"}
_FORMATS = "GFF3 (type intron, reads in column 6), STAR's SJ.out.tab, or BED12 (reads in column 5)"


def read_junctions(path: str | Path, contigs: Collection[str] | None = None) -> Counter[Junction]:
    """Reads by junction; those of a junction that stands there twice are added.  Gzip works.

    GFF3: lines of type ``intron``, with the reads in column 6.  STAR: uniquely mapped reads (column 7).  BED12: the gap
    between two blocks, with the reads in column 5.  Junctions without a strand are left out, and counted in the log.

    Args:
        contigs: names of the FASTA's sequences; junctions elsewhere are left out.  None for all.

    Raises:
        PhytoScribeError: a line is of none of the formats or has no number of reads, or no junction has a strand or
            lies on the contigs.
    """
    reads: Counter[Junction] = Counter()
    unstranded, elsewhere = 0, []
    for number, columns in data_rows(path):
        try:
            found = _junction(columns)
        except ValueError as error:
            raise PhytoScribeError(f"{path}, line {number}: {error}") from None
        if found is None:
            continue
        (contig, strand, intron), count = found
        if contigs is not None and contig not in contigs:
            elsewhere.append(contig)
        elif strand not in ("+", "-"):
            unstranded += 1
        else:
            reads[contig, strand, intron] += count
    if not reads and unstranded:
        raise PhytoScribeError(
            f"{path}: none of its {unstranded} junctions has a strand; give the file of a program that tells it"
        )
    if not reads and elsewhere and contigs is not None:
        raise PhytoScribeError(
            f"{path}: no junction lies on a sequence of the FASTA, which has {some_names(contigs)}; the file has "
            f"{some_names(dict.fromkeys(elsewhere))}"
        )
    log.info("%s: %d junctions; %d without strand left out", path, len(reads), unstranded)
    return reads


def _junction(columns: Sequence[str]) -> tuple[Junction, int] | None:
    """The junction and the reads of one line; None for a GFF3 line of another type.

    Raises:
        ValueError: the line is of none of the formats, or has no number of reads.
    """
    if len(columns) == 12:
        return _bed12(columns)
    if len(columns) == 9 and columns[1].isdecimal() and columns[2].isdecimal():
        intron = _interval(columns[1], columns[2])
        return (columns[0], _STAR_STRANDS.get(columns[3], "."), intron), _reads(columns[6], 7)
    if len(columns) == 9 and columns[3].isdecimal() and columns[4].isdecimal():
        if columns[2] != "intron":
            return None
        return (columns[0], columns[6], _interval(columns[3], columns[4])), _reads(columns[5], 6)
    raise ValueError(f"{len(columns)} columns that are no junction; give {_FORMATS}")


def _bed12(columns: Sequence[str]) -> tuple[Junction, int]:
    try:
        start, sizes, starts = int(columns[1]), columns[10].strip(",").split(","), columns[11].strip(",").split(",")
        (left, right), (first, second) = map(int, sizes), map(int, starts)
    except ValueError:
        raise ValueError("a junction in BED12 has two blocks, the sequence on both sides of the intron") from None
    if not 0 <= start + first + left < start + second or right < 0:
        raise ValueError("the blocks of this BED12 line leave no intron between them")
    return (columns[0], columns[5], (start + left + first, start + second)), _reads(columns[4], 5)


def _interval(first: str, last: str) -> Interval:
    start, end = int(first) - 1, int(last)
    if not 0 <= start < end:
        raise ValueError(f"from {first} to {last} is no intron; coordinates count from 1")
    return start, end


def _reads(text: str, column: int) -> int:
    try:
        count = int(float(text))
    except (ValueError, OverflowError):
        count = -1
    if count < 0:
        raise ValueError(f"column {column} is {text!r} and not a number of reads; give {_FORMATS}")
    return count
