"""Motifs to start from: a planted one is found, in the direction that does not matter, and no word twice."""

from __future__ import annotations

import numpy as np

from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.regulatory.enriched import EnrichedWords, word_numbers


def test_words_have_one_number_on_both_strands():
    bases = encode("ACGTTGCANACGTTGCATT")
    numbers = word_numbers(bases)
    assert (numbers < 0).tolist() == [False] + [True] * 8 + [False] * 3
    assert numbers[0] == numbers[9] == word_numbers(reverse_complement(bases[:8]))[0]


def test_planted_motifs_are_found():
    generator = np.random.default_rng(1)
    bases = generator.integers(0, 4, 200_000).astype(np.uint8)
    planted = [encode("TGACGTCATC"), encode("AAAATATCTT")]
    summits = np.arange(200, 199_000, 400)
    labels = np.arange(summits.size) % 2
    for number, at in enumerate(summits):
        site = planted[labels[number]]
        bases[at - 5 : at + 5] = site if generator.random() < 0.5 else reverse_complement(site)
    words = EnrichedWords(2, 19)
    words.learn(bases, summits, labels)
    motifs = words.motifs(6)
    assert motifs.shape[1:] == (19, 4)
    consensus = ["".join("ACGT"[base] for base in motif.argmax(axis=1)[4:15]) for motif in motifs]
    both = [text for site in ("TGACGTCATC", "AAAATATCTT") for text in (site,)]
    for site in both:
        turned = "".join(reversed(site.translate(str.maketrans("ACGT", "TGCA"))))
        assert any(site[1:9] in text or turned[1:9] in text for text in consensus[:2]), (site, consensus)
    assert len(set(consensus)) == len(consensus)
