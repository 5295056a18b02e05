"""Criteria for matching predicted with reference genes, and counts of matching genes and parts of genes.

=========================  ============================================================================================
``exact``                  all CDS boundaries equal, against any isoform
``within_3, within_100``   CDS introns equal, both ends of the CDS within so many bp: the rule of ``gffcompare
                           --strict-match -e`` (Pertea and Pertea 2020, doi:10.12688/f1000research.23297.1) on CDS
                           alone, with a single-exon gene held to its ends like any other
``one_isoform``            exact, with one isoform a gene on both sides: of the reference the one with the longest CDS,
                           of a prediction the first, so that its further isoforms change nothing
``whole_transcript``       exact, of exons with their UTRs; only where both sides have UTRs
=========================  ============================================================================================

Definitions of the exact criterion (the resulting figures of AUGUSTUS 3.5.0 on the test contig are in
``tests/unit/evaluation/accuracy/test_counts.py``):

* Only coding sequence counts; UTRs, transcripts without CDS and genes without a coding transcript are ignored.  The
  stop codon is part of the CDS.
* ``base``: bases that are CDS of any transcript, each strand on its own.
* ``cds_exon``, ``intron`` (gaps between CDS segments): unique (contig, strand, start, end).
* ``intron_chain``: unique chains of all CDS introns of a transcript that has any.
* ``start``, ``stop``, ``donor``, ``acceptor``: unique (contig, strand, position of the first base in contig order).
* ``transcript``: unique CDS chains; a predicted chain is correct if it equals that of any reference isoform.
* ``locus``: genes; a locus is correct if any of its transcripts is.  Precision counts predicted genes, recall reference
  genes.
* Mask: a transcript whose CDS overlaps a mask interval (on either strand) is dropped entirely, on both sides; bases in
  a mask interval are not counted.
* Loci outside the scored set (``ignored``, and for a subset all other loci) are not reference; a predicted gene whose
  CDS overlaps one of them on the same strand, and no scored locus, is not counted.  Predictions between loci count
  against every subset in full, so precision in a small subset is a lower bound.

Subsets by CDS exons, CDS length and expression select genes on each side by their own values: recall covers the
selected reference genes, precision the selected predicted genes, and both may match any gene of the other side.  A
gene's exons and length are those of its isoform with the longest CDS.  A gene is expressed if a read on its strand
overlaps its CDS; it is not expressed if none does although its contig has reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from phytoscribe.annotation.model import GeneModel, Interval, Transcript
from phytoscribe.evaluation.accuracy.gene_arrays import Axis, Codes, Flags, GeneColumns, flags
from phytoscribe.evaluation.accuracy.gene_matching import Agreement, Choice, Comparison, MetricRow
from phytoscribe.genome.intervals import merged

EXACT, ONE_ISOFORM, WHOLE_TRANSCRIPT = "exact", "one_isoform", "whole_transcript"
TOLERANCES = (3, 100)
ALL = "all"
LEVELS = ("base", "cds_exon", "intron", "intron_chain", "transcript", "locus", "start", "stop", "donor", "acceptor")
TOLERANT_LEVELS = ("transcript", "locus")
WHOLE_LEVELS = ("base", "exon", "intron", "intron_chain", "transcript", "locus")
#: Levels of the subsets that cut each side by its own genes.
SUBSET_LEVELS = ("cds_exon", "intron", "transcript", "locus")
#: Classes by least value: names and lower bounds.
EXON_CLASSES = {"cds_exons_1": 1, "cds_exons_2_4": 2, "cds_exons_5_9": 5, "cds_exons_10_or_more": 10}
LENGTH_CLASSES = {
    "cds_length_under_600": 0,
    "cds_length_600_1199": 600,
    "cds_length_1200_1799": 1200,
    "cds_length_1800_or_more": 1800,
}
EXPRESSED, NOT_EXPRESSED = "expressed", "not_expressed"
Mask = Mapping[str, Sequence[Interval]]
Reads = Mapping[tuple[str, str], Sequence[Interval]]


def compare(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel], mask: Mask | None = None
) -> dict[str, Agreement]:
    """Agreement at each of :data:`LEVELS`, for genes returned by :func:`scorable`."""
    comparison = Scored.of_scorable(reference, predicted, mask).comparison
    return comparison.agreements(comparison.everything, LEVELS)


@dataclass(frozen=True)
class Scored:
    """Both sides of a comparison, reduced to what is scored.

    Attributes:
        reference, predicted: genes with the coding transcripts that overlap no mask interval.
        axis, comparison: the same as arrays; gene ``i`` of the lists has number ``i`` there.
        ignored: CDS of known loci that are not reference.
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
        """Of all genes, of any type.

        Args:
            reference, predicted: genes; those without a coding transcript are left out.
            mask: intervals by contig that are not counted on either side.
            contigs: the scored contigs; None for all.
            ignored: known loci that cannot serve as reference (for instance only because of a broken reading frame).
        """
        return cls.of_scorable(scorable(reference, mask, contigs), scorable(predicted, mask, contigs), mask, ignored)

    @classmethod
    def of_scorable(
        cls,
        reference: Sequence[GeneModel],
        predicted: Sequence[GeneModel],
        mask: Mask | None = None,
        ignored: Sequence[GeneModel] = (),
    ) -> Scored:
        """From genes returned by :func:`scorable`."""
        axis = Axis()
        comparison = Comparison(
            GeneColumns.of(reference, axis), GeneColumns.of(predicted, axis), axis.on_both_strands(mask or {})
        )
        return cls(reference, predicted, axis, comparison, GeneColumns.of(ignored, axis))

    def choices(self, subsets: Mapping[str, Collection[str]]) -> dict[str, Choice]:
        """The genes that count in total, and in each subset of the reference, given by gene ids."""
        inside = {ALL: np.ones(len(self.reference), dtype=np.bool_)}
        for subset, ids in subsets.items():
            wanted = set(ids)
            inside[subset] = np.array([gene.id in wanted for gene in self.reference], dtype=np.bool_)
        return {subset: Choice(chosen, self._counted(chosen)) for subset, chosen in inside.items()}

    def one_isoform(self) -> Comparison:
        """The comparison with the longest CDS of each reference gene alone."""
        reference, longest = self.comparison.reference, self.longest()
        alone = reference.only(flags(longest, reference.gene.size))
        return Comparison(alone, self.comparison.predicted, self.comparison.mask)

    def longest(self) -> Codes:
        """The transcript with the longest CDS of each reference gene, int64 (genes,)."""
        return self.comparison.reference.longest(self.comparison.chains[0])

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
    """Reduce genes on the scored contigs to the coding transcripts that overlap no mask interval.

    Every exact score starts here: genes of other types (``ncRNA_gene``, ...) and transcripts without CDS are removed.
    """
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


