"""Drafts of genes and transcripts, for files in which lines and features do not correspond one to one.

GenBank-style files can have one gene or mRNA line per exon.  The parent of a CDS may be the gene although its mRNA has
a line, and one mRNA may have several CDSs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter

from phytoscribe.annotation.cleaning.exons import is_coding_part
from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, shown_place
from phytoscribe.annotation.cleaning.source_features import Feature, Part, SourceFeatures
from phytoscribe.genome.intervals import Interval, merge_intervals

#: Types of transcripts, lower case, that say no more than that it is one; they alone may have a CDS.
PLAIN_TYPES = frozenset({"mrna", "transcript", "rna", "primary_transcript"})
#: Longest intron, in bases, between lines that only names and ids hold together; the default of check.maximum_intron.
LONGEST_GAP = 50_000
_MAIN_PARTS = frozenset({"exon", "CDS"})
#: Transcripts of one gene without exons or without CDS that are compared; more of them are in broken files only.
_MOST_INCOMPLETE = 64


@dataclass(slots=True)
class TranscriptDraft:
    """A transcript line (None where the file has none) and its parts."""

    id: str
    line: Feature | None
    parts: list[Part] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Position for the list of repairs: that of its own line, else its first part's sequence and strand."""
        if self.line is not None:
            return self.line.place
        if not self.parts:
            return ""
        first = self.parts[0]
        near = [part for part in self.parts if (part.contig, part.strand) == (first.contig, first.strand)]
        return shown_place(first.contig, min(p.start for p in near), max(p.end for p in near), first.strand)

    @property
    def first_line(self) -> int:
        """Number of its line, else of its first part's line; 0 if it has neither."""
        if self.line is not None:
            return self.line.row.line
        return self.parts[0].line if self.parts else 0


@dataclass(slots=True)
class GeneDraft:
    """A gene line (None where the file has none) and its transcripts, in file order.

    ``named`` is False if nothing in the file names the gene; then overlapping transcripts belong to one gene.
    """

    id: str
    line: Feature | None
    transcripts: list[TranscriptDraft] = field(default_factory=list)
    named: bool = True


def settle_transcripts(gene: GeneDraft, report: RepairReport) -> None:
    """Split transcripts with several CDSs, and assign parts to the transcript lines they belong to.

    Transcripts that still have no line are listed as created, and so is the gene if it has none.
    """
    for draft in gene.transcripts[:]:
        if len(draft.parts) > 1:
            _divide(draft, gene, report)
    if any(draft.line is None for draft in gene.transcripts):
        _hand_over(gene)
        for draft in gene.transcripts:
            if draft.line is None:
                first = draft.parts[0]
                detail = f"in gene {gene.id}"
                report.add(RepairKind.TRANSCRIPT_MADE, draft.id, first.line, detail, first.place, transcripts=1)
    if gene.line is None and gene.transcripts:
        first = gene.transcripts[0]
        place = first.line.place if first.line else first.parts[0].place
        report.add(RepairKind.GENE_MADE, gene.id, first.first_line, "", place, genes=1)


def _divide(draft: TranscriptDraft, gene: GeneDraft, report: RepairReport) -> None:
    """One transcript for each CDS id, where these are CDS of their own and not the segments of one."""
    ids = {part.id for part in draft.parts if part.kind == "CDS"}
    if len(ids) < 2:
        return
    coding: dict[str, list[Part]] = {}
    for part in draft.parts:
        if part.kind == "CDS":
            coding.setdefault(part.id, []).append(part)
    if any(map(_overlapping, coding.values())):
        return
    others = [part for part in draft.parts if part.kind != "CDS"]
    if draft.line is None:
        if others or not _overlapping(draft.parts):
            return
    elif not _are_whole(list(coding.values())):
        return
    _, *further = coding
    draft.parts = others + next(iter(coding.values()))
    for number, name in enumerate(further, start=2):
        identifier = f"{draft.id}.{name}" if draft.line else f"{draft.id}{number}"
        gene.transcripts.append(TranscriptDraft(identifier, draft.line, others + coding[name]))
        if draft.line:
            first = coding[name][0]
            detail = f"in gene {gene.id}: a further CDS of {draft.id}"
            report.add(RepairKind.TRANSCRIPT_MADE, identifier, first.line, detail, first.place, transcripts=1)


