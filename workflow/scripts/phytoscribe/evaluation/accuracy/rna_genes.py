"""Score RNA genes against an annotation that has types.

A gene and a reference gene of its type match if they share, on the same strand, at least half of the bases of both.
Ruler ``place`` asks no more; ruler ``product`` also for the same amino acid of a tRNA and the same rRNA (25S, 26S and
28S are one).  Only types that the annotation has are scored: of others it says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.gene_matching import Agreement
from phytoscribe.genome.intervals import as_places, overlapping_pairs
from phytoscribe.tables import ScoreRow, score_table

#: Least shared part of both.
OVERLAP = 0.5
_METRICS = ("precision", "recall", "f1")
_MICRO = frozenset({"miRNA", "pre_miRNA", "miRNA_primary_transcript", "microRNA", "primary_transcript"})
#: Attributes that may tell the product, the first one that does counts.
_TELLING = ("product", "Note", "description", "Name", "gene", "Alias")
_AMINO_ACID = re.compile(r"tRNA[-_ ]?\(?(?:i|f)?([A-Z][a-z]{2})(?![a-z])")
_SUBUNIT = re.compile(r"(?<![\d.])(\d{1,2}(?:[._]\d)?) ?S(?![a-z])")
_LARGE = {"25": "28", "26": "28"}


class _Found(NamedTuple):
    contig: str
    strand: str
    start: int
    end: int
    product: str


def type_of(kind: str, biotype: str) -> str:
    """One name for the types of files from several sources; empty for what is no gene of an RNA."""
    if kind in _MICRO and (kind != "primary_transcript" or "miRNA" in biotype):
        return "pre_miRNA"
    return kind if kind.lower().endswith(("rna", "ribozyme")) and kind not in ("mRNA", "RNA") else ""


def product_of(kind: str, attributes: Mapping[str, str]) -> str:
    """Amino acid of a tRNA or size of an rRNA (``18``); empty for others and where the attributes do not tell."""
    pattern = {"tRNA": _AMINO_ACID, "rRNA": _SUBUNIT}.get(kind)
    for key in _TELLING if pattern else ():
        found = pattern.search(attributes.get(key, ""))
        if found:
            size = found[1].replace("_", ".")
            return _LARGE.get(size, size)
    return ""


def _by_type(genes: Iterable[GeneModel], contigs: Collection[str]) -> dict[str, list[_Found]]:
    """Genes of each type, each once: from the first base of its transcripts of this type to the last."""
    found: dict[str, list[_Found]] = defaultdict(list)
    for gene in genes:
        if gene.contig not in contigs or gene.coding_transcripts:
            continue
        kinds = {type_of(transcript.type, gene.biotype) for transcript in gene.transcripts} - {""}
        for kind in sorted(kinds):
            of_kind = [t for t in gene.transcripts if type_of(t.type, gene.biotype) == kind]
            told = [product_of(kind, t.attributes) for t in of_kind] + [product_of(kind, gene.attributes)]
            start, end = min(t.start for t in of_kind), max(t.end for t in of_kind)
            found[kind].append(_Found(gene.contig, gene.strand, start, end, next(filter(None, told), "")))
    return found


def score_noncoding(
    predicted: Iterable[GeneModel],
    reference: Iterable[GeneModel],
    contigs: Collection[str],
    tools: Mapping[str, str],
) -> pd.DataFrame:
    """Precision, recall and F1 of each type that was searched for and that the reference has.

    Args:
        contigs: those that were searched.
        tools: ``{type: program}``; the key ``ncRNA`` stands for all types that are not named.

    Returns:
        A table of :data:`phytoscribe.tables.SCORES`: ``predictor`` is the program, ``level`` the type.
    """
    ours, theirs = _by_type(predicted, contigs), _by_type(reference, contigs)
    rows: list[ScoreRow] = []
    for kind in sorted(theirs):
        tool = tools.get(kind, "" if kind in ("tRNA", "rRNA") else tools.get("ncRNA", ""))
        if not tool or (kind not in tools and kind not in ours):
            continue  # Rfam need not have a family of this type, for example of lnc_RNA
        rows += _scores(tool, kind, "place", ours.get(kind, []), theirs[kind])
        # Families of Rfam, for example, do not tell the amino acid.
        told = [any(gene.product for gene in genes) for genes in (theirs[kind], ours.get(kind, []))]
        if told[0] and (told[1] or not ours.get(kind)):
            rows += _scores(tool, kind, "product", ours.get(kind, []), theirs[kind])
    return score_table(rows)


def _scores(
    tool: str, kind: str, ruler: str, predicted: Sequence[_Found], reference: Sequence[_Found]
) -> list[ScoreRow]:
    left, right = _matches(predicted, reference)
    counted_left, counted_right = set(range(len(predicted))), set(range(len(reference)))
    pairs = list(zip(left, right, strict=True))
    if ruler == "product":
        # What the reference does not tell can be neither right nor wrong.
        untold = {number for number, gene in enumerate(reference) if not gene.product}
        counted_right -= untold
        counted_left -= {a for a, b in pairs if b in untold} - {a for a, b in pairs if b not in untold}
        pairs = [(a, b) for a, b in pairs if b not in untold and predicted[a].product == reference[b].product]
    right_ones, found = len({a for a, _ in pairs}), len({b for _, b in pairs})
    agreement = Agreement(right_ones, len(counted_left), found, len(counted_right))
    return [(tool, *row) for row in agreement.rows(kind, ruler, "all") if row[3] in _METRICS]


def _matches(predicted: Sequence[_Found], reference: Sequence[_Found]) -> tuple[list[int], list[int]]:
    """Numbers of all pairs that match by place."""
    left: list[int] = []
    right: list[int] = []
    tracks = {(gene.contig, gene.strand) for gene in predicted}
    for track in sorted(tracks):
        ours = np.array([n for n, gene in enumerate(predicted) if gene[:2] == track], dtype=np.int64)
        theirs = np.array([n for n, gene in enumerate(reference) if gene[:2] == track], dtype=np.int64)
        first = as_places((predicted[n].start, predicted[n].end) for n in ours)
        second = as_places((reference[n].start, reference[n].end) for n in theirs)
        a, b = overlapping_pairs(first, second)
        shared = np.minimum(first[a, 1], second[b, 1]) - np.maximum(first[a, 0], second[b, 0])
        longer = np.maximum(first[a, 1] - first[a, 0], second[b, 1] - second[b, 0])
        kept = shared >= OVERLAP * longer
        left += ours[a[kept]].tolist()
        right += theirs[b[kept]].tolist()
    return left, right
