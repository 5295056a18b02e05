"""All figures of one genome, from the available results: scores, gene structure, and the worst loci."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.long_reads.alignments import ReadLimits
from phytoscribe.evaluation.quality.gene_shapes import measured
from phytoscribe.reporting.drawing import BASELINE, OURS, Drawing, axes_of, color_of, name_of
from phytoscribe.reporting.error_atlas import draw_locus
from phytoscribe.reporting.score_figures import (
    calibration,
    error_classes,
    exon_confusion,
    f1_by_level,
    precision_recall,
)
from phytoscribe.reporting.worst_loci import AlignedReads, GenesByPlace, worst_loci
from phytoscribe.tables import counts_near_loci

STRUCTURE = "structure"
#: Genes with at least so many CDS exons are counted together.
EXON_LIMIT = 20
#: Of each quantity the name of its figure, the label of its axis, and its title.
QUANTITIES = {
    "cds_length": ("cds_lengths", "CDS of a gene (bp)", "Lengths of coding sequences"),
    "cds_exon_length": ("exon_lengths", "CDS exon (bp)", "Lengths of CDS exons"),
    "intron_length": ("intron_lengths", "CDS intron (bp)", "Lengths of CDS introns"),
    "cds_exons": ("exon_counts", f"CDS exons of a gene ({EXON_LIMIT}: and more)", "CDS exons of genes"),
}


@dataclass(frozen=True)
class GenomeEvidence:
    """Data for the figures of a genome; all but the prediction may be missing.

    Attributes:
        genes: predicted genes.
        reference, augustus: genes of the annotation and of AUGUSTUS.
        contigs: the scored contigs; reference genes elsewhere are not drawn.
        scores, loci, predicted: tables, see :mod:`phytoscribe.reporting.score_figures`.
        bam: indexed Iso-Seq alignments; reads beyond ``limits`` do not count.
    """

    name: str
    genes: Sequence[GeneModel]
    contigs: Collection[str]
    reference: Sequence[GeneModel] | None = None
    augustus: Sequence[GeneModel] | None = None
    scores: pd.DataFrame | None = None
    loci: pd.DataFrame | None = None
    predicted: pd.DataFrame | None = None
    bam: str | Path | None = None
    limits: ReadLimits = field(default_factory=ReadLimits)


def draw_genome(evidence: GenomeEvidence) -> Iterator[Drawing]:
    """Yield the figures in the order of the report, each drawn on request."""
    name, scores, loci, predicted = evidence.name, evidence.scores, evidence.loci, evidence.predicted
    if scores is not None:
        yield f1_by_level(name, scores)
    if loci is not None and predicted is not None:
        drawn = (
            precision_recall(name, loci, predicted, scores is not None and counts_near_loci(scores)),
            calibration(name, predicted),
            error_classes(name, "reference loci", loci),
            error_classes(name, "predicted genes", predicted),
            exon_confusion(name, loci),
        )
        yield from filter(None, drawn)
    yield from score_distribution(name, evidence.genes)
    tracks = _tracks(evidence)
    yield from length_distributions(name, {track: measured(genes) for track, genes in tracks.items()})
    if loci is not None and evidence.reference is not None:
        yield from _atlas(evidence, loci, tracks)


def _tracks(evidence: GenomeEvidence) -> dict[str, list[GeneModel]]:
    """Genes by predictor on the scored contigs, the reference first."""
    given = {"reference": evidence.reference, OURS: evidence.genes, BASELINE: evidence.augustus}
    wanted = set(evidence.contigs)
    return {
        track: [gene for gene in genes if gene.contig in wanted and gene.coding_transcripts]
        for track, genes in given.items()
        if genes is not None
    }


def _atlas(evidence: GenomeEvidence, loci: pd.DataFrame, tracks: dict[str, list[GeneModel]]) -> Iterator[Drawing]:
    ours = loci[loci["predictor"] == OURS]
    by_place = {track: GenesByPlace(genes) for track, genes in tracks.items()}
    with nullcontext() if evidence.bam is None else AlignedReads(evidence.bam, evidence.limits) as reads:
        for rank, locus in enumerate(worst_loci(ours, tracks["reference"], tracks[OURS], reads), 1):
            yield draw_locus(rank, locus, by_place, reads)


def length_distributions(genome: str, measured: Mapping[str, Mapping[str, np.ndarray]]) -> Iterator[Drawing]:
    """Lengths of CDS, exons and introns, and exon counts: values by predictor and by key of :data:`QUANTITIES`."""
    for kind, (name, label, title) in QUANTITIES.items():
        values = {predictor: found[kind] for predictor, found in measured.items() if found[kind].size}
        if values:
            yield _distribution(genome, values, name, label, title, is_count=kind == "cds_exons")


def _distribution(
    genome: str, values: Mapping[str, np.ndarray], name: str, label: str, title: str, is_count: bool
) -> Drawing:
    edges = np.arange(1, EXON_LIMIT + 2) - 0.5 if is_count else _log_edges(values.values())
    rows: list[tuple] = []
    with axes_of((5.0, 3.1), grid="y") as axes:
        for predictor, found in values.items():
            counts, _ = np.histogram(np.clip(found, edges[0], edges[-1] * (1 - 1e-9)), edges)
            shares = counts / found.size
            is_reference = predictor == "reference"
            axes.stairs(
                shares, edges, color=color_of(predictor), fill=is_reference, alpha=0.3 if is_reference else 1.0,
                linewidth=1.5, linestyle="--" if predictor == "augustus" else "-", label=name_of(predictor),
            )  # fmt: skip
            rows += [(predictor, *row) for row in zip(edges, edges[1:], counts, shares)]
        if is_count:
            axes.set_xticks([1, 5, 10, 15, 20])
        else:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.tick_params(axis="x", labelsize=8)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xlabel(label)
        axes.legend()
    medians = "; ".join(f"{name_of(predictor)} {np.median(found):,.0f}" for predictor, found in values.items())
    return Drawing(
        name, STRUCTURE, title, f"Distribution: {title}, {genome}. Medians: {medians}.", axes.figure,
        pd.DataFrame(rows, columns=["predictor", "low", "high", "count", "share"]),
    )  # fmt: skip


def score_distribution(genome: str, genes: Sequence[GeneModel]) -> Iterator[Drawing]:
    """Histogram of the scores of predicted genes; nothing if no gene has a score."""
    scores = np.array([gene.score for gene in genes if gene.score is not None])
    if not scores.size:
        return
    edges = np.linspace(0, 1, 21)
    counts, _ = np.histogram(np.clip(scores, 0, 1), edges)
    with axes_of((5.4, 2.9), grid="y", layout="constrained") as axes:
        axes.stairs(counts, edges, fill=True, color=color_of(OURS))
        axes.set(xlim=(0, 1), xlabel="score: probability that exactly this CDS is right", ylabel="predicted genes")
    yield Drawing(
        "score_distribution", STRUCTURE, "Scores of the predicted genes",
        f"Histogram of the scores of {scores.size:,} genes of {genome}: {np.mean(scores >= 0.9):.0%} reach 0.9, "
        f"{np.mean(scores < 0.5):.0%} are below 0.5.",
        axes.figure, pd.DataFrame({"low": edges[:-1], "high": edges[1:], "genes": counts}),
    )  # fmt: skip


def _log_edges(values: Collection[np.ndarray]) -> np.ndarray:
    """Edges of 40 bins; one value in a thousand on either side is beyond them and falls into the outer bins."""
    low = min(np.quantile(part, 0.001) for part in values)
    high = max(np.quantile(part, 0.999) for part in values)
    return np.geomspace(max(1.0, low), max(low + 1, high) + 1, 41)