def _are_whole(several: Sequence[Sequence[Part]]) -> bool:
    """True if an id has several segments, or if each overlaps another: then no id stands for a mere segment."""
    if any(len(parts) > 1 for parts in several):
        return True
    spans = sorted((parts[0].start, parts[0].end) for parts in several)
    touched = [left[1] > right[0] for left, right in pairwise(spans)]
    return all(a or b for a, b in zip([False, *touched], [*touched, False], strict=True))


def _overlapping(parts: Sequence[Part]) -> bool:
    spans = sorted({(part.start, part.end) for part in parts})
    return len(spans) < len(parts) or any(left[1] > right[0] for left, right in pairwise(spans))


def _hand_over(gene: GeneDraft) -> None:
    """Parts that name the gene go to a transcript of it that has a line, or exons, lacks such parts and fits."""
    if len(gene.transcripts) < 2:
        return
    incomplete = [draft for draft in gene.transcripts if len({part.kind for part in draft.parts} & _MAIN_PARTS) < 2]
    kept = []
    for draft in gene.transcripts:
        fitting: list[TranscriptDraft] = []
        if draft.line is None and draft in incomplete[:_MOST_INCOMPLETE]:
            lone = all(part.kind != "exon" for part in draft.parts)
            others = (other for other in incomplete[:_MOST_INCOMPLETE] if other is not draft)
            fitting = [
                other
                for other in others
                if (other.line or (lone and any(part.kind == "exon" for part in other.parts)))
                and fits(draft.parts, other)
            ]
        if fitting:
            start, end = span(draft.parts)
            spans = [(o.line.row.start, o.line.row.end) if o.line else span(o.parts) for o in fitting]
            excess = [last - first - (end - start) for first, last in spans]
            fitting[excess.index(min(excess))].parts.extend(draft.parts)
        else:
            kept.append(draft)
    gene.transcripts = kept


def fits(parts: Sequence[Part], draft: TranscriptDraft) -> bool:
    """True if a transcript lacks such parts and contains them, and exons and CDS agree."""
    place = draft.line.row if draft.line else draft.parts[0]
    first, last = (place.start, place.end) if draft.line else span(draft.parts)
    start, end = span(parts)
    if parts[0].contig != place.contig or first > start or last < end:
        return False
    if place.strand not in (parts[0].strand, ".", "?"):
        return False
    kinds, given = {part.kind for part in parts}, {part.kind for part in draft.parts}
    if kinds & given:
        return False
    if "CDS" in kinds and draft.line and draft.line.kind.lower() not in PLAIN_TYPES:
        return False
    both = [*parts, *draft.parts]
    exons, cds = segments(both, "exon"), segments(both, "CDS")
    return not (exons and cds) or is_coding_part(exons, cds)


def span(parts: Iterable[Part]) -> Interval:
    """Start of the first and end of the last."""
    starts, ends = zip(*((part.start, part.end) for part in parts), strict=True)
    return min(starts), max(ends)


def segments(parts: Iterable[Part], kind: str) -> list[Interval]:
    """Intervals of the parts of a kind, sorted, each once."""
    return sorted({(part.start, part.end) for part in parts if part.kind == kind})


