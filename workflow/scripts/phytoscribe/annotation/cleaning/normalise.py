"""The ``builtin`` cleaner: any reasonable GFF3 or GTF file to well-formed gene models.

It repairs what AGAT's ``agat_convert_sp_gxf2gxf.pl`` repairs, and differs on purpose where that tool loses or joins
genes: a repeated gene id at two places stays two genes, phases are recomputed, start > end is swapped, and a file that
is no annotation is an error, not an empty result.  Every change is listed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from phytoscribe.annotation.cleaning.feature_tree import FeatureTree, GeneDraft
from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, shown_place
from phytoscribe.annotation.cleaning.transcript_repair import Side, finish_transcript, line_of, place_of, score_of
from phytoscribe.annotation.feature_types import BIOTYPE_KEYS
from phytoscribe.annotation.model import GeneModel, Transcript, sort_genes

log = logging.getLogger(__name__)


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
        genes.extend(_finish_gene(draft, names, contigs, report))
    report.genes_out = len(genes)
    if not genes:
        log.warning("%s: no genes found; the cleaned annotation is empty", path)
    return sort_genes(genes, contigs), report


class _Names:
    """Gives every gene and transcript an id of its own."""

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
    """The gene, or one gene for each strand and sequence that its transcripts lie on."""
    by_side: dict[Side, list[tuple[Transcript, int]]] = {}
    for transcript in draft.transcripts:
        found = finish_transcript(transcript, draft, contigs, report)
        if found is not None:
            by_side.setdefault(found[0], []).append((found[1], line_of(transcript.line)))
    line = draft.line
    where = line.place if line else next(map(place_of, draft.transcripts), "")
    if not by_side:
        report.add(RepairKind.GENE_WITHOUT_TRANSCRIPT, draft.id, line_of(line), line.kind if line else "", where)
        return []
    if len(by_side) > 1:
        report.add(RepairKind.GENE_SPLIT, draft.id, line_of(line), f"{len(by_side)} places", where)
    kind = line.kind if line else "gene"
    biotype = _given_biotype(draft)
    attributes = {k: v for k, v in line.attributes.items() if k != "biotype"} if line else {}
    genes = []
    for (contig, strand), members in by_side.items():
        start, end = min(t.start for t, _ in members), max(t.end for t, _ in members)
        identifier = names.unique(draft.id, line_of(line), shown_place(contig, start, end, strand))
        transcripts = tuple(
            _renamed(t, names.unique(t.id, at, shown_place(contig, t.start, t.end, strand))) for t, at in members
        )
        if line and len(by_side) == 1 and (line.row.start, line.row.end) != (start, end):
            was, now = f"{line.row.start + 1}..{line.row.end}", f"{start + 1}..{end}"
            report.add(RepairKind.GENE_RESIZED, identifier, line.row.line, f"{was} to {now}", where)
        genes.append(
            GeneModel(
                id=identifier,
                contig=contig,
                strand=strand,
                transcripts=transcripts,
                biotype=biotype,
                attributes=attributes,
                source=line.row.source if line else _source_of(draft),
                score=score_of(line),
                type="gene" if kind.lower() == "gene" else kind,
            )
        )
    return genes


def _renamed(transcript: Transcript, name: str) -> Transcript:
    return transcript if transcript.id == name else replace(transcript, id=name)


def _given_biotype(draft: GeneDraft) -> str:
    """Biotype by the attributes of the gene or, in GTF files without gene lines, of its parts; "" if none."""
    sources = [draft.line.attributes] if draft.line else []
    sources += [dict(part.biotypes) for transcript in draft.transcripts for part in transcript.parts[:1]]
    return next((found for key in BIOTYPE_KEYS for attributes in sources if (found := attributes.get(key))), "")


def _source_of(draft: GeneDraft) -> str:
    first = draft.transcripts[0]
    return first.line.row.source if first.line else first.parts[0].source
