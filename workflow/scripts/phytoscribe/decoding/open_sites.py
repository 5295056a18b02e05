"""Sites from which a segment or an intron may still go on while the lattice is read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.decoding.candidate_sites import FORBIDDEN

#: No path.
NO_CODE = -1
#: The first entries of a list are its tails: ``3 * end of the open site + end of the node`` for segments, ``CONTEXTS *
#: family + context of the open site`` for introns.
CONTEXTS = 8
SEGMENT_TAILS, INTRON_TAILS = 9, 3 * CONTEXTS


class Open(NamedTuple):
    """Sites read so far from which a segment or an intron may still go on.

    Segments are listed by ``3 * strand + frame``, introns by strand; entries are in the order of reading.
    """

    count: npt.NDArray[np.int64]  # (8,) entries of the six segment lists and two intron lists, tails included
    start: npt.NDArray[np.int64]  # (8,) first entry that is neither dead nor in the tail
    bound: npt.NDArray[np.int64]  # (6,) bound that the tail belongs to
    intron_tails: npt.NDArray[np.int64]  # (2,) tails of introns in use, one bit each
    position: npt.NDArray[np.int64]  # (6, room)
    end: npt.NDArray[np.int8]
    site_bound: npt.NDArray[np.int64]
    code: npt.NDArray[np.int64]  # 3 * row + t of the node
    total: npt.NDArray[np.float64]  # tails have the length's slope taken out
    best: npt.NDArray[np.float64]
    intron_position: npt.NDArray[np.int64]  # (2, room)
    intron_row: npt.NDArray[np.int64]
    intron_code: npt.NDArray[np.int64]  # (2, room, 3)
    intron_total: npt.NDArray[np.float64]
    intron_best: npt.NDArray[np.float64]
    free: npt.NDArray[np.float64]  # (2,) non-coding path: sum, best
    last: npt.NDArray[np.int64]  # (1,) code of the last gene's end on the best non-coding path
    extent: npt.NDArray[np.int64]  # (3,) position at which the block began, bases after which it is long, the default

    def room(self) -> int:
        """Entries that each list has room for, tails not counted."""
        return self.position.shape[1] - SEGMENT_TAILS

    def used(self) -> int:
        """Entries of the longest list, tails not counted."""
        return int(max(self.count[:6].max() - SEGMENT_TAILS, self.count[6:].max() - INTRON_TAILS))


@njit(cache=True, nogil=True)
def new_open(room, long_block):
    """Nothing is open; each list has room for so many sites."""
    segments, introns = (6, room + SEGMENT_TAILS), (2, room + INTRON_TAILS)
    opened = Open(
        np.empty(8, np.int64),
        np.empty(8, np.int64),
        np.empty(6, np.int64),
        np.empty(2, np.int64),
        np.empty(segments, np.int64),
        np.empty(segments, np.int8),
        np.empty(segments, np.int64),
        np.empty(segments, np.int64),
        np.empty(segments),
        np.empty(segments),
        np.empty(introns, np.int64),
        np.empty(introns, np.int64),
        np.empty((2, room + INTRON_TAILS, 3), np.int64),
        np.empty((2, room + INTRON_TAILS, 3)),
        np.empty((2, room + INTRON_TAILS, 3)),
        np.empty(2),
        np.empty(1, np.int64),
        np.full(3, long_block, np.int64),
    )
    clear(opened, 0)
    return opened


@njit(cache=True, nogil=True)
def clear(opened, position):
    """Nothing is open, and the non-coding path starts anew at this position."""
    opened.count[:6] = SEGMENT_TAILS
    opened.count[6:] = INTRON_TAILS
    opened.start[:] = opened.count
    opened.bound[:] = -2
    opened.intron_tails[:] = 0
    opened.total[:, :SEGMENT_TAILS] = FORBIDDEN
    opened.best[:, :SEGMENT_TAILS] = FORBIDDEN
    opened.intron_total[:, :INTRON_TAILS] = FORBIDDEN
    opened.intron_best[:, :INTRON_TAILS] = FORBIDDEN
    opened.free[:] = 0.0
    opened.last[:] = NO_CODE
    opened.extent[0] = position
    opened.extent[1] = opened.extent[2]


def with_room(opened: Open, room: int) -> Open:
    """The same state with lists of up to ``room`` entries."""
    larger = new_open(room, 0)
    for old, new in zip(opened, larger, strict=True):
        if old.shape == new.shape:
            new[...] = old
        else:
            new[:, : old.shape[1]] = old
    return larger
