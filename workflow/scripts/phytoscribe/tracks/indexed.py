"""Files that a genome browser reads piece by piece: sorted GFF3 and BED with tabix, FASTA with bgzip.

An index lies beside its file: ``.tbi``, or ``.csi`` where a contig is too long for a ``.tbi``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pysam

from phytoscribe.annotation.gff_text import decode_id, encode_column, encode_id
from phytoscribe.errors import GffError
from phytoscribe.files import atomic_path, open_text
from phytoscribe.genome.aligned_proteins import read_aligned
from phytoscribe.genome.junction_table import read_table
from phytoscribe.tracks.kinds import COLOURS

logger = logging.getLogger(__name__)

#: Bases of the longest contig of a ``.tbi`` index (tabix manual).
TBI_LIMIT = 1 << 29
INDEX_ENDINGS = (".tbi", ".csi")
#: IGV draws arcs for a BED file whose track line has this name or this type of graph (``parseTrackLine`` of its
#: sources, https://github.com/igvteam/igv); tabix and others see a comment.
JUNCTIONS_LINE = "#track name=junctions graphType=junctions\n"


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
    for rows in lines.values():
        rows.sort(key=lambda row: row[0])
    return _write_indexed(target, head, (text for rows in lines.values() for _, text in rows), "gff", longest)


def write_indexed_junctions(table: str | Path, contigs: Mapping[str, int], target: str | Path) -> Path:
    """Write a table of junctions (:mod:`phytoscribe.genome.junction_table`) as BED12.

    A block of one base lies on either side of the intron; reads are in column 5, and the colour tells the strand.  The
    first line makes IGV draw arcs.

    Args:
        contigs: name to length, of the genome.

    Returns:
        The index beside ``target``.
    """
    names = _BrowserNames()
    rows = []
    for contig, strand, start, end, reads in read_table(table)[1].itertuples(index=False):
        colour = ",".join(map(str, COLOURS[strand]))
        whole, blocks = (start - 1, end + 1), (colour, 2, "1,1", f"0,{end - start + 1}")
        rows.append(_line(names[encode_column(contig)], *whole, ".", reads, strand, *whole, *blocks))
    return _write_indexed(target, [JUNCTIONS_LINE], rows, "bed", max(contigs.values()))


def write_indexed_proteins(table: str | Path, contigs: Mapping[str, int], target: str | Path) -> Path:
    """Write a table of aligned proteins (:mod:`phytoscribe.genome.aligned_proteins`) as GFF3, the quality in column 6.

    As miniprot has it, an alignment is an ``mRNA`` with its ``CDS``.

    Args:
        contigs: name to length, of the genome.

    Returns:
        The index beside ``target``.
    """
    names = _BrowserNames()
    order = {contig: number for number, contig in enumerate(contigs)}
    lines: list[tuple[int, int, str]] = []
    for number, p in enumerate(read_aligned(table)[1], start=1):
        kept = f"ID=P{number};Name={encode_id(p.protein)};quality={p.quality}"
        parts = [("mRNA", (p.segments[0][0], p.segments[-1][1]), p.quality, ".", kept)]
        coding = zip(p.segments, p.phases, strict=True)
        parts += [("CDS", segment, ".", phase, f"ID=P{number}.cds;Parent=P{number}") for segment, phase in coding]
        for kind, (start, end), score, phase, text in parts:
            place = (names[encode_column(p.contig)], "miniprot", kind, start + 1, end)
            lines.append((order[p.contig], start, _line(*place, score, p.strand, phase, text)))
    lines.sort(key=lambda line: line[:2])
    return _write_indexed(target, ["##gff-version 3\n"], (text for *_, text in lines), "gff", max(contigs.values()))


def _line(*columns: object) -> str:
    return "\t".join(map(str, columns)) + "\n"


def _write_indexed(target: str | Path, head: Iterable[str], lines: Iterable[str], preset: str, longest: int) -> Path:
    """Compress lines that are sorted and index them; the index.

    Args:
        preset: the format's name in tabix.
        longest: a position that no line goes beyond.
    """
    index = Path(f"{target}{INDEX_ENDINGS[longest > TBI_LIMIT]}")
    for ending in INDEX_ENDINGS:
        Path(f"{target}{ending}").unlink(missing_ok=True)
    # Index first: where the compressed file is, its index is too.
    with atomic_path(target) as compressed, atomic_path(index) as temporary_index:
        with pysam.BGZFile(str(compressed), "wb") as output:
            output.write("".join(head).encode())
            for line in lines:
                output.write(line.encode())
        pysam.tabix_index(
            str(compressed), preset=preset, csi=longest > TBI_LIMIT, index=str(temporary_index), keep_original=True
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
    """The index that was written beside ``target``.

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