def join_pieces(found: SourceFeatures, report: RepairReport) -> None:
    """Join the lines of a gene or transcript that has one line per exon into one feature.

    The lines share id, parents and strand, and equal the exons; GenBank's also carry ``is_ordered`` or ``part``.
    Trans-spliced genes are not joined, nor are two genes that share an id.
    """
    transcripts, genes = _of_one_id(found.middle, found.shared), _of_one_id(found.genes, found.shared)
    if not transcripts and not genes:
        return
    ids = {lines[0].id for lines in (*transcripts, *genes)}
    parts: dict[str, list[Part]] = defaultdict(list)
    for part in found.parts:
        for parent in ids.intersection(part.parents):
            parts[parent].append(part)
    gone: set[int] = set()
    for lines in transcripts:
        mine = _beside(lines[0], parts[lines[0].id])
        if _are_pieces(lines, mine):
            if not segments(mine, "exon"):
                found.parts += [_exon(line) for line in lines]
            report.transcripts.lines += len(lines) - 1
            _join(lines, report, gone, "transcripts")
    found.middle = [feature for feature in found.middle if id(feature) not in gone]
    below: dict[str, list[Feature]] = defaultdict(list)
    for feature in found.middle:
        for parent in ids.intersection(feature.parents):
            below[parent].append(feature)
    for lines in genes:
        first = lines[0].row
        mine = _beside(lines[0], parts[lines[0].id])
        rows = [child.row for child in below[lines[0].id]]
        spans = [(row.start, row.end) for row in rows if (row.contig, row.strand) == (first.contig, first.strand)]
        if _are_pieces(lines, mine):
            spans.append((lines[0].row.start, lines[-1].row.end))
        ends, starts = [line.row.end for line in lines], [line.row.start for line in lines]
        for start, end in merge_intervals(spans):
            _join(lines[bisect_right(ends, start) : bisect_left(starts, end)], report, gone, "genes")
    found.genes = [feature for feature in found.genes if id(feature) not in gone]


def _of_one_id(features: Sequence[Feature], shared: set[str]) -> list[list[Feature]]:
    """Lines with id, parents, sequence and strand in common that do not overlap, sorted by start."""
    counts = Counter(feature.id for feature in features)
    several: dict[tuple[object, ...], list[Feature]] = defaultdict(list)
    for feature in features:
        if counts[feature.id] > 1 and feature.id and feature.id not in shared:
            several[feature.id, feature.parents, feature.row.contig, feature.row.strand].append(feature)
    found = [sorted(lines, key=lambda line: line.row.start) for lines in several.values() if len(lines) > 1]
    return [lines for lines in found if all(a.row.end <= b.row.start for a, b in pairwise(lines))]


def _beside(line: Feature, parts: Iterable[Part]) -> list[Part]:
    return [part for part in parts if (part.contig, part.strand) == (line.row.contig, line.row.strand)]


def _are_pieces(lines: Sequence[Feature], parts: Sequence[Part]) -> bool:
    """True if lines of one id, sorted, are the exons of one gene, not genes of one exon each."""
    if any("trans-splicing" in line.attributes.get("exception", "") for line in lines):
        return False
    spans = [(line.row.start, line.row.end) for line in lines]
    exons, cds = segments(parts, "exon"), segments(parts, "CDS")
    if any("is_ordered" in line.attributes or "part" in line.attributes for line in lines):
        return all(_within(segment, spans) for segment in (*exons, *cds))
    if not cds or any(right[0] - left[1] > LONGEST_GAP for left, right in pairwise(spans)):
        return False
    made = exons or merge_intervals((part.start, part.end) for part in parts)
    if made != spans:
        return False
    if len({end - start for start, end in spans}) > 1:
        return True
    coding: Counter[int] = Counter()
    for start, end in cds:
        coding[bisect_right(spans, start, key=itemgetter(0))] += end - start
    return any(length % 3 for length in coding.values())  # else they are equally long, and each whole: copies


def _within(segment: Interval, spans: Sequence[Interval]) -> bool:
    at = bisect_right(spans, segment[0], key=itemgetter(0)) - 1
    return at >= 0 and segment[1] <= spans[at][1]


def _exon(line: Feature) -> Part:
    row = line.row
    place = (row.line, row.contig, row.start, row.end, row.strand, ".", row.source)
    return Part("exon", *place, "", (line.id,), line.gene_hint, ())


def _join(lines: Sequence[Feature], report: RepairReport, gone: set[int], what: str) -> None:
    """Replace several lines by one from the first to the last, and list each line that is dropped."""
    if len(lines) < 2:
        return
    first, *others = sorted(lines, key=lambda line: line.row.line)
    start, end = min(line.row.start for line in lines), max(line.row.end for line in lines)
    for line in others:
        gone.add(id(line))
        report.add(RepairKind.PIECES_JOINED, line.id, line.row.line, line.kind, line.place, **{what: -1})
    first.row = first.row._replace(start=start, end=end)
