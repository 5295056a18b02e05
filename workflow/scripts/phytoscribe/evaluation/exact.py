"""The exact CDS ruler: predicted against reference genes, with no tolerance at any boundary.

Definitions (the figures that AUGUSTUS 3.5.0 gets on the test contig under them are in ``tests/unit/test_exact.py``):

* Only coding sequence counts; UTRs and transcripts without CDS are ignored.  The stop codon is part of the CDS.
* ``base``: bases that are CDS of any transcript, each strand on its own.
* ``cds_exon``, ``intron`` (gaps between CDS segments): unique (contig, strand, start, end).
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

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.evaluation.intervals import IntervalIndex, shared_bases

RULER = "exact"
FEATURE_LEVELS = ("cds_exon", "intron", "start", "stop", "donor", "acceptor", "transcript")
LEVELS = ("base", "cds_exon", "intron", "transcript", "locus", "start", "stop", "donor", "acceptor")
METRICS = ("precision", "recall", "f1", "tp", "fp", "fn")
COLUMNS = ("level", "ruler", "subset", "metric", "value", "n")
Mask = Mapping[str, Sequence[Interval]]
CdsChain = tuple[str, str, tuple[Interval, ...]]


@dataclass(frozen=True)
class Agreement:
    """Counts of one level.

    Attributes:
        right_predicted: predicted items that are in the reference.
        predicted: predicted items.
        found_reference: reference items that are predicted; differs from ``right_predicted`` for loci only.
        reference: reference items.
    """

    right_predicted: int
    predicted: int
    found_reference: int
    reference: int

    @property
    def precision(self) -> float:
        """NaN where nothing is predicted."""
        return self.right_predicted / self.predicted if self.predicted else float("nan")

    @property
    def recall(self) -> float:
        """NaN where there is no reference."""
        return self.found_reference / self.reference if self.reference else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean; 0 where only one side has items, NaN where neither has."""
        if not self.predicted and not self.reference:
            return float("nan")
        if not self.right_predicted or not self.found_reference:
            return 0.0
        return 2 / (1 / self.precision + 1 / self.recall)

    def rows(self, level: str, subset: str) -> list[tuple[str, str, str, str, float, int]]:
        """Rows of :data:`COLUMNS`; ``n`` is the number of items that the value is taken over."""
        values = {
            "precision": (self.precision, self.predicted),
            "recall": (self.recall, self.reference),
            "f1": (self.f1, self.reference),
            "tp": (self.right_predicted, self.predicted),
            "fp": (self.predicted - self.right_predicted, self.predicted),
            "fn": (self.reference - self.found_reference, self.reference),
        }
        return [(level, RULER, subset, metric, float(values[metric][0]), values[metric][1]) for metric in METRICS]


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
    kept_reference = scorable(reference, mask, contigs)
    kept_predicted = scorable(predicted, mask, contigs)
    chosen: dict[str, Collection[str]] = {"all": {gene.id for gene in kept_reference}, **(subsets or {})}
    rows = []
    for subset, ids in chosen.items():
        inside = [gene for gene in kept_reference if gene.id in ids]
        outside = [gene for gene in kept_reference if gene.id not in ids]
        counted = without_unscored_loci(kept_predicted, inside, [*outside, *ignored])
        for level, agreement in compare(inside, counted, mask or {}).items():
            rows += agreement.rows(level, subset)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def exact_f1(
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    mask: Mask | None = None,
    contigs: Collection[str] | None = None,
) -> dict[str, float]:
    """F1 by level (:data:`LEVELS`): the figure that chooses checkpoints.  NaN where neither side has an item."""
    agreements = compare(scorable(reference, mask, contigs), scorable(predicted, mask, contigs), mask or {})
    return {level: agreement.f1 for level, agreement in agreements.items()}


