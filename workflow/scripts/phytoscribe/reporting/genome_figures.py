"""All figures of one genome, from whatever is known of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.long_reads.alignments import ReadLimits
from phytoscribe.evaluation.quality.gene_shapes import measured
from phytoscribe.reporting.drawing import Drawing
from phytoscribe.reporting.error_atlas import error_atlas
from phytoscribe.reporting.score_figures import (
    OURS,
    calibration,
    error_classes,
    exon_confusion,
    f1_by_level,
    precision_recall,
)
from phytoscribe.reporting.structure_figures import length_distributions, score_distribution
from phytoscribe.reporting.worst_loci import AlignedReads, GenesByPlace, worst_loci
from phytoscribe.tables import counts_near_loci

#: Loci in the error atlas.
ATLAS = 20


@dataclass(frozen=True)
class GenomeEvidence:
    """What figures of a genome are drawn from; all but the prediction may be missing.

    Attributes:
        genes: predicted genes.
        reference, augustus: genes of the annotation and of AUGUSTUS.
        contigs: where genes were scored: those of the reference elsewhere are not drawn.
        scores: ``{genome}.genes.tsv``.
        loci: ``{genome}.reference_loci.tsv``.
        predicted: ``{genome}.predicted_genes.tsv``.
        bam: Iso-Seq reads on the genome, indexed; ``limits`` tells those that count.
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
    """The figures in the order of the report, each drawn when it is asked for."""
    name, loci, predicted = evidence.name, evidence.loci, evidence.predicted
    if evidence.scores is not None:
        yield f1_by_level(name, evidence.scores)
    if loci is not None and predicted is not None:
        for found in (
            precision_recall(name, loci, predicted, evidence.scores is not None and counts_near_loci(evidence.scores)),
            calibration(name, predicted),
            error_classes(name, "reference loci", loci),
            error_classes(name, "predicted genes", predicted),
            exon_confusion(name, loci),
        ):
            if found is not None:
                yield found
    drawn = score_distribution(name, evidence.genes)
    if drawn is not None:
        yield drawn
    tracks = _tracks(evidence)
    yield from length_distributions(name, {track: measured(genes) for track, genes in tracks.items()})
    if loci is not None and evidence.reference is not None:
        yield from _atlas(evidence, loci, tracks)


def _tracks(evidence: GenomeEvidence) -> dict[str, list[GeneModel]]:
    """Genes by predictor on the scored contigs, the reference first."""
    given = {"reference": evidence.reference, OURS: evidence.genes, "augustus": evidence.augustus}
    wanted = set(evidence.contigs)
    return {
        track: [gene for gene in genes if gene.contig in wanted and gene.coding_transcripts]
        for track, genes in given.items()
        if genes is not None
    }


def _atlas(evidence: GenomeEvidence, loci: pd.DataFrame, tracks: dict[str, list[GeneModel]]) -> Iterator[Drawing]:
    ours = loci[loci["predictor"] == OURS]
    by_place = {track: GenesByPlace(genes) for track, genes in tracks.items()}
    if evidence.bam is None:
        worst = worst_loci(ours, tracks["reference"], tracks[OURS], None, ATLAS)
        yield from error_atlas(worst, by_place, None)
        return
    with AlignedReads(evidence.bam, evidence.limits) as reads:
        worst = worst_loci(ours, tracks["reference"], tracks[OURS], reads, ATLAS)
        yield from error_atlas(worst, by_place, reads)
