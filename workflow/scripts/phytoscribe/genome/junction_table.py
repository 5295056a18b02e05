"""The tables of a genome's junctions, and what each file of evidence gave to them.

As gathered, each row names its file; as used, the reads of all files that are used are added up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open
from phytoscribe.genome.junctions import Junction

#: Columns of the table; start and end count from 0, the end is not part of the intron.
COLUMNS = ("contig", "strand", "start", "end", "reads")
#: Of what is gathered; files are counted from 1.
GATHERED = (*COLUMNS, "file")
_ENTRY = "# "


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """What a file gave.

    Attributes:
        file: its name, without its folder.
        sha256: of the file.
        reads, junctions: that are used.
        left_out: why the file is not used; empty if it is.
    """

    file: str
    sha256: str
    reads: int = 0
    junctions: int = 0
    left_out: str = ""

    def __str__(self) -> str:
        """As in the header of a prediction."""
        used = f"left out: {self.left_out}" if self.left_out else f"{self.reads} reads on {self.junctions} junctions"
        return f"{self.file}, sha256 {self.sha256}, {used}"


def write_table(
    path: str | Path, files: Iterable[EvidenceFile], junctions: Mapping[Junction, int], contigs: Iterable[str]
) -> None:
    """Write junctions in the order of the contigs and of position."""
    _write(path, files, COLUMNS, ((key, (reads,)) for key, reads in junctions.items()), contigs)


def write_gathered(
    path: str | Path,
    files: Iterable[EvidenceFile],
    junctions: Mapping[int, Mapping[Junction, int]],
    contigs: Iterable[str],
) -> None:
    """Write the junctions of each file, by its number, in the order of the contigs and of position."""
    rows = ((key, (reads, number)) for number, found in junctions.items() for key, reads in found.items())
    _write(path, files, GATHERED, rows, contigs)


def _write(
    path: str | Path,
    files: Iterable[EvidenceFile],
    columns: tuple[str, ...],
    rows: Iterable[tuple[Junction, tuple[int, ...]]],
    contigs: Iterable[str],
) -> None:
    order = {contig: number for number, contig in enumerate(contigs)}
    ordered = sorted(rows, key=lambda row: (order[row[0][0]], row[0][2], row[0][1], row[1][1:]))
    with atomic_open(path) as handle:
        handle.writelines(f"{_ENTRY}{json.dumps(asdict(file))}\n" for file in files)
        handle.write("\t".join(columns) + "\n")
        for (contig, strand, (start, end)), numbers in ordered:
            handle.write("\t".join(map(str, (contig, strand, start, end, *numbers))) + "\n")


def read_table(path: str | Path) -> tuple[list[EvidenceFile], pd.DataFrame]:
    """The files, and the junctions with :data:`COLUMNS`.

    Raises:
        PhytoScribeError: the table is damaged.
    """
    return _read(path, COLUMNS)


def read_gathered(path: str | Path) -> tuple[list[EvidenceFile], pd.DataFrame]:
    """The files, and the junctions of each with :data:`GATHERED`.

    Raises:
        PhytoScribeError: the table is damaged.
    """
    return _read(path, GATHERED)


def _read(path: str | Path, columns: tuple[str, ...]) -> tuple[list[EvidenceFile], pd.DataFrame]:
    files: list[EvidenceFile] = []
    try:
        with Path(path).open(encoding="utf-8") as handle:
            for line in handle:
                if not line.startswith(_ENTRY):
                    break
                files.append(EvidenceFile(**json.loads(line[len(_ENTRY) :])))
        table = pd.read_csv(path, sep="\t", skiprows=len(files), dtype={"contig": str, "strand": str})
        if tuple(table.columns) != columns:
            raise ValueError(f"its columns are {', '.join(table.columns)}")
    except (OSError, ValueError, TypeError) as error:
        raise PhytoScribeError(f"{path}: no table of junctions ({error}); delete it and run again") from error
    return files, table
