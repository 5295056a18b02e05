"""Strict, fast GFF3 reader: clean files in, gene models out.

It reads what the cleaning step, the writer and well-formed releases hold: gene, transcripts with ``Parent``, exons,
CDS and UTRs.  Files that need repair go through :mod:`phytoscribe.annotation.cleaning.normalise` first.  Lines may come
in any order; nothing depends on a separator line, so the last gene is like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from phytoscribe.annotation.feature_types import (
    BIOTYPE_KEYS,
    PART_TYPES,
    TRANSCRIPT_TYPES,
    is_gene_type,
)
from phytoscribe.annotation.gff_attributes import decode_id, parse_attributes
from phytoscribe.annotation.gff_lines import GffRow, read_rows
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.collector import collector_paused
from phytoscribe.errors import GffError
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.genome.names import shown, unquoted

log = logging.getLogger(__name__)

#: Features that may belong to a transcript and say nothing that exons and CDS do not say.
IGNORED_TYPES = frozenset({"start_codon", "stop_codon", "intron", "polypeptide", "protein", "codon"})


def read_gff3(path: str | Path, contigs: Mapping[str, int] | None = None) -> list[GeneModel]:
    """Gene models of a clean GFF3 file (plain or gzipped), in the order of their gene lines.

    Args:
        path: the file.
        contigs: name to length; if given, every feature must lie inside one of them.

    Transcripts without exon lines get their exons from CDS and UTR lines.  Features that belong to no gene (matches,
    regions) are left out, as are genes without transcripts; the log counts both.

    Raises:
        GffError: file and line of a malformed line, an ID used twice, an unknown parent, mixed strands, a coding
            segment without phase, a transcript without exon and CDS lines.
    """
    with collector_paused():
        genes, left_out = _read(path, contigs)
    kept = [gene for gene in genes if gene is not None]
    if len(kept) < len(genes):
        log.warning("%s: %d genes without any transcript were left out", path, len(genes) - len(kept))
    if left_out:
        log.info("%s: left out, as they belong to no gene: %s", path, dict(sorted(left_out.items())))
    return kept


@dataclass(slots=True)
class _Parts:
    """Exon, CDS and UTR lines of one transcript.  Of millions of lines no more is kept than the gene models need."""

    first: GffRow
    #: The first line on another strand or sequence than ``first``.
    stray: GffRow | None = None
    exons: list[Interval] = field(default_factory=list)
    #: Start, end, phase and line number.
    coding: list[tuple[int, int, str, int]] = field(default_factory=list)
    utrs: list[Interval] = field(default_factory=list)


@dataclass(slots=True)
class _Collected:
    """Lines of a file by their place in the hierarchy."""

    genes: dict[str, tuple[GffRow, dict[str, str]]] = field(default_factory=dict)
    transcripts: dict[str, list[tuple[str, GffRow, dict[str, str]]]] = field(default_factory=dict)
    parts: dict[str, _Parts] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def _read(path: str | Path, contigs: Mapping[str, int] | None) -> tuple[list[GeneModel | None], dict[str, int]]:
    """Genes, None for one without transcripts, and counts of what was left out; the rows are gone with the return."""
    found = _collect(path, contigs)
    return [_gene_model(path, row, attributes, found) for row, attributes in found.genes.values()], found.left_out


def _collect(path: str | Path, contigs: Mapping[str, int] | None) -> _Collected:
    found = _Collected()
    parts = found.parts
    middle: dict[str, tuple[GffRow, dict[str, str]]] = {}
    for row in read_rows(path, contigs):
        # Lines of exons and CDS are by far the most of a file.  What is done with each stands here and is not called,
        # and fields are unpacked, not named, as either would cost as much as the work.
        line, contig, _, kind, start, end, _, strand, phase, attributes = row
        if kind in PART_TYPES:
            parent = (";" + attributes).partition(";Parent=")[2].partition(";")[0].strip()
            several = not parent or "," in parent or "%" in parent
            for name in _parents_of_part(path, row, parent) if several else (parent,):
                of = parts.get(name)
                if of is None:
                    of = parts[name] = _Parts(row)
                elif of.stray is None and (strand != of.first.strand or contig != of.first.contig):
                    of.stray = row
                if kind == "exon":
                    of.exons.append((start, end))
                elif kind == "CDS":
                    of.coding.append((start, end, phase, line))
                else:
                    of.utrs.append((start, end))
        elif kind not in IGNORED_TYPES:
            _put(path, row, found.genes, middle)
    _sort_out(path, found, middle)
    return found


def _put(
    path: str | Path,
    row: GffRow,
    genes: dict[str, tuple[GffRow, dict[str, str]]],
    middle: dict[str, tuple[GffRow, dict[str, str]]],
) -> None:
    """Put a gene among the genes, and what may be a transcript into the middle."""
    attributes = parse_attributes(row.attributes, f"{path}, line {row.line}")
    # Loose features (repeats, regions) may lack an ID; they cannot be parents, so the line number will do.
    identifier = decode_id(attributes["ID"]) if "ID" in attributes else f"line {row.line}"
    earlier = genes.get(identifier) or middle.get(identifier)
    gene_like = is_gene_type(row.type)
    if earlier is not None and (gene_like or is_gene_type(earlier[0].type) or "Parent" in attributes):
        raise GffError(
            f"{path}, line {row.line}: the ID {shown(identifier)} was used in line {earlier[0].line} already; "
            "IDs of genes and transcripts must be unique (the cleaning step repairs this)"
        )
    (genes if gene_like else middle)[identifier] = (row, attributes)


def _parents_of_part(path: str | Path, row: GffRow, parents: str) -> list[str]:
    """Names from the text of an attribute ``Parent``; the line is searched for one written otherwise if it is empty."""
    if not parents:
        attributes = parse_attributes(row.attributes, f"{path}, line {row.line}")
        if "Parent" not in attributes:
            raise GffError(
                f"{path}, line {row.line}: a {unquoted(row.type)} without Parent (the cleaning step repairs this)"
            )
        parents = attributes["Parent"]
    return [decode_id(parent.strip()) for parent in parents.split(",")]


def _sort_out(path: str | Path, found: _Collected, middle: dict[str, tuple[GffRow, dict[str, str]]]) -> None:
    """Separate transcripts (children of a gene) from features that belong to no gene, and refuse orphans."""
    loose = set()
    for identifier, (row, attributes) in middle.items():
        parents = [decode_id(parent.strip()) for parent in attributes.get("Parent", "").split(",") if parent.strip()]
        unknown = [parent for parent in parents if parent not in found.genes and parent not in middle]
        if unknown or (not parents and row.type in TRANSCRIPT_TYPES):
            problem = (
                f"names the parent {shown(unknown[0])}, which is nowhere in the file"
                if unknown
                else "has no Parent gene"
            )
            raise GffError(
                f"{path}, line {row.line}: {unquoted(row.type)} {shown(identifier)} {problem} "
                "(the cleaning step repairs this)"
            )
        genes = [parent for parent in parents if parent in found.genes]
        for parent in genes:
            found.transcripts.setdefault(parent, []).append((identifier, row, attributes))
        if not genes:
            loose.add(identifier)
            found.left_out[row.type] = found.left_out.get(row.type, 0) + 1
    for parent, parts in list(found.parts.items()):
        if parent in loose:
            del found.parts[parent]
        elif parent not in middle:
            reason = "is a gene; a transcript must stand between" if parent in found.genes else "is nowhere in the file"
            raise GffError(
                f"{path}, line {parts.first.line}: the parent {shown(parent)} of this {unquoted(parts.first.type)} "
                f"{reason} "
                "(the cleaning step repairs this)"
            )


def _gene_model(path: str | Path, row: GffRow, attributes: dict[str, str], found: _Collected) -> GeneModel | None:
    identifier = decode_id(attributes["ID"]) if "ID" in attributes else None
    if identifier is None:
        raise GffError(f"{path}, line {row.line}: a {unquoted(row.type)} without ID (the cleaning step repairs this)")
    children = found.transcripts.get(identifier, [])
    if not children:
        return None
    if row.strand not in ("+", "-"):
        raise GffError(
            f"{path}, line {row.line}: strand {shown(row.strand)} of gene {shown(identifier)} must be + or -"
        )
    transcripts = tuple(
        _transcript(path, row, name, child, child_attributes, found.parts.get(name))
        for name, child, child_attributes in children
    )
    return GeneModel(
        id=identifier,
        contig=row.contig,
        strand=row.strand,
        transcripts=transcripts,
        biotype=next((attributes[key] for key in BIOTYPE_KEYS if attributes.get(key)), ""),
        attributes={key: value for key, value in attributes.items() if key not in ("ID", "biotype")},
        source=row.source,
        type=row.type,
        score=None if row.score == "." else float(row.score),
    )


def _transcript(
    path: str | Path, gene: GffRow, identifier: str, row: GffRow, attributes: dict[str, str], parts: _Parts | None
) -> Transcript:
    for part in (row, parts and parts.first, parts and parts.stray):
        if part is not None and (part.strand != gene.strand or part.contig != gene.contig):
            here, there = (f"{unquoted(found.contig)} {unquoted(found.strand)}" for found in (part, gene))
            raise GffError(
                f"{path}, line {part.line}: {unquoted(part.type)} of transcript {shown(identifier)} lies on {here}, "
                f"its gene on {there}; a gene must be on one strand of one sequence"
            )
    if parts is None:
        raise GffError(
            f"{path}, line {row.line}: {unquoted(row.type)} {shown(identifier)} has neither exon nor CDS lines "
            "(the cleaning step leaves such transcripts out)"
        )
    coding = sorted(parts.coding, key=_place)
    cds = tuple([(start, end) for start, end, _, _ in coding])
    return Transcript(
        id=identifier,
        exons=tuple(sorted(parts.exons) or merge_intervals([*cds, *parts.utrs])),
        cds=cds,
        type=row.type,
        attributes={key: value for key, value in attributes.items() if key not in ("ID", "Parent")},
        score=None if row.score == "." else float(row.score),
        start_phase=_phase(path, *coding[0 if gene.strand == "+" else -1][2:]) if coding else 0,
        contig=gene.contig,
        strand=gene.strand,
    )


_place = itemgetter(0, 1)


def _phase(path: str | Path, phase: str, line: int) -> int:
    if phase not in ("0", "1", "2"):
        raise GffError(
            f"{path}, line {line}: phase {shown(phase)} of a CDS must be 0, 1 or 2 (the cleaning step repairs this)"
        )
    return int(phase)
