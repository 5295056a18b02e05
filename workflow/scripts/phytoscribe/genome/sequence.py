"""Bases as numbers: A, C, G, T, N = 0..4."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BASES = "ACGTN"
N_CODE = 4
#: IUPAC nucleotide letters that FASTA files may hold; all but ACGT read as N.  U reads as T.
IUPAC = "ACGTUNRYSWKMBDHV"

_ENCODE = np.full(256, 255, dtype=np.uint8)
for _letter in IUPAC:
    _code = BASES.find("T" if _letter == "U" else _letter)
    _ENCODE[ord(_letter)] = _ENCODE[ord(_letter.lower())] = N_CODE if _code < 0 else _code
_DECODE = np.frombuffer(BASES.encode(), dtype=np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0, 4], dtype=np.uint8)

Bases = npt.NDArray[np.uint8]


def encode(sequence: str | bytes) -> Bases:
    """Codes of a nucleotide text, shape (length,), dtype uint8; case is ignored.

    Raises:
        ValueError: a letter is not an IUPAC nucleotide; the message names the first one and its 1-based position.
    """
    raw = np.frombuffer(sequence.encode("latin-1") if isinstance(sequence, str) else sequence, dtype=np.uint8)
    codes = _ENCODE[raw]
    if codes.size and codes.max() == 255:
        where = int(np.argmax(codes == 255))
        raise ValueError(f"letter {chr(raw[where])!r} at position {where + 1} is not a nucleotide")
    return codes


def decode(codes: Bases) -> str:
    """Text of base codes; the inverse of :func:`encode` on upper-case ACGTN."""
    return _DECODE[codes].tobytes().decode()


def reverse_complement(codes: Bases) -> Bases:
    """Reverse complement of base codes, a new array (an involution; N stays N)."""
    return _COMPLEMENT[codes[::-1]]
