"""Coding genes, RNA genes and mobile elements of a genome in one GFF3 file.

Lines of coding genes are copied as they are, but for one more attribute of genes that may be none: ``overlaps=rRNA`` if
the CDS shares a base with an rRNA gene, ``overlaps=LTR/Gypsy`` if :data:`IN_ELEMENTS` of it lie in mobile elements.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.gff_text import decode_id, decode_value, encode_value
from phytoscribe.errors import GffError
from phytoscribe.files import atomic_open, open_text
from phytoscribe.genome.intervals import Interval, Places, as_places, merge_intervals, merged, overlapping_pairs

#: Share of a gene's coding bases in mobile elements from which on it is marked.
IN_ELEMENTS = 0.8
RRNA = "rRNA"


class Block(NamedTuple):
    """A feature without parent and the lines of its parts."""

    contig: str
    start: int
    end: int
    lines: list[list[str]]

    @property
    def id(self) -> str:
        return attribute(self.lines[0], "ID")


def attribute(columns: list[str], key: str) -> str:
    """An attribute's text as the line has it; empty if there is none."""
    found = (";" + columns[8]).partition(f";{key}=")[2]
    return found.partition(";")[0]


def blocks_of(path: str | Path) -> Iterator[Block]:
    """Features of a GFF3 file that this workflow wrote, in its order; parts stand behind their gene.

    Raises:
        GffError: a line has no nine columns, or a part stands before its gene.
    """
    block: Block | None = None
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.startswith("#") or not line.strip():
                continue
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 9 or not (columns[3].isdecimal() and columns[4].isdecimal()):
                raise GffError(f"{path}, line {number}: not a line of GFF3; run the rule that wrote it again")
            if attribute(columns, "Parent"):
                if block is None:
                    raise GffError(f"{path}, line {number}: a part without gene; run the rule that wrote it again")
                block.lines.append(columns)
                continue
            if block is not None:
                yield block
            block = Block(decode_id(columns[0]), int(columns[3]) - 1, int(columns[4]), [columns])
    if block is not None:
        yield block


def write_all(
    coding: str | Path, noncoding: str | Path, target: str | Path, contigs: Mapping[str, int], drop: bool
) -> dict[str, int]:
    """Write both files as one, sorted by contig and start.

    Args:
        coding: the prediction, sorted.
        noncoding: RNA genes and elements, sorted.
        contigs: in the order of both.
        drop: leave out coding genes that lie in mobile elements.

    Returns:
        Numbers of coding genes: ``overlap rRNA``, ``lie in mobile elements``, and ``left out``.

    Raises:
        GffError: a file is not as this workflow writes it.
    """
    marks = overlaps(coding, noncoding)
    counts = {
        "overlap rRNA": sum(RRNA in mark for mark in marks.values()),
        "lie in mobile elements": sum(mark != [RRNA] for mark in marks.values()),
    }
    counts["left out"] = counts["lie in mobile elements"] if drop else 0
    rank = {contig: index for index, contig in enumerate(contigs)}
    with atomic_open(target) as handle:
        handle.writelines(_head(coding))
        handle.writelines(line for line in _head(noncoding) if not line.startswith("##"))
        shown = ", ".join(f"{count} {what}" for what, count in counts.items())
        handle.write(f"# coding genes marked with overlaps: {shown}\n")
        both = heapq.merge(
            *(_keyed(path, rank, order) for order, path in enumerate((coding, noncoding))), key=lambda pair: pair[0]
        )
        for (*_, order), block in both:
            mark = marks.get(block.id, []) if order == 0 else []
            if drop and any(name != RRNA for name in mark):
                continue
            if mark:
                value = ",".join(encode_value(name) for name in mark)
                block.lines[0][8] += f";overlaps={value}"
            handle.writelines("\t".join(columns) + "\n" for columns in block.lines)
    return counts


