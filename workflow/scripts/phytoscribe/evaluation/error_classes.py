"""What is wrong with the genes that the exact ruler does not count: every wrong locus in one class.

Genes meet where they share CDS bases on the same strand.  A reference locus that no prediction has right is ``missed``
if it meets none (``wrong_strand`` if predictions on the other strand cover half of its CDS); ``merged`` if it meets a
prediction that also meets another locus apart from it; ``split`` if it meets several predictions.  Where one meets one,
the two most alike transcripts (fewest introns and ends that differ) are compared:

* ``wrong_start``, ``wrong_stop``, ``wrong_start_and_stop``: the introns that lie wholly in their common span are equal,
  so that only an end differs, with whatever lies beyond the other's end (one that reads on into an intron, or lies in
  another exon, is only a wrong end too);
* with equal ends: ``intron_retained`` and ``intron_added`` (introns are only lacking, or only added),
  ``exon_skipped`` and ``exon_added`` (one intron in place of adjoining ones with the same outer ends, or the reverse),
  ``one_junction`` (one intron with one end moved), ``several_introns`` (anything more);
* ``end_and_introns``: an end is wrong, and introns within the common span too.

A wrong prediction is classed alike by what it meets.  One that meets nothing is ``wrong_strand`` if half of its CDS is
CDS of the other strand, ``transposon`` if half of it lies in transposable elements, else ``intergenic``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, product

from phytoscribe.annotation.model import (
    COMPLEMENT_STRAND,
    GeneModel,
    Interval,
    Transcript,
    introns_between,
    merge_intervals,
)
from phytoscribe.evaluation.exact import cds_chains, cds_tracks, features

Chain = tuple[Interval, ...]


class ErrorClass(StrEnum):
    """Classes in the order of the tables; see the module."""

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


@dataclass(frozen=True)
class GeneError:
    """A wrong gene.

    Attributes:
        gene: the reference locus or the predicted gene.
        error: its class.
        partners: the genes of the other side that it meets, in order of position.
        is_prediction: it is a predicted gene.
    """

    gene: GeneModel
    error: ErrorClass
    partners: tuple[GeneModel, ...]
    is_prediction: bool = False


def wrong_genes(
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    unscored: Sequence[GeneModel] = (),
    transposons: Mapping[str, Sequence[Interval]] | None = None,
) -> tuple[list[GeneError], list[GeneError]]:
    """Loci that no prediction has right, and predictions that are not right, in the order of the arguments.

    Args:
        reference, predicted: genes that count, as :func:`phytoscribe.evaluation.exact.compare` takes them.
        unscored: known loci that are no reference; a prediction that joins one to a locus is a merger.
        transposons: intervals by contig.
    """
    met = _Meetings([*reference, *unscored], len(reference), predicted)
    elements = _Coverage(transposons or {})
    truth, guess = features(reference)["transcript"], features(predicted)["transcript"]
    lost = [met.locus_error(n) for n, gene in enumerate(reference) if guess.isdisjoint(cds_chains(gene))]
    wrong = [
        met.prediction_error(n, elements) for n, gene in enumerate(predicted) if truth.isdisjoint(cds_chains(gene))
    ]
    return lost, wrong


class _Meetings:
    """Which loci and predictions share CDS bases on one strand, and what follows for their class."""

    def __init__(self, loci: Sequence[GeneModel], scored: int, predicted: Sequence[GeneModel]) -> None:
        """The first ``scored`` loci are reference, the others only known."""
        self.loci, self.scored, self.predicted = loci, scored, predicted
        self.predictions_at = _sharing(loci, predicted)
        self.loci_at = _sharing(predicted, loci)
        self.loci_beside = _sharing(loci, loci)
        self.loci_cds, self.predicted_cds = _Coverage(cds_tracks(loci)), _Coverage(cds_tracks(predicted))

    def locus_error(self, number: int) -> GeneError:
        gene, met = self.loci[number], self.predictions_at[number]
        if not met:
            antisense = self.predicted_cds.holds_half(_other_strand(gene), _cds(gene))
            error = ErrorClass.WRONG_STRAND if antisense else ErrorClass.MISSED
        elif any(self._apart(number, other) for prediction in met for other in self.loci_at[prediction]):
            error = ErrorClass.MERGED
        else:
            error = ErrorClass.SPLIT if len(met) > 1 else difference(gene, self.predicted[met[0]])
        return GeneError(gene, error, tuple(self.predicted[n] for n in met))

    def prediction_error(self, number: int, transposons: _Coverage) -> GeneError:
        gene, met = self.predicted[number], self.loci_at[number]
        scored = [locus for locus in met if locus < self.scored]
        if not scored:
            error = self._error_between_loci(gene, transposons)
        elif any(self._apart(left, right) for left, right in combinations(met, 2)):
            error = ErrorClass.MERGED
        elif any(len(self.predictions_at[locus]) > 1 for locus in met):
            error = ErrorClass.SPLIT
        else:
            error = min((difference(self.loci[locus], gene) for locus in scored), key=list(ErrorClass).index)
        return GeneError(gene, error, tuple(self.loci[n] for n in met), is_prediction=True)

    def _error_between_loci(self, gene: GeneModel, transposons: _Coverage) -> ErrorClass:
        if self.loci_cds.holds_half(_other_strand(gene), _cds(gene)):
            return ErrorClass.WRONG_STRAND
        return ErrorClass.TRANSPOSON if transposons.holds_half(gene.contig, _cds(gene)) else ErrorClass.INTERGENIC

    def _apart(self, left: int, right: int) -> bool:
        return left != right and right not in self.loci_beside[left]


def difference(locus: GeneModel, predicted: GeneModel) -> ErrorClass:
    """How the two most alike transcripts of a locus and of a prediction on the same strand differ.

    Raises:
        ValueError: they do not: a transcript of both has the same CDS.
    """
    pairs = product(_chains_as_read(locus), _chains_as_read(predicted))
    reference, guess = min(pairs, key=lambda pair: (_dissimilarity(*pair), pair))
    if reference == guess:
        raise ValueError(f"{locus.id} and {predicted.id} have a transcript in common")
    start, stop = reference[0][0] == guess[0][0], reference[-1][1] == guess[-1][1]
    if _inner_introns(reference, guess) == _inner_introns(guess, reference):
        if stop:
            return ErrorClass.WRONG_START
        return ErrorClass.WRONG_STOP if start else ErrorClass.WRONG_START_AND_STOP
    return _changed_introns(reference, guess) if start and stop else ErrorClass.END_AND_INTRONS


def _changed_introns(reference: Chain, guess: Chain) -> ErrorClass:
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


def _dissimilarity(left: Chain, right: Chain) -> int:
    introns = len(set(introns_between(left)) ^ set(introns_between(right)))
    return introns + (left[0][0] != right[0][0]) + (left[-1][1] != right[-1][1])


def _inner_introns(chain: Chain, other: Chain) -> list[Interval]:
    """Introns of ``chain`` that lie wholly in the span that both chains have in common."""
    low, high = max(chain[0][0], other[0][0]), min(chain[-1][1], other[-1][1])
    return [(start, end) for start, end in introns_between(chain) if low <= start and end <= high]


def _chains_as_read(gene: GeneModel) -> list[Chain]:
    """CDS of each coding transcript as read: minus coordinates are negated, so that they grow towards the 3' end."""

    def as_read(transcript: Transcript) -> Chain:
        if gene.strand == "+":
            return transcript.cds
        return tuple((-end, -start) for start, end in reversed(transcript.cds))

    return sorted({as_read(transcript) for transcript in gene.coding_transcripts})


