"""Score splice sites as single bases: how well a score separates annotated sites from all other bases.

Definitions: a donor is the first base of an annotated intron, an acceptor its last base, in the direction of
transcription; introns of every isoform count, those in UTRs too, each site once.  Every base of both strands is a
candidate.  Average precision is the sum over the distinct scores, from the highest down, of precision times the gain in
recall, without interpolation.  Candidates of equal score are taken together, so their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel

DONOR, ACCEPTOR = 0, 1
SITES = ("donor", "acceptor")


@dataclass(frozen=True)
class SiteScore:
    """Scores for one kind of site; NaN without annotated sites.

    Attributes:
        average_precision: see the module.
        best_f1: the highest F1 over all thresholds.
        threshold, precision, recall: at that point; the highest threshold if several are equal.
        sites: annotated sites.
        candidates: scored bases on both strands.
    """

    average_precision: float
    best_f1: float
    threshold: float
    precision: float
    recall: float
    sites: int
    candidates: int


def annotated_sites(genes: Iterable[GeneModel], contig: str, length: int) -> npt.NDArray[np.bool_]:
    """Annotated sites of a contig: bool (2, length, 2) by strand (+, -), base in contig orientation, DONOR/ACCEPTOR."""
    sites = np.zeros((2, length, 2), dtype=np.bool_)
    for gene in genes:
        if gene.contig != contig:
            continue
        for transcript in gene.transcripts:
            for start, end in transcript.introns:
                first, last = (start, end - 1) if gene.strand == "+" else (end - 1, start)
                strand = int(gene.strand == "-")
                sites[strand, first, DONOR] = True
                sites[strand, last, ACCEPTOR] = True
    return sites


def score_sites(scores: npt.NDArray, sites: npt.NDArray[np.bool_]) -> dict[str, SiteScore]:
    """Compute scores by kind of site (:data:`SITES`).

    Args:
        scores: any real dtype, (2, length, 2) like the result of :func:`annotated_sites`; higher is more likely.
        sites: bool of the same shape.
    """
    if scores.shape != sites.shape:
        raise ValueError(f"scores of shape {scores.shape} for sites of shape {sites.shape}")
    kinds = enumerate(SITES)
    return {name: score_candidates(scores[..., kind].ravel(), sites[..., kind].ravel()) for kind, name in kinds}


def score_candidates(scores: npt.NDArray, positive: npt.NDArray[np.bool_]) -> SiteScore:
    """Compute the scores of one ranking.

    Args:
        scores: (n,), higher is more likely; no NaN.
        positive: bool (n,).
    """
    total = int(positive.sum())
    if not total:
        nothing = float("nan")
        return SiteScore(nothing, nothing, nothing, nothing, nothing, 0, scores.size)
    # At each distinct score, from the highest down: how many positives and candidates have at least that score.
    values = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    last = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)
    thresholds, found, taken = values[order][last], np.cumsum(positive[order], dtype=np.int64)[last], last + 1
    precision, recall = found / taken, found / total
    f1 = 2 * found / (taken + total)
    best = int(np.argmax(f1))
    return SiteScore(
        average_precision=float(np.sum(precision * np.diff(recall, prepend=0.0))),
        best_f1=float(f1[best]),
        threshold=float(thresholds[best]),
        precision=float(precision[best]),
        recall=float(recall[best]),
        sites=total,
        candidates=scores.size,
    )
