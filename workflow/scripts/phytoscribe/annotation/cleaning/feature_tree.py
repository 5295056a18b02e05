"""Build drafts of genes, transcripts and their parts from GFF3 or GTF lines in any arrangement.

No gffutils database is used here, because its ``create_unique`` gives all children of a repeated gene id to the first
copy.  Every look-up takes constant or logarithmic time, even with repeated ids.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from pathlib import Path

from phytoscribe.annotation.cleaning.drafts import (
    PLAIN_TYPES,
    GeneDraft,
    TranscriptDraft,
    fits,
    join_pieces,
    settle_transcripts,
)
from phytoscribe.annotation.cleaning.links import NamedLines, Relations, loose_groups
from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport
from phytoscribe.annotation.cleaning.source_features import Feature, Part, SourceFeatures, read_features
from phytoscribe.annotation.feature_types import is_transcript_type
from phytoscribe.annotation.gff_lines import GffRow

#: Start, number and end.
_Numbered = tuple[int, int, int]
#: Features of one id behind the start of a child that are compared; more begin inside one feature only in broken files.
_BEHIND = 64


class _FeaturesOfOneId:
    """Several features that share an id, numbered in the order given; a query takes logarithmic time."""

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
        """Number of the feature with most overlap on the same sequence and strand, or else the nearest one there.

        If there is none, one on the other strand of that sequence; else the first.
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