def _sharing(genes: Sequence[GeneModel], others: Sequence[GeneModel]) -> list[list[int]]:
    """For each of ``genes`` the numbers of ``others`` that share CDS bases with it on its strand, by position."""
    tracks: dict[Hashable, list[tuple[int, int, int]]] = defaultdict(list)
    for number, other in enumerate(others):
        tracks[other.contig, other.strand] += [(*segment, number) for segment in merge_intervals(_cds(other))]
    # Segments of different genes may overlap, so ends are not sorted: the longest segment says how far back to look.
    longest = {track: max(end - start for start, end, _ in segments) for track, segments in tracks.items()}
    for segments in tracks.values():
        segments.sort()
    found = []
    for gene in genes:
        track = (gene.contig, gene.strand)
        segments = tracks.get(track, [])
        numbers = set()
        for start, end in _cds(gene):
            first = bisect_right(segments, (start - longest.get(track, 0),))
            last = bisect_right(segments, (end,))
            numbers.update(number for _, right, number in segments[first:last] if right > start)
        found.append(sorted(numbers, key=lambda number: (others[number].start, number)))
    return found


class _Coverage:
    """A set of intervals that says whether half of the bases of others lie in it."""

    def __init__(self, tracks: Mapping[Hashable, Iterable[Interval]]) -> None:
        self._merged = {track: merge_intervals(intervals) for track, intervals in tracks.items()}

    def holds_half(self, track: Hashable, segments: Iterable[Interval]) -> bool:
        merged, total, inside = self._merged.get(track, []), 0, 0
        for start, end in merge_intervals(segments):
            total += end - start
            at = max(0, bisect_right(merged, (start, start)) - 1)
            while at < len(merged) and merged[at][0] < end:
                inside += max(0, min(end, merged[at][1]) - max(start, merged[at][0]))
                at += 1
        return 2 * inside >= total > 0


def _cds(gene: GeneModel) -> list[Interval]:
    return [segment for transcript in gene.coding_transcripts for segment in transcript.cds]


def _other_strand(gene: GeneModel) -> tuple[str, str]:
    return gene.contig, COMPLEMENT_STRAND[gene.strand]
