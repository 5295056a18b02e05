"""Features that can matter to genes, from the lines of a GFF3 or GTF file, with identifiers in one form for both.

They are sorted by what they can be to a gene; what they say about one another is in :class:`Relations`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, shown_place
from phytoscribe.annotation.feature_types import (
    BIOTYPE_KEYS,
    PART_SPELLINGS,
    SEQUENCE_TYPES,
    is_gene_type,
    is_transcript_type,
)
from phytoscribe.annotation.gff_lines import GffRow, read_rows
from phytoscribe.annotation.gff_text import Attributes, read_attributes

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
#: They are no genes, even if transcripts name one as their parent.
_NO_GENES = SEQUENCE_TYPES | {"biological_region", "source"}
#: Steps from a transcript inside a transcript up to its gene; longer chains are circles or nonsense.
_MOST_LEVELS = 8


@dataclass(slots=True)
class Feature:
    """The line of a gene, a transcript, a protein, or something that belongs to no gene.

    ``parents`` of a protein are what it is translated from.
    """

    row: GffRow
    kind: str
    id: str
    parents: tuple[str, ...]
    gene_hint: str
    attributes: dict[str, str]

    @property
    def score(self) -> float | None:
        return None if self.row.score == "." else float(self.row.score)

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


@dataclass(slots=True)
class SourceFeatures:
    """Genes, what may be transcripts, proteins, and the parts of transcripts, each in file order."""

    genes: list[Feature] = field(default_factory=list)
    middle: list[Feature] = field(default_factory=list)
    products: list[Feature] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def read_features(
    path: str | Path,
    contigs: Mapping[str, int],
    report: RepairReport,
    seqid_map: Mapping[str, str | None] | None = None,
) -> SourceFeatures:
    """Features of a file; parts of proteins are parts of the transcripts that these are translated from.

    Raises:
        GffError: see :func:`~phytoscribe.annotation.gff_lines.read_rows`.
    """
    found = SourceFeatures()
    groups: dict[str, list | None] = {}
    shared: dict[object, object] = {}
    left_out: Counter[str] = Counter()
    for raw in read_rows(path, contigs, swap_reversed=True, seqid_map=seqid_map, left_out=left_out):
        row = raw
        if row.line < 0:
            row = raw._replace(line=-raw.line)
            place = shown_place(row.contig, row.start, row.end, row.strand)
            report.add(RepairKind.ENDS_SWAPPED, row.type, row.line, f"{row.start + 1}..{row.end}", place)
        if row.type not in groups:
            groups[row.type] = _group_of(row.type, found)
        group = groups[row.type]
        if group is found.parts:
            group.append(_part(row, shared))
        elif group is not None:
            group.append(_feature(row))
    for name, count in left_out.items():
        report.add(RepairKind.FEATURE_LEFT_OUT, name, 0, f"{count} features on a sequence that seqid_map leaves out")
    _move_pseudogenes(found)
    proteins = {feature.id: feature.parents for feature in found.products if feature.id}
    for feature in (*found.genes, *found.middle):
        proteins.pop(feature.id, None)
    if proteins:
        found.parts = [_on_transcripts(part, proteins) for part in found.parts]
    return found


def _group_of(kind: str, found: SourceFeatures) -> list | None:
    """The list for features of a type of column 3; None for types that say nothing."""
    name = kind.lower()
    if name in PART_SPELLINGS:
        return found.parts
    if name in SILENT_TYPES:
        return None
    if name in PRODUCT_TYPES:
        return found.products
    return found.genes if is_gene_type(kind) else found.middle


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
    place = (row.line, row.contig, row.start, row.end, row.strand, row.phase, row.source)
    own = identifier if kind == "CDS" or not parents else ""
    # Parts of one transcript share one tuple and one text: half of the memory of a large file.
    return Part(kind, *place, *(shared.setdefault(name, name) for name in (own, parents, gene_hint, biotypes)))


def _feature(row: GffRow) -> Feature:
    column = read_attributes(row.attributes)
    flat = column.decoded()
    parents = column.names("Parent")
    if row.type.lower() in PRODUCT_TYPES:
        parents = parents or column.names("Derives_from")
    identifier, gene_hint, transcript = column.name("ID"), column.name("gene_id"), column.name("transcript_id")
    if not identifier and not parents:
        identifier = _bare_name(column)
        if not identifier and is_gene_type(row.type):
            identifier = gene_hint
        elif not identifier and is_transcript_type(row.type):
            identifier, parents = transcript, (gene_hint,) if gene_hint else ()
        elif not identifier:  # Selenocysteine and the like lie on a transcript, and are none
            parents = tuple(filter(None, (transcript or gene_hint,)))
    attributes: dict[str, str] = {}
    for key, value in flat.items():
        if key not in _OWN_KEYS:
            # GFF3 reserves a capital first letter for its own names, so Index becomes index.
            attributes.setdefault(key if key in _RESERVED_KEYS else key[:1].lower() + key[1:], value)
    return Feature(row, row.type, identifier, parents, gene_hint, attributes)


def _bare_name(column: Attributes) -> str:
    """AUGUSTUS writes the bare id of genes and transcripts as column 9."""
    if len(column.values) != 1:
        return ""
    ((name, value),) = column.values.items()
    return "" if value else name


def _move_pseudogenes(found: SourceFeatures) -> None:
    """FlyBase's ``pseudogene`` is what a ``gene`` is transcribed to; elsewhere it is a gene and has transcripts."""
    genes = {feature.id for feature in found.genes if feature.id}
    children = [
        feature
        for feature in found.genes
        if feature.kind.lower() != "gene" and any(name in genes and name != feature.id for name in feature.parents)
    ]
    with_transcripts = {name for feature in found.middle for name in feature.parents}
    moved = {id(feature) for feature in children if feature.id not in with_transcripts}
    for feature in children:
        if id(feature) in moved:
            kind = "pseudogenic_transcript" if "pseudo" in feature.kind.lower() else "transcript"
            found.middle.append(replace(feature, kind=kind))
    found.genes = [feature for feature in found.genes if id(feature) not in moved]
    found.middle.sort(key=lambda feature: feature.row.line)


