"""Classify the errors of genes that do not match by the exact criterion: one class for every wrong locus.

Two genes overlap if they share CDS bases on the same strand.  A reference locus without a correct prediction is
``missed`` if it overlaps none (``wrong_strand`` if predictions on the other strand cover half of its CDS); ``merged``
if it overlaps a prediction that also overlaps another, separate locus; ``split`` if it overlaps several predictions.
If one locus overlaps one prediction, their two most similar transcripts (fewest different introns and ends) are
compared:

* ``wrong_start``, ``wrong_stop``, ``wrong_start_and_stop``: the introns within their common span are equal, so that
  only an end differs, with everything beyond the other's end (an end that reads into an intron, or lies in another
  exon, is also just a wrong end);
* with equal ends: ``intron_retained`` and ``intron_added`` (introns are only missing, or only added),
  ``exon_skipped`` and ``exon_added`` (one intron in place of adjoining ones with the same outer ends, or the reverse),
  ``one_junction`` (one intron with one end moved), ``several_introns`` (anything more);
* ``end_and_introns``: an end is wrong, and so are introns within the common span.

A wrong prediction is classified in the same way by the loci it overlaps.  One that overlaps none is ``wrong_strand`` if
half of its CDS is CDS on the other strand, ``transposon`` if half of it lies in transposable elements, else
``intergenic``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import combinations, product

import numpy as np

from phytoscribe.annotation.model import GeneModel, Interval, introns_between
from phytoscribe.evaluation.accuracy.counts import Scored
from phytoscribe.evaluation.accuracy.gene_arrays import Codes, Flags, meetings, spans_of
from phytoscribe.evaluation.accuracy.gene_matching import Choice
from phytoscribe.genome.intervals import merged

#: CDS segments of a transcript, sorted.
Segments = tuple[Interval, ...]


class ErrorClass(StrEnum):
    """Error classes in the order of the tables; see the module docstring."""

    MISSED = "missed"
    MERGED = "merged"
    SPLIT = "split"
    WRONG_START = "wrong_start"
    WRONG_STOP = "wrong_stop"
    WRONG_START_AND_STOP = "wrong_start_and_stop"
    ONE_JUNCTION = "one_junction"
    EXON_SKIPPED = "exon_skipped"
    EXON_ADDED = "exon_added"
    INTRON_RETAINED = "intron_retained"
    INTRON_ADDED = "intron_added"
    SEVERAL_INTRONS = "several_introns"
    END_AND_INTRONS = "end_and_introns"
    WRONG_STRAND = "wrong_strand"
    TRANSPOSON = "transposon"
    INTERGENIC = "intergenic"


class Meetings:
    """Loci and predictions that share CDS bases on one strand: which are correct, and the errors of the others."""

    def __init__(
        self,
        reference: Sequence[GeneModel],
        predicted: Sequence[GeneModel],
        unscored: Sequence[GeneModel] = (),
        transposons: Mapping[str, Sequence[Interval]] | None = None,
        known: Scored | None = None,
    ) -> None:
        """Loci are numbered with the reference first, then the unscored ones.

        Args:
            reference, predicted: counted genes, reduced by :func:`phytoscribe.evaluation.accuracy.counts.scorable`.
            unscored: known loci that are not reference; a prediction that joins one to a locus is ``merged``.
            transposons: intervals by contig.
            known: an existing comparison of the same loci and predictions, to avoid repeating it.
        """
        self.loci, self.scored, self.predicted = [*reference, *unscored], len(reference), predicted
        same = known is not None and (len(known.reference), len(known.predicted)) == (len(self.loci), len(predicted))
        sides = known if known is not None and same else Scored.of_scorable(self.loci, predicted)
        self.comparison = sides.comparison
        inside = np.arange(len(self.loci)) < self.scored
        choice = Choice(inside, np.ones(len(predicted), dtype=np.bool_))
        self.right_loci = self.comparison.found_reference(choice)[: self.scored]
        self.right_predictions = self.comparison.right_predicted(choice)
        self._transposons = sides.axis.on_both_strands(transposons or {})
        loci, guesses = self.comparison.reference, self.comparison.predicted
        self.locus_spans, self.predicted_spans = spans_of(self.loci), spans_of(predicted)
        of_locus, of_prediction, bases = meetings(loci, guesses)
        self.predictions_at = _Neighbours(of_locus, of_prediction, self.predicted_spans[0], bases)
        self.loci_at = _Neighbours(of_prediction, of_locus, self.locus_spans[0], bases)
        of_locus, of_other, bases = meetings(loci, loci)
        self._loci_beside = _Neighbours(of_locus, of_other, self.locus_spans[0], bases)

    def locus_error(self, number: int) -> ErrorClass:
        """Error of a reference locus, by its number among the loci."""
        met = self.predictions_at[number]
        if not met:
            return ErrorClass.WRONG_STRAND if self._antisense_loci[number] else ErrorClass.MISSED
        if any(self._apart(number, other) for prediction in met for other in self.loci_at[prediction]):
            return ErrorClass.MERGED
        return ErrorClass.SPLIT if len(met) > 1 else difference(self.loci[number], self.predicted[met[0]])

    def prediction_error(self, number: int) -> ErrorClass:
        """Error of a predicted gene, by its number."""
        met = self.loci_at[number]
        scored = [locus for locus in met if locus < self.scored]
        if not scored:
            if self._antisense_predictions[number]:
                return ErrorClass.WRONG_STRAND
            return ErrorClass.TRANSPOSON if self._in_transposons[number] else ErrorClass.INTERGENIC
        if any(self._apart(left, right) for left, right in combinations(met, 2)):
            return ErrorClass.MERGED
        if any(len(self.predictions_at[locus]) > 1 for locus in met):
            return ErrorClass.SPLIT
        differences = (difference(self.loci[locus], self.predicted[number]) for locus in scored)
        return min(differences, key=list(ErrorClass).index)

    def _apart(self, left: int, right: int) -> bool:
        return left != right and right not in self._loci_beside[left]

    @cached_property
    def _antisense_loci(self) -> Flags:
        return self.comparison.reference.mostly_inside(merged(self.comparison.predicted.segments), antisense=True)

    @cached_property
    def _antisense_predictions(self) -> Flags:
        return self.comparison.predicted.mostly_inside(merged(self.comparison.reference.segments), antisense=True)

    @cached_property
    def _in_transposons(self) -> Flags:
        return self.comparison.predicted.mostly_inside(self._transposons)


class _Neighbours:
    """For each gene of one side the numbers of those of the other that it meets, by position."""

    def __init__(self, genes: Codes, others: Codes, starts: Codes, bases: Codes) -> None:
        """Pairs of genes, the starts of ``others`` by number, and the bases that each pair shares."""
        order = np.lexsort([others, starts[others], genes])
        self._genes, self._others, self._bases = genes[order], others[order], bases[order]

    def __getitem__(self, gene: int) -> list[int]:
        return self._others[self._rows(gene)].tolist()

    def closest(self, gene: int) -> int:
        """The one with most bases in common (ties: the first); the gene must overlap at least one."""
        rows = self._rows(gene)
        return int(self._others[rows][np.argmax(self._bases[rows])])

    def _rows(self, gene: int) -> slice:
        return slice(*np.searchsorted(self._genes, [gene, gene + 1]))


def difference(locus: GeneModel, predicted: GeneModel) -> ErrorClass:
    """The difference between the two most similar transcripts of a locus and a prediction on the same strand.

    Raises:
        ValueError: there is none: two of their transcripts have the same CDS.
    """
    reference, guess = closest_chains(locus, predicted)
    if reference == guess:
        raise ValueError(f"{locus.id} and {predicted.id} have a transcript in common")
    start, stop = reference[0][0] == guess[0][0], reference[-1][1] == guess[-1][1]
    if _inner_introns(reference, guess) == _inner_introns(guess, reference):
        if stop:
            return ErrorClass.WRONG_START
        return ErrorClass.WRONG_STOP if start else ErrorClass.WRONG_START_AND_STOP
    return _changed_introns(reference, guess) if start and stop else ErrorClass.END_AND_INTRONS


def closest_chains(locus: GeneModel, predicted: GeneModel) -> tuple[Segments, Segments]:
    """The two CDS chains of genes on the same strand with the fewest different introns and ends.

    Coordinates of the minus strand are negated, so that they grow towards the 3' end.
    """
    pairs = product(_chains_as_read(locus), _chains_as_read(predicted))
    return min(pairs, key=lambda pair: (_dissimilarity(*pair), pair))


def _changed_introns(reference: Segments, guess: Segments) -> ErrorClass:
    """Class of two chains with equal ends and different introns."""
    lacking = sorted(set(introns_between(reference)) - set(introns_between(guess)))
    added = sorted(set(introns_between(guess)) - set(introns_between(reference)))
    if not added:
        return ErrorClass.INTRON_RETAINED
    if not lacking:
        return ErrorClass.INTRON_ADDED
    same_outer_ends = (lacking[0][0], lacking[-1][1]) == (added[0][0], added[-1][1])
    if len(added) == 1 and len(lacking) > 1 and same_outer_ends:
        return ErrorClass.EXON_SKIPPED
    if len(lacking) == 1 and len(added) > 1 and same_outer_ends:
        return ErrorClass.EXON_ADDED
    one_moved = len(lacking) == len(added) == 1 and bool(set(lacking[0]) & set(added[0]))
    return ErrorClass.ONE_JUNCTION if one_moved else ErrorClass.SEVERAL_INTRONS


def _dissimilarity(left: Segments, right: Segments) -> int:
    introns = len(set(introns_between(left)) ^ set(introns_between(right)))
    return introns + (left[0][0] != right[0][0]) + (left[-1][1] != right[-1][1])


def _inner_introns(chain: Segments, other: Segments) -> list[Interval]:
    """Introns of ``chain`` that lie wholly in the span that both chains have in common."""
    low, high = max(chain[0][0], other[0][0]), min(chain[-1][1], other[-1][1])
    return [(start, end) for start, end in introns_between(chain) if low <= start and end <= high]


def _chains_as_read(gene: GeneModel) -> list[Segments]:
    """CDS of each coding transcript as read: minus coordinates are negated, so that they grow towards the 3' end."""
    chains = {transcript.cds for transcript in gene.coding_transcripts}
    if gene.strand == "-":
        chains = {tuple((-end, -start) for start, end in reversed(chain)) for chain in chains}
    return sorted(chains)