def scorable(
    genes: Iterable[GeneModel], mask: Mask | None = None, contigs: Collection[str] | None = None
) -> list[GeneModel]:
    """Genes on the scored contigs, reduced to the coding transcripts that no mask interval touches."""
    masked = IntervalIndex(mask or {})
    wanted = None if contigs is None else set(contigs)
    kept = []
    for gene in genes:
        if wanted is not None and gene.contig not in wanted:
            continue
        transcripts = tuple(t for t in gene.coding_transcripts if not masked.overlaps_any(gene.contig, t.cds))
        if transcripts:
            kept.append(replace(gene, transcripts=transcripts))
    return kept


def without_unscored_loci(
    predicted: Sequence[GeneModel], scored: Sequence[GeneModel], unscored: Sequence[GeneModel]
) -> list[GeneModel]:
    """Predicted genes without those that overlap an unscored locus and no scored one (CDS bases, same strand)."""
    if not unscored:
        return list(predicted)
    inside, outside = IntervalIndex(cds_tracks(scored)), IntervalIndex(cds_tracks(unscored))

    def counts(gene: GeneModel) -> bool:
        track = (gene.contig, gene.strand)
        segments = [segment for transcript in gene.coding_transcripts for segment in transcript.cds]
        return not outside.overlaps_any(track, segments) or inside.overlaps_any(track, segments)

    return [gene for gene in predicted if counts(gene)]


def compare(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel], mask: Mask | None = None
) -> dict[str, Agreement]:
    """Agreement at each of :data:`LEVELS`, for genes that have gone through :func:`scorable`."""
    both, reference_only, predicted_only = shared_bases(
        cds_tracks(reference), cds_tracks(predicted), _both_strands(mask or {})
    )
    agreements = {"base": Agreement(both, both + predicted_only, both, both + reference_only)}
    truth, guess = features(reference), features(predicted)
    for level in FEATURE_LEVELS:
        right = len(truth[level] & guess[level])
        agreements[level] = Agreement(right, len(guess[level]), right, len(truth[level]))
    agreements["locus"] = Agreement(
        right_predicted=_genes_with_chain(predicted, truth["transcript"]),
        predicted=len(predicted),
        found_reference=_genes_with_chain(reference, guess["transcript"]),
        reference=len(reference),
    )
    return {level: agreements[level] for level in LEVELS}


def features(genes: Iterable[GeneModel]) -> dict[str, set[tuple]]:
    """Unique items of each of :data:`FEATURE_LEVELS`."""
    found: dict[str, set[tuple]] = {level: set() for level in FEATURE_LEVELS}
    for gene in genes:
        contig, strand = gene.contig, gene.strand
        forward = strand == "+"
        for transcript in gene.coding_transcripts:
            cds = transcript.cds
            if (contig, strand, cds) in found["transcript"]:
                continue
            found["transcript"].add((contig, strand, cds))
            found["cds_exon"].update((contig, strand, start, end) for start, end in cds)
            left, right = (contig, strand, cds[0][0]), (contig, strand, cds[-1][1] - 3)
            found["start"].add(left if forward else right)
            found["stop"].add(right if forward else left)
            for start, end in transcript.cds_introns:
                found["intron"].add((contig, strand, start, end))
                found["donor"].add((contig, strand, start if forward else end - 2))
                found["acceptor"].add((contig, strand, end - 2 if forward else start))
    return found


def cds_chains(gene: GeneModel) -> set[CdsChain]:
    """CDS chains of a gene's transcripts, with contig and strand."""
    return {(gene.contig, gene.strand, transcript.cds) for transcript in gene.coding_transcripts}


def cds_tracks(genes: Iterable[GeneModel]) -> dict[Hashable, list[Interval]]:
    """CDS segments by (contig, strand), as they come: not merged."""
    tracks: dict[Hashable, list[Interval]] = defaultdict(list)
    for gene in genes:
        for transcript in gene.coding_transcripts:
            tracks[gene.contig, gene.strand] += transcript.cds
    return tracks


def _both_strands(mask: Mask) -> dict[Hashable, Sequence[Interval]]:
    return {(contig, strand): intervals for contig, intervals in mask.items() for strand in "+-"}


def _genes_with_chain(genes: Iterable[GeneModel], chains: set[tuple]) -> int:
    return int(np.count_nonzero([not chains.isdisjoint(cds_chains(gene)) for gene in genes]))
