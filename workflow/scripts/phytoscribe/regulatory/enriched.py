"""Motifs to start from: words that are enriched at the summits of the training blocks, as tables of log odds.

Random filters need many epochs before they find the motifs of hundreds of factors, and the most frequent families come
first.  Here each label in turn names the word that its summits have far more often than the genome, unless a word like
it was named before; the sequences around that word at the label's summits give the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from phytoscribe.genome.sequence import N_CODE, Bases

#: Bases of a word, and of the stretch around a summit in which it counts on both sides.
K, REACH = 8, 15
#: Words that a label may name, from the most enriched.
WORDS_PER_LABEL = 20
#: Log odds are held within this, natural units; so many observations of the background are added to each column.
LARGEST, PRIOR = 2.0, 10.0
#: Summits that a word needs at its label, and that are looked at for a table.
LEAST, MOST = 20, 4000

_POWERS = 4 ** np.arange(K - 1, -1, -1)
Numbers = npt.NDArray[np.int64]


def word_numbers(bases: Bases) -> Numbers:
    """Number of the word at each place, the same for a word and its reverse complement; -1 with N.

    Returns:
        int64 (len(bases) - K + 1,).
    """
    windows = np.lib.stride_tricks.sliding_window_view(bases, K).astype(np.int64)
    forward, reverse = windows @ _POWERS, (3 - windows[:, ::-1]) @ _POWERS
    return np.where((windows == N_CODE).any(axis=1), -1, np.minimum(forward, reverse))


class EnrichedWords:
    """Counts of words at the summits of labels, and in all the sequence that was read.

    Args:
        labels: number of labels.
        width: bases of a motif, odd.
    """

    def __init__(self, labels: int, width: int) -> None:
        self.width = width
        self.at_summits = np.zeros((labels, 4**K), dtype=np.int32)
        self.everywhere = np.zeros(4**K, dtype=np.int64)
        self.bases = np.zeros(4)
        self.places = np.zeros(labels, dtype=np.int64)
        self._stretches: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]] = []

    def learn(self, bases: Bases, summits: Numbers, labels: Numbers) -> None:
        """Take a stretch of sequence.

        Args:
            summits: places in ``bases``, (n,); labels: of each.
        """
        numbers = word_numbers(bases)
        self.bases += np.bincount(bases, minlength=5)[:4]
        self.everywhere += np.bincount(numbers[numbers >= 0], minlength=4**K)
        margin = REACH + self.width
        inside = (summits >= margin) & (summits < bases.size - margin)
        summits, labels = summits[inside], labels[inside]
        span = np.arange(-margin, margin + 1)
        windows = bases[summits[:, None] + span]
        self._stretches.append((windows, labels.astype(np.int32)))
        self.places += np.bincount(labels, minlength=len(self.places))
        for offset in range(-REACH, REACH - K + 2):
            own = numbers[summits + offset]
            there = own >= 0
            np.add.at(self.at_summits, (labels[there], own[there]), 1)

    def ranked(self) -> list[Numbers]:
        """Words of each label from the most enriched: by observed times log of observed over expected."""
        share = self.everywhere / max(1, self.everywhere.sum())
        found = []
        for counts in self.at_summits:
            expected = share * counts.sum() + 1.0
            gain = np.where(counts >= LEAST, counts * np.log(np.maximum(counts, 1) / expected), 0.0)
            order = np.argsort(-gain, kind="stable")[:WORDS_PER_LABEL]
            found.append(order[gain[order] > 0])
        return found

    def motifs(self, count: int) -> npt.NDArray[np.float32]:
        """Log odds of the bases of up to ``count`` motifs against those of the sequence, float32 (motifs, width, 4)."""
        ranked = self.ranked()
        chosen: list[tuple[int, int]] = []
        taken: set[int] = set()
        for rank in range(WORDS_PER_LABEL):
            # Labels whose words are most often there choose first.
            for label in np.argsort(-self.places, kind="stable").tolist():
                if len(chosen) < count and rank < ranked[label].size:
                    word = int(ranked[label][rank])
                    if word not in taken:
                        chosen.append((label, word))
                        taken |= set(_alike(word))
        windows = np.concatenate([part for part, _ in self._stretches])
        labels = np.concatenate([part for _, part in self._stretches])
        order = np.argsort(labels, kind="stable")
        edges = np.searchsorted(labels[order], np.arange(len(self.places) + 1))
        tables = [self._table(windows[order[edges[label] : edges[label + 1]][:MOST]], word) for label, word in chosen]
        return np.stack(tables) if tables else np.empty((0, self.width, 4), dtype=np.float32)

    def _table(self, windows: npt.NDArray[np.uint8], word: int) -> npt.NDArray[np.float32]:
        """Log odds around the place of a word, or of one that differs in a base, in each window, in its direction."""
        width, forward = self.width, np.array(_digits(word), dtype=np.uint8)
        left = (width - K) // 2
        words = np.lib.stride_tricks.sliding_window_view(windows[:, width : windows.shape[1] - width], K, axis=1)
        differing = np.stack([(words != strand).sum(axis=2) for strand in (forward, (3 - forward)[::-1])])
        row, best = np.arange(len(windows)), differing.min(axis=0).argmin(axis=1)
        found = differing[:, row, best]
        total = np.full((width, 4), PRIOR) * self._background()
        for strand, chosen in enumerate(((found[0] <= 1), (found[1] <= 1) & (found[0] > 1))):
            # The other strand's site ends as far beyond the word as this one's begins before it.
            start = width + best[chosen] - (left if strand == 0 else width - K - left)
            sites = windows[row[chosen, None], start[:, None] + np.arange(width)]
            counts = np.stack([(sites == base).sum(axis=0) for base in range(4)], axis=1)
            total += counts if strand == 0 else counts[::-1, ::-1]
        odds = np.log(total / total.sum(axis=1, keepdims=True) / self._background())
        return np.clip(odds, -LARGEST, LARGEST).astype(np.float32)

    def _background(self) -> npt.NDArray[np.float64]:
        """Shares of the bases on both strands, (4,)."""
        both = self.bases + self.bases[::-1] + 1.0
        return both / both.sum()


def _digits(word: int) -> list[int]:
    return (word // _POWERS % 4).tolist()


def word_text(word: int) -> str:
    """The bases of a word by its number."""
    return "".join("ACGT"[digit] for digit in _digits(word))


def _alike(word: int) -> Iterator[int]:
    """Words that are the same motif: shifted by up to two bases, or with one other base; by their lower number."""
    digits = _digits(word)
    for place in range(K):
        for base in range(4):
            yield _number([*digits[:place], base, *digits[place + 1 :]])
    for shift in (1, 2):
        for number in range(4**shift):
            beside = _digits(number)[K - shift :]
            yield _number([*beside, *digits[: K - shift]])
            yield _number([*digits[shift:], *beside])


def _number(digits: Iterable[int]) -> int:
    forward = np.array(list(digits))
    return int(min(forward @ _POWERS, (3 - forward[::-1]) @ _POWERS))
