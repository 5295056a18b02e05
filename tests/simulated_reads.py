"""RNA-seq reads of transcripts with known abundances."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from phytoscribe.genome.sequence import decode, encode, reverse_complement

READ, FRAGMENT = 75, 200


def simulated_pairs(
    sequences: Mapping[str, str], abundances: Mapping[str, float], count: int, seed: int
) -> list[tuple[str, str, str]]:
    """Name, first and second read of fragments of transcripts, drawn in proportion to abundance and effective length.

    Args:
        sequences: of transcripts longer than :data:`FRAGMENT`.
        abundances: of each of them, in any unit.
    """
    generator = np.random.default_rng(seed)
    names = list(sequences)
    weights = np.array([abundances[name] * (len(sequences[name]) - FRAGMENT + 1) for name in names])
    pairs = []
    for number, name in enumerate(generator.choice(names, count, p=weights / weights.sum())):
        start = generator.integers(len(sequences[name]) - FRAGMENT + 1)
        fragment = sequences[name][start : start + FRAGMENT]
        ends = fragment[:READ], decode(reverse_complement(encode(fragment)))[:READ]
        pairs.append((f"read{number}", *(ends if generator.random() < 0.5 else ends[::-1])))
    return pairs


def write_fastq(path: Path, reads: Iterable[tuple[str, str]]) -> Path:
    """Names and sequences as FASTQ, packed if the file's name says so."""
    text = "".join(f"@{name}\n{sequence}\n+\n{'I' * len(sequence)}\n" for name, sequence in reads).encode()
    path.write_bytes(gzip.compress(text, 1, mtime=0) if path.suffix == ".gz" else text)
    return path