def _keyed(path: str | Path, rank: Mapping[str, int], order: int) -> Iterator[tuple[tuple[int, int, int, int], Block]]:
    for block in blocks_of(path):
        if block.contig not in rank:
            raise GffError(
                f"{path}: contig {block.contig!r} is not in the genome's index; delete the file and run again"
            )
        yield (rank[block.contig], block.start, block.end, order), block


def _head(path: str | Path) -> list[str]:
    with open_text(path) as lines:
        return list(itertools.takewhile(lambda line: line.startswith("#"), lines))


def overlaps(coding: str | Path, noncoding: str | Path) -> dict[str, list[str]]:
    """What coding genes may be instead, by their id: ``rRNA`` and the class of the elements they lie in."""
    found: dict[str, list[str]] = {}
    others = itertools.groupby(blocks_of(noncoding), key=lambda block: block.contig)
    by_contig = ((contig, list(blocks)) for contig, blocks in others)
    waiting: dict[str, list[Block]] = {}
    for contig, genes in itertools.groupby(blocks_of(coding), key=lambda block: block.contig):
        # Both files are in the order of the contigs, but each may lack some.
        while contig not in waiting and (following := next(by_contig, None)) is not None:
            waiting[following[0]] = following[1]
        found |= _overlaps_of_contig(list(genes), waiting.pop(contig, []))
    return found


def _overlaps_of_contig(genes: list[Block], others: list[Block]) -> dict[str, list[str]]:
    is_cds = [[columns for columns in gene.lines if columns[2] == "CDS"] for gene in genes]
    places = [merged(as_places((int(c[3]) - 1, int(c[4])) for c in columns)) for columns in is_cds]
    gene_of = np.repeat(np.arange(len(genes)), [len(part) for part in places])
    cds = np.concatenate(places) if places else as_places(())
    rrna = as_places((b.start, b.end) for b in others if any(c[2] == RRNA for c in b.lines))
    elements = [block for block in others if len(block.lines) == 1]
    spans = as_places((block.start, block.end) for block in elements)
    coding_bases = np.bincount(gene_of, cds[:, 1] - cds[:, 0], minlength=len(genes))
    covered = _shared(cds, merged(spans), gene_of, len(genes))
    on_rrna = _shared(cds, merged(rrna), gene_of, len(genes)) > 0
    inside = (coding_bases > 0) & (covered >= IN_ELEMENTS * coding_bases)
    marks = {number: [RRNA] for number in np.flatnonzero(on_rrna).tolist()}
    if inside.any():
        names = [decode_value(attribute(e.lines[0], "class")) or e.lines[0][2] for e in elements]
        left, right = overlapping_pairs(cds, spans)
        starts = np.maximum(cds[left, 0], spans[right, 0]).tolist()
        ends = np.minimum(cds[left, 1], spans[right, 1]).tolist()
        of_gene: dict[int, dict[str, list[Interval]]] = {number: {} for number in np.flatnonzero(inside).tolist()}
        for number, element, start, end in zip(gene_of[left].tolist(), right.tolist(), starts, ends, strict=True):
            if number in of_gene:
                of_gene[number].setdefault(names[element], []).append((start, end))
        for number, by_name in of_gene.items():
            # Elements of one class may overlap.
            bases = {name: sum(e - s for s, e in merge_intervals(found)) for name, found in by_name.items()}
            marks[number] = [*marks.get(number, []), min(bases, key=lambda name: (-bases[name], name))]
    return {genes[number].id: mark for number, mark in sorted(marks.items())}


def _shared(cds: Places, union: Places, gene_of: npt.NDArray[np.int64], genes: int) -> npt.NDArray[np.float64]:
    """Coding bases of each gene in a union of intervals."""
    left, right = overlapping_pairs(cds, union)
    bases = np.minimum(cds[left, 1], union[right, 1]) - np.maximum(cds[left, 0], union[right, 0])
    return np.bincount(gene_of[left], bases, minlength=genes)
