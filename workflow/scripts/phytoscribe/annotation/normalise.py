"""The ``builtin`` cleaner: any reasonable GFF3 or GTF file to well-formed gene models.

It repairs what AGAT's ``agat_convert_sp_gxf2gxf.pl`` repairs, and differs on purpose where that tool loses or joins
genes: a repeated gene id at two places stays two genes, phases are recomputed, start > end is mended, and a file that
is no annotation is an error, not an empty result.  Every change is listed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from phytoscribe.annotation.feature_tree import Feature, FeatureTree, GeneDraft, TranscriptDraft
from phytoscribe.annotation.gff_reader import BIOTYPE_KEYS, default_biotype
from phytoscribe.annotation.model import GeneModel, Interval, Transcript, merge_intervals, sort_genes
from phytoscribe.annotation.repairs import RepairKind, RepairReport

log = logging.getLogger(__name__)

Place = tuple[str, str]
STRANDS = ("+", "-")


def normalise(
    path: str | Path, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None] | None = None
) -> tuple[list[GeneModel], RepairReport]:
    """Gene models of a GFF3 or GTF file (plain or gzipped), and what was repaired.

    Args:
        contigs: name to length, in the order in which the genes are sorted.
        seqid_map: sequence name in the file to name in ``contigs``, or to None to leave the sequence out.

    Raises:
        GffError: a line that is no GFF line, a sequence that is not in ``contigs``, a feature past a contig's end.
    """
    report = RepairReport()
    tree = FeatureTree(path, contigs, report, seqid_map)
    names = _Names(report)
    genes: list[GeneModel] = []
    for draft in tree.genes:
        genes.extend(_finish_gene(draft, names, report))
    report.genes_out = len(genes)
    if not genes:
        log.warning("%s: no genes found; the cleaned annotation is empty", path)
    return sort_genes(genes, contigs), report


class _Names:
    """Gives every gene and transcript an id of its own."""

    def __init__(self, report: RepairReport) -> None:
        self._taken: set[str] = set()
        self._report = report

    def unique(self, wanted: str, line: int) -> str:
        name, copy = wanted, 2
        while name in self._taken:
            name, copy = f"{wanted}_{copy}", copy + 1
        if name != wanted:
            self._report.add(RepairKind.RENAMED, wanted, line, f"now {name}")
        self._taken.add(name)
        return name


def _finish_gene(draft: GeneDraft, names: _Names, report: RepairReport) -> list[GeneModel]:
    """The gene, or one gene for each strand and sequence that its transcripts lie on."""
    by_place: dict[Place, list[tuple[Transcript, int]]] = {}
    for transcript in draft.transcripts:
        found = _finish_transcript(transcript, draft, report)
        if found is not None:
            by_place.setdefault(found[0], []).append((found[1], _line_of(transcript.line)))
    line = draft.line
    if not by_place:
        report.add(RepairKind.GENE_WITHOUT_TRANSCRIPT, draft.id, _line_of(line), line.kind if line else "")
        return []
    if len(by_place) > 1:
        report.add(RepairKind.GENE_SPLIT, draft.id, _line_of(line), f"{len(by_place)} places")
    genes = []
    for (contig, strand), members in by_place.items():
        identifier = names.unique(draft.id, _line_of(line))
        transcripts = tuple(_renamed(transcript, names.unique(transcript.id, at)) for transcript, at in members)
        gene = GeneModel(
            id=identifier,
            contig=contig,
            strand=strand,
            transcripts=transcripts,
            biotype=_biotype(draft, transcripts),
            attributes={k: v for k, v in line.attributes.items() if k != "biotype"} if line else {},
            source=line.row.source if line else _source_of(draft),
            score=_score(line),
        )
        if line and len(by_place) == 1 and (line.row.start, line.row.end) != (gene.start, gene.end):
            was, now = f"{line.row.start + 1}..{line.row.end}", f"{gene.start + 1}..{gene.end}"
            report.add(RepairKind.GENE_RESIZED, identifier, line.row.line, f"{was} to {now}")
        genes.append(gene)
    return genes


def _renamed(transcript: Transcript, name: str) -> Transcript:
    return transcript if transcript.id == name else Transcript(**{**_fields(transcript), "id": name})


def _fields(transcript: Transcript) -> dict[str, object]:
    return {name: getattr(transcript, name) for name in Transcript.__slots__}


def _biotype(draft: GeneDraft, transcripts: tuple[Transcript, ...]) -> str:
    line = draft.line
    sources = [line.attributes] if line else []
    sources += [part.attributes for transcript in draft.transcripts for part in transcript.parts[:1]]
    for key in BIOTYPE_KEYS:
        for attributes in sources:
            if attributes.get(key):
                return attributes[key]
    return default_biotype(line.kind if line else "gene", transcripts)


def _source_of(draft: GeneDraft) -> str:
    first = draft.transcripts[0]
    return (first.line or first.parts[0]).row.source


def _line_of(feature: Feature | None) -> int:
    return feature.row.line if feature else 0


def _score(feature: Feature | None) -> float | None:
    return None if feature is None or feature.row.score == "." else float(feature.row.score)


def _finish_transcript(
    draft: TranscriptDraft, gene: GeneDraft, report: RepairReport
) -> tuple[Place, Transcript] | None:
    place = _place(draft, gene, report)
    if place is None:
        return None
    strand = place[1]
    line = draft.line
    exons = _segments(draft, "exon", report)
    coding = _segments(draft, "CDS", report)
    phases = {(part.row.start, part.row.end): part.row.phase for part in draft.parts if part.kind == "CDS"}
    cds = _with_stop_codon(draft, coding, strand, report)
    if not exons:
        utrs = [(part.row.start, part.row.end) for part in draft.parts if part.kind == "UTR"]
        exons = merge_intervals([*cds, *utrs])
        if exons:
            report.add(RepairKind.EXONS_MADE, draft.id, _line_of(line))
        elif line is not None:
            exons = [(line.row.start, line.row.end)]
            report.add(RepairKind.EXON_FROM_TRANSCRIPT, draft.id, line.row.line)
        else:
            return None
    exons = _covering(exons, cds, draft.id, report)
    kind = line.kind if line else "transcript"
    if kind in ("transcript", "RNA"):
        kind = "mRNA" if cds else "transcript"
    transcript = Transcript(
        id=draft.id,
        exons=tuple(exons),
        cds=tuple(cds),
        type=kind,
        attributes=line.attributes if line else {},
        score=_score(line),
        start_phase=_start_phase(coding, phases, strand) if cds else 0,
    )
    _report_phases(transcript, strand, phases, report)
    return place, transcript


def _place(draft: TranscriptDraft, gene: GeneDraft, report: RepairReport) -> Place | None:
    """Sequence and strand of a transcript, from its parts first, then its own line, then its gene's."""
    lines = [feature.row for feature in (draft.line, gene.line) if feature is not None]
    rows = [part.row for part in draft.parts] or lines
    contigs = {row.contig for row in rows}
    strands = {row.strand for row in rows if row.strand in STRANDS}
    strands = strands or {row.strand for row in lines[:1] if row.strand in STRANDS}
    if len(contigs) > 1 or len(strands) > 1:
        report.add(RepairKind.MIXED_STRANDS, draft.id, rows[0].line)
        return None
    if not strands:
        report.add(RepairKind.NO_STRAND, draft.id, rows[0].line)
        return None
    return contigs.pop(), strands.pop()


