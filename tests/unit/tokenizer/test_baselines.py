"""Baselines of masked-token prediction: proper distributions that use their context when there is something in it."""

import numpy as np
import pytest

from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import N_CODE, encode
from phytoscribe.tokenizer.baselines import CONTEXTS, SingleBases, fit_baselines, left_contexts, token_starts
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer, save_tokenizer, train_tokenizer


def saved(tokenizer, folder):
    save_tokenizer(tokenizer, folder, ("tokenizer.json",))
    return Segmenter(folder)


@pytest.fixture(scope="module")
def kmers(tmp_path_factory):
    return saved(build_kmer_tokenizer(2), tmp_path_factory.mktemp("kmers"))


def all_masked(segmenter, bases):
    ids, _ = segmenter.segment(bases)
    return ids, segmenter.nucleotide[ids]


def test_contexts_are_the_five_bases_to_the_left():
    bases = encode("AAAAACGTACNAAAAAT")
    assert left_contexts(bases, np.array([0, 4, 5, 6, 8, 10, 11, 15, 16])).tolist() == [
        -1,
        -1,
        0,
        1,
        int("00123", 4),
        int("12301", 4),
        -1,
        -1,
        0,
    ]


def test_token_starts_follow_from_lengths(kmers):
    ids, lengths = kmers.segment(encode("ACGTNAC"))
    assert lengths.tolist() == [2, 2, 1, 1, 1]
    assert token_starts(kmers, ids).tolist() == [0, 2, 4, 5, 6]


def test_rows_are_distributions_over_nucleotide_tokens(kmers):
    rng = np.random.default_rng(1)
    fitted = fit_baselines(kmers, [rng.integers(0, 5, 3000).astype(np.uint8) for _ in range(3)])
    assert fitted.markov.shape == (CONTEXTS, kmers.vocabulary_size)
    for table in (fitted.unigram[None], fitted.markov):
        assert np.exp(table).sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert np.isneginf(table[:, ~kmers.nucleotide]).all()
        assert np.isfinite(table[:, kmers.nucleotide]).all()


def test_markov_learns_a_chain_that_the_unigram_cannot_see(kmers):
    """A period of seven bases: within five bases the next is certain, and all tokens are about equally common."""
    period = encode("ACGGTCA" * 60_000)
    fitted = fit_baselines(kmers, [period])
    scores = fitted.cross_entropy(kmers, [all_masked(kmers, period[:7000])])
    assert scores["unigram"] == pytest.approx(np.log(7), abs=0.1)
    assert scores["markov"] < 0.35 * scores["unigram"]
    assert scores["tokens"] == 3500


def test_bases_are_tokens_too():
    period, single = encode("ACGGTCA" * 3_000), SingleBases()
    scores = fit_baselines(single, [period]).cross_entropy(single, [all_masked(single, period[:7000])])
    shares = np.array([2, 2, 2, 1]) / 7
    assert scores["unigram"] == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.01)
    assert scores["markov"] < 0.05


def test_without_structure_both_are_the_entropy(kmers):
    rng = np.random.default_rng(2)
    train, score = rng.integers(0, 4, (2, 400_000)).astype(np.uint8)
    scores = fit_baselines(kmers, [train]).cross_entropy(kmers, [all_masked(kmers, score)])
    assert scores["unigram"] == pytest.approx(np.log(16), abs=0.01)
    assert scores["markov"] == pytest.approx(np.log(16), abs=0.01)


def test_where_the_context_is_unknown_both_agree(kmers):
    rng = np.random.default_rng(3)
    fitted = fit_baselines(kmers, [rng.integers(0, 4, 50_000).astype(np.uint8)])
    bases = rng.integers(0, 4, 600).astype(np.uint8)
    bases[4::6] = N_CODE
    scores = fitted.cross_entropy(kmers, [all_masked(kmers, bases)])
    assert scores["markov"] == pytest.approx(scores["unigram"])


def test_masked_specials_and_nothing_masked_are_refused(kmers):
    fitted = fit_baselines(kmers, [encode("ACGTACGTAA")])
    ids, _ = kmers.segment(encode("ACNN"))
    with pytest.raises(ValueError, match="no nucleotides"):
        fitted.cross_entropy(kmers, [(ids, np.ones(ids.size, dtype=bool))])
    with pytest.raises(ValueError, match="no masked tokens"):
        fitted.cross_entropy(kmers, [(ids, np.zeros(ids.size, dtype=bool))])


def test_on_real_sequence_markov_is_the_better_one(arabidopsis_fasta, tmp_path):
    with Genome(arabidopsis_fasta) as genome:
        train = [genome.bases("Chr1", at, at + 1000) for at in range(0, 2_000_000, 1000)]
        score = genome.bases("Chr3_1065466_1464870")
    corpus = tmp_path / "corpus.txt"
    with corpus.open("w") as handle:
        for bases in train:
            if (bases != N_CODE).all():
                handle.write("".join("ACGT"[base] for base in bases) + "\n")
    segmenter = saved(train_tokenizer(corpus, 1024), tmp_path / "bpe")
    windows = [all_masked(segmenter, score[at : at + 8192]) for at in range(0, score.size, 8192)]
    scores = fit_baselines(segmenter, train).cross_entropy(segmenter, windows)
    assert scores["markov"] < scores["unigram"] - 0.01
    assert 5.5 < scores["markov"] < np.log(1024)
