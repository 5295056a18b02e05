"""The ``builtin`` cleaner: turn any reasonable GFF3 or GTF file into well-formed gene models.

It makes the same repairs as AGAT's ``agat_convert_sp_gxf2gxf.pl``, and differs on purpose where that tool loses or
joins genes: a gene id used at two places gives two genes, phases are recomputed, start > end is swapped, and a file
that is not an annotation is an error instead of an empty result.  Every change is listed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from phytoscribe.annotation.cleaning.drafts import GeneDraft, TranscriptDraft
from phytoscribe.annotation.cleaning.exons import extended_over, stretched, widened_by_utrs, with_stop_codons
from phytoscribe.annotation.cleaning.feature_tree import FeatureTree
from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, detail_in_gene, shown_place
from phytoscribe.annotation.cleaning.source_features import Feature
from phytoscribe.annotation.feature_types import BIOTYPE_KEYS, is_transcript_type
from phytoscribe.annotation.model import GeneModel, Transcript, sort_genes
from phytoscribe.genome.intervals import Interval, merge_intervals

log = logging.getLogger(__name__)

STRANDS = ("+", "-")
#: Bases between transcripts of one gene name, without a gene line over both, from which on they are of two genes.
FARTHEST_ISOFORMS = 5_000


def normalise(
    path: str | Path, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None] | None = None
) -> tuple[list[GeneModel], RepairReport]:
    """Read the gene models of a GFF3 or GTF file (plain or gzipped), and list the repairs.

    Args:
        contigs: name to length, in the order in which the genes are sorted.
        seqid_map: sequence name in the file to name in ``contigs``, or to None to leave the sequence out.

    Raises:
        GffError: a line is not a GFF line, a sequence is not in ``contigs``, or a feature lies past a contig's end.
    """
    report = RepairReport()
    tree = FeatureTree(path, contigs, report, seqid_map)
    names = _Names(report)
    genes: list[GeneModel] = []
    for draft in tree.genes:
        genes.extend(_finish_gene(draft, names, contigs, report))
    report.close(path, len(genes), sum(len(gene.transcripts) for gene in genes))
    if not genes:
        log.warning("%s: no genes found; the cleaned annotation is empty", path)
    return sort_genes(genes, contigs), report


class _Names:
    """Gives every gene and transcript a unique id."""

    def __init__(self, report: RepairReport) -> None:
        self._taken: set[str] = set()
        self._next_copy: dict[str, int] = {}
        self._report = report

    def unique(self, wanted: str, line: int, place: str) -> str:
        name, copy = wanted, self._next_copy.get(wanted, 2)
        while name in self._taken:
            name, copy = f"{wanted}_{copy}", copy + 1
        if name != wanted:
            self._next_copy[wanted] = copy
            self._report.add(RepairKind.RENAMED, wanted, line, f"now {name}", place)
        self._taken.add(name)
        return name


def _finish_gene(draft: GeneDraft, names: _Names, contigs: Mapping[str, int], report: RepairReport) -> list[GeneModel]:
    """The gene, or one gene for each strand, sequence and far-off place that its transcripts lie on."""
    by_side: dict[tuple[str, str], list[tuple[Transcript, int]]] = {}
    for transcript in draft.transcripts:
        found = _finish_transcript(transcript, draft, contigs, report)
        if found is not None:
            by_side.setdefault((found.contig, found.strand), []).append((found, _line_of(transcript.line)))
    line = draft.line
    where = line.place if line else next((transcript.place for transcript in draft.transcripts), "")
    if not by_side:
        kind = line.kind if line else ""
        report.add(RepairKind.GENE_WITHOUT_TRANSCRIPT, draft.id, _line_of(line), kind, where, genes=-1)
        return []
    if len(by_side) > 1:
        more = len(by_side) - 1
        report.add(RepairKind.GENE_SPLIT, draft.id, _line_of(line), f"{more + 1} places", where, genes=more)
    places = [(*side, group) for side, members in by_side.items() for group in _apart(draft, *side, members)]
    if (more := len(places) - len(by_side)) > 0:
        report.add(RepairKind.GENE_SPLIT_APART, draft.id, _line_of(line), f"{more + 1} places", where, genes=more)
    kind = line.kind if line and line.kind.lower() != "gene" else "gene"
    biotype = _given_biotype(draft)
    attributes = {k: v for k, v in line.attributes.items() if k != "biotype"} if line else {}
    first = draft.transcripts[0].line
    source = (line or first).row.source if line or first else draft.transcripts[0].parts[0].source
    genes = []
    for contig, strand, members in places:
        start, end = min(t.start for t, _ in members), max(t.end for t, _ in members)
        identifier = names.unique(draft.id, _line_of(line), shown_place(contig, start, end, strand))
        transcripts = tuple(
            replace(t, id=names.unique(t.id, at, shown_place(contig, t.start, t.end, strand))) for t, at in members
        )
        if line and len(places) == 1 and (line.row.start, line.row.end) != (start, end):
            was, now = f"{line.row.start + 1}..{line.row.end}", f"{start + 1}..{end}"
            report.add(RepairKind.GENE_RESIZED, identifier, line.row.line, f"{was} to {now}", where)
        score = line.score if line else None
        genes.append(GeneModel(identifier, contig, strand, transcripts, biotype, attributes, source, score, type=kind))
    return genes


def _apart(
    draft: GeneDraft, contig: str, strand: str, members: list[tuple[Transcript, int]]
) -> list[list[tuple[Transcript, int]]]:
    """Transcripts of one gene on one strand, those of places far from each other apart; a gene line joins them."""
    if len(members) == 1 and draft.line is None:
        return [members]
    spans = [(transcript.start, transcript.end, number) for number, (transcript, _) in enumerate(members)]
    if draft.line and (draft.line.row.contig, draft.line.row.strand) == (contig, strand):
        spans.append((draft.line.row.start, draft.line.row.end, -1))
    reach = FARTHEST_ISOFORMS if draft.named else 0
    groups: list[list[int]] = []
    last = 0
    for start, end, number in sorted(spans):
        if not groups or start - last > reach or (not draft.named and start >= last):
            groups.append([])
        groups[-1].append(number)
        last = max(last, end)
    found = [[members[number] for number in sorted(group) if number >= 0] for group in groups]
    return sorted(filter(None, found), key=lambda group: group[0][1])


def _given_biotype(draft: GeneDraft) -> str:
    """Biotype by the attributes of the gene or, in GTF files without gene lines, of its parts; "" if none."""
    sources = [draft.line.attributes] if draft.line else []
    sources += [dict(part.biotypes) for transcript in draft.transcripts for part in transcript.parts[:1]]
    return next((found for key in BIOTYPE_KEYS for attributes in sources if (found := attributes.get(key))), "")


def _finish_transcript(
    draft: TranscriptDraft, gene: GeneDraft, contigs: Mapping[str, int], report: RepairReport
) -> Transcript | None:
    """The transcript; None if there is none to be made, which is listed as a loss."""
    repairs = _Repairs(draft, gene, report)
    side = repairs.side()
    if side is None:
        return None
    contig, strand = side
    line = draft.line
    coding = repairs.segments("CDS")
    exons, cds = repairs.exons_and_cds(coding, strand)
    if not exons:
        repairs.add_loss(RepairKind.NO_PARTS)
        return None
    if max(end for _, end in exons) > contigs[contig]:
        repairs.add_loss(RepairKind.PAST_CIRCLE, f"{contig} has {contigs[contig]} bases")
        return None
    kind = line.kind if line else "transcript"
    if kind in ("transcript", "RNA") or (cds and not is_transcript_type(kind)):
        kind = "mRNA" if cds else "transcript"
    phases = {(part.start, part.end): part.phase for part in draft.parts if part.kind == "CDS"}
    transcript = Transcript(
        id=draft.id,
        exons=tuple(exons),
        cds=tuple(cds),
        type=kind,
        attributes=line.attributes if line else {},
        score=line.score if line else None,
        start_phase=_start_phase(phases[coding[0 if strand == "+" else -1]], cds) if cds else 0,
        contig=contig,
        strand=strand,
    )
    repairs.report_utrs(transcript)
    repairs.report_phases(transcript, phases)
    return transcript


def _line_of(feature: Feature | None) -> int:
    """Line number; 0 where the file has no such line."""
    return feature.row.line if feature else 0


class _Repairs:
    """The steps from a draft to a transcript, each of which may add to the list."""

    def __init__(self, draft: TranscriptDraft, gene: GeneDraft, report: RepairReport) -> None:
        self._draft = draft
        self._gene = gene
        self._report = report
        self._shown_place = ""

    def add(self, kind: RepairKind, detail: str, line: int = 0, transcripts: int = 0) -> None:
        draft = self._draft
        place = self._shown_place = self._shown_place or draft.place
        self._report.add(kind, draft.id, line or draft.first_line, detail, place, transcripts=transcripts)

    def add_loss(self, kind: RepairKind, detail: str = "") -> None:
        self.add(kind, detail_in_gene(self._gene.id, detail), transcripts=-1)

    def side(self) -> tuple[str, str] | None:
        """Sequence and strand of a transcript, from its parts, else from its line, else from its gene's."""
        draft = self._draft
        lines = [feature.row for feature in (draft.line, self._gene.line) if feature is not None]
        found = {(part.contig, part.strand) for part in draft.parts} or {(row.contig, row.strand) for row in lines}
        contigs = {contig for contig, _ in found}
        strands = {strand for _, strand in found if strand in STRANDS}
        strands = strands or {row.strand for row in lines[:1] if row.strand in STRANDS}
        if len(contigs) > 1 or len(strands) > 1:
            self.add_loss(RepairKind.MIXED_STRANDS, f"on {', '.join(sorted(map(' '.join, found))[:5])}")
            return None
        if not strands:
            self.add_loss(RepairKind.NO_STRAND)
            return None
        return contigs.pop(), strands.pop()

    def segments(self, kind: str) -> list[Interval]:
        found: set[Interval] = set()
        for part in self._draft.parts:
            if part.kind == kind:
                segment = (part.start, part.end)
                if segment in found:
                    self.add(RepairKind.DUPLICATE_LINE, kind, part.line)
                found.add(segment)
        return sorted(found)

    def exons_and_cds(self, coding: list[Interval], strand: str) -> tuple[list[Interval], list[Interval]]:
        line = self._draft.line
        exons = self.segments("exon")
        cds = self._with_stop_codon(coding, strand)
        utrs = sorted({(part.start, part.end) for part in self._draft.parts if part.kind == "UTR"})
        given = bool(exons)
        if not exons:
            exons = merge_intervals([*cds, *utrs])
            if exons:
                self.add(RepairKind.EXONS_MADE, "")
                exons = exons if utrs else self._stretched(exons, strand)
            elif line is not None:
                exons = [(line.row.start, line.row.end)]
                self.add(RepairKind.EXON_FROM_TRANSCRIPT, "")
        exons, outside = extended_over(exons, cds)
        for start, end in outside:
            self.add(RepairKind.EXON_EXTENDED, f"{start + 1}..{end}")
        if given and cds and utrs and (widened := widened_by_utrs(exons, cds, utrs)) != exons:
            self.add(RepairKind.EXONS_WIDENED, f"{len(exons)} exons to {len(widened)}")
            exons = widened
        return exons, cds

    def _stretched(self, exons: list[Interval], strand: str) -> list[Interval]:
        """Outer exons out to the ends of the transcript's own line, which is all that the file says of its UTRs."""
        if self._draft.line is None:
            return exons
        row = self._draft.line.row
        same_side = row.contig == self._draft.parts[0].contig and (row.strand == strand or row.strand not in STRANDS)
        if not same_side or row.start >= exons[-1][1] or row.end <= exons[0][0]:
            return exons
        longer = stretched(exons, row.start, row.end)
        if longer != exons:
            detail = f"{exons[0][0] + 1}..{exons[-1][1]} to {longer[0][0] + 1}..{longer[-1][1]}"
            self.add(RepairKind.EXONS_STRETCHED, detail)
        return longer

    def _with_stop_codon(self, coding: list[Interval], strand: str) -> list[Interval]:
        """CDS with the stop codon inside."""
        stops = sorted({(part.start, part.end) for part in self._draft.parts if part.kind == "stop_codon"})
        if not coding or not stops:
            return coding
        joined = with_stop_codons(coding, stops, strand)
        if joined != coding:
            self.add(RepairKind.STOP_CODON_JOINED, "")
        return joined

    def report_utrs(self, transcript: Transcript) -> None:
        """List UTRs as derived from exons and CDS if the file has exons, and its UTRs differ or are missing."""
        given = {(part.start, part.end) for part in self._draft.parts if part.kind == "UTR"}
        if not transcript.cds or not any(part.kind == "exon" for part in self._draft.parts):
            return
        made = [segment for side in transcript.utrs() for segment in side]
        if set(made) != given:
            self.add(RepairKind.UTRS_MADE, f"{len(made)}" + (f" in place of {len(given)}" if given else ""))

    def report_phases(self, transcript: Transcript, phases: Mapping[Interval, str]) -> None:
        given = [phases.get(segment) for segment in transcript.cds]
        right = [str(phase) for phase in transcript.cds_phases()]
        changed = [(old, new) for old, new in zip(given, right, strict=True) if old is not None and old != new]
        if changed:
            listed = ", ".join(f"{old} to {new}" for old, new in changed[:5])
            self.add(RepairKind.PHASES_RECOMPUTED, f"{len(changed)} of {len(right)}: {listed}")


def _start_phase(given: str, cds: list[Interval]) -> int:
    """Phase of the first CDS segment: the file's, unless only phase 0 makes the CDS a whole number of codons."""
    phase = int(given) if given in ("0", "1", "2") else 0
    length = sum(end - start for start, end in cds)
    return 0 if length % 3 == 0 and (length - phase) % 3 else phase
