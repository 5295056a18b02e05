"""Which bases are repeats: those in lower case in the FASTA (soft-masked), and those of a BED file of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.genome.intervals import Interval, merge_intervals

_LOWER = np.zeros(256, np.bool_)
_LOWER[ord("a") : ord("z") + 1] = True
_GAP = np.zeros(256, np.bool_)
_GAP[[ord("N"), ord("n")]] = True


class Repeats:
    """Repeats of a genome; N is none, whatever its case.

    Args:
        intervals: by contig, 0-based half-open, in any order; besides the lower case of the FASTA.
    """

    def __init__(self, intervals: Mapping[str, Sequence[Interval]] | None = None) -> None:
        self._merged = {
            contig: np.array(merge_intervals(found), dtype=np.int64).reshape(-1, 2)
            for contig, found in (intervals or {}).items()
        }

    def among(self, contig: str, start: int, letters: bytes) -> npt.NDArray[np.bool_]:
        """Whether each of these letters, which begin at ``start`` of the contig, is a repeat; bool (n,)."""
        raw = np.frombuffer(letters, np.uint8)
        found = _LOWER[raw]
        merged = self._merged.get(contig)
        if merged is not None:
            first = np.searchsorted(merged[:, 1], start, side="right")
            last = np.searchsorted(merged[:, 0], start + raw.size)
            for begin, end in merged[first:last] - start:
                found[max(0, begin) : end] = True
        return found & ~_GAP[raw]


def gaps_among(letters: bytes) -> npt.NDArray[np.bool_]:
    """Whether each letter is N; bool (n,)."""
    return _GAP[np.frombuffer(letters, np.uint8)]
