"""The table of a genome's junctions, and what each file of evidence gave to it."""

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
    order = {contig: number for number, contig in enumerate(contigs)}
    rows = sorted(junctions.items(), key=lambda item: (order[item[0][0]], item[0][2], item[0][1]))
    with atomic_open(path) as handle:
        handle.writelines(f"{_ENTRY}{json.dumps(asdict(file))}\n" for file in files)
        handle.write("\t".join(COLUMNS) + "\n")
        handle.writelines(f"{contig}\t{strand}\t{start}\t{end}\t{n}\n" for (contig, strand, (start, end)), n in rows)


def read_table(path: str | Path) -> tuple[list[EvidenceFile], pd.DataFrame]:
    """The files, and the junctions with :data:`COLUMNS`.

    Raises:
        PhytoScribeError: the table is damaged.
    """
    files: list[EvidenceFile] = []
    try:
        with Path(path).open(encoding="utf-8") as handle:
            for line in handle:
                if not line.startswith(_ENTRY):
                    break
                files.append(EvidenceFile(**json.loads(line[len(_ENTRY) :])))
        table = pd.read_csv(path, sep="\t", skiprows=len(files), dtype={"contig": str, "strand": str})
        if tuple(table.columns) != COLUMNS:
            raise ValueError(f"its columns are {', '.join(table.columns)}")
    except (OSError, ValueError, TypeError) as error:
        raise PhytoScribeError(f"{path}: no table of junctions ({error}); delete it and run again") from error
    return files, table
