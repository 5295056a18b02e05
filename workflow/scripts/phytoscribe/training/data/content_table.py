"""K-mer coding potential, counted on the training sequence and given to a new model as an input.

For each kind of content (coding by codon position, introns, 5' and 3' UTRs; and coding by codon position and introns of
the other strand) the table holds ``log P(base | bases before, kind) - log P(base | bases before, intergenic)``,
estimated by interpolated back-off over shorter contexts (hierarchical Dirichlet smoothing, MacKay and Peto 1995,
doi:10.1017/S1351324900000218).  This is the content model of the classical gene finders (interpolated Markov models:
Salzberg et al. 1998, doi:10.1093/nar/26.2.544), given to the network as an input.
"""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.labels.states import NON_CODING_LABEL, State
from phytoscribe.models.configuration import CONTENT_CHANNELS
from phytoscribe.training.data.training_set import COUNTED, TrainingSet

logger = logging.getLogger(__name__)

#: Kinds of content by state: three codon positions, introns, UTRs; the last is what all others are compared with.
KIND_COUNT = 7
INTERGENIC_KIND = 6
assert CONTENT_CHANNELS == (KIND_COUNT - 1) + 4
#: Observations that a shorter context is worth.
PRIOR_WEIGHT = 100.0
#: Log ratios are cut here: the rarest k-mers say least.
LARGEST_RATIO = 4.0
COUNTED_AT_ONCE = 4_000_000

_KIND_OF_STATE = np.full(256, INTERGENIC_KIND, dtype=np.int64)
for _position, _states in enumerate(
    (
        (State.START, State.CODING0, State.FIRST0, State.LAST0),
        (State.CODING1, State.FIRST1, State.LAST1),
        (State.STOP, State.CODING2, State.FIRST2, State.LAST2),
        (State.INTRON0, State.INTRON1, State.INTRON2, State.UTR5_INTRON, State.UTR3_INTRON),
        (State.UTR5_EXON,),
        (State.UTR3_EXON,),
    )
):
    _KIND_OF_STATE[list(_states)] = _position
#: Not coding, but nobody knows whether untranslated or intergenic: counts for no kind.
UNKNOWN_KIND = -1
_KIND_OF_STATE[NON_CODING_LABEL] = UNKNOWN_KIND


def content_table(data: TrainingSet, length: int) -> npt.NDArray[np.float32]:
    """The table of a training set, float32 (4**length + 1, CONTENT_CHANNELS).

    Columns: coding by codon position of the k-mer's last base (3), intron, 5' UTR, 3' UTR; then for the other strand
    coding by codon position of the k-mer's first base (3), and intron.
    """
    counts = np.zeros((KIND_COUNT, 4**length), dtype=np.float64)
    for row in data.contigs.itertuples():
        for first in range(row.offset, row.offset + row.length, COUNTED_AT_ONCE):
            part = slice(first, min(first + COUNTED_AT_ONCE + length - 1, row.offset + row.length))
            bases, weights = np.asarray(data.bases[part]), np.asarray(data.weights[part])
            plus, minus = (_KIND_OF_STATE[data.labels[strand, part]] for strand in (0, 1))
            # Intergenic means that neither strand has a gene.
            empty = (plus == INTERGENIC_KIND) & (minus == INTERGENIC_KIND)
            for kinds, sequence, void, known in (
                (plus, bases, empty, weights),
                (minus[::-1], reverse_complement(bases), empty[::-1], weights[::-1]),
            ):
                _count(counts, sequence, kinds, void, known, length)
    ratios = log_ratios(counts)
    logger.info("content table: %d bases counted, mean |log ratio| %.3f", int(counts.sum()), np.abs(ratios).mean())
    opposite = ratios[:, _reverse_complement_numbers(length)]
    table = np.zeros((4**length + 1, CONTENT_CHANNELS), dtype=np.float32)
    table[:-1] = np.concatenate([ratios, opposite[:4]]).T
    return table


def _count(counts, bases, kinds, void, known, length) -> None:
    """Add each k-mer to the kind of content of its last base."""
    if bases.size < length:
        return
    numbers = np.zeros(bases.size - length + 1, dtype=np.int64)
    whole = np.ones(numbers.size, dtype=bool)
    for step in range(length):
        part = bases[step : step + numbers.size]
        numbers = numbers * 4 + part
        whole &= part < N_CODE
    ends = slice(length - 1, None)
    settled = (kinds[ends] != UNKNOWN_KIND) & ((kinds[ends] != INTERGENIC_KIND) | void[ends])
    counted = whole & (known[ends] == COUNTED) & settled
    flat = kinds[ends][counted] * 4**length + numbers[counted]
    counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)


def log_ratios(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Log ratios of the conditional probability of each k-mer's last base against intergenic, (KIND_COUNT - 1, 4**k).

    Args:
        counts: (KIND_COUNT, 4**k), k-mers by the content of their last base.
    """
    kinds, size = counts.shape
    length = round(np.log(size) / np.log(4))
    probabilities = np.full((kinds, 1, 4), 0.25)
    for order in range(length):
        # k-mers that end in the same order + 1 bases, summed over what lies before.
        shorter = counts.reshape(kinds, -1, 4**order, 4).sum(axis=1)
        total = shorter.sum(axis=-1, keepdims=True)
        previous = np.tile(probabilities, (1, 4**order // probabilities.shape[1], 1))
        probabilities = (shorter + PRIOR_WEIGHT * previous) / (total + PRIOR_WEIGHT)
    logs = np.log(probabilities.reshape(kinds, size))
    return (logs[:-1] - logs[-1:]).clip(-LARGEST_RATIO, LARGEST_RATIO).astype(np.float32)


def _reverse_complement_numbers(length: int) -> npt.NDArray[np.int64]:
    """Number of the reverse complement of each k-mer, int64 (4**length,)."""
    numbers = np.arange(4**length)
    turned = np.zeros_like(numbers)
    for _ in range(length):
        turned = turned * 4 + (3 - numbers % 4)
        numbers //= 4
    return turned