def _on_transcripts(part: Part, translated: Mapping[str, tuple[str, ...]]) -> Part:
    """The part with transcripts as parents in place of the proteins that are translated from them."""
    if translated.keys().isdisjoint(part.parents):
        return part
    names = [name for parent in part.parents for name in translated.get(parent) or (parent,)]
    return part._replace(parents=tuple(dict.fromkeys(names)))


class Relations:
    """What the parts and the other features of a file say about the features between genes and parts."""

    def __init__(self, found: SourceFeatures) -> None:
        parts = found.parts
        self.with_parts = {parent for part in parts for parent in part.parents}
        self.with_cds = {parent for part in parts if part.kind == "CDS" for parent in part.parents}
        self._hints = {part.parents[0]: part.gene_hint for part in parts if part.parents and part.gene_hint}
        self._by_id: dict[str, Feature] = {}
        for feature in found.middle:
            if feature.id:
                self._by_id.setdefault(feature.id, feature)

    def transcript_above(self, feature: Feature) -> str:
        """A parent that is a transcript itself; "" if there is none."""
        for name in feature.parents:
            parent = self._by_id.get(name)
            if parent and name != feature.id and (is_transcript_type(parent.kind) or name in self.with_cds):
                return name
        return ""

    def gene_above(self, feature: Feature, genes: Mapping[str, object]) -> str:
        """Name of the gene of a transcript without a gene line: that of the transcript that it is part of, or
        what the file calls its parent; "" if the file says nothing."""
        here = feature
        for _ in range(_MOST_LEVELS):
            above = self.transcript_above(here)
            if not above:
                break
            here = self._by_id[above]
            owner = next((name for name in here.parents if name in genes), "")
            if owner:
                return owner
        else:
            return ""
        for name in here.parents:
            parent = self._by_id.get(name)
            if parent is None or parent.kind.lower() not in _NO_GENES:
                return name
        return self._hints.get(here.id, "") or ("" if here is feature else f"{here.id}.gene")
