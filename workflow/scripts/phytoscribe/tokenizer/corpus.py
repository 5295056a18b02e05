"""The corpus for training a tokenizer: pieces of training sequence, without any held-out base."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from phytoscribe.errors import ConfigError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval, true_runs
from phytoscribe.genome.sequence import N_CODE, decode, reverse_complement

logger = logging.getLogger(__name__)

PIECE_LENGTH = 1000
#: Shorter remainders between gaps or held-out intervals are left out.
SHORTEST_PIECE = 32


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """A region of ACGT in training sequence, 0-based half-open, read on ``strand``."""

    genome: str
    contig: str
    start: int
    end: int
    strand: str


def sample_pieces(
    genomes: Mapping[str, Genome], allowed: Mapping[str, Mapping[str, Sequence[Interval]]], bases: int, seed: int
) -> list[Piece]:
    """Draw pieces of up to 1 kb, about ``bases`` in all, from the allowed intervals.

    Every genome contributes the same number of bases, or all it has.  Pieces are drawn without replacement, on either
    strand with equal probability, and never overlap.

    Args:
        genomes: open genomes by name.
        allowed: ``{genome: {contig: intervals}}``, sorted 0-based half-open intervals that training may see.
        bases: size of the corpus.
        seed: seed of the random draw.

    Raises:
        ConfigError: no genome has any allowed sequence.
    """
    supply = {name: list(_pieces(name, genome, allowed[name])) for name, genome in genomes.items()}
    available = {name: sum(piece.end - piece.start for piece in pieces) for name, pieces in supply.items()}
    if not any(available.values()):
        raise ConfigError("split: no training sequence is left for the tokenizer corpus; give a genome of role train")
    drawn: list[Piece] = []
    for number, (name, quota) in enumerate(even_quotas(available, bases).items()):
        generator = np.random.default_rng([seed, number])
        total = 0
        for index in generator.permutation(len(supply[name])):
            if total >= quota:
                break
            piece = supply[name][index]
            strand = "+-"[generator.integers(2)]
            drawn.append(Piece(piece.genome, piece.contig, piece.start, piece.end, strand))
            total += piece.end - piece.start
        logger.info("corpus: %d of %d allowed bases of %s", total, available[name], name)
    return sorted(drawn)


def even_quotas(available: Mapping[str, int], total: int) -> dict[str, int]:
    """Equal shares of ``total``; what a small supply cannot provide is divided among the others."""
    quotas: dict[str, int] = {}
    left = total
    for position, name in enumerate(sorted(available, key=lambda key: (available[key], key))):
        quotas[name] = min(available[name], left // (len(available) - position))
        left -= quotas[name]
    return {name: quotas[name] for name in available}


def piece_texts(pieces: Iterable[Piece], genomes: Mapping[str, Genome]) -> Iterator[str]:
    """The sequence of each piece, upper-case ACGT, 5' to 3' on its strand."""
    for piece in pieces:
        codes = genomes[piece.genome].bases(piece.contig, piece.start, piece.end)
        yield decode(codes if piece.strand == "+" else reverse_complement(codes))


def _pieces(name: str, genome: Genome, allowed: Mapping[str, Sequence[Interval]]) -> Iterator[Piece]:
    for contig, intervals in allowed.items():
        for start, end in intervals:
            for run_start, run_end in true_runs(genome.bases(contig, start, end) != N_CODE, start):
                for at in range(run_start, run_end, PIECE_LENGTH):
                    stop = min(at + PIECE_LENGTH, run_end)
                    if stop - at >= SHORTEST_PIECE:
                        yield Piece(name, contig, at, stop, "+")
