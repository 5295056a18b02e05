"""From GFF3 or GTF lines, however arranged, to drafts of genes with transcripts and their parts.

gffutils reads column 9 and tells the dialect line by line, which AUGUSTUS' mixed GTF files need.  The tree is built
here and not by gffutils' database, whose ``create_unique`` gives the children of a repeated gene id to the first copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gffutils.feature import feature_from_line

from phytoscribe.annotation.gff_lines import GffRow, read_rows
from phytoscribe.annotation.gff_reader import is_gene_type
from phytoscribe.annotation.repairs import RepairKind, RepairReport

#: Spellings of the parts of a transcript, lower case, and the type that stands for them.
PART_NAMES = {
    "exon": "exon",
    "pseudogenic_exon": "exon",
    "cds": "CDS",
    "stop_codon": "stop_codon",
    "utr": "UTR",
    "five_prime_utr": "UTR",
    "three_prime_utr": "UTR",
    "5utr": "UTR",
    "3utr": "UTR",
    "5'-utr": "UTR",
    "3'-utr": "UTR",
}
#: They say nothing that exons and CDS do not say.
SILENT_TYPES = frozenset(
    {"start_codon", "intron", "polypeptide", "protein", "tss", "tts", "transcription_start_site"}
    | {"transcription_end_site", "initial", "internal", "terminal", "single", "codon"}
)
_RESERVED_KEYS = frozenset(
    {"Name", "Alias", "Target", "Gap", "Derives_from", "Note", "Dbxref", "Ontology_term", "Is_circular"}
)
_OWN_KEYS = frozenset({"ID", "Parent", "gene_id", "transcript_id"})


def is_transcript_type(kind: str) -> bool:
    """True for mRNA, transcript, RNA, ncRNA, tRNA, primary_transcript, pseudogenic_transcript and the like."""
    return kind.lower().endswith(("rna", "transcript"))


@dataclass(slots=True)
class Feature:
    """One line with its identifiers in one form for GFF3 and GTF."""

    row: GffRow
    kind: str
    id: str
    parents: list[str]
    gene_hint: str
    attributes: dict[str, str]


@dataclass(slots=True)
class TranscriptDraft:
    """A transcript line (None where the file has none) and its parts."""

    id: str
    line: Feature | None
    parts: list[Feature] = field(default_factory=list)


@dataclass(slots=True)
class GeneDraft:
    """A gene line (None where the file has none) and its transcripts, in file order."""

    id: str
    line: Feature | None
    transcripts: list[TranscriptDraft] = field(default_factory=list)


def read_features(
    path: str | Path,
    contigs: Mapping[str, int],
    report: RepairReport,
    seqid_map: Mapping[str, str | None] | None = None,
) -> Iterator[Feature]:
    """Features that can matter to genes, with ``kind`` in the spelling of GFF3."""
    left_out: Counter[str] = Counter()
    for raw in read_rows(path, contigs, swap_reversed=True, seqid_map=seqid_map, left_out=left_out):
        row = raw
        if row.line < 0:
            row = raw._replace(line=-raw.line)
            report.add(RepairKind.ENDS_SWAPPED, row.type, row.line, f"{row.start + 1}..{row.end}")
        if row.type.lower() not in SILENT_TYPES:
            yield _feature(row)
    for name, count in left_out.items():
        report.add(RepairKind.FEATURE_LEFT_OUT, name, 0, f"{count} features on a sequence that seqid_map leaves out")


def _feature(row: GffRow) -> Feature:
    kind = PART_NAMES.get(row.type.lower(), row.type)
    # gffutils wants a whole line; only column 9 is of interest here.
    values = feature_from_line(f".\t.\t.\t1\t1\t.\t.\t.\t{row.attributes}", strict=True, keep_order=True).attributes
    # A comma inside a value was escaped in the file; it stays apart from the commas that separate values.
    flat = {key: ",".join(value.replace(",", "%2C") for value in values[key]) for key in values}
    parents = [parent for parent in values["Parent"] if parent] if "Parent" in values else []
    identifier = flat.get("ID", "").replace("%2C", ",")
    gene_hint, transcript = flat.get("gene_id", ""), flat.get("transcript_id", "")
    if not identifier and not parents:
        if len(flat) == 1 and not next(iter(flat.values())):
            identifier, flat = next(iter(flat)), {}  # AUGUSTUS writes the bare id of genes and transcripts
        elif is_gene_type(kind):
            identifier = gene_hint
        elif kind in PART_NAMES.values():
            parents = [transcript or gene_hint] if transcript or gene_hint else []
        else:
            identifier, parents = transcript, [gene_hint] if gene_hint else []
    attributes = {_key(key): value for key, value in flat.items() if value and key not in _OWN_KEYS}
    return Feature(row, kind, identifier, parents, gene_hint, attributes)


def _key(name: str) -> str:
    """Attribute name; GFF3 reserves a capital first letter for its own names, so ``Index`` becomes ``index``."""
    return name if name in _RESERVED_KEYS else name[:1].lower() + name[1:]


class FeatureTree:
    """All features of a file, each hung where it belongs; ``genes`` holds the drafts in file order."""

    def __init__(
        self,
        path: str | Path,
        contigs: Mapping[str, int],
        report: RepairReport,
        seqid_map: Mapping[str, str | None] | None = None,
    ) -> None:
        self.genes: list[GeneDraft] = []
        self._report = report
        self._genes_by_id: dict[str, list[GeneDraft]] = {}
        self._transcripts: dict[str, list[TranscriptDraft]] = {}
        self._made: dict[tuple[str, str, str], TranscriptDraft] = {}
        self._outside: set[str] = set()
        middle: list[Feature] = []
        parts: list[Feature] = []
        for feature in read_features(path, contigs, report, seqid_map):
            if is_gene_type(feature.kind):
                self._add_gene(feature)
            else:
                (parts if feature.kind in PART_NAMES.values() else middle).append(feature)
        report.genes_in = len(self.genes)
        hints = {part.parents[0]: part.gene_hint for part in parts if part.parents and part.gene_hint}
        known = {feature.id for feature in middle if feature.id}
        with_parts = {parent for part in parts for parent in part.parents}
        for feature in middle:
            self._add_middle(feature, hints, known, with_parts)
        for part in parts:
            self._add_part(part)

    def _add_gene(self, feature: Feature) -> None:
        twins = self._genes_by_id.setdefault(feature.id, [])
        if feature.id and any(draft.line is not None and _same_place(draft.line, feature) for draft in twins):
            self._report.add(RepairKind.DUPLICATE_LINE, feature.id, feature.row.line)
            return
        twins.append(GeneDraft(feature.id, feature))
        self.genes.append(twins[-1])

    def _add_middle(self, feature: Feature, hints: Mapping[str, str], known: set[str], with_parts: set[str]) -> None:
        parent = next((name for name in feature.parents if name in self._genes_by_id), "")
        looks_right = is_transcript_type(feature.kind)
        nested = not parent and any(name in known for name in feature.parents)
        if nested or not (looks_right or (parent and feature.id in with_parts)):
            self._outside.add(feature.id)
            self._report.add(RepairKind.FEATURE_LEFT_OUT, feature.id, feature.row.line, feature.kind)
            return
        twins = self._transcripts.setdefault(feature.id, []) if feature.id else []
        if any(draft.line is not None and _same_place(draft.line, feature) for draft in twins):
            self._report.add(RepairKind.DUPLICATE_LINE, feature.id, feature.row.line)
            return
        name = parent or next(iter(feature.parents), "") or hints.get(feature.id, "")
        gene = self._gene_for(name or f"{feature.id}.gene", feature)
        twins.append(TranscriptDraft(feature.id or f"{gene.id}.transcript", feature))
        gene.transcripts.append(twins[-1])

    def _gene_for(self, name: str, feature: Feature) -> GeneDraft:
        """The gene of that name at the feature's place; made where there is none."""
        drafts = self._genes_by_id.setdefault(name, [])
        if not drafts:
            drafts.append(GeneDraft(name, None))
            self.genes.append(drafts[0])
            self._report.add(RepairKind.GENE_MADE, name, feature.row.line)
        return max(drafts, key=lambda draft: _nearness(draft.line, feature))

    def _add_part(self, part: Feature) -> None:
        if not part.parents:
            if part.id and part.kind in ("CDS", "exon"):
                self._made_transcript(f"{part.id}.mrna", f"{part.id}.gene", part).parts.append(part)
            else:
                self._report.add(RepairKind.ORPHAN, part.id, part.row.line, part.kind)
        for parent in part.parents:
            if parent in self._transcripts:
                drafts = self._transcripts[parent]
                max(drafts, key=lambda draft: _nearness(draft.line, part)).parts.append(part)
            elif parent in self._genes_by_id:
                self._made_transcript(parent, parent, part, suffix=".mrna").parts.append(part)
            elif parent not in self._outside:
                self._made_transcript(parent, part.gene_hint or f"{parent}.gene", part).parts.append(part)

    def _made_transcript(self, name: str, gene_name: str, part: Feature, suffix: str = "") -> TranscriptDraft:
        key = (name, part.row.contig, part.row.strand)
        draft = self._made.get(key)
        if draft is None:
            gene = self._gene_for(gene_name, part)
            draft = self._made[key] = TranscriptDraft(name + suffix, None)
            gene.transcripts.append(draft)
            self._report.add(RepairKind.TRANSCRIPT_MADE, draft.id, part.row.line, f"in gene {gene.id}")
        return draft


def _same_place(one: Feature, other: Feature) -> bool:
    return one.row[1:7] == other.row[1:7] and one.row.strand == other.row.strand and one.parents == other.parents


def _nearness(line: Feature | None, feature: Feature) -> tuple[bool, bool, int]:
    """Larger for the copy of a repeated id that a feature belongs to: same contig, same strand, most overlap."""
    if line is None:
        return False, False, 0
    overlap = min(line.row.end, feature.row.end) - max(line.row.start, feature.row.start)
    return line.row.contig == feature.row.contig, line.row.strand == feature.row.strand, overlap