def _segments(draft: TranscriptDraft, kind: str, report: RepairReport) -> list[Interval]:
    found: dict[Interval, int] = {}
    for part in draft.parts:
        if part.kind == kind:
            segment = (part.row.start, part.row.end)
            if segment in found:
                report.add(RepairKind.DUPLICATE_LINE, draft.id, part.row.line, kind)
            found[segment] = part.row.line
    return sorted(found)


def _with_stop_codon(
    draft: TranscriptDraft, coding: list[Interval], strand: str, report: RepairReport
) -> list[Interval]:
    """CDS with the stop codon inside; GTF keeps it outside."""
    stops = sorted({(part.row.start, part.row.end) for part in draft.parts if part.kind == "stop_codon"})
    if not coding:
        return coding
    if strand == "+":
        last = coding[-1][1]
        outside = [(max(start, last), end) for start, end in stops if end > last]
    else:
        last = coding[0][0]
        outside = [(start, min(end, last)) for start, end in stops if start < last]
    if not outside:
        return coding
    report.add(RepairKind.STOP_CODON_JOINED, draft.id)
    joined = list(coding)
    for start, end in outside if strand == "+" else outside[::-1]:
        if strand == "+" and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        elif strand == "-" and joined[0][0] == end:
            joined[0] = (start, joined[0][1])
        else:  # the stop codon lies behind an intron, or is cut by one
            joined = sorted([*joined, (start, end)])
    return joined


def _covering(exons: list[Interval], cds: list[Interval], name: str, report: RepairReport) -> list[Interval]:
    """Exons that hold every CDS segment; a segment across several exons stays as it is, for the check to reject."""
    covered = list(exons)
    for start, end in cds:
        touching = [exon for exon in covered if exon[0] < end and start < exon[1]]
        if len(touching) > 1 or (touching and touching[0][0] <= start and end <= touching[0][1]):
            continue
        report.add(RepairKind.EXON_EXTENDED, name, 0, f"{start + 1}..{end}")
        for exon in touching:
            covered.remove(exon)
        covered.append((min([start, *(s for s, _ in touching)]), max([end, *(e for _, e in touching)])))
        covered.sort()
    return covered


def _start_phase(coding: list[Interval], phases: Mapping[Interval, str], strand: str) -> int:
    """Phase of the first CDS segment: the file's, unless only phase 0 makes the CDS a whole number of codons."""
    given = phases[coding[0 if strand == "+" else -1]]
    phase = int(given) if given in ("0", "1", "2") else 0
    length = sum(end - start for start, end in coding)
    return 0 if length % 3 == 0 and (length - phase) % 3 else phase


def _report_phases(transcript: Transcript, strand: str, phases: Mapping[Interval, str], report: RepairReport) -> None:
    given = [phases.get(segment) for segment in transcript.cds]
    right = [str(phase) for phase in transcript.cds_phases(strand)]
    changed = [(old, new) for old, new in zip(given, right, strict=True) if old is not None and old != new]
    if changed:
        shown = ", ".join(f"{old} to {new}" for old, new in changed[:5])
        report.add(RepairKind.PHASES_RECOMPUTED, transcript.id, 0, f"{len(changed)} of {len(right)}: {shown}")
