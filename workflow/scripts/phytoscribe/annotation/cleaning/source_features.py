"""Read the features that can matter to genes from a GFF3 or GTF file, with identifiers in one form for both.

They are grouped by their possible role in a gene.
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
    GENE_KEYS,
    PART_SPELLINGS,
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
_GENE_KEYS = frozenset(GENE_KEYS)
#: Attributes by which parts without parents are held together, from the closest to the widest.
_LINKS_OF_PARTS = ("transcript_id", "Name", "name", "Alias", "protein_id")
_OWN_KEYS = frozenset({"ID", "Parent", "gene_id", "transcript_id"})


@dataclass(slots=True)
class Feature:
    """The line of a gene, a transcript, a protein, or something that belongs to no gene.

    The ``parents`` of a protein are the transcripts it is translated from; ``gene_hint`` is the gene named in its
    attributes.
    """

    row: GffRow
    kind: str
    id: str
    parents: tuple[str, ...]
    gene_hint: str
    attributes: dict[str, str]

    @property
    def names(self) -> list[str]:
        """Other names of the feature or its gene, used to link features without a parent."""
        column = read_attributes(self.row.attributes)
        return [name for key in (*GENE_KEYS, *_LINKS_OF_PARTS) for name in column.names(key)]

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
    """Genes, possible transcripts, proteins, and the parts of transcripts, each in file order.

    Attributes:
        links: by its line, the names in the attributes of a part without parent; the first is that of its
            transcript, "" if it has none.
        shared: transcript ids of a GTF file that several genes use, such as NCBI's ``unknown_transcript_1``; the gene
            distinguishes them.
        nameless: names made up for genes whose ``gene_id`` is empty.
    """

    genes: list[Feature] = field(default_factory=list)
    middle: list[Feature] = field(default_factory=list)
    products: list[Feature] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    links: dict[int, tuple[str, ...]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    nameless: set[str] = field(default_factory=set)


def read_features(
    path: str | Path,
    contigs: Mapping[str, int],
    report: RepairReport,
    seqid_map: Mapping[str, str | None] | None = None,
) -> SourceFeatures:
    """Read the features of a file; parts of a protein become parts of the transcripts it is translated from.

    Raises:
        GffError: see :func:`~phytoscribe.annotation.gff_lines.read_rows`.
    """
    found = SourceFeatures()
    groups: dict[str, list | None] = {}
    shared = _Shared()
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
            group.append(_part(row, found, shared))
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


class _Shared(dict):
    """Each name once, and what is known of the transcript ids of a GTF file."""

    def __init__(self) -> None:
        super().__init__()
        self.gene_of: dict[str, str] = {}
        self.nameless = _NamelessGenes()


class _NamelessGenes:
    """Transcripts of one id with an empty ``gene_id``, as NCBI's GTF has them for tRNAs of organelles.

    A new one begins where a number of an exon comes again.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, int, set[tuple[str, ...]]]] = {}

    def name(self, transcript: str, row: GffRow, number: str) -> str:
        """The name in place of that of the gene; "" for the first of a transcript id, and where nothing is numbered."""
        name, line, seen = self._last.get(transcript, ("", 0, set()))
        mark = (row.type, number, row.contig, row.strand)
        if number and mark in seen:
            name, seen = f"{transcript}.line{row.line}", set()
        elif not number and row.line != line + 1:
            return ""
        seen.add(mark)
        self._last[transcript] = name, row.line, seen
        return name


def _part(row: GffRow, found: SourceFeatures, shared: _Shared) -> Part:
    column = read_attributes(row.attributes)
    values = column.values
    kind = PART_SPELLINGS[row.type.lower()]
    identifier = column.name("ID") if "ID" in values else ""
    gene_hint = column.name("gene_id") if "gene_id" in values else ""
    if not gene_hint and not _GENE_KEYS.isdisjoint(values):
        gene_hint = _gene_named(column)
    parents = column.names("Parent") if "Parent" in values else ()
    if not parents and not identifier:
        identifier = _bare_name(column)
    if not parents and not identifier and (owner := column.name("transcript_id")):
        parents = (owner,)
        if not gene_hint and "gene_id" in values:
            gene_hint = shared.nameless.name(owner, row, column.name("exon_number"))
            found.nameless.update(filter(None, (gene_hint,)))
        if shared.gene_of.setdefault(owner, gene_hint) != gene_hint:
            found.shared.add(owner)
    elif not parents and not column.escaped and not identifier:
        # JGI's files of earlier years have a name for each model, and no ids.
        owner = column.name("gene_id") or next(filter(None, map(column.name, _LINKS_OF_PARTS)), "") or gene_hint
        parents = (owner,) if owner else ()
    elif not parents:
        transcript, *others = _LINKS_OF_PARTS
        names = (name for key in others for name in column.names(key))
        found.links[row.line] = (column.name(transcript), *names)
    biotypes: tuple[tuple[str, str], ...] = ()
    if not _BIOTYPE_KEYS.isdisjoint(values):
        flat = column.decoded()
        biotypes = tuple((key, flat[key]) for key in BIOTYPE_KEYS if flat.get(key))
    own = identifier if kind == "CDS" or not parents else ""
    # Parts of one transcript share one tuple and one text: half of the memory of a large file.
    one = shared.setdefault
    names = (one(own, own), one(parents, parents), one(gene_hint, gene_hint), one(biotypes, biotypes))
    return Part(kind, row.line, row.contig, row.start, row.end, row.strand, row.phase, row.source, *names)


def _gene_named(column: Attributes) -> str:
    """The gene named in the attributes; "" if there is none."""
    values = column.values
    for key in GENE_KEYS:
        if values.get(key):
            return column.name(key)
    return ""


def _feature(row: GffRow) -> Feature:
    column = read_attributes(row.attributes)
    flat = column.decoded()
    parents = column.names("Parent")
    if row.type.lower() in PRODUCT_TYPES:
        parents = parents or column.names("Derives_from")
    identifier, transcript = column.name("ID"), column.name("transcript_id")
    gene_hint = "" if _GENE_KEYS.isdisjoint(column.values) else _gene_named(column)
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
    """In FlyBase a ``pseudogene`` is the transcript of a ``gene``; elsewhere it is a gene and has transcripts."""
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
