"""Strict, fast GFF3 reader: reads clean files into gene models.

It reads the output of the cleaning step and of the writer, and well-formed releases: genes, transcripts with
``Parent``, exons, CDS and UTRs.  Files that need repair go through :mod:`phytoscribe.annotation.cleaning.normalise`
first.  Lines may come in any order, and no separator lines are needed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from phytoscribe.annotation.feature_types import BIOTYPE_KEYS, PART_TYPES, TRANSCRIPT_TYPES, is_gene_type
from phytoscribe.annotation.gff_lines import GffRow, read_rows
from phytoscribe.annotation.gff_text import decode_id, parse_attributes
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.collector import collector_paused
from phytoscribe.errors import GffError
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.genome.names import shown, unquoted

log = logging.getLogger(__name__)

#: Features that may belong to a transcript and say nothing that exons and CDS do not say.
IGNORED_TYPES = frozenset({"start_codon", "stop_codon", "intron", "polypeptide", "protein", "codon"})


def read_gff3(path: str | Path, contigs: Mapping[str, int] | None = None) -> list[GeneModel]:
    """Read the gene models of a clean GFF3 file (plain or gzipped), in the order of their gene lines.

    Args:
        path: the file.
        contigs: name to length; if given, every feature must lie inside one of them.

    Transcripts without exon lines get their exons from CDS and UTR lines.  Features that belong to no gene (matches,
    regions) are left out, as are genes without transcripts; the log counts both.

    Raises:
        GffError: a malformed line, an ID used twice, an unknown parent, mixed strands, a coding segment without phase,
            or a transcript without exon and CDS lines; the message names file and line.
    """
    with collector_paused():
        lines = _Lines(path, contigs)
        genes, left_out, without = lines.gene_models(), lines.left_out, len(lines.genes.keys() - lines.transcripts)
        del lines  # millions of objects, which the collector need not see
    if without:
        log.warning("%s: %d genes without any transcript were left out", path, without)
    if left_out:
        log.info("%s: left out, as they belong to no gene: %s", path, dict(sorted(left_out.items())))
    return genes


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


class _Lines:
    """Lines of a file by their place in the hierarchy; each of genes and transcripts with its attributes.

    Attributes:
        genes: by id.
        transcripts: (id, line, attributes) by the id of the gene.
        left_out: number of lines that belong to no gene, by type.
    """

    def __init__(self, path: str | Path, contigs: Mapping[str, int] | None) -> None:
        self.genes: dict[str, tuple[GffRow, dict[str, str]]] = {}
        self.transcripts: dict[str, list[tuple[str, GffRow, dict[str, str]]]] = {}
        self.left_out: Counter[str] = Counter()
        self._path = path
        self._middle: dict[str, tuple[GffRow, dict[str, str]]] = {}
        self._parts: dict[str, _Parts] = {}
        self._collect(contigs)
        self._sort_out()

    def _error(self, row: GffRow, problem: str, advice: str = " (the cleaning step repairs this)") -> GffError:
        return GffError(f"{self._path}, line {row.line}: {problem}{advice}")

    def _attributes(self, row: GffRow) -> dict[str, str]:
        return parse_attributes(row.attributes, f"{self._path}, line {row.line}")

    def _collect(self, contigs: Mapping[str, int] | None) -> None:
        parts = self._parts
        for row in read_rows(self._path, contigs):
            # Lines of exons and CDS are by far the most of a file.  What is done with each stands here and is not
            # called, and fields are unpacked, not named, as either would cost as much as the work.
            line, contig, _, kind, start, end, _, strand, phase, attributes = row
            if kind in PART_TYPES:
                parent = (";" + attributes).partition(";Parent=")[2].partition(";")[0].strip()
                several = not parent or "," in parent or "%" in parent
                for name in self._parents_of_part(row, parent) if several else (parent,):
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
                self._put(row)

    def _parents_of_part(self, row: GffRow, parents: str) -> list[str]:
        """Names from the text of ``Parent``; the line is searched for one written otherwise if it is empty."""
        parents = parents or self._attributes(row).get("Parent", "")
        if not parents:
            raise self._error(row, f"a {unquoted(row.type)} without Parent")
        return [decode_id(parent.strip()) for parent in parents.split(",")]

    def _put(self, row: GffRow) -> None:
        """Put a gene among the genes, and what may be a transcript into the middle."""
        attributes = self._attributes(row)
        # Loose features (repeats, regions) may lack an ID; they cannot be parents, so the line number will do.
        identifier = decode_id(attributes["ID"]) if "ID" in attributes else f"line {row.line}"
        earlier = self.genes.get(identifier) or self._middle.get(identifier)
        gene_like = is_gene_type(row.type)
        if gene_like and "ID" not in attributes:
            raise self._error(row, f"a {unquoted(row.type)} without ID")
        if earlier is not None and (gene_like or is_gene_type(earlier[0].type) or "Parent" in attributes):
            used = f"the ID {shown(identifier)} was used in line {earlier[0].line} already"
            raise self._error(row, f"{used}; IDs of genes and transcripts must be unique")
        (self.genes if gene_like else self._middle)[identifier] = (row, attributes)

    def _sort_out(self) -> None:
        """Separate transcripts (children of a gene) from features that belong to no gene, and refuse orphans."""
        loose = set()
        for identifier, (row, attributes) in self._middle.items():
            parents = [decode_id(name.strip()) for name in attributes.get("Parent", "").split(",") if name.strip()]
            unknown = [name for name in parents if name not in self.genes and name not in self._middle]
            what = f"{unquoted(row.type)} {shown(identifier)}"
            if unknown:
                raise self._error(row, f"{what} names the parent {shown(unknown[0])}, which is nowhere in the file")
            if not parents and row.type in TRANSCRIPT_TYPES:
                raise self._error(row, f"{what} has no Parent gene")
            genes = [name for name in parents if name in self.genes]
            for name in genes:
                self.transcripts.setdefault(name, []).append((identifier, row, attributes))
            if not genes:
                loose.add(identifier)
                self.left_out[row.type] += 1
        for parent, parts in self._parts.items():
            if parent not in self._middle:
                there = (
                    "is a gene; a transcript must stand between" if parent in self.genes else "is nowhere in the file"
                )
                first = parts.first
                raise self._error(first, f"the parent {shown(parent)} of this {unquoted(first.type)} {there}")
        for identifier in loose:
            self._parts.pop(identifier, None)

    def gene_models(self) -> list[GeneModel]:
        """Genes that have transcripts."""
        return [self._gene(name, *self.genes[name]) for name in self.genes if name in self.transcripts]

    def _gene(self, identifier: str, row: GffRow, attributes: dict[str, str]) -> GeneModel:
        if row.strand not in ("+", "-"):
            gene = f"strand {shown(row.strand)} of gene {shown(identifier)}"
            raise self._error(row, f"{gene} must be + or -", advice="")
        return GeneModel(
            id=identifier,
            contig=row.contig,
            strand=row.strand,
            transcripts=tuple(self._transcript(row, *child) for child in self.transcripts[identifier]),
            biotype=next((attributes[key] for key in BIOTYPE_KEYS if attributes.get(key)), ""),
            attributes={key: value for key, value in attributes.items() if key not in ("ID", "biotype")},
            source=row.source,
            score=None if row.score == "." else float(row.score),
            type=row.type,
        )

    def _transcript(self, gene: GffRow, identifier: str, row: GffRow, attributes: dict[str, str]) -> Transcript:
        parts = self._parts.get(identifier)
        for part in (row, parts and parts.first, parts and parts.stray):
            if part is not None and (part.strand != gene.strand or part.contig != gene.contig):
                here, there = (f"{unquoted(found.contig)} {unquoted(found.strand)}" for found in (part, gene))
                what = f"{unquoted(part.type)} of transcript {shown(identifier)} lies on {here}, its gene on {there}"
                raise self._error(part, f"{what}; a gene must be on one strand of one sequence", advice="")
        if parts is None:
            what = f"{unquoted(row.type)} {shown(identifier)} has neither exon nor CDS lines"
            raise self._error(row, what, advice=" (the cleaning step leaves such transcripts out)")
        coding = sorted(parts.coding, key=itemgetter(0, 1))
        cds = tuple([(start, end) for start, end, _, _ in coding])
        return Transcript(
            id=identifier,
            exons=tuple(sorted(parts.exons) or merge_intervals([*cds, *parts.utrs])),
            cds=cds,
            type=row.type,
            attributes={key: value for key, value in attributes.items() if key not in ("ID", "Parent")},
            score=None if row.score == "." else float(row.score),
            start_phase=self._phase(*coding[0 if gene.strand == "+" else -1][2:]) if coding else 0,
            contig=gene.contig,
            strand=gene.strand,
        )

    def _phase(self, phase: str, line: int) -> int:
        if phase not in ("0", "1", "2"):
            raise GffError(
                f"{self._path}, line {line}: phase {shown(phase)} of a CDS must be 0, 1 or 2 "
                "(the cleaning step repairs this)"
            )
        return int(phase)
