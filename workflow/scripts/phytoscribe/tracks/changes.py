"""Probabilities of a strand, base by base, as the places where they change.

The probabilities are the network's own, which the decoder reads.  They are kept in hundredths, and a new value begins
where the probability has moved by more than :data:`DEAD_BAND` from the one that holds: most of the wavering from base
to base, which no browser shows, is left out, and what a track says is never further off than that (and half a step).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.labels.states import CODING_STATES, INTRON_STATES, State
from phytoscribe.tracks.handover import Changes
from phytoscribe.tracks.kinds import KINDS, LEVELS

#: Moves of a probability that are not followed.
DEAD_BAND = 0.02
#: What of the states each kind adds up; the others are the network's own probabilities of splice sites.
_STATES = {
    "coding": CODING_STATES,
    "intron": (*INTRON_STATES, State.UTR5_INTRON, State.UTR3_INTRON),
    "start": (State.START,),
    "stop": (State.STOP,),
}
_SITES = {"donor": 0, "acceptor": 1}
assert {*_STATES, *_SITES} == set(KINDS)

# All half-precision numbers by their bits: summing over a table is faster than computing exponentials base by base.
_ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
_KNOWN = np.nan_to_num(_ALL, nan=0.0)
_PROBABILITY_OF_LOG = np.exp(np.minimum(_KNOWN, 0.0))
_PROBABILITY = np.clip(_KNOWN, 0.0, 1.0)
_FIRST_SITE = KINDS.index("donor")
assert KINDS[_FIRST_SITE:] == tuple(_SITES), "sites come last, donors first"
#: (kind, state) of all that is added up, by number.
_PARTS = np.array([(KINDS.index(kind), state) for kind, states in _STATES.items() for state in states])


class ChangeFinder:
    """Finds the changes of one strand of a contig that arrives in consecutive pieces; how it is cut changes nothing."""

    def __init__(self) -> None:
        self._current = np.full(len(KINDS), -1, np.int16)

    def push(self, start: int, states: npt.NDArray[np.float16], sites: npt.NDArray[np.float16]) -> list[Changes]:
        """Changes of each of :data:`KINDS` in the next bases.

        Args:
            start: contig position of the first of them, 0-based.
            states: float16 (n, STATE_COUNT), natural log probabilities, contig orientation.
            sites: float16 (n, 2), probabilities of donors and acceptors.
        """
        count = states.shape[0]
        position = np.empty((len(KINDS), count), np.uint32)
        level = np.empty((len(KINDS), count), np.uint8)
        found = _find(
            start,
            np.ascontiguousarray(states).view(np.uint16),
            np.ascontiguousarray(sites).view(np.uint16),
            _PROBABILITY_OF_LOG,
            _PROBABILITY,
            _PARTS,
            self._current,
            position,
            level,
        )
        return [
            Changes(position[kind, :changes].copy(), level[kind, :changes].copy()) for kind, changes in enumerate(found)
        ]


@njit(cache=True, nogil=True)
def _find(start, states, sites, of_log, of_site, parts, current, position, level):
    found = np.zeros(current.size, np.int64)
    probability = np.empty(current.size, np.float32)
    for base in range(states.shape[0]):
        probability[:_FIRST_SITE] = 0.0
        for part in range(parts.shape[0]):
            probability[parts[part, 0]] += of_log[states[base, parts[part, 1]]]
        for site in range(sites.shape[1]):
            probability[_FIRST_SITE + site] = of_site[sites[base, site]]
        for kind in range(current.size):
            if current[kind] >= 0 and abs(probability[kind] - current[kind] / LEVELS) <= DEAD_BAND:
                continue
            value = min(LEVELS, int(probability[kind] * LEVELS + 0.5))
            if value == current[kind]:
                continue
            position[kind, found[kind]] = start + base
            level[kind, found[kind]] = value
            found[kind] += 1
            current[kind] = value
    return found
