"""Rows of the table of repairs for the ``agat`` cleaner: who mended what, and what AGAT changed, joined or lost."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from phytoscribe.annotation.cleaning.matching import Fate, GeneMatch, Matching, TranscriptMatch
from phytoscribe.annotation.cleaning.repairs import (
    LOSSES,
    Repair,
    RepairKind,
    RepairReport,
    detail_in_gene,
    shown_place,
)
from phytoscribe.annotation.feature_types import is_gene_type
from phytoscribe.annotation.gff_lines import GffRow

BY_AGAT = "by AGAT"
AFTER_AGAT = "after AGAT"
_MADE = frozenset({RepairKind.GENE_MADE, RepairKind.TRANSCRIPT_MADE})
#: True of a transcript even where AGAT gave it other ends than the reading of the source.
_WHATEVER_ENDS = _MADE | {RepairKind.EXONS_MADE, RepairKind.DUPLICATE_LINE, RepairKind.ENDS_SWAPPED}


class SourceLines:
    """Where the genes and transcripts of the source stand, by their place."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, bool], list[tuple[int, str]]] = defaultdict(list)

    def add(self, row: GffRow) -> None:
        place = shown_place(row.contig, row.start, row.end, row.strand)
        self._lines[place, is_gene_type(row.type)].append((abs(row.line), row.attributes))

    def find(self, place: str, identifier: str, gene: bool) -> int:
        """Line number of the gene or transcript of that name, or of the only one at that place; else 0."""
        at = self._lines.get((place, gene), [])
        named = [line for line, attributes in at if identifier in re.split('[=;," ]+', attributes)]
        if not named and len(at) == 1:
            return at[0][0]
        return named[0] if named else 0


class Names:
    """Names that the reading of the source invented, and what AGAT's result calls the same things."""

    def __init__(self, source: RepairReport, matching: Matching) -> None:
        self.invented = {row.id for row in source.rows if row.kind in _MADE}
        for row in source.rows:
            if row.kind is RepairKind.RENAMED:
                self.invented.add(row.detail.removeprefix("now ").partition(";")[0])
        self._in_result: dict[str, str] = {}
        self._gene_of: dict[str, str] = {}
        self._gone: set[str] = set()
        self._changed: set[str] = set()
        for match in matching.genes:
            if match.homes:
                self._in_result[match.gene.id] = match.homes[0].id
            else:
                self._gone.add(match.gene.id)
            for part in match.transcripts:
                if part.after and part.fate is not Fate.MERGED:
                    self._in_result[part.before.transcript.id] = part.after.transcript.id
                    self._gene_of[part.before.transcript.id] = part.after.gene.id
                else:
                    self._gone.add(part.before.transcript.id)
                if part.fate is Fate.CHANGED:
                    self._changed |= {match.gene.id, part.before.transcript.id}
        self.rescued = {gene.id for gene in matching.made}
        self.rescued |= {transcript.id for gene in matching.made for transcript in gene.transcripts}

    def keys_in_result(self, row: Repair) -> tuple[tuple[RepairKind, str], ...]:
        """Kind and id of a row of the source as a reading of the result may have them."""
        return (row.kind, self._in_result.get(row.id, row.id)), (row.kind, row.id)

    def mended_alike(self, row: Repair) -> bool:
        """True if the result has what the row says was done, so that AGAT did it."""
        if row.id in self._gone or row.kind is RepairKind.RENAMED:  # other rows tell of lost genes and new names
            return False
        return row.id not in self._changed or row.kind in _WHATEVER_ENDS

    def shown(self, row: Repair) -> Repair:
        """The row with the result's ids where the source has none."""
        if row.id not in self.invented:
            return row
        gene = self._gene_of.get(row.id)
        detail = f"in gene {gene}" if gene and row.kind is RepairKind.TRANSCRIPT_MADE else row.detail
        return row._replace(id=self._in_result.get(row.id, row.id), detail=detail)


def rows_of_source(source: RepairReport, after: RepairReport, names: Names) -> Iterator[Repair]:
    """Faults of the source, told by who mended them, then what only AGAT's output needed."""
    left = Counter((row.kind, row.id) for row in after.rows if row.kind not in LOSSES)
    for row in source.rows:
        if row.kind in LOSSES:
            if row.id not in names.rescued:
                yield row
            continue
        again = next((key for key in names.keys_in_result(row) if left[key] > 0), None)
        if again:
            left[again] -= 1
            yield _told(names.shown(row), AFTER_AGAT)
        elif names.mended_alike(row):
            yield _told(names.shown(row), BY_AGAT)
    for row in after.rows:
        if left[row.kind, row.id] > 0:
            left[row.kind, row.id] -= 1
            yield _told(row._replace(line=0), AFTER_AGAT)  # the line would be one of AGAT's output


def rows_of_gene(match: GeneMatch, lines: SourceLines, names: Names) -> Iterator[Repair]:
    """What became of one gene of the source and of its transcripts."""
    gene = match.gene
    place = shown_place(gene.contig, gene.start, gene.end, gene.strand)
    line = lines.find(place, gene.id, gene=True)
    if not match.homes:
        yield Repair(RepairKind.GENE_LOST, gene.id, line, BY_AGAT, place)
        return
    home = match.homes[0]
    if match.shares_home and home.id != gene.id:
        detail = f"joined to gene {home.id}; {BY_AGAT}"
        yield Repair(RepairKind.GENE_LOST, gene.id, line, detail, place)
    elif home.id != gene.id and gene.id not in names.invented:
        yield Repair(RepairKind.RENAMED, gene.id, line, f"now {home.id}; {BY_AGAT}", place)
    if len(match.homes) > 1:
        others = ", ".join(other.id for other in match.homes)
        yield Repair(RepairKind.GENE_SPLIT, gene.id, line, f"{others}; {BY_AGAT}", place)
    for part in match.transcripts:
        yield from _rows_of_transcript(part, lines, names)


_KIND_OF_FATE = {
    Fate.CHANGED: RepairKind.TRANSCRIPT_CHANGED,
    Fate.MERGED: RepairKind.ISOFORM_MERGED,
    Fate.LOST: RepairKind.TRANSCRIPT_LOST,
}


def _rows_of_transcript(part: TranscriptMatch, lines: SourceLines, names: Names) -> Iterator[Repair]:
    gene, transcript = part.before
    place = shown_place(gene.contig, transcript.start, transcript.end, gene.strand)
    line = lines.find(place, transcript.id, gene=False)
    new_name = part.after.transcript.id if part.after else ""
    if part.fate in _KIND_OF_FATE:
        now = ""
        if part.after:
            start, end = part.after.transcript.start, part.after.transcript.end
            now = f"it is in {new_name}" if part.fate is Fate.MERGED else f"now {new_name} {start + 1}..{end}"
        yield Repair(_KIND_OF_FATE[part.fate], transcript.id, line, detail_in_gene(gene.id, now, BY_AGAT), place)
    elif new_name != transcript.id and transcript.id not in names.invented:
        yield Repair(RepairKind.RENAMED, transcript.id, line, f"now {new_name}; {BY_AGAT}", place)


def _told(row: Repair, who: str) -> Repair:
    return row._replace(detail=f"{row.detail}; {who}" if row.detail else who)
