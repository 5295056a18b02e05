"""The reading frame that begins at a given start codon, and the CDS that it gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding.grammar import A, G, N, T, is_stop
from phytoscribe.decoding.isoform_edits import Chain
from phytoscribe.genome.intervals import Interval


@njit(cache=True, nogil=True)
def frame_behind(codes, starts, ends, cut):
    """Bases from an ATG to the end of the first stop codon in its frame, along joined exons.

    Returns:
        0 if there is no ATG at the cut, no stop codon, or an N before it.
    """
    length, b0, b1 = 0, N, N
    for k in range(starts.size):
        for x in range(max(starts[k], cut), ends[k]):
            if length == 0 and x != cut:
                return 0
            b2 = codes[x]
            if b2 == N:
                return 0
            length += 1
            if length == 3 and not (b0 == A and b1 == T and b2 == G):
                return 0
            if length % 3 == 0 and is_stop(b0, b1, b2):
                return length
            b0, b1 = b1, b2
    return 0


def open_frame(exons: Sequence[Interval], cut: int, codes: npt.NDArray[np.uint8]) -> Chain:
    """CDS from the ATG at a cut to the first stop codon in its frame, both included; empty if there is none."""
    places = np.array(exons, dtype=np.int64)
    length = int(frame_behind(codes, places[:, 0].copy(), places[:, 1].copy(), cut))
    cds = []
    for left, right in exons:
        low, high = max(left, cut), min(right, max(left, cut) + length)
        if low < high:
            cds.append((low, high))
            length -= high - low
    return tuple(cds)
