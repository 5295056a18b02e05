"""From GFF3 or GTF lines, however arranged, to drafts of genes with transcripts and their parts.

The tree is built here and not by a gffutils database, whose ``create_unique`` gives the children of a repeated gene id
to the first copy.  Every look-up takes constant or logarithmic time, whatever ids are repeated.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from operator import itemgetter
from pathlib import Path

from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, shown_place
from phytoscribe.annotation.cleaning.source_features import Feature, Part, Relations, read_features
from phytoscribe.annotation.feature_types import is_transcript_type
from phytoscribe.annotation.gff_lines import GffRow

#: Start, number and end.
_Numbered = tuple[int, int, int]
#: Features of one id behind the start of a child that are compared; more begin inside one feature only in broken files.
_BEHIND = 64


class _FeaturesOfOneId:
    """Several features that share an id, numbered as they are given; a query takes logarithmic time."""

    def __init__(self, places: Iterable[GffRow]) -> None:
        # By sequence and strand (start, number, end), sorted, and of all up to each the one with the largest end.
        self._sides: dict[tuple[str, str], tuple[list[_Numbered], list[_Numbered]]] = {}
        for number, place in enumerate(places):
            items, _ = self._sides.setdefault((place.contig, place.strand), ([], []))
            items.append((place.start, number, place.end))
        self._strands = {strand for _, strand in self._sides}
        for items, farthest in self._sides.values():
            items.sort()
            farthest += accumulate(items, lambda one, other: one if one[2] >= other[2] else other)

    def nearest(self, place: GffRow | Part) -> int:
        """Number of the feature on the same strand of the same sequence with most overlap, or the nearest one.

        Failing these, one on another strand of that sequence; failing these too, the first.
        """
        others = [(place.contig, strand) for strand in self._strands if (place.contig, strand) in self._sides]
        same = [side for side in others if side[1] == place.strand]
        found = [self._best(side, place.start, place.end) for side in same or others]
        return -max(found)[1] if found else 0

    def _best(self, side: tuple[str, str], start: int, end: int) -> tuple[int, int]:
        """(overlap, minus the number) of the feature with most overlap; a negative overlap is a distance."""
        items, farthest = self._sides[side]
        at = bisect_right(items, start, key=itemgetter(0))
        near = farthest[max(0, at - 1) : at] + items[at : at + _BEHIND]
        return max((min(last, end) - max(first, start), -number) for first, number, last in near)


@dataclass(slots=True)
class TranscriptDraft:
    """A transcript line (None where the file has none) and its parts."""

    id: str
    line: Feature | None
    parts: list[Part] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where it lies, for the list of repairs: its own line, else its first part's sequence and strand."""
        if self.line is not None:
            return self.line.place
        if not self.parts:
            return ""
        first = self.parts[0]
        near = [part for part in self.parts if (part.contig, part.strand) == (first.contig, first.strand)]
        return shown_place(first.contig, min(p.start for p in near), max(p.end for p in near), first.strand)


@dataclass(slots=True)
class GeneDraft:
    """A gene line (None where the file has none) and its transcripts, in file order."""

    id: str
    line: Feature | None
    transcripts: list[TranscriptDraft] = field(default_factory=list)


