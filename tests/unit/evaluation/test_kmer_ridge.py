"""The regression on 6-mers: their counts one by one, on both strands, and a planted word that it learns."""

from __future__ import annotations

from collections import Counter

import numpy as np

from phytoscribe.evaluation.kmer_ridge import COLUMNS, KmerRidge, kmer_table
from phytoscribe.genome.sequence import decode, encode, reverse_complement


def test_counts_are_those_of_the_text():
    bases = np.random.default_rng(1).integers(0, 4, 440).astype(np.uint8)
    bases[100] = 4
    table = kmer_table(bases, 2, 200, 20)
    assert table.shape == (2, COLUMNS) == (2, 2080)
    for number in range(2):
        text = decode(bases[number * 200 : number * 200 + 240])
        words = (text[k : k + 6] for k in range(235))
        turned = {word: decode(reverse_complement(encode(word))) for word in {text[k : k + 6] for k in range(235)}}
        counts = Counter(min(word, turned[word]) for word in words if "N" not in word)
        assert sorted(counts.values()) == sorted(np.round(table[number][table[number] > 0] ** 2).astype(int).tolist())
    np.testing.assert_array_equal(kmer_table(reverse_complement(bases), 2, 200, 20), table[::-1])


def test_a_planted_word_is_learned_where_the_label_is_known():
    generator = np.random.default_rng(2)
    bases = generator.integers(0, 4, 400 * 200).astype(np.uint8)
    labels = generator.random((400, 2)) < 0.3
    for number in np.flatnonzero(labels[:, 0]):
        bases[number * 200 + 90 : number * 200 + 96] = encode("CACGTG")
    table = kmer_table(bases, 400, 200, 0)
    ridge = KmerRidge([np.array([True, False]), np.array([True, True])])
    ridge.learn(0, [(table[:300], labels[:300])])
    ridge.solve(30.0)
    scores = ridge.scores(table[300:])[:, 0]
    assert scores[labels[300:, 0]].min() > np.median(scores)
    # Of the second label nothing was learned: the genome that has it gave no bins.
    assert not ridge.weights[:, 1].any()
