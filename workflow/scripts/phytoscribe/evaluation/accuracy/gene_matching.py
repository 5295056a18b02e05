"""Compare two sets of genes at every level, on arrays.

Each side's items get codes once; the agreement of any subset of genes is then computed by marking codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from phytoscribe.evaluation.accuracy.gene_arrays import (
    SPAN,
    Codes,
    Flags,
    GeneColumns,
    chain_codes,
    codes_of,
    flags,
    interval_codes,
)
from phytoscribe.genome.intervals import Places, runs, shared_bases

METRICS = ("precision", "recall", "f1", "tp", "fp", "fn")
#: Level, criterion, subset, metric, value, n: a row of the score table without its predictor.
MetricRow = tuple[str, str, str, str, float, int]


@dataclass(frozen=True)
class Agreement:
    """Counts of one level.

    Attributes:
        right_predicted: predicted items that are in the reference.
        predicted: predicted items.
        found_reference: reference items that are predicted; differs from ``right_predicted`` if several items of one
            side can match one of the other (loci, tolerance at ends), and if each side is selected by its own genes.
        reference: reference items.
    """

    right_predicted: int
    predicted: int
    found_reference: int
    reference: int

    @property
    def precision(self) -> float:
        """NaN if nothing is predicted."""
        return self.right_predicted / self.predicted if self.predicted else float("nan")

    @property
    def recall(self) -> float:
        """NaN if there is no reference."""
        return self.found_reference / self.reference if self.reference else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if only one side has items, NaN if neither has."""
        if not self.predicted and not self.reference:
            return float("nan")
        if not self.right_predicted or not self.found_reference:
            return 0.0
        return 2 / (1 / self.precision + 1 / self.recall)

    def rows(self, level: str, criterion: str, subset: str) -> list[MetricRow]:
        """A row for each metric; ``n`` is the number of items behind the value."""
        values = {
            "precision": (self.precision, self.predicted),
            "recall": (self.recall, self.reference),
            "f1": (self.f1, self.reference),
            "tp": (self.right_predicted, self.predicted),
            "fp": (self.predicted - self.right_predicted, self.predicted),
            "fn": (self.reference - self.found_reference, self.reference),
        }
        return [(level, criterion, subset, metric, float(values[metric][0]), values[metric][1]) for metric in METRICS]


@dataclass(frozen=True)
class Choice:
    """The genes that count.

    Attributes:
        reference, predicted: bool (genes,) of either side.
        all_reference, all_predicted: the genes that an item of the other side may match; None for the same genes.
    """

    reference: Flags
    predicted: Flags
    all_reference: Flags | None = None
    all_predicted: Flags | None = None

    @property
    def against_reference(self) -> Flags:
        return self.reference if self.all_reference is None else self.all_reference

    @property
    def against_predicted(self) -> Flags:
        return self.predicted if self.all_predicted is None else self.all_predicted


@dataclass(frozen=True)
class _Items:
    """Items of one level: code and gene of each, reference then predicted."""

    codes: int
    reference: Codes
    reference_gene: Codes
    predicted: Codes
    predicted_gene: Codes

    @classmethod
    def of(cls, codes: Codes, reference_gene: Codes, predicted_gene: Codes) -> _Items:
        cut = reference_gene.size
        return cls(int(codes.max(initial=-1)) + 1, codes[:cut], reference_gene, codes[cut:], predicted_gene)

    def reference_codes(self, genes: Flags) -> Flags:
        """Codes of these reference genes."""
        return flags(self.reference[genes[self.reference_gene]], self.codes)

    def predicted_codes(self, genes: Flags) -> Flags:
        return flags(self.predicted[genes[self.predicted_gene]], self.codes)

    def agreement(self, choice: Choice) -> Agreement:
        """Agreement of the unique items."""
        reference, predicted = self.reference_codes(choice.reference), self.predicted_codes(choice.predicted)
        right = predicted & self.reference_codes(choice.against_reference)
        found = reference & self.predicted_codes(choice.against_predicted)
        return Agreement(int(right.sum()), int(predicted.sum()), int(found.sum()), int(reference.sum()))


