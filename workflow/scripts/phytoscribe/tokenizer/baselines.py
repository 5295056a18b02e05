"""Baselines for masked-token cross-entropy from letter statistics alone, in nats per token or base.

Unigram: p(t) = (n(t) + 1/2) / sum over the nucleotide tokens.

Order-5 Markov: p(t | c), c the five bases to the left of the token, by interpolated back-off over shorter contexts
(hierarchical Dirichlet smoothing, MacKay and Peto 1995, doi:10.1017/S1351324900000218)::

    p_0(t) = p(t),   p_k(t | c_k) = (n(c_k, t) + PRIOR_WEIGHT p_{k-1}(t | c_{k-1})) / (n(c_k) + PRIOR_WEIGHT)

with c_k the nearest k bases and p = p_5.  Tokens are counted instead of bases: the probabilities of a chain over bases
do not sum to one over tokens of unequal length (A and AC would both be counted), and ignore that a token never follows
a context it would have merged with.  Each p_k sums to one over the vocabulary.  Where fewer than five known bases lie
to the left, p(t | c) = p(t).

With :class:`SingleBases` in place of a tokenizer every base is a token.

Both baselines see the true bases to the left even where a model sees them masked, so they are slightly too strong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.tokenizer.segments import Segmenter, TokenIds

ORDER = 5
CONTEXTS = 4**ORDER
#: Observations that a shorter context is worth; of 300 to 300,000 the best on held-out *A. thaliana* contigs (BPE
#: 4,096, corpus of 4 Mb): with thousands of tokens, several hundred counts per context are mostly noise.
PRIOR_WEIGHT = 1e5
PSEUDOCOUNT = 0.5


class SingleBases:
    """Single bases as tokens: what the baselines use of :class:`Segmenter`, and the prior weight for so few tokens."""

    vocabulary_size = N_CODE + 1
    lengths = np.ones(N_CODE + 1, dtype=np.int32)
    nucleotide = np.arange(N_CODE + 1) < N_CODE
    prior_weight = 30.0

    def segment(self, bases: Bases) -> tuple[Bases, npt.NDArray[np.int32]]:
        return bases, self.lengths[bases]

    def desegment(self, ids: Bases) -> Bases:
        return ids


@dataclass(frozen=True, slots=True)
class TokenBaselines:
    """Fitted baselines.

    Attributes:
        unigram: float64[V], log p(t), -inf for tokens that are not nucleotides.
        markov: float32[1024, V], log p(t | c), rows by context (five bases as a number of base 4).
    """

    unigram: npt.NDArray[np.float64]
    markov: npt.NDArray[np.float32]

    def cross_entropy(
        self, segmenter: Segmenter | SingleBases, sequences: Iterable[tuple[TokenIds, npt.NDArray[np.bool_]]]
    ) -> dict[str, float]:
        """Mean cross-entropy over masked tokens.

        Args:
            segmenter: the tokenizer that the baselines were fitted with.
            sequences: (ids int32[T] unmasked, masked bool[T]) per window; only nucleotide tokens may be masked.

        Returns:
            ``unigram`` and ``markov`` in nats per token, and ``tokens``, the number of masked tokens.
        """
        totals, count = np.zeros(2), 0
        for ids, masked in sequences:
            contexts = left_contexts(segmenter.desegment(ids), token_starts(segmenter, ids))[masked]
            tokens = ids[masked]
            unigram = self.unigram[tokens]
            markov = np.where(contexts >= 0, self.markov[contexts, tokens], unigram)
            totals -= (unigram.sum(), markov.sum())
            count += tokens.size
        if count == 0 or not np.isfinite(totals).all():
            raise ValueError("no masked tokens, or masked tokens that are no nucleotides")
        return {"unigram": totals[0] / count, "markov": totals[1] / count, "tokens": count}


def fit_baselines(segmenter: Segmenter | SingleBases, pieces: Iterable[Bases]) -> TokenBaselines:
    """Fit both baselines to pieces of training sequence (uint8[L] base codes each)."""
    size = segmenter.vocabulary_size
    pair_counts = np.zeros(CONTEXTS * size, dtype=np.float32)
    token_counts = np.zeros(size)
    for bases in pieces:
        ids, _ = segmenter.segment(bases)
        token_counts += np.bincount(ids, minlength=size)
        contexts = left_contexts(bases, token_starts(segmenter, ids))
        known = (contexts >= 0) & segmenter.nucleotide[ids]
        np.add.at(pair_counts, contexts[known] * size + ids[known], 1)
    unigram = np.where(segmenter.nucleotide, token_counts + PSEUDOCOUNT, 0.0)
    unigram /= unigram.sum()
    prior_weight = segmenter.prior_weight if isinstance(segmenter, SingleBases) else PRIOR_WEIGHT
    markov = _back_off(unigram, pair_counts.reshape(CONTEXTS, size), prior_weight)
    with np.errstate(divide="ignore"):  # log 0 = -inf for tokens that are not nucleotides
        return TokenBaselines(np.log(unigram), np.log(markov))


def _back_off(
    unigram: npt.NDArray[np.float64], pair_counts: npt.NDArray[np.float32], prior_weight: float
) -> npt.NDArray[np.float32]:
    """p_5 of the module's text, float32[1024, V], from counts [1024, V] of tokens after five bases."""
    probability = unigram[None].astype(np.float32)
    for order in range(1, ORDER + 1):
        # The farthest base is the leading digit: summing over it gives the counts of the shorter context.
        counts = pair_counts.reshape(4 ** (ORDER - order), 4**order, -1).sum(axis=0)
        shorter = np.tile(probability, (4, 1))
        probability = (counts + prior_weight * shorter) / (counts.sum(axis=1, keepdims=True) + prior_weight)
    return probability


def token_starts(segmenter: Segmenter | SingleBases, ids: TokenIds) -> npt.NDArray[np.int64]:
    """Position of each token's first base, int64[T]."""
    lengths = segmenter.lengths[ids].astype(np.int64)
    return np.cumsum(lengths) - lengths


def left_contexts(bases: Bases, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The five bases left of each position as a number in 0..1023, the farthest first; -1 at the edge or beside N."""
    padded = np.concatenate([np.full(ORDER, N_CODE, dtype=np.uint8), bases])
    left = padded[positions[:, None] + np.arange(ORDER)].astype(np.int64)
    numbers = left @ (4 ** np.arange(ORDER - 1, -1, -1))
    return np.where((left == N_CODE).any(axis=1), -1, numbers)
