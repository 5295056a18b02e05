"""Coding statistics: smoothed conditional probabilities, both strands, and what they say about real genes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_training_set import contig_of, small_set

from phytoscribe.genome import encode, reverse_complement
from phytoscribe.labels.states import NON_CODING_LABEL, State
from phytoscribe.models.kmer_content import kmer_numbers
from phytoscribe.training.data.content_table import KIND_COUNT, PRIOR_WEIGHT, content_table, log_ratios
from phytoscribe.training.data.training_set import TrainingSet

LENGTH = 5
CODING, INTRON = slice(0, 3), 3
OTHER_CODING, OTHER_INTRON = slice(6, 9), 9


@pytest.fixture(scope="module")
def arrays(arabidopsis_fasta, tmp_path_factory) -> TrainingSet:
    contigs = [contig_of(arabidopsis_fasta, name) for name in ("Chr2", "Chr4")]
    return small_set(tmp_path_factory.mktemp("content") / "set", contigs)


@pytest.fixture(scope="module")
def table(arrays) -> np.ndarray:
    return content_table(arrays, LENGTH)


def test_conditional_probabilities_are_smoothed_from_the_shorter_context():
    counts = np.zeros((KIND_COUNT, 16))
    counts[0, [0, 1, 4]] = 30, 10, 60  # AA, AC, CA
    ratios = log_ratios(counts)
    first = (np.array([90, 10, 0, 0]) + PRIOR_WEIGHT / 4) / (100 + PRIOR_WEIGHT)
    second = (np.array([30, 10, 0, 0]) + PRIOR_WEIGHT * first) / (40 + PRIOR_WEIGHT)
    np.testing.assert_allclose(ratios[0, :4], np.log(second / 0.25), rtol=1e-5)
    assert np.abs(ratios[1:]).max() == 0


def test_the_table_tells_codon_positions_and_strands_of_real_genes(arrays, table):
    bases = torch.from_numpy(np.asarray(arrays.bases).astype(np.int64))[None]
    scores = table[kmer_numbers(bases, LENGTH)[0].numpy()]
    for position, state in enumerate((State.CODING0, State.CODING1, State.CODING2)):
        plus = scores[arrays.labels[0] == state].mean(axis=0)
        assert plus[CODING].argmax() == position
        # On the other strand the k-mer's first base is the one that counts.
        minus = scores[np.flatnonzero(arrays.labels[1] == state) + LENGTH - 1].mean(axis=0)
        assert minus[OTHER_CODING].argmax() == position
    for strand, column in ((0, INTRON), (1, OTHER_INTRON)):
        inside = np.isin(arrays.labels[strand], (State.INTRON0, State.INTRON1, State.INTRON2))
        assert scores[inside, column].mean() > 0 > scores[~inside, column].mean()


def test_a_base_of_unknown_kind_counts_for_none(arrays, table):
    labels = np.array(arrays.labels)
    intergenic = (labels == State.INTERGENIC).all(axis=0)
    labels[:, intergenic] = NON_CODING_LABEL
    without = content_table(replace(arrays, labels=labels), LENGTH)
    # No intergenic k-mer is left: what all kinds are compared with is uniform, and the other kinds are as before.
    difference = (without - table)[:-1, :6]
    assert np.allclose(difference, difference[:, :1], atol=1e-5)
    assert np.abs(difference).max() > 0.1


def test_both_halves_of_the_table_are_one_reverse_complemented(table):
    word = encode("ACGTG")
    number, turned = (int(np.dot(w, 4 ** np.arange(LENGTH - 1, -1, -1))) for w in (word, reverse_complement(word)))
    np.testing.assert_array_equal(table[number, :4], table[turned, 6:])
    assert not table[-1].any()
