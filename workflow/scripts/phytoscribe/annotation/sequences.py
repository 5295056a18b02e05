"""Sequences of gene models: transcripts, CDS and proteins, and FASTA output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import IO, NamedTuple

import numpy as np

from phytoscribe.annotation.model import Transcript
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.sequence import BASES, Bases, decode, reverse_complement

#: The standard genetic code (NCBI translation table 1), codons in the order TCAG x TCAG x TCAG.
AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
GENETIC_CODE = {
    "".join(codon): amino_acid for codon, amino_acid in zip(product("TCAG", repeat=3), AMINO_ACIDS, strict=True)
}
STOP = "*"
START_CODON = "ATG"
STOP_CODONS = tuple(sorted(codon for codon, amino_acid in GENETIC_CODE.items() if amino_acid == STOP))
_WIDTH = 60

_CODON_TABLE = np.full((5, 5, 5), ord("X"), dtype=np.uint8)
for _codon, _amino_acid in GENETIC_CODE.items():
    _CODON_TABLE[tuple(BASES.index(letter) for letter in _codon)] = ord(_amino_acid)


def spliced_codes(segments: Sequence[Interval], strand: str, bases: Bases) -> Bases:
    """Base codes of the joined segments, 5' to 3' on ``strand``.

    Args:
        segments: sorted 0-based half-open intervals in contig orientation.
        strand: ``+`` or ``-``.
        bases: codes of the whole contig, shape (contig length,), uint8.
    """
    if not segments:
        return np.empty(0, dtype=np.uint8)
    joined = np.concatenate([bases[start:end] for start, end in segments])
    return joined if strand == "+" else reverse_complement(joined)


def splice(segments: Sequence[Interval], strand: str, bases: Bases) -> str:
    """Text of the joined segments, 5' to 3' on ``strand``; see :func:`spliced_codes`."""
    return decode(spliced_codes(segments, strand, bases))


def translate(codes: Bases) -> str:
    """Protein of base codes, shape (length,), uint8: standard genetic code, ``*`` for stops, ``X`` for codons with N.

    Translation starts at the first base; one or two bases after the last full codon are left out.
    """
    codons = codes[: len(codes) // 3 * 3].reshape(-1, 3)
    return _CODON_TABLE[codons[:, 0], codons[:, 1], codons[:, 2]].tobytes().decode()


class ReadingFrame(NamedTuple):
    """The codons of a coding sequence.

    Attributes:
        starts: the first one is ATG.
        whole: no bases are left over after the last full codon.
        codons: full codons, stops among them.
        first_stop: index of the first stop codon; -1 if there is none.
        stops_at_end: the last codon is a stop, and ends the sequence.
    """

    starts: bool
    whole: bool
    codons: int
    first_stop: int
    stops_at_end: bool

    @property
    def stops_inside(self) -> bool:
        """A stop codon comes before the last codon."""
        return 0 <= self.first_stop < self.codons - 1

    @property
    def intact(self) -> bool:
        """From ATG to the first stop codon, which ends it, in whole codons."""
        return self.starts and self.stops_at_end and not self.stops_inside


def reading_frame(codes: Bases) -> ReadingFrame:
    """The codons of base codes, shape (length,), uint8, from the first base on."""
    protein, whole = translate(codes), len(codes) % 3 == 0
    starts = decode(codes[:3]) == START_CODON
    return ReadingFrame(starts, whole, len(protein), protein.find(STOP), whole and protein.endswith(STOP))


def cds_of(transcript: Transcript, bases: Bases) -> str:
    """Coding sequence including the stop codon, and including the bases that ``start_phase`` would skip.

    Raises:
        ValueError: the transcript codes for nothing.
    """
    return decode(_coding_codes(transcript, bases))


def protein_of(transcript: Transcript, bases: Bases) -> str:
    """Protein with ``*`` for each stop codon (also the last); translation starts after ``start_phase`` bases.

    Raises:
        ValueError: the transcript codes for nothing.
    """
    return translate(_coding_codes(transcript, bases)[transcript.start_phase :])


def _coding_codes(transcript: Transcript, bases: Bases) -> Bases:
    if not transcript.cds:
        raise ValueError(f"transcript {transcript.id} ({transcript.type}) has no CDS, and so neither CDS nor protein")
    return spliced_codes(transcript.cds, transcript.strand, bases)


def transcript_of(transcript: Transcript, bases: Bases) -> str:
    """Sequence of the mature transcript: its exons joined."""
    return splice(transcript.exons, transcript.strand, bases)


def write_fasta(handle: IO[str], records: Iterable[tuple[str, str]]) -> int:
    """Write (header without ``>``, sequence) records in lines of 60; returns their number."""
    count = 0
    for header, sequence in records:
        lines = [sequence[at : at + _WIDTH] for at in range(0, len(sequence), _WIDTH)]
        handle.write(f">{header}\n" + "".join(f"{line}\n" for line in lines))
        count += 1
    return count