#: A transcript id; with the gene where one id stands for transcripts of several genes, and the number of the run of
#: lines where these genes have no names.
_Key = str | tuple[str, str, int]


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
        self._transcripts: dict[_Key, list[TranscriptDraft]] = {}
        self._made: dict[tuple[_Key, str, str, int], TranscriptDraft] = {}
        self._outside: set[str] = set()
        self._seen: dict[tuple[object, ...], Feature] = {}
        self._sharing: dict[int, _FeaturesOfOneId] = {}
        self._runs: dict[str, tuple[int, int]] = {}
        found = read_features(path, contigs, report, seqid_map)
        report.genes.lines = len(found.genes)
        join_pieces(found, report)
        self._shared, self._nameless = found.shared, found.nameless
        for feature in found.genes:
            self._add_gene(feature)
        report.genes_in = len(self.genes)
        self._lines = NamedLines((gene, gene.line, gene.id) for gene in self.genes)
        relations = Relations(found)
        for feature in found.middle:
            self._add_middle(feature, relations)
        for part in found.parts:
            if part.parents:
                self._add_part(part)
        self._add_loose(found)
        for gene in self.genes:
            settle_transcripts(gene, report)
        self.genes = [gene for gene in self.genes if gene.line or gene.transcripts]

    def _is_repeated(self, feature: Feature, gene: str | None = None) -> bool:
        """True if a line repeats an earlier one, perhaps in another spelling; the repeat is reported."""
        if not feature.id:
            return False
        _, contig, _, _, start, end, _, strand, _, _ = feature.row
        owner = feature.parents if gene is None else gene
        first = self._seen.setdefault((feature.id, contig, start, end, strand, owner, gene is None), feature)
        if first is feature:
            return False
        _join_lines(first, feature)
        which = {"genes": -1} if gene is None else {"transcripts": -1}
        self._report.add(RepairKind.DUPLICATE_LINE, feature.id, feature.row.line, feature.kind, feature.place, **which)
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
        if belongs:
            self._report.transcripts.lines += 1
        if not belongs or (above and not coding):
            self._outside.add(feature.id)
            name = feature.id or next(iter(feature.parents), "")
            lost = -1 if belongs else 0
            place = feature.place
            self._report.add(RepairKind.FEATURE_LEFT_OUT, name, feature.row.line, feature.kind, place, transcripts=lost)
            return
        gene = self._gene_of(feature, owner, above, relations)
        if self._is_repeated(feature, gene.id):
            return
        draft = TranscriptDraft(feature.id or f"{gene.id}.transcript", feature)
        if feature.id:
            key = (feature.id, feature.gene_hint, 0) if feature.id in self._shared else feature.id
            drafts = self._transcripts.setdefault(key, [])
            if drafts and self._is_twin(drafts[-1], feature, gene):
                return
            drafts.append(draft)
        gene.transcripts.append(draft)

    def _is_twin(self, draft: TranscriptDraft, feature: Feature, gene: GeneDraft) -> bool:
        """True for the second line of one transcript under another type, such as ``transcript`` and ``mRNA``."""
        one, other = draft.line.row, feature.row
        kinds = {draft.line.kind.lower(), feature.kind.lower()}
        overlap = (one.contig, one.strand) == (other.contig, other.strand) and one.start < other.end > one.start
        overlap = overlap and other.start < one.end
        if not overlap or len(kinds) < 2 or not kinds & PLAIN_TYPES or draft not in gene.transcripts:
            return False
        _join_lines(draft.line, feature)
        self._report.add(RepairKind.DUPLICATE_LINE, feature.id, other.line, feature.kind, feature.place, transcripts=-1)
        return True

    def _gene_of(self, feature: Feature, owner: str, above: str, relations: Relations) -> GeneDraft:
        """The gene of a transcript line: by its parent, by other names at its place, or one that is made."""
        if feature.id in self._shared and not feature.gene_hint and not owner:
            return self._gene_for(f"{feature.id}.gene", feature, named=False)
        name = owner or relations.gene_above(feature, self._genes_by_id)
        if name not in self._genes_by_id and not above and self._lines:
            found = self._lines.at([name, *feature.names], feature.row)
            if found is None and not name:
                found = self._lines.with_span(feature.row)
            if found is not None:
                return found
        if name:
            return self._gene_for(name, feature)
        identifier = feature.id or f"{feature.kind}.line{feature.row.line}"
        return self._gene_for(f"{identifier}.gene", feature, named=False)

    def _gene_for(self, name: str, feature: Feature | Part, named: bool = True) -> GeneDraft:
        """The gene of that name at the feature's position; created if there is none."""
        drafts = self._genes_by_id.get(name)
        if drafts is None:
            row = feature.row if isinstance(feature, Feature) else feature
            found = self._lines.at([name], row)
            if found is not None:
                return found
            drafts = self._genes_by_id[name] = [GeneDraft(name, None, named=named)]
            self.genes.append(drafts[0])
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
        for parent in part.parents:
            key = self._key_of(parent, part) if parent in self._shared else parent
            drafts = self._transcripts.get(key)
            if drafts is not None:
                drafts[self._nearest(drafts, part)].parts.append(part)
            elif key is parent and parent in self._genes_by_id:
                self._made_transcript(parent, f"{parent}.mrna", parent, part).parts.append(part)
            elif parent not in self._outside:
                named = bool(part.gene_hint)
                gene = part.gene_hint or f"{parent}.gene"
                self._made_transcript(key, parent, gene, part, named).parts.append(part)

    def _key_of(self, parent: str, part: Part) -> _Key:
        """Key of a transcript whose id is that of transcripts of other genes, too."""
        lines = (parent, "", 0)  # of transcripts whose lines do not name the gene either
        nameless = not part.gene_hint or part.gene_hint in self._nameless
        if nameless and lines in self._transcripts:
            return lines
        if part.gene_hint:
            return (parent, part.gene_hint, 0)
        last, run = self._runs.get(parent, (part.line, 0))
        run += part.line > last + 1  # without a gene's name, lines that follow each other belong together
        self._runs[parent] = part.line, run
        return (parent, "", run)

    def _made_transcript(self, key: _Key, name: str, gene_name: str, part: Part, named: bool = True) -> TranscriptDraft:
        """The transcript of that key on the part's strand, in that gene of the id that the part lies on."""
        genes = self._genes_by_id.get(gene_name)
        place = (key, part.contig, part.strand, self._nearest(genes, part) if genes else 0)
        draft = self._made.get(place)
        if draft is None:
            draft = self._made[place] = TranscriptDraft(name, None)
            self._gene_for(gene_name, part, named).transcripts.append(draft)
        return draft

    def _add_loose(self, found: SourceFeatures) -> None:
        """Parts without parents: to the transcript, else to the gene, that has one of their names at their place."""
        groups = loose_groups(found)
        if not groups:
            return
        written = [draft for drafts in self._transcripts.values() for draft in drafts]
        lines = NamedLines((draft, draft.line, draft.id) for draft in written)
        made: dict[tuple[str, str, str], TranscriptDraft] = {}
        for group in groups:
            place = group.place
            names = [(place.contig, place.strand, name) for name in group.names]
            draft = lines.for_parts(group.names, group.parts)
            if draft is None:
                same = (made[name] for name in names if name in made)
                draft = next((other for other in same if fits(group.parts, other)), None)
            if draft is not None:
                draft.parts += group.parts
            elif group.is_transcript:
                gene = self._lines.at(group.genes, place) or self._lines.with_span(place)
                if gene is None:
                    gene_name, named = group.gene
                    gene = self._gene_for(gene_name, group.parts[0], named)
                name = f"{group.name}.mrna" if group.name == gene.id else group.name
                draft = TranscriptDraft(name, None, group.parts)
                gene.transcripts.append(draft)
                made.update(dict.fromkeys(names, draft))
            else:
                for part in group.parts:
                    self._report.add(RepairKind.ORPHAN, part.id, part.line, part.kind, part.place)


def _join_lines(first: Feature, second: Feature) -> None:
    """Add to the first line of a feature the extra information of the second."""
    one, other = first.row, second.row
    first.row = one._replace(start=min(one.start, other.start), end=max(one.end, other.end))
    first.attributes = {**second.attributes, **first.attributes}
    if first.kind.lower() in PLAIN_TYPES and second.kind.lower() not in PLAIN_TYPES - {"mrna"}:
        first.kind = second.kind
