"""Proteins aligned to a genome: miniprot's GFF3, and the table of what is used of them.

miniprot writes a line ``mRNA`` for each alignment, ``CDS`` for its coding segments and ``stop_codon`` where the whole
end of a protein is aligned with a stop codon behind it; a comment ``##PAF`` before them tells the protein's length
(https://github.com/lh3/miniprot, miniprot.1).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open, open_text
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.names import shown, some_names

#: Columns of the table; ``segments`` count from 0, their ends are not part of them.
COLUMNS = ("contig", "strand", "segments", "phases", "quality", "begins", "ends", "coding", "protein")
_SOURCE = "miniprot"
_ENTRY = "# "
_AGAIN = (
    "give the GFF3 file of `miniprot --gff genome.fa proteins.faa`, or the proteins as FASTA (.fa, .faa, .fasta, .pep)"
)


@dataclass(frozen=True, slots=True)
class AlignedProtein:
    """A protein aligned to one strand of a contig.

    Attributes:
        strand: ``+`` or ``-``.
        segments: coding segments, 0-based, half-open, ascending; the last in reading direction holds the stop codon.
        phases: of each segment, bases to skip in reading direction to the first whole codon.
        quality: share of identical residues times the share of the protein that is aligned.
        begins, ends: whether the alignment has the protein's first residue, and its last with a stop codon behind it.
        coding: whether the frame is unbroken: no frameshift, no stop codon within.
        protein: its name.
    """

    contig: str
    strand: str
    segments: tuple[Interval, ...]
    phases: tuple[int, ...]
    quality: float
    begins: bool
    ends: bool
    coding: bool
    protein: str = ""

    @property
    def introns(self) -> list[Interval]:
        return [(left[1], right[0]) for left, right in itertools.pairwise(self.segments)]

    @property
    def start_codon(self) -> int:
        """Cut outside of the first codon."""
        return self.segments[0][0] if self.strand == "+" else self.segments[-1][1]

    @property
    def stop_codon(self) -> int:
        """Cut outside of the last codon."""
        return self.segments[-1][1] if self.strand == "+" else self.segments[0][0]

    def frame(self, segment: int) -> int:
        """Positions of the segment's codons, by their left ends on the contig, modulo 3."""
        (start, end), phase = self.segments[segment], self.phases[segment]
        return (start + phase if self.strand == "+" else end - phase) % 3

    def shifted(self, offset: int) -> AlignedProtein:
        return replace(self, segments=tuple((start + offset, end + offset) for start, end in self.segments))


def read_miniprot(
    path: str | Path, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None] | None = None
) -> list[AlignedProtein]:
    """The alignments of miniprot's GFF3 (``miniprot --gff``), plain or packed.

    Without ``##PAF`` lines a protein counts as being as long as the farthest residue that an alignment of it reaches.

    Args:
        contigs: ``{contig: length}`` of the FASTA, on which every alignment must lie.
        seqid_map: sequence name in the file to name in ``contigs``; None leaves a sequence out.

    Raises:
        PhytoScribeError: the file is empty, not of miniprot, damaged, or of another assembly.
    """
    found: dict[str, _Alignment] = {}
    lengths: dict[str, int] = {}
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            columns = line.rstrip("\n").split("\t")
            if columns[0] == "##PAF" and len(columns) > 2 and columns[2].isdigit():
                lengths[unquote(columns[1])] = int(columns[2])
            elif line.strip() and not line.startswith("#"):
                try:
                    _read_line(columns, contigs, seqid_map or {}, found)
                except (ValueError, KeyError) as error:
                    raise PhytoScribeError(f"{path}, line {number}: {error}") from error
    for each in found.values():
        lengths[each.protein] = max(lengths.get(each.protein, 0), each.last)
    if not found:
        raise PhytoScribeError(f"{path}: no protein is aligned in it; {_AGAIN}")
    return [each.finished(lengths[each.protein]) for each in found.values() if each.contig and each.parts]


@dataclass(slots=True)
class _Alignment:
    """One alignment while its lines are read."""

    contig: str
    strand: str
    identity: float
    coding: bool
    protein: str
    first: int
    last: int
    parts: list[tuple[Interval, int]]
    stop: Interval | None = None

    def finished(self, length: int) -> AlignedProtein:
        parts = sorted(self.parts)
        # The stop codon is the end of the CDS in miniprot's GFF3, and follows it in its GTF.
        last, side = (-1, 1) if self.strand == "+" else (0, 0)
        (start, end), phase = parts[last]
        ends = self.stop is not None and (start, end)[side] in self.stop
        if self.stop and ends:
            parts[last] = (min(start, self.stop[0]), max(end, self.stop[1])), phase
        segments, phases = zip(*parts, strict=True)
        quality = round(self.identity * (self.last - self.first + 1) / length, 4)
        whole = self.first == 1, ends, self.coding
        return AlignedProtein(self.contig, self.strand, segments, phases, quality, *whole, self.protein)


