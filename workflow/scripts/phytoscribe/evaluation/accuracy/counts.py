"""The exact CDS ruler: predicted against reference genes, with no tolerance at any boundary.

Definitions (the figures that AUGUSTUS 3.5.0 gets on the test contig under them are in
``tests/unit/evaluation/accuracy/test_counts.py``):

* Only coding sequence counts; UTRs and transcripts without CDS are ignored.  The stop codon is part of the CDS.
* ``base``: bases that are CDS of any transcript, each strand on its own.
* ``cds_exon``, ``intron`` (gaps between CDS segments): unique (contig, strand, start, end).
* ``intron_chain``: unique chains of all CDS introns of a transcript that has any.
* ``start``, ``stop``, ``donor``, ``acceptor``: unique (contig, strand, position of the first base in contig order).
* ``transcript``: unique CDS chains; a predicted chain is right if it equals that of any reference isoform.
* ``locus``: genes; a locus is right if any of its transcripts is.  Precision counts predicted genes, recall reference
  genes.
* Mask: a transcript whose CDS shares a base with a mask interval (on either strand) is dropped whole, on both sides;
  bases in a mask interval are not counted.
* Loci left out of the scored set (``ignored``, and in a subset all loci outside it) are no reference; a predicted gene
  whose CDS overlaps one of them on the same strand, and that of no scored locus, counts neither for nor against.
  Predictions between loci count against every subset in full, so precision in a small subset is a lower bound.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel, Interval, Transcript
from phytoscribe.evaluation.accuracy.gene_arrays import Axis, Flags, GeneColumns, ids_in
from phytoscribe.evaluation.accuracy.gene_matching import Agreement, Choice, Comparison, Row
from phytoscribe.genome.intervals import merged

RULER = "exact"
ALL = "all"
LEVELS = ("base", "cds_exon", "intron", "intron_chain", "transcript", "locus", "start", "stop", "donor", "acceptor")
COLUMNS = ("level", "ruler", "subset", "metric", "value", "n")
Mask = Mapping[str, Sequence[Interval]]


def score_genes(
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    mask: Mask | None = None,
    contigs: Collection[str] | None = None,
    subsets: Mapping[str, Collection[str]] | None = None,
    ignored: Sequence[GeneModel] = (),
) -> pd.DataFrame:
    """Scores at every level, in long format.

    Args:
        reference: reference genes.
        predicted: predicted genes.
        mask: intervals by contig that count on neither side.
        contigs: the scored contigs; None for all.
        subsets: further subsets of the reference by name, each a set of gene ids; ``all`` is always scored.
        ignored: loci that are known but cannot serve as reference (for instance with a broken reading frame only).

    Returns:
        Columns :data:`COLUMNS`; precision without predictions and recall without reference are NaN.
    """
    scored = Scored.of(reference, predicted, mask, contigs, ignored)
    rows: list[Row] = []
    for subset, choice in scored.choices(subsets or {}):
        for level, agreement in scored.comparison.agreements(choice, LEVELS).items():
            rows += agreement.rows(level, RULER, subset)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def exact_f1(
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    mask: Mask | None = None,
    contigs: Collection[str] | None = None,
) -> dict[str, float]:
    """F1 by level (:data:`LEVELS`): the figure that chooses checkpoints.  NaN where neither side has an item."""
    agreements = compare(scorable(reference, mask, contigs), scorable(predicted, mask, contigs), mask)
    return {level: agreement.f1 for level, agreement in agreements.items()}


def compare(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel], mask: Mask | None = None
) -> dict[str, Agreement]:
    """Agreement at each of :data:`LEVELS`, for genes that have gone through :func:`scorable`."""
    comparison = Scored.of_scorable(reference, predicted, mask).comparison
    return comparison.agreements(comparison.everything, LEVELS)


@dataclass(frozen=True)
class Scored:
    """Both sides of a comparison, reduced to what is scored.

    Attributes:
        reference, predicted: genes with their coding transcripts that no mask interval touches.
        axis, comparison: the same as arrays; gene ``i`` of the lists has number ``i`` there.
        ignored: CDS of known loci that are no reference.
    """

    reference: Sequence[GeneModel]
    predicted: Sequence[GeneModel]
    axis: Axis
    comparison: Comparison
    ignored: GeneColumns

    @classmethod
    def of(
        cls,
        reference: Sequence[GeneModel],
        predicted: Sequence[GeneModel],
        mask: Mask | None = None,
        contigs: Collection[str] | None = None,
        ignored: Sequence[GeneModel] = (),
    ) -> Scored:
        """Of all genes; arguments are those of :func:`score_genes`."""
        return cls.of_scorable(scorable(reference, mask, contigs), scorable(predicted, mask, contigs), mask, ignored)

    @classmethod
    def of_scorable(
        cls,
        reference: Sequence[GeneModel],
        predicted: Sequence[GeneModel],
        mask: Mask | None = None,
        ignored: Sequence[GeneModel] = (),
    ) -> Scored:
        """Of genes that have gone through :func:`scorable`."""
        axis = Axis()
        comparison = Comparison(
            GeneColumns.of(reference, axis), GeneColumns.of(predicted, axis), axis.on_both_strands(mask or {})
        )
        return cls(reference, predicted, axis, comparison, GeneColumns.of(ignored, axis))

    def choice(self, inside: Flags) -> Choice:
        """What counts when only some reference genes do: bool (genes,)."""
        return Choice(inside, self._counted(inside))

    def choices(self, subsets: Mapping[str, Collection[str]]) -> Iterator[tuple[str, Choice]]:
        """What counts over all genes, and over each subset, given by gene ids."""
        yield ALL, self.choice(np.ones(len(self.reference), dtype=np.bool_))
        for subset, ids in subsets.items():
            yield subset, self.choice(ids_in(self.reference, ids))

    def _counted(self, inside: Flags) -> Flags:
        """Predicted genes but those that overlap an unscored locus and no scored one (CDS bases, same strand)."""
        reference, predicted = self.comparison.reference, self.comparison.predicted
        chosen = inside[reference.segment_gene]
        unscored = merged(np.concatenate([reference.segments[~chosen], self.ignored.segments]))
        on_unscored = predicted.genes_with(predicted.touching(unscored))
        on_scored = predicted.genes_with(predicted.touching(merged(reference.segments[chosen])))
        return ~on_unscored | on_scored


def scorable(
    genes: Iterable[GeneModel], mask: Mask | None = None, contigs: Collection[str] | None = None
) -> list[GeneModel]:
    """Genes on the scored contigs, reduced to the coding transcripts that no mask interval touches."""
    wanted = None if contigs is None else set(contigs)
    chosen = [gene for gene in genes if wanted is None or gene.contig in wanted]
    kept = zip(chosen, _unmasked(chosen, mask) if mask else (gene.coding_transcripts for gene in chosen))
    return [
        gene if len(transcripts) == len(gene.transcripts) else replace(gene, transcripts=transcripts)
        for gene, transcripts in kept
        if transcripts
    ]


def _unmasked(genes: Sequence[GeneModel], mask: Mask) -> Iterator[tuple[Transcript, ...]]:
    """The coding transcripts of each gene that no mask interval touches."""
    axis = Axis()
    columns = GeneColumns.of(genes, axis)
    masked = columns.touching(axis.on_both_strands(mask))
    ends = np.searchsorted(columns.gene, np.arange(len(genes)), side="right").tolist()
    for gene, first, end in zip(genes, [0, *ends], ends):
        yield tuple(t for t, hidden in zip(gene.coding_transcripts, masked[first:end]) if not hidden)


def without_unscored_loci(
    predicted: Sequence[GeneModel], scored: Sequence[GeneModel], unscored: Sequence[GeneModel]
) -> list[GeneModel]:
    """Predicted genes without those that overlap an unscored locus and no scored one (CDS bases, same strand)."""
    if not unscored:
        return list(predicted)
    sides = Scored.of_scorable(scored, predicted, ignored=unscored)
    counted = sides.choice(np.ones(len(scored), dtype=np.bool_)).predicted
    return [gene for gene, counts in zip(predicted, counted) if counts]


def cds_chains(gene: GeneModel) -> set[tuple[str, str, tuple[Interval, ...]]]:
    """CDS chains of a gene's transcripts, with contig and strand."""
    return {(gene.contig, gene.strand, transcript.cds) for transcript in gene.coding_transcripts}


def cds_tracks(genes: Iterable[GeneModel]) -> dict[Hashable, list[Interval]]:
    """CDS segments by (contig, strand), as they come: not merged."""
    tracks: dict[Hashable, list[Interval]] = {}
    for gene in genes:
        for transcript in gene.coding_transcripts:
            tracks.setdefault((gene.contig, gene.strand), []).extend(transcript.cds)
    return tracks
