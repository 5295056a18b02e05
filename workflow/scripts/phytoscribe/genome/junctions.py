"""Splice junctions with their numbers of RNA-seq reads: GFF3, STAR's ``SJ.out.tab``, or BED12.

:func:`read_junctions` reads a file; :class:`JunctionReads` answers how many reads splice an intron, and how much of the
splicing at its two sites that is.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import Interval, data_rows
from phytoscribe.genome.names import shown, some_names

log = logging.getLogger(__name__)
#: Contig, strand, intron (0-based, half-open).
Junction = tuple[str, str, Interval]
_STAR_STRANDS = {"1": "+", "2": "-"}
#: STAR's codes of motifs: GT/AG, GC/AG, AT/AC, then CT/AC, CT/GC, GT/AT, which are these on the minus strand.
_STAR_MOTIFS = {"1": "+", "3": "+", "5": "+", "2": "-", "4": "-", "6": "-"}
_FORMATS = "GFF3 (type intron, reads in column 6, or mult= of hints), STAR's SJ.out.tab, or BED12 (reads in column 5)"
#: AUGUSTUS's hints have the reads in this attribute; one read has none.
_MULTIPLICITY = re.compile(r"(?:^|;)\s*mult=([^;]*)")
_SOURCE = re.compile(r"(?:^|;)\s*(?:src|source)=")


def read_junctions(
    path: str | Path,
    contigs: Mapping[str, int] | None = None,
    seqid_map: Mapping[str, str | None] | None = None,
    strand_by: Callable[[str, Interval], str] | None = None,
) -> Counter[Junction]:
    """Reads by junction; those of a junction that stands there twice are added.  Packed files work.

    GFF3: lines of type ``intron``, with the reads in column 6, or in the attribute ``mult`` of AUGUSTUS's hints.  STAR:
    uniquely mapped reads (column 7); where it leaves the strand open, that of the motif (column 5).  BED12 (regtools,
    portcullis): the gap between two blocks, with the reads in column 5.  Junctions without a strand are left out, and
    counted in the log.

    Args:
        contigs: ``{contig: length}`` of the FASTA, on which every junction must lie; None to check nothing.
        seqid_map: sequence name in the file to name in ``contigs``; None leaves a sequence out.
        strand_by: gives the strand of a junction that has none in the file, from contig and intron.

    Raises:
        PhytoScribeError: a line is of none of the formats, has no number of reads, or lies beyond ``contigs``; or there
            is no junction, or none that has a strand.
    """
    reads: Counter[Junction] = Counter()
    unstranded = left_out = 0
    for number, columns in data_rows(path):
        try:
            found = _junction(columns)
            if found is None:
                continue
            (name, strand, intron), count = found
            contig = (seqid_map or {}).get(name, name)
            if contig is None:
                left_out += 1
                continue
            if contigs is not None:
                _check_place(contig, intron, contigs)
        except ValueError as error:
            raise PhytoScribeError(f"{path}, line {number}: {error}") from None
        if strand not in ("+", "-") and strand_by:
            strand = strand_by(contig, intron)
        if strand in ("+", "-"):
            reads[contig, strand, intron] += count
        else:
            unstranded += 1
    if not reads and unstranded:
        told = "; give the file of a program that tells it (regtools does with its option -s)"
        if strand_by:
            told = " or splice sites that show it, so they are of another assembly or species; align to this FASTA"
        raise PhytoScribeError(f"{path}: none of its {unstranded} junctions has a strand{told}")
    if not reads and not left_out:
        raise PhytoScribeError(f"{path}: it has no junctions; give {_FORMATS}, or leave the file out")
    log.info(
        "%s: %d junctions; %d without strand, and %d on sequences that seqid_map leaves out, are not counted",
        path,
        len(reads),
        unstranded,
        left_out,
    )
    return reads


def _check_place(contig: str, intron: Interval, contigs: Mapping[str, int]) -> None:
    if contig not in contigs:
        raise ValueError(
            f"the contig {shown(contig)} is not in the FASTA, which has {some_names(contigs)}; give junctions of this "
            "assembly, or the names of the FASTA in the genome's seqid_map"
        )
    if intron[1] > contigs[contig]:
        raise ValueError(
            f"the junction ends at {intron[1]}, past the end of {shown(contig)} ({contigs[contig]} bases); give "
            "junctions of this assembly version"
        )


def _junction(columns: Sequence[str]) -> tuple[Junction, int] | None:
    """The junction and the reads of one line; None for a GFF3 line of another type.

    Raises:
        ValueError: the line is of none of the formats, or has no number of reads.
    """
    if len(columns) == 12:
        return _bed12(columns)
    if len(columns) == 9 and columns[1].isdecimal() and columns[2].isdecimal():
        intron = _interval(columns[1], columns[2])
        strand = _STAR_STRANDS.get(columns[3]) or _STAR_MOTIFS.get(columns[4], ".")
        return (columns[0], strand, intron), _reads(columns[6], 7)
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


class Support(NamedTuple):
    """RNA-seq reads of an intron.

    Attributes:
        reads: that splice it.
        at_sites: that splice at its donor or at its acceptor, whichever has more.
    """

    reads: int
    at_sites: int

    @property
    def usage(self) -> float | None:
        """Share of the reads at its sites that splice this intron; None where none splices at either."""
        return self.reads / self.at_sites if self.at_sites else None


class JunctionReads:
    """The reads of a genome's introns.

    Args:
        reads: by junction, of :func:`read_junctions`.
        source: the file, as a header names it.
    """

    def __init__(self, reads: Mapping[Junction, int], source: str = "") -> None:
        self.source = source
        self._reads = reads
        self._left: Counter[tuple[str, str, int]] = Counter()
        self._right: Counter[tuple[str, str, int]] = Counter()
        for (contig, strand, (start, end)), count in reads.items():
            self._left[contig, strand, start] += count
            self._right[contig, strand, end] += count

    @classmethod
    def of_file(
        cls, path: str | Path, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None] | None = None
    ) -> JunctionReads:
        """Of a file that :func:`read_junctions` reads, with the same arguments."""
        return cls(read_junctions(path, contigs, seqid_map), str(path))

    def support(self, contig: str, strand: str, intron: Interval) -> Support:
        """Of an intron, 0-based half-open on the contig."""
        start, end = intron
        at_sites = max(self._left[contig, strand, start], self._right[contig, strand, end])
        return Support(self._reads.get((contig, strand, intron), 0), at_sites)

    def on(self, contig: str, start: int = 0) -> ContigReads:
        """The reads of a contig's introns, whose positions then count from ``start``."""
        return ContigReads(self, contig, start)


@dataclass(frozen=True, slots=True)
class ContigReads:
    """The reads of a contig's introns; positions count from ``start``."""

    all: JunctionReads
    contig: str
    start: int

    def support(self, strand: str, intron: Interval) -> Support:
        """Of an intron, half-open."""
        return self.all.support(self.contig, strand, (intron[0] + self.start, intron[1] + self.start))