class Comparison:
    """Reference and predicted genes on one axis; see :mod:`phytoscribe.evaluation.accuracy.counts` for the levels."""

    def __init__(self, reference: GeneColumns, predicted: GeneColumns, mask: Places) -> None:
        """``mask`` is a union of intervals whose bases do not count at level ``base``."""
        self.reference, self.predicted, self.mask = reference, predicted, mask
        self._known: dict[str, _Items] = {}

    @property
    def everything(self) -> Choice:
        return Choice(np.ones(self.reference.genes, np.bool_), np.ones(self.predicted.genes, np.bool_))

    def agreements(self, choice: Choice, levels: tuple[str, ...]) -> dict[str, Agreement]:
        """Agreement at each of ``levels``."""
        return {level: self.agreement(level, choice) for level in levels}

    def agreement(self, level: str, choice: Choice) -> Agreement:
        if level == "base":
            return self._bases(choice)
        if level == "locus":
            right, found = self.right_predicted(choice), self.found_reference(choice)
            return Agreement(
                int((right & choice.predicted).sum()),
                int(choice.predicted.sum()),
                int((found & choice.reference).sum()),
                int(choice.reference.sum()),
            )
        return self._items(level).agreement(choice)

    def right_predicted(self, choice: Choice) -> Flags:
        """Predicted genes with a chain of a counted reference gene, bool (genes,)."""
        chains = self._items("transcript")
        there = chains.reference_codes(choice.against_reference)
        return flags(chains.predicted_gene[there[chains.predicted]], self.predicted.genes)

    def found_reference(self, choice: Choice) -> Flags:
        """Reference genes with a chain of a counted predicted gene, bool (genes,)."""
        chains = self._items("transcript")
        there = chains.predicted_codes(choice.against_predicted)
        return flags(chains.reference_gene[there[chains.reference]], self.reference.genes)

    @property
    def chains(self) -> tuple[Codes, Codes]:
        """Codes of the transcripts' chains, reference and predicted."""
        items = self._items("transcript")
        return items.reference, items.predicted

    def agreement_within(self, level: str, tolerance: int, choice: Choice) -> Agreement:
        """Agreement at level ``transcript`` or ``locus`` with equal introns and ends within ``tolerance``."""
        reference, predicted = self._within(tolerance, choice)
        chains, guesses = self.chains
        counted = choice.reference[self.reference.gene], choice.predicted[self.predicted.gene]
        if level == "locus":
            items, guessed = self.reference.gene, self.predicted.gene
            total = int(choice.predicted.sum()), int(choice.reference.sum())
        else:
            items, guessed = chains, guesses
            total = np.unique(guessed[counted[1]]).size, np.unique(items[counted[0]]).size
        return Agreement(
            np.unique(guessed[counted[1] & predicted]).size,
            total[0],
            np.unique(items[counted[0] & reference]).size,
            total[1],
        )

    def _within(self, tolerance: int, choice: Choice) -> tuple[Flags, Flags]:
        """Reference and predicted transcripts that agree with one of the other side."""
        codes, cut = self._introns_and_strand, self.reference.gene.size
        reference = np.column_stack([codes[:cut], self.reference.left, self.reference.right])
        predicted = np.column_stack([codes[cut:], self.predicted.left, self.predicted.right])
        truth = np.flatnonzero(choice.against_reference[self.reference.gene])
        guess = np.flatnonzero(choice.against_predicted[self.predicted.gene])
        return _near(reference, predicted[guess], tolerance), _near(predicted, reference[truth], tolerance)

    def _bases(self, choice: Choice) -> Agreement:
        def of(side: GeneColumns, genes: Flags) -> Places:
            return side.segments[genes[side.segment_gene]]

        reference, predicted = of(self.reference, choice.reference), of(self.predicted, choice.predicted)
        both, reference_only, predicted_only = shared_bases(reference, predicted, self.mask)
        if choice.all_reference is None and choice.all_predicted is None:
            return Agreement(both, both + predicted_only, both, both + reference_only)
        right = shared_bases(of(self.reference, choice.against_reference), predicted, self.mask)[0]
        found = shared_bases(reference, of(self.predicted, choice.against_predicted), self.mask)[0]
        return Agreement(right, both + predicted_only, found, both + reference_only)

    def _items(self, level: str) -> _Items:
        """Items of a level, made when they are first asked for."""
        if level not in self._known:
            self._known[level] = _Items.of(*self._codes_and_genes("exon" if level == "cds_exon" else level))
        return self._known[level]

    def _codes_and_genes(self, level: str) -> tuple[Codes, Codes, Codes]:
        """Codes of the items of both sides, and the genes of the reference's and of the predicted items."""
        sides = (self.reference, self.predicted)
        if level == "exon":
            return self._segment_codes, *(side.segment_gene for side in sides)
        counts = np.concatenate([side.counts for side in sides])
        if level == "transcript":
            first, together = np.cumsum(counts) - counts, np.zeros(counts.size, np.int64)
            return chain_codes(first, counts, self._segment_codes, together), *(side.gene for side in sides)
        if level == "intron_chain":
            spliced = [side.gene[side.counts > 1] for side in sides]
            return self._introns_and_strand[counts > 1], *spliced
        forward = np.concatenate([side.forward for side in sides])
        if level in ("start", "stop"):
            left = np.concatenate([side.left for side in sides])
            right = np.concatenate([side.right for side in sides]) - 3
            return codes_of(np.where(forward == (level == "start"), left, right)), *(side.gene for side in sides)
        genes = [np.repeat(side.gene, side.counts - 1) for side in sides]
        if level == "intron":
            return self._intron_codes, *genes
        if level not in ("donor", "acceptor"):
            raise ValueError(f"no level {level!r}")
        at_left = np.repeat(forward, counts - 1) == (level == "donor")
        return codes_of(np.where(at_left, self._introns[:, 0], self._introns[:, 1] - 2)), *genes

    @cached_property
    def _segment_codes(self) -> Codes:
        return interval_codes(np.concatenate([self.reference.segments, self.predicted.segments]))

    @cached_property
    def _introns(self) -> Places:
        return np.concatenate([self.reference.introns(), self.predicted.introns()])

    @cached_property
    def _intron_codes(self) -> Codes:
        return interval_codes(self._introns)

    @cached_property
    def _introns_and_strand(self) -> Codes:
        """Codes of the transcripts by strand and introns, reference then predicted: equal without introns too."""
        sides = (self.reference, self.predicted)
        counts = np.concatenate([side.counts for side in sides]) - 1
        strand = np.concatenate([side.left for side in sides]) // SPAN
        return chain_codes(np.cumsum(counts) - counts, counts, self._intron_codes, codes_of(strand))


def _near(items: Codes, others: Codes, tolerance: int) -> Flags:
    """Which rows (code, left, right) have a row of the others with their code and both ends within ``tolerance``."""
    order = np.lexsort([others[:, 1], others[:, 0]])
    ordered = others[order]
    low = _before(items[:, 0], items[:, 1] - tolerance, ordered)
    counts = _before(items[:, 0], items[:, 1] + tolerance + 1, ordered) - low
    row, other = np.repeat(np.arange(len(items)), counts), runs(low, counts)
    return flags(row[np.abs(ordered[other, 2] - items[row, 2]) <= tolerance], len(items))


def _before(code: Codes, left: Codes, ordered: Codes) -> Codes:
    """How many of the ordered rows (code, left, ...) come before each (code, left)."""
    both = np.concatenate([ordered[:, :2], np.column_stack([code, left])])
    # Equal rows: the asked one comes first, as only rows strictly before it count.
    known = np.concatenate([np.ones(len(ordered), np.int64), np.zeros(len(code), np.int64)])
    order = np.lexsort([known, both[:, 1], both[:, 0]])
    position = np.cumsum(known[order])
    before = np.empty(len(both), dtype=np.int64)
    before[order] = position
    return before[len(ordered) :]