class FeatureTree:
    """All features of a file, each below its parent; ``genes`` holds the drafts in file order."""

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
        self._made: dict[tuple[str, str, str, int], tuple[TranscriptDraft, GeneDraft]] = {}
        self._outside: set[str] = set()
        self._seen: set[tuple[object, ...]] = set()
        self._sharing: dict[int, _FeaturesOfOneId] = {}
        found = read_features(path, contigs, report, seqid_map)
        for feature in found.genes:
            self._add_gene(feature)
        report.genes_in = len(self.genes)
        relations = Relations(found)
        for feature in found.middle:
            self._add_middle(feature, relations)
        for part in found.parts:
            self._add_part(part)
        for draft, gene in list(self._made.values()):
            self._divide(draft, gene)

    def _is_repeated(self, feature: Feature) -> bool:
        """True for a line that says the same as an earlier one; it is reported."""
        if not feature.id:
            return False
        key = (feature.id, *feature.row[1:8], feature.parents)
        if key not in self._seen:
            self._seen.add(key)
            return False
        self._report.add(RepairKind.DUPLICATE_LINE, feature.id, feature.row.line, feature.kind, feature.place)
        return True

    def _add_gene(self, feature: Feature) -> None:
        if not self._is_repeated(feature):
            self.genes.append(GeneDraft(feature.id, feature))
            self._genes_by_id.setdefault(feature.id, []).append(self.genes[-1])

    def _add_middle(self, feature: Feature, relations: Relations) -> None:
        owner = next((name for name in feature.parents if name in self._genes_by_id), "")
        coding = feature.id in relations.with_cds
        belongs = is_transcript_type(feature.kind) or coding or (owner and feature.id in relations.with_parts)
        above = "" if owner else relations.transcript_above(feature)
        if not belongs or (above and not coding):
            self._outside.add(feature.id)
            name = feature.id or next(iter(feature.parents), "")
            self._report.add(RepairKind.FEATURE_LEFT_OUT, name, feature.row.line, feature.kind, feature.place)
            return
        if self._is_repeated(feature):
            return
        name = owner or relations.gene_above(feature, self._genes_by_id)
        identifier = feature.id or f"{feature.kind}.line{feature.row.line}"
        gene = self._gene_for(name or f"{identifier}.gene", feature)
        draft = TranscriptDraft(feature.id or f"{gene.id}.transcript", feature)
        if feature.id:
            self._transcripts.setdefault(feature.id, []).append(draft)
        gene.transcripts.append(draft)

    def _gene_for(self, name: str, feature: Feature | Part) -> GeneDraft:
        """The gene of that name at the feature's place; made where there is none."""
        drafts = self._genes_by_id.setdefault(name, [])
        if not drafts:
            drafts.append(GeneDraft(name, None))
            self.genes.append(drafts[0])
            line = feature.line if isinstance(feature, Part) else feature.row.line
            self._report.add(RepairKind.GENE_MADE, name, line, "", feature.place)
        return drafts[self._nearest(drafts, feature)]

    def _nearest(self, drafts: Sequence[GeneDraft] | Sequence[TranscriptDraft], feature: Feature | Part) -> int:
        """Number of the one, of several with one id, that a feature belongs to."""
        if len(drafts) == 1:
            return 0
        sharing = self._sharing.get(id(drafts))
        if sharing is None:  # all lines of genes and transcripts are known before the first question
            sharing = self._sharing[id(drafts)] = _FeaturesOfOneId(draft.line.row for draft in drafts if draft.line)
        return sharing.nearest(feature.row if isinstance(feature, Feature) else feature)

    def _add_part(self, part: Part) -> None:
        if not part.parents:
            if part.id and part.kind in ("CDS", "exon"):
                self._made_transcript(f"{part.id}.mrna", f"{part.id}.gene", part).parts.append(part)
            else:
                self._report.add(RepairKind.ORPHAN, part.id, part.line, part.kind, part.place)
        for parent in part.parents:
            drafts = self._transcripts.get(parent)
            if drafts is not None:
                drafts[self._nearest(drafts, part)].parts.append(part)
            elif parent in self._genes_by_id:
                self._made_transcript(parent, parent, part, suffix=".mrna").parts.append(part)
            elif parent not in self._outside:
                self._made_transcript(parent, part.gene_hint or f"{parent}.gene", part).parts.append(part)

    def _made_transcript(self, name: str, gene_name: str, part: Part, suffix: str = "") -> TranscriptDraft:
        """The transcript of that name on the part's strand, in that gene of the id that the part lies on."""
        genes = self._genes_by_id.get(gene_name)
        key = (name, part.contig, part.strand, self._nearest(genes, part) if genes else 0)
        if key not in self._made:
            gene = self._gene_for(gene_name, part)
            draft = TranscriptDraft(name + suffix, None)
            self._made[key] = draft, gene
            gene.transcripts.append(draft)
            self._report.add(RepairKind.TRANSCRIPT_MADE, draft.id, part.line, f"in gene {gene.id}", part.place)
        return self._made[key][0]

    def _divide(self, draft: TranscriptDraft, gene: GeneDraft) -> None:
        """One transcript for each CDS id where CDS of several ids under one gene, without transcripts, overlap."""
        by_id: dict[str, list[Part]] = {}
        for part in draft.parts:
            by_id.setdefault(part.id, []).append(part)
        all_coding = all(part.kind == "CDS" for part in draft.parts)
        if len(by_id) < 2 or not all_coding or not _overlapping(draft.parts) or any(map(_overlapping, by_id.values())):
            return
        _, *others = by_id
        draft.parts = next(iter(by_id.values()))
        for number, name in enumerate(others, start=2):
            further = TranscriptDraft(f"{draft.id}{number}", None, by_id[name])
            gene.transcripts.append(further)
            first = further.parts[0]
            self._report.add(RepairKind.TRANSCRIPT_MADE, further.id, first.line, f"in gene {gene.id}", first.place)


def _overlapping(parts: Sequence[Part]) -> bool:
    spans = sorted({(part.start, part.end) for part in parts})
    return len(spans) < len(parts) or any(left[1] > right[0] for left, right in pairwise(spans))
