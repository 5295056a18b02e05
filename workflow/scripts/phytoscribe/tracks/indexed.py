"""Files that a genome browser reads piece by piece: sorted GFF3 with tabix, FASTA with bgzip.

An index lies beside its file: ``.tbi``, or ``.csi`` where a contig is too long for a ``.tbi``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path

import pysam

from phytoscribe.annotation.gff_text import decode_id
from phytoscribe.errors import GffError
from phytoscribe.files import atomic_path, open_text

logger = logging.getLogger(__name__)

#: Bases of the longest contig of a ``.tbi`` index (tabix manual).
TBI_LIMIT = 1 << 29
INDEX_ENDINGS = (".tbi", ".csi")


def write_indexed_gff3(gff3: str | Path, target: str | Path) -> Path:
    """Sort a GFF3 by contig and start, compress it with bgzip and index it with tabix.

    Contigs stay in the file's order, and of lines with one start the parents before their parts.  Comments and
    ``##sequence-region`` stay at the top; ``###`` and blank lines are left out.  Column 1 is without percent escapes:
    browsers ask for a contig by its name in the FASTA, and tabix compares bytes.

    Returns:
        The index beside ``target``; ``.csi`` where a contig needs it.

    Raises:
        GffError: a line has no nine columns or no whole number as start.
    """
    head: list[str] = []
    lines: dict[str, list[tuple[int, str]]] = defaultdict(list)
    longest = 0
    names = _BrowserNames()
    with open_text(gff3) as source:
        for number, line in enumerate(source, start=1):
            if line.startswith("#"):
                if line.rstrip() != "###":
                    head.append(line)
                continue
            if not line.strip():
                continue
            columns = line.split("\t", 8)
            if len(columns) < 9 or not (columns[3].isdecimal() and columns[4].isdecimal()):
                raise GffError(f"{gff3}, line {number}: not a line of GFF3; run the rule that wrote it again")
            contig = names[columns[0]]
            row = "\t".join([contig, *columns[1:]])
            lines[contig].append((int(columns[3]), row if row.endswith("\n") else row + "\n"))
            longest = max(longest, int(columns[4]))
    index = Path(f"{target}{INDEX_ENDINGS[longest > TBI_LIMIT]}")
    for ending in INDEX_ENDINGS:
        Path(f"{target}{ending}").unlink(missing_ok=True)
    # Index first: where the compressed file is, its index is too.
    with atomic_path(target) as compressed, atomic_path(index) as temporary_index:
        with pysam.BGZFile(str(compressed), "wb") as output:
            output.write("".join(head).encode())
            for rows in lines.values():
                rows.sort(key=lambda row: row[0])
                output.write("".join(row for _, row in rows).encode())
        pysam.tabix_index(
            str(compressed), preset="gff", csi=longest > TBI_LIMIT, index=str(temporary_index), keep_original=True
        )
    return index


class _BrowserNames(dict[str, str]):
    """Contig names by how column 1 of GFF3 has them."""

    def __missing__(self, column: str) -> str:
        self[column] = name = decode_id(column)
        if name.startswith(("#", ">")):
            # Such lines would be a comment, or the start of a FASTA.
            logger.warning("contig %s: browsers do not find its genes, since its name starts with '%s'", name, name[0])
            self[column] = column
        return self[column]


def index_of(target: str | Path) -> Path:
    """The index that :func:`write_indexed_gff3` wrote beside ``target``.

    Raises:
        GffError: there is none.
    """
    for ending in INDEX_ENDINGS:
        if (found := Path(f"{target}{ending}")).exists():
            return found
    raise GffError(f"{target}: its index is missing; delete the file and run again")


def write_bgzip_fasta(fasta: str | Path, target: str | Path) -> None:
    """Compress a FASTA with bgzip and write its ``.fai`` and ``.gzi`` beside it."""
    with (
        atomic_path(target) as compressed,
        atomic_path(f"{target}.fai") as fai,
        atomic_path(f"{target}.gzi") as gzi,
    ):
        pysam.tabix_compress(str(fasta), str(compressed), force=True)
        pysam.faidx(str(compressed), "--fai-idx", str(fai), "--gzi-idx", str(gzi))