def criterion_rows(
    scored: Scored, first: Scored, subsets: Mapping[str, Collection[str]], reads: Reads | None = None
) -> list[MetricRow]:
    """Rows (level, criterion, subset, metric, value, n) of every criterion.

    Args:
        scored: both sides.
        first: the same reference, and the predicted genes with their first transcripts alone.  Those are taken before
            a mask or the scored regions leave out genes, which further isoforms could change.
        subsets: subsets of the reference by name, each a set of gene ids.
        reads: aligned blocks of transcript reads by (contig, strand), for the subsets by expression.
    """
    comparison, choices = scored.comparison, scored.choices(subsets)
    rows = level_rows(comparison, choices, LEVELS, EXACT)
    for tolerance in TOLERANCES:
        for subset, choice in choices.items():
            for level in TOLERANT_LEVELS:
                found = comparison.agreement_within(level, tolerance, choice)
                rows += found.rows(level, f"within_{tolerance}", subset)
    rows += level_rows(first.one_isoform(), first.choices(subsets), LEVELS, ONE_ISOFORM)
    sides = (comparison.reference, comparison.predicted)
    whole = [GeneColumns.of(genes, scored.axis, "exons") for genes in (scored.reference, scored.predicted)]
    if not any(np.array_equal(exons.segments, cds.segments) for exons, cds in zip(whole, sides)):
        rows += level_rows(Comparison(*whole, comparison.mask), choices, WHOLE_LEVELS, WHOLE_TRANSCRIPT)
    return rows + level_rows(comparison, dict(_parts(scored, choices[ALL], reads)), SUBSET_LEVELS, EXACT)


def level_rows(
    comparison: Comparison, choices: Mapping[str, Choice], levels: Sequence[str], name: str
) -> list[MetricRow]:
    """Rows of one criterion, for each choice of genes by subset name."""
    rows: list[MetricRow] = []
    for subset, choice in choices.items():
        for level, agreement in comparison.agreements(choice, levels).items():
            rows += agreement.rows(level, name, subset)
    return rows


def longest_isoforms(scored: Scored) -> list[GeneModel]:
    """The reference reduced to the isoform with the longest CDS in each gene."""
    side = scored.comparison.reference
    chosen = scored.longest() - np.searchsorted(side.gene, np.arange(side.genes))
    return [
        replace(gene, transcripts=(gene.transcripts[number],))
        for gene, number in zip(scored.reference, chosen.tolist())
    ]


def _parts(scored: Scored, counted: Choice, reads: Reads | None) -> Iterator[tuple[str, Choice]]:
    """Subsets by exons, length and expression, each side cut by its own genes."""
    comparison = scored.comparison
    sides = comparison.reference, comparison.predicted
    chosen = [side.longest(chains) for side, chains in zip(sides, comparison.chains)]

    def cut(reference: Flags, predicted: Flags) -> Choice:
        return Choice(
            reference & counted.reference, predicted & counted.predicted, counted.reference, counted.predicted
        )

    exons = [side.counts[rows] for side, rows in zip(sides, chosen)]
    lengths = [side.lengths[rows] for side, rows in zip(sides, chosen)]
    for classes, values in ((EXON_CLASSES, exons), (LENGTH_CLASSES, lengths)):
        bounds = list(classes.values())
        numbers = [np.searchsorted(bounds, of_side, side="right") - 1 for of_side in values]
        for number, name in enumerate(classes):
            yield name, cut(*(of_side == number for of_side in numbers))
    if reads:
        blocks = scored.axis.union(reads)
        expressed = [side.genes_with(side.touching(blocks)) for side in sides]
        contigs = {contig for contig, _ in reads}
        covered = [
            np.array([gene.contig in contigs for gene in genes], dtype=np.bool_)
            for genes in (scored.reference, scored.predicted)
        ]
        yield EXPRESSED, cut(*expressed)
        yield NOT_EXPRESSED, cut(*(there & ~seen for there, seen in zip(covered, expressed)))