def _read_line(
    columns: Sequence[str],
    contigs: Mapping[str, int],
    seqid_map: Mapping[str, str | None],
    found: dict[str, _Alignment],
) -> None:
    """Add what a line says to the alignments by their ids.

    Raises:
        ValueError, KeyError: the line is not of miniprot, or of another assembly.
    """
    if len(columns) != 9:
        raise ValueError(f"{len(columns)} columns, not the 9 of GFF3; {_AGAIN}")
    seqid, source, kind, start, end, _, strand, phase, text = columns
    if source != _SOURCE:
        raise ValueError(f"the source (column 2) is {shown(source)}, not miniprot; {_AGAIN}, no other annotation")
    contig = seqid_map.get(seqid, seqid)
    values = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    if not {"mRNA": {"ID", "Identity", "Target"}, "CDS": {"Parent"}, "stop_codon": {"Parent"}}.get(kind, set()) <= set(
        values
    ):
        raise ValueError(f"not all attributes of miniprot's {kind}; {_AGAIN}")
    interval = int(start) - 1, int(end)
    if contig is not None:
        _check_place(contig, interval, contigs)
    if kind == "mRNA":
        protein, *ends = values["Target"].rsplit(" ", 2)
        if len(ends) != 2 or not all(end.isdecimal() for end in ends):
            raise ValueError(
                f"Target is {shown(values['Target'])}, not a protein with its first and last residue; if the name has "
                "a ';', rename the protein and align again"
            )
        first, last = map(int, ends)
        clean = "Frameshift" not in values and "StopCodon" not in values
        place = contig or "", strand, float(values["Identity"]), clean, unquote(protein)
        found[values["ID"]] = _Alignment(*place, first, last, [])
    elif kind in ("CDS", "stop_codon"):
        if values["Parent"] not in found:
            raise ValueError(f"its Parent {shown(values['Parent'])} does not stand before it; {_AGAIN}")
        if kind == "CDS":
            found[values["Parent"]].parts.append((interval, int(phase)))
        else:
            found[values["Parent"]].stop = interval


def _check_place(contig: str, interval: Interval, contigs: Mapping[str, int]) -> None:
    if contig not in contigs:
        raise ValueError(
            f"the contig {shown(contig)} is not in the FASTA, which has {some_names(contigs)}; align the proteins to "
            "this assembly, or give the names of the FASTA in the genome's seqid_map"
        )
    if not 0 <= interval[0] < interval[1] <= contigs[contig]:
        raise ValueError(
            f"{interval[0] + 1}-{interval[1]} is not on {shown(contig)}, which has {contigs[contig]:,} bp in the "
            "FASTA; align the proteins to this assembly"
        )


@dataclass(frozen=True, slots=True)
class ProteinFile:
    """What a file gave.

    Attributes:
        file: its name, without its folder.
        sha256: of the file.
        alignments: that are used.
        left_out: why the file is not used; empty if it is.
    """

    file: str
    sha256: str
    alignments: int = 0
    left_out: str = ""

    def __str__(self) -> str:
        """As in the header of a prediction."""
        used = f"left out: {self.left_out}" if self.left_out else f"{self.alignments} aligned proteins"
        return f"{self.file}, sha256 {self.sha256}, {used}"


def write_aligned(
    path: str | Path, files: Iterable[ProteinFile], proteins: Iterable[AlignedProtein], contigs: Iterable[str]
) -> None:
    """Write the table of aligned proteins in the order of the contigs and of position."""
    order = {contig: number for number, contig in enumerate(contigs)}
    with atomic_open(path) as handle:
        handle.writelines(f"{_ENTRY}{json.dumps(asdict(file))}\n" for file in files)
        handle.write("\t".join(COLUMNS) + "\n")
        for p in sorted(proteins, key=lambda p: (order[p.contig], p.segments, p.strand, p.protein)):
            segments = ",".join(f"{start}-{end}" for start, end in p.segments)
            flags = (int(flag) for flag in (p.begins, p.ends, p.coding))
            values = (p.contig, p.strand, segments, ",".join(map(str, p.phases)), p.quality, *flags, p.protein)
            handle.write("\t".join(map(str, values)) + "\n")


def read_aligned(path: str | Path) -> tuple[list[ProteinFile], list[AlignedProtein]]:
    """The files, and the aligned proteins, of :func:`write_aligned`.

    Raises:
        PhytoScribeError: the table is damaged.
    """
    files, proteins, header = [], [], False
    try:
        with open_text(path) as handle:
            for line in handle:
                columns = tuple(line.rstrip("\n").split("\t"))
                if not header and line.startswith(_ENTRY):
                    files.append(ProteinFile(**json.loads(line[len(_ENTRY) :])))
                elif not header:
                    header = columns == COLUMNS
                    if not header:
                        raise ValueError(f"its columns are {', '.join(columns)}")
                else:
                    contig, strand, segments, phases, quality, *flags, protein = columns
                    begins, ends, coding = (bool(int(flag)) for flag in flags)
                    parts = (part.partition("-") for part in segments.split(","))
                    intervals = tuple((int(start), int(end)) for start, _, end in parts)
                    numbers = tuple(map(int, phases.split(",")))
                    place = contig, strand, intervals, numbers, float(quality)
                    proteins.append(AlignedProtein(*place, begins, ends, coding, protein))
    except (ValueError, TypeError) as error:
        raise PhytoScribeError(f"{path}: no table of aligned proteins ({error}); delete it and run again") from error
    if not header:
        raise PhytoScribeError(f"{path}: no table of aligned proteins; delete it and run again")
    return files, proteins
