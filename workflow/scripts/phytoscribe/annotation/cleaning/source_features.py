"""Features that can matter to genes, from the lines of a GFF3 or GTF file, with identifiers in one form for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, shown_place
from phytoscribe.annotation.feature_types import BIOTYPE_KEYS, PART_SPELLINGS, is_gene_type, is_transcript_type
from phytoscribe.annotation.gff_attributes import Attributes, read_attributes
from phytoscribe.annotation.gff_lines import GffRow, read_rows

#: What transcripts are translated to; TAIR names both as parents of a CDS.
PRODUCT_TYPES = frozenset({"protein", "polypeptide"})
#: They say nothing that exons and CDS do not say.
SILENT_TYPES = frozenset(
    {"start_codon", "intron", "tss", "tts", "transcription_start_site"}
    | {"transcription_end_site", "initial", "internal", "terminal", "single", "codon"}
)
_RESERVED_KEYS = frozenset(
    {"Name", "Alias", "Target", "Gap", "Derives_from", "Note", "Dbxref", "Ontology_term", "Is_circular"}
)
_BIOTYPE_KEYS = frozenset(BIOTYPE_KEYS)
_OWN_KEYS = frozenset({"ID", "Parent", "gene_id", "transcript_id"})


class Role(Enum):
    """What a line can be to a gene."""

    GENE = "gene"
    MIDDLE = "transcript, or a feature outside genes"
    PRODUCT = "protein"
    PART = "part of a transcript"
    SILENT = "passed over"


@dataclass(slots=True)
class Feature:
    """The line of a gene, a transcript, a protein, or something that belongs to no gene.

    ``parents`` of a protein are what it is translated from.
    """

    row: GffRow
    role: Role
    kind: str
    id: str
    parents: tuple[str, ...]
    gene_hint: str
    attributes: dict[str, str]

    @property
    def place(self) -> str:
        return shown_place(self.row.contig, self.row.start, self.row.end, self.row.strand)


class Part(NamedTuple):
    """An exon, CDS, UTR or stop codon line: by far the most lines of a file, so without its attributes.

    ``kind`` is a value of :data:`~phytoscribe.annotation.feature_types.PART_SPELLINGS`; coordinates are 0-based
    half-open; ``id`` is kept only for CDS and where there is no parent; ``biotypes`` holds the attributes of
    :data:`~phytoscribe.annotation.feature_types.BIOTYPE_KEYS`, if there are any.
    """

    kind: str
    line: int
    contig: str
    start: int
    end: int
    strand: str
    phase: str
    source: str
    id: str
    parents: tuple[str, ...]
    gene_hint: str
    biotypes: tuple[tuple[str, str], ...]

    @property
    def place(self) -> str:
        return shown_place(self.contig, self.start, self.end, self.strand)


def role_of(kind: str) -> Role:
    """Role of a feature type of column 3."""
    name = kind.lower()
    if name in PART_SPELLINGS:
        return Role.PART
    if name in SILENT_TYPES:
        return Role.SILENT
    if name in PRODUCT_TYPES:
        return Role.PRODUCT
    return Role.GENE if is_gene_type(kind) else Role.MIDDLE


def read_features(
    path: str | Path,
    contigs: Mapping[str, int],
    report: RepairReport,
    seqid_map: Mapping[str, str | None] | None = None,
) -> Iterator[Feature | Part]:
    """Features in file order.

    Raises:
        GffError: see :func:`~phytoscribe.annotation.gff_lines.read_rows`.
    """
    roles: dict[str, Role] = {}
    shared: dict[object, object] = {}
    left_out: Counter[str] = Counter()
    for raw in read_rows(path, contigs, swap_reversed=True, seqid_map=seqid_map, left_out=left_out):
        row = raw
        if row.line < 0:
            row = raw._replace(line=-raw.line)
            place = shown_place(row.contig, row.start, row.end, row.strand)
            report.add(RepairKind.ENDS_SWAPPED, row.type, row.line, f"{row.start + 1}..{row.end}", place)
        role = roles.get(row.type)
        if role is None:
            role = roles[row.type] = role_of(row.type)
        if role is Role.PART:
            yield _part(row, shared)
        elif role is not Role.SILENT:
            yield _feature(row, role)
    for name, count in left_out.items():
        report.add(RepairKind.FEATURE_LEFT_OUT, name, 0, f"{count} features on a sequence that seqid_map leaves out")


def _part(row: GffRow, shared: dict) -> Part:
    column = read_attributes(row.attributes)
    kind = PART_SPELLINGS[row.type.lower()]
    identifier, gene_hint = column.name("ID"), column.name("gene_id")
    parents = column.names("Parent")
    if not identifier and not parents:
        bare = _bare_name(column)
        if bare:
            identifier = bare
        else:
            # JGI's files of earlier years have a name for each model, and no ids.
            owner = column.name("transcript_id") or gene_hint or ("" if column.escaped else column.name("name"))
            parents = (owner,) if owner else ()
    biotypes: tuple[tuple[str, str], ...] = ()
    if not _BIOTYPE_KEYS.isdisjoint(column.values):
        flat = column.decoded()
        biotypes = tuple((key, flat[key]) for key in BIOTYPE_KEYS if flat.get(key))
    return Part(
        kind,
        row.line,
        row.contig,
        row.start,
        row.end,
        row.strand,
        row.phase,
        row.source,
        shared.setdefault(identifier, identifier) if kind == "CDS" or not parents else "",
        # Parts of one transcript share one tuple and one text: half of the memory of a large file.
        shared.setdefault(parents, parents),
        shared.setdefault(gene_hint, gene_hint),
        shared.setdefault(biotypes, biotypes),
    )


def _feature(row: GffRow, role: Role) -> Feature:
    column = read_attributes(row.attributes)
    flat = column.decoded()
    parents = column.names("Parent")
    if role is Role.PRODUCT:
        parents = parents or column.names("Derives_from")
    identifier, gene_hint, transcript = column.name("ID"), column.name("gene_id"), column.name("transcript_id")
    if not identifier and not parents:
        identifier = _bare_name(column)
        if not identifier and role is Role.GENE:
            identifier = gene_hint
        elif not identifier and is_transcript_type(row.type):
            identifier, parents = transcript, (gene_hint,) if gene_hint else ()
        elif not identifier:  # Selenocysteine and the like lie on a transcript, and are none
            parents = tuple(filter(None, (transcript or gene_hint,)))
    attributes: dict[str, str] = {}
    for key, value in flat.items():
        if key not in _OWN_KEYS:
            attributes.setdefault(_key(key), value)
    return Feature(row, role, row.type, identifier, parents, gene_hint, attributes)


def _bare_name(column: Attributes) -> str:
    """AUGUSTUS writes the bare id of genes and transcripts as column 9."""
    if len(column.values) != 1:
        return ""
    ((name, value),) = column.values.items()
    return "" if value else name


def _key(name: str) -> str:
    """Attribute name; GFF3 reserves a capital first letter for its own names, so ``Index`` becomes ``index``."""
    return name if name in _RESERVED_KEYS else name[:1].lower() + name[1:]
