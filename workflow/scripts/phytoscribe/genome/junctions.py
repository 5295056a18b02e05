"""Read splice junctions with their numbers of RNA-seq reads: GFF3, STAR's ``SJ.out.tab``, or BED12."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.names import some_names

log = logging.getLogger(__name__)
#: Contig, strand, intron (0-based, half-open).
Junction = tuple[str, str, Interval]
_STAR_STRANDS = {"1": "+", "2": "-"}
_FORMATS = "GFF3 (type intron, reads in column 6, or mult= of hints), STAR's SJ.out.tab, or BED12 (reads in column 5)"
#: AUGUSTUS's hints have the reads in this attribute; one read has none.
_MULTIPLICITY = re.compile(r"(?:^|;)\s*mult=([^;]*)")
_SOURCE = re.compile(r"(?:^|;)\s*(?:src|source)=")


def read_junctions(
    path: str | Path, contigs: Collection[str] | None = None, strand_by: Callable[[str, Interval], str] | None = None
) -> Counter[Junction]:
    """Reads by junction; those of a junction that stands there twice are added.  Gzip works.

    GFF3: lines of type ``intron``, with the reads in column 6, or in the attribute ``mult`` of AUGUSTUS's hints.  STAR:
    uniquely mapped reads (column 7).  BED12: the gap between two blocks, with the reads in column 5.  Junctions without
    a strand are left out, and counted in the log.

    Args:
        contigs: names of the FASTA's sequences; junctions elsewhere are left out.  None for all.
        strand_by: gives the strand of a junction that has none in the file, from contig and intron.

    Raises:
        PhytoScribeError: a line is of none of the formats or has no number of reads, or no junction has a strand or
            lies on the contigs.
    """
    reads: Counter[Junction] = Counter()
    unstranded, elsewhere = 0, []
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip() or line[0] == "#" or line.split(None, 1)[0] in ("track", "browser"):
                continue
            try:
                found = _junction(line.rstrip("\n").split("\t"))
            except ValueError as error:
                raise PhytoScribeError(f"{path}, line {number}: {error}") from None
            if found is None:
                continue
            (contig, strand, intron), count = found
            if contigs is not None and contig not in contigs:
                elsewhere.append(contig)
                continue
            if strand not in ("+", "-") and strand_by:
                strand = strand_by(contig, intron)
            if strand not in ("+", "-"):
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
        return (columns[0], columns[6], _interval(columns[3], columns[4])), _reads_of_gff(columns)
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


def _reads_of_gff(columns: Sequence[str]) -> int:
    """Reads of a line of GFF: a hint's multiplicity, 1 if it does not say, or column 6."""
    if found := _MULTIPLICITY.search(columns[8]):
        return _reads(found[1], 9)
    return 1 if _SOURCE.search(columns[8]) else _reads(columns[5], 6)


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
