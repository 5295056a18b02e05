"""Link lines that have no ``Parent``, by their names and positions.

gffread, EGAPx, CoGe and others omit genes, transcripts or parents.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from phytoscribe.annotation.cleaning.drafts import LONGEST_GAP, TranscriptDraft, fits, span
from phytoscribe.annotation.cleaning.source_features import Feature, Part, SourceFeatures
from phytoscribe.annotation.feature_types import SEQUENCE_TYPES, is_transcript_type
from phytoscribe.annotation.gff_lines import GffRow

Draft = TypeVar("Draft")
#: Longest intron, in bases, between parts that a name alone holds together if parts of another name lie between them.
LONGEST_GAP_AROUND_OTHERS = 5_000
#: Lines before a place that are looked at; more reach over one place only in broken files.
_BEHIND = 64
#: They are no genes, even if transcripts name one as their parent.
_NO_GENES = SEQUENCE_TYPES | {"biological_region", "source"}
#: Steps from a transcript inside a transcript up to its gene; longer chains are circles or nonsense.
_MOST_LEVELS = 8


class NamedLines(Generic[Draft]):
    """Lines of genes or transcripts, indexed by all names in their attributes and by position.

    The indices are built at the first query, since most files need none.
    """

    def __init__(self, drafts: Iterable[tuple[Draft, Feature | None, str]]) -> None:
        self._drafts = [(draft, line, name) for draft, line, name in drafts if line is not None]
        self._names: dict[tuple[str, str, str], list[tuple[Draft, GffRow]]] = {}
        self._sides: dict[tuple[str, str], list[tuple[int, int, int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._drafts)

    def at(self, names: Iterable[str], place: GffRow | Part) -> Draft | None:
        """The line with the first of the names that overlaps the place on its strand."""
        return next((draft for name in names for draft in self._all_at(name, place)), None)

    def _all_at(self, name: str, place: GffRow | Part) -> list[Draft]:
        if self._drafts and not self._names:
            self._index()
        there = self._names.get((place.contig, place.strand, name), ())
        return [draft for draft, row in there if row.start < place.end and place.start < row.end]

    def _index(self) -> None:
        for number, (draft, line, name) in enumerate(self._drafts):
            row = line.row
            for other in dict.fromkeys([name, *line.names]):
                self._names.setdefault((row.contig, row.strand, other), []).append((draft, row))
            self._sides.setdefault((row.contig, row.strand), []).append((row.start, row.end, number))
        for side in self._sides.values():
            side.sort()

    def with_span(self, place: GffRow | Part) -> Draft | None:
        """The only line with exactly this span."""
        if self._drafts and not self._names:
            self._index()
        side = self._sides.get((place.contig, place.strand), [])
        at = bisect_left(side, (place.start, place.end, 0))
        same = [number for start, end, number in side[at : at + 2] if (start, end) == (place.start, place.end)]
        return self._drafts[same[0]][0] if len(same) == 1 else None

    def for_parts(self, names: Sequence[str], parts: list[Part]) -> Draft | None:
        """The draft of a transcript that the parts fit, found by one of the names, else by exactly their span."""
        place = parts[0]._replace(start=span(parts)[0], end=span(parts)[1])
        for name in names:
            there = self._all_at(name, place)
            best = next((draft for draft in there if fits(parts, draft)), None)
            if best is None and len(there) == 1 and not _share_kinds(parts, there[0]):
                best = there[0]
            if best is not None:
                return best
        side = self._sides.get((place.contig, place.strand), [])
        end = bisect_right(side, (place.start, place.end, len(self._drafts)))
        near = side[max(0, end - _BEHIND) : end]
        same = [self._drafts[number][0] for start, last, number in near if (start, last) == (place.start, place.end)]
        fitting = [draft for draft in same if fits(parts, draft)]
        return fitting[0] if len(fitting) == 1 else None


def _share_kinds(parts: Iterable[Part], draft: TranscriptDraft) -> bool:
    return not {part.kind for part in parts}.isdisjoint(part.kind for part in draft.parts)


@dataclass(slots=True)
class LooseGroup:
    """Parts without parents that belong to one transcript.

    Attributes:
        name: of the transcript.
        gene: name of the gene, and whether the file names it.
        names: names that the transcript's line may have.
        genes: names that the gene's line may have.
    """

    name: str
    gene: tuple[str, bool]
    names: list[str]
    genes: list[str]
    parts: list[Part]

    @property
    def is_transcript(self) -> bool:
        return bool(self.name) and any(part.kind in ("CDS", "exon") for part in self.parts)

    @property
    def place(self) -> Part:
        """The first part, from the start of all to their end."""
        start, end = span(self.parts)
        return self.parts[0]._replace(start=start, end=end)


def loose_groups(found: SourceFeatures) -> list[LooseGroup]:
    """Group parts without parents by transcript; groups with exons come before those with only CDS."""
    loose = [part for part in found.parts if not part.parents]
    ids = Counter((part.kind, part.id) for part in loose if part.id)
    names = Counter(
        (part.contig, part.strand, part.gene_hint, name)
        for part in loose
        for name in {*found.links.get(part.line, ()), part.gene_hint}
    )
    by_key: dict[tuple[str, str, str, str], list[Part]] = {}
    sides: dict[tuple[str, str], list[int]] = defaultdict(list)
    for part in loose:
        transcript, *links = found.links.get(part.line, ("",))
        if part.id and ids[part.kind, part.id] > 1:
            key, hint = part.id, ""
        else:
            hint = part.gene_hint
            side = (part.contig, part.strand, hint)
            shared = (name for name in (*links, hint) if name and names[*side, name] > 1)
            key = transcript or next(shared, part.id)
        by_key.setdefault((part.contig, part.strand, key or f"\0{part.line}", hint), []).append(part)
        sides[part.contig, part.strand].append(part.start)
    for starts in sides.values():
        starts.sort()
    groups = [
        _group(key.partition("\0")[0], parts, found.links)
        for (contig, strand, key, _), several in by_key.items()
        for parts in _without_wide_gaps(several, sides[contig, strand])
    ]
    return sorted(groups, key=lambda group: all(part.kind != "exon" for part in group.parts))


def _without_wide_gaps(parts: list[Part], starts: Sequence[int]) -> list[list[Part]]:
    """Parts of one name in pieces between which lies more than an intron; ``starts`` of all parts on their strand."""
    ordered = sorted(parts, key=lambda part: (part.start, part.end))
    pieces = [[ordered[0]]]
    end = ordered[0].end
    for part in ordered[1:]:
        gap = part.start - end
        others = gap > LONGEST_GAP_AROUND_OTHERS and bisect_left(starts, end) < bisect_left(starts, part.start)
        if gap > LONGEST_GAP or others:
            pieces.append([])
        pieces[-1].append(part)
        end = max(end, part.end)
    return [sorted(piece, key=lambda part: part.line) for piece in pieces]


def _group(key: str, parts: list[Part], links: dict[int, tuple[str, ...]]) -> LooseGroup:
    hint = next((part.gene_hint for part in parts if part.gene_hint), "")
    ids = [part.id for part in parts if part.id]
    linked = [name for part in parts for name in links.get(part.line, ()) if name]
    name = f"{key}.mrna" if key and key in (hint, *ids) else key
    names = list(dict.fromkeys([*ids, *linked]))
    genes = [hint] if hint else []
    return LooseGroup(name, (hint or f"{key}.gene", bool(hint)), names, [*genes, *names], parts)


class Relations:
    """Relations between genes, transcripts and parts, from the parts and the other features of a file."""

    def __init__(self, found: SourceFeatures) -> None:
        parts = found.parts
        self.with_parts = {parent for part in parts for parent in part.parents}
        self.with_cds = {parent for part in parts if part.kind == "CDS" for parent in part.parents}
        self._hints = {part.parents[0]: part.gene_hint for part in parts if part.parents and part.gene_hint}
        for name in found.shared:
            self._hints.pop(name, None)
        self._by_id: dict[str, Feature] = {}
        for feature in found.middle:
            if feature.id:
                self._by_id.setdefault(feature.id, feature)
        alone = (feature for feature in found.middle if not feature.parents)
        self._names = Counter(name for feature in alone if (name := feature.attributes.get("Name")))

    def transcript_above(self, feature: Feature) -> str:
        """A parent that is itself a transcript; "" if there is none."""
        for name in feature.parents:
            parent = self._by_id.get(name)
            if parent and name != feature.id and (is_transcript_type(parent.kind) or name in self.with_cds):
                return name
        return ""

    def gene_above(self, feature: Feature, genes: Mapping[str, object]) -> str:
        """Gene name of a transcript without a gene line; "" if the file gives none.

        It comes from the transcript it is part of, from its parent's name in the file, or from its attributes.
        """
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
        if hint := here.gene_hint or self._hints.get(here.id, ""):
            return hint
        name = here.attributes.get("Name", "")
        if self._names[name] > 1:  # isoforms without genes may have a name in common
            return name
        return "" if here is feature else f"{here.id}.gene"
