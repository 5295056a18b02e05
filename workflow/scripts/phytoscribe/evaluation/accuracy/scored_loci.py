"""What is scored: which contigs, which reference loci, which predicted genes.

With a split by contigs or species the scored contigs hold loci of one part only, and every predicted gene on them
counts.  With a split by clusters they also hold training loci; then only predictions that overlap the held-out
intervals (scored loci with ``flank`` bases on each side) count, as the rest of the contig was seen in training.  False
genes between the loci are not seen then, so precision and F1 are higher than over whole contigs: they are named
``precision_near_loci`` and ``f1_near_loci`` (:func:`phytoscribe.tables.near_loci`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from phytoscribe.annotation.checking.reasons import Reason
from phytoscribe.annotation.checking.tables import TranscriptRow, without_rejected
from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import Mask, Scored
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.tables import near_loci

log = logging.getLogger(__name__)
#: Reasons of the annotation check that keep a transcript out of training, but not out of the reference.
UNUSUAL_BUT_REAL = frozenset(
    {Reason.AT_AC_SPLICE_SITE, Reason.SPLICE_SITE, Reason.CDS_SEGMENT_TOO_SHORT, Reason.INTRON_TOO_LONG}
)
NO_TRAIN_HOMOLOGUE = "no_train_homologue"


@dataclass(frozen=True)
class Scope:
    """One genome's reference, ready for scoring any number of predictors.

    Attributes:
        reference: scored reference loci.
        ignored: known loci that are no reference: of another part of the split, or without an intact reading frame.
        contigs: scored contigs.
        mask: intervals by contig that count on neither side.
        subsets: further subsets of the reference, by gene id.
        held_out: intervals outside which no prediction counts; None if all of the scored contigs are held out.
    """

    reference: Sequence[GeneModel]
    ignored: Sequence[GeneModel]
    contigs: Collection[str]
    mask: Mask
    subsets: Mapping[str, Collection[str]] = field(default_factory=dict)
    held_out: IntervalIndex | None = None

    @classmethod
    def of(
        cls,
        annotation: Sequence[GeneModel],
        rejected: Sequence[TranscriptRow],
        contigs: Collection[str],
        mask: Mask | None = None,
        splits: pd.DataFrame | None = None,
        part: str = "test",
        flank: int = 500,
    ) -> Scope:
        """Scope of one genome.

        Args:
            annotation: the cleaned annotation, with the transcripts that the check rejected.
            rejected: the check's table, of :func:`~phytoscribe.annotation.checking.tables.read_transcripts`.
            contigs: the scored contigs.
            mask: intervals by contig that count on neither side.
            splits: this genome's rows of the split table; without them every locus on ``contigs`` is scored.
            part: the scored part of the split.
            flank: bases beside a locus that are held out with it where parts mix on a contig.
        """
        contigs = frozenset(contigs)
        reference, broken = without_broken([gene for gene in annotation if gene.contig in contigs], rejected)
        if splits is None:
            return cls(reference, broken, contigs, mask or {})
        rows = splits[splits["contig"].isin(contigs)]
        chosen = rows[rows["part"] == part]
        ids, other_ids = set(chosen["locus"]), set(rows.loc[rows["part"] != part, "locus"])
        mixed = bool((rows["part"] != part).any())
        # Loci that were no use for training (U12 introns, say) have no row; they count where the contig is one part's.
        scored = [gene for gene in reference if gene.id in ids or not (mixed or gene.id in other_ids)]
        names = {gene.id for gene in scored}
        ignored = [*(gene for gene in reference if gene.id not in names), *broken]
        log.info("part %s: %d loci scored, %d known but not scored", part, len(scored), len(ignored))
        subsets = {NO_TRAIN_HOMOLOGUE: set(chosen.loc[~chosen["has_train_homologue"], "locus"])}
        return cls(scored, ignored, contigs, mask or {}, subsets, _flanked(scored, flank) if mixed else None)

    def scored(self, predicted: Iterable[GeneModel]) -> Scored:
        """The reference and the predicted genes that lie where predictions are scored, ready for every criterion."""
        return Scored.of(self.reference, self.countable(predicted), self.mask, self.contigs, self.ignored)

    def countable(self, predicted: Iterable[GeneModel]) -> list[GeneModel]:
        """Predicted genes that lie where predictions are scored."""
        if self.held_out is None:
            return list(predicted)
        return [gene for gene in predicted if self.held_out.overlaps(gene.contig, gene.start, gene.end)]

    def metric(self, name: str) -> str:
        """The name in the score table of a metric that counts predictions where :meth:`countable` keeps them."""
        return name if self.held_out is None else near_loci(name)


def without_broken(
    annotation: Sequence[GeneModel], rejected: Sequence[TranscriptRow]
) -> tuple[list[GeneModel], list[GeneModel]]:
    """The annotation in two: genes with their transcripts that can be reference, and genes that have none.

    A transcript that the check rejected can still be reference if only its introns or exons are unusual
    (:data:`UNUSUAL_BUT_REAL`): dropping those would make the benchmark easier than the genome is.  Genes without any
    coding transcript are in neither list.
    """
    coding = [replace(gene, transcripts=gene.coding_transcripts) for gene in annotation if gene.coding_transcripts]
    kept = without_rejected(coding, rejected, UNUSUAL_BUT_REAL)
    names = {gene.id for gene in kept}
    return kept, [gene for gene in coding if gene.id not in names]


def _flanked(genes: Iterable[GeneModel], flank: int) -> IntervalIndex:
    tracks: dict[str, list[tuple[int, int]]] = {}
    for gene in genes:
        tracks.setdefault(gene.contig, []).append((max(0, gene.start - flank), gene.end + flank))
    return IntervalIndex(tracks)
