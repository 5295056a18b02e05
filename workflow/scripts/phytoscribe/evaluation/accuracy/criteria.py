"""Every ruler of one prediction, from one encoding of both sides as arrays.

========================  =============================================================================================
``exact``                 all CDS boundaries equal, against any isoform (:mod:`phytoscribe.evaluation.accuracy.counts`)
``within_3, within_100``  CDS introns equal, both ends of the CDS within so many bp: the rule of ``gffcompare
                          --strict-match -e`` (Pertea and Pertea 2020, doi:10.12688/f1000research.23297.1) on CDS alone,
                          with a single-exon gene held to its ends like any other
``one_isoform``           exact, with one isoform a gene on both sides: the one with the longest CDS
``whole_transcript``      exact, of exons with their UTRs; only where both sides have UTRs
========================  =============================================================================================

Subsets given by gene ids are cut as the exact ruler says.  Subsets by CDS exons, CDS length and expression cut each
side by its own genes: recall is of reference genes that are so, precision of predicted genes that are so, and either
may agree with any gene of the other side.  A gene's exons and length are those of its isoform with the longest CDS.  A
gene is expressed if a read shares a base of its CDS on its strand, and not if none does though its contig has reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.evaluation.accuracy.counts import ALL, LEVELS, RULER, Scored
from phytoscribe.evaluation.accuracy.gene_arrays import Codes, Flags, GeneColumns, flags
from phytoscribe.evaluation.accuracy.gene_matching import Agreement, Choice, Comparison, Row

TOLERANCES = (3, 100)
ONE_ISOFORM = "one_isoform"
WHOLE_TRANSCRIPT = "whole_transcript"
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
Reads = Mapping[tuple[str, str], Sequence[Interval]]


def ruler_rows(scored: Scored, subsets: Mapping[str, Collection[str]], reads: Reads | None = None) -> list[Row]:
    """Rows (level, ruler, subset, metric, value, n) of every ruler.

    Args:
        scored: both sides.
        subsets: subsets of the reference by name, each a set of gene ids.
        reads: aligned blocks of transcript reads by (contig, strand), for the subsets by expression.
    """
    choices = dict(scored.choices(subsets))
    rows = _level_rows(scored.comparison, choices, LEVELS, RULER)
    for tolerance in TOLERANCES:
        for subset, choice in choices.items():
            for level in TOLERANT_LEVELS:
                found = scored.comparison.agreement_within(level, tolerance, choice)
                rows += found.rows(level, ruler(tolerance), subset)
    rows += _level_rows(_one_isoform(scored.comparison), choices, LEVELS, ONE_ISOFORM)
    whole = _whole_transcripts(scored)
    if whole is not None:
        rows += _level_rows(whole, choices, WHOLE_LEVELS, WHOLE_TRANSCRIPT)
    parts = dict(_parts(scored, choices[ALL], reads))
    return rows + _level_rows(scored.comparison, parts, SUBSET_LEVELS, RULER)


def longest_isoforms(scored: Scored) -> list[GeneModel]:
    """The reference with nothing but the isoform of longest CDS in each gene."""
    side = scored.comparison.reference
    chosen = side.longest(scored.comparison.chains[0]) - np.searchsorted(side.gene, np.arange(side.genes))
    return [
        replace(gene, transcripts=(gene.transcripts[number],))
        for gene, number in zip(scored.reference, chosen.tolist())
    ]


def _level_rows(comparison: Comparison, choices: Mapping[str, Choice], levels: tuple[str, ...], name: str) -> list[Row]:
    rows: list[Row] = []
    for subset, choice in choices.items():
        for level, agreement in comparison.agreements(choice, levels).items():
            rows += agreement.rows(level, name, subset)
    return rows


def _one_isoform(comparison: Comparison) -> Comparison:
    sides = [
        side.only(flags(side.longest(chains), side.gene.size))
        for side, chains in zip((comparison.reference, comparison.predicted), comparison.chains)
    ]
    return Comparison(*sides, comparison.mask)


def _whole_transcripts(scored: Scored) -> Comparison | None:
    """The comparison of exons, if both sides have transcripts with UTRs."""
    coding = scored.comparison.reference, scored.comparison.predicted
    whole = [GeneColumns.of(genes, scored.axis, "exons") for genes in (scored.reference, scored.predicted)]
    if any(np.array_equal(exons.segments, cds.segments) for exons, cds in zip(whole, coding)):
        return None
    return Comparison(*whole, scored.comparison.mask)


def _parts(scored: Scored, counted: Choice, reads: Reads | None) -> Iterator[tuple[str, Choice]]:
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
        numbers = [_class_numbers(classes, of_side) for of_side in values]
        for number, name in enumerate(classes):
            yield name, cut(numbers[0] == number, numbers[1] == number)
    if reads:
        blocks = scored.axis.union(reads)
        expressed = [side.genes_with(side.touching(blocks)) for side in sides]
        contigs = {contig for contig, _ in reads}
        covered = [
            np.array([gene.contig in contigs for gene in genes], dtype=np.bool_)
            for genes in (scored.reference, scored.predicted)
        ]
        yield EXPRESSED, cut(*expressed)
        yield NOT_EXPRESSED, cut(covered[0] & ~expressed[0], covered[1] & ~expressed[1])


def _class_numbers(classes: Mapping[str, int], values: Codes) -> Codes:
    return np.searchsorted(list(classes.values()), values, side="right") - 1


def ruler(tolerance: int) -> str:
    """Name of the ruler with a tolerance of so many bp."""
    return f"within_{tolerance}"


def loci_within(reference: Sequence[GeneModel], predicted: Sequence[GeneModel], tolerance: int) -> Agreement:
    """Agreement of loci; a locus is right if any of its transcripts agrees with any of the other side.

    Args:
        reference, predicted: genes reduced to what is scored (:func:`phytoscribe.evaluation.accuracy.counts.scorable`).
        tolerance: bp, 0 or more.
    """
    comparison = Scored.of_scorable(reference, predicted).comparison
    return comparison.agreement_within("locus", tolerance, comparison.everything)
