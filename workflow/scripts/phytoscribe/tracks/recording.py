"""Writing the network's probabilities along contigs into a job's file, as the places where they change.

The probabilities are those that the decoder reads, in hundredths.  A new value begins where the probability has moved
by more than :data:`DEAD_BAND` from the current one.  This leaves out most of the fluctuation from base to base, which
no browser shows, and the error of a track is at most :data:`DEAD_BAND` and half a step.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.files import atomic_path
from phytoscribe.labels.states import State
from phytoscribe.tracks.kinds import KINDS, LEVELS, SITES, TRACK_KINDS, TRACKS
from phytoscribe.tracks.track_file import BLOCK_HEAD, END, FORMAT, Changes, first_line, pack

#: Changes of a track that are held back until they are written as one block.
BLOCK = 1 << 15
Pair = tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]
"""Arrays of the plus and of the minus strand."""
#: Moves of a probability that are not followed.
DEAD_BAND = 0.02
# All half-precision numbers by their bits: summing over a table is faster than computing exponentials base by base.
_ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
_KNOWN = np.nan_to_num(_ALL, nan=0.0)
#: Probabilities from log probabilities (row 0) and from probabilities (row 1), by the bits of half precision.
_PROBABILITY = np.stack([np.exp(np.minimum(_KNOWN, 0.0)), np.clip(_KNOWN, 0.0, 1.0)])


def _parts(head: str, numbers: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """(track, channel) of the tracks that show this head, by number; (n, 2)."""
    rows = [
        (track, int(numbers[channel]))
        for track, kind in enumerate(TRACK_KINDS)
        if kind.head == head
        for channel in kind.channels
    ]
    return np.array(rows, np.int64).reshape(-1, 2)


#: (track, state) and (track, site) of all that is added up, by number.
_STATE_PARTS = _parts("structure", State.__members__)
_SITE_PARTS = _parts("sites", {name: number for number, name in enumerate(SITES)})


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
            _PROBABILITY,
            _STATE_PARTS,
            _SITE_PARTS,
            self._current,
            position,
            level,
        )
        return [
            Changes(position[kind, :changes].copy(), level[kind, :changes].copy()) for kind, changes in enumerate(found)
        ]


@njit(cache=True, nogil=True)
def _find(start, states, sites, of_bits, state_parts, site_parts, current, position, level):
    found = np.zeros(current.size, np.int64)
    probability = np.empty(current.size, np.float32)
    for base in range(states.shape[0]):
        probability[:] = 0.0
        for part in range(state_parts.shape[0]):
            probability[state_parts[part, 0]] += of_bits[0, states[base, state_parts[part, 1]]]
        for part in range(site_parts.shape[0]):
            probability[site_parts[part, 0]] += of_bits[1, sites[base, site_parts[part, 1]]]
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


@contextmanager
def track_writer(path: str | Path, header: Mapping[str, Any], contigs: Sequence[str]) -> Iterator[TrackWriter]:
    """A writer of a job's file, which appears complete or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        first = first_line({"format": FORMAT, "prediction": dict(header), "tracks": TRACKS, "contigs": list(contigs)})
        handle.write(first)
        writer = TrackWriter(handle, contigs, hashlib.sha256(first))
        yield writer
        writer.end()


class TrackWriter:
    """Takes the probabilities of contigs piece by piece: a contig's in order, different contigs' from any thread.

    Args:
        digest: of what the file holds so far.
    """

    def __init__(self, handle: IO[bytes], contigs: Sequence[str], digest: hashlib._Hash) -> None:
        self._handle = handle
        self._digest = digest
        self._numbers = {contig: number for number, contig in enumerate(contigs)}
        self._lock = threading.Lock()
        self._open: dict[str, _ContigBuffer] = {}

    def add(self, contig: str, start: int, states: Pair, sites: Pair, last: bool) -> None:
        """Take the next bases of a contig.

        Args:
            start: contig position of the first of them, 0-based.
            states: log probabilities of the plus and the minus strand, each float16 (n, STATE_COUNT), contig
                orientation.
            sites: probabilities of donors and acceptors in the same way, each float16 (n, 2).
            last: the contig ends here.
        """
        with self._lock:
            buffer = self._open.setdefault(contig, _ContigBuffer())
        for track, changes in buffer.push(start, states, sites, last):
            self._write(self._numbers[contig], track, changes)
        if last:
            with self._lock:
                del self._open[contig]

    def _write(self, contig: int, track: int, changes: Changes) -> None:
        packed = pack(changes)
        head = BLOCK_HEAD.pack(contig, track, changes.position.size, len(packed))
        with self._lock:
            self._digest.update(head)
            self._handle.write(head + packed)

    def end(self) -> None:
        """Write the last block, which tells a whole file."""
        digest = self._digest.digest()
        self._handle.write(BLOCK_HEAD.pack(END, 0, 0, len(digest)) + digest)


class _ContigBuffer:
    """Changes of one contig that have not been written yet."""

    def __init__(self) -> None:
        self._finders = [ChangeFinder(), ChangeFinder()]
        self._held: list[list[Changes]] = [[] for _ in TRACKS]
        self._counts = [0] * len(TRACKS)

    def push(self, start: int, states: Pair, sites: Pair, last: bool) -> Iterator[tuple[int, Changes]]:
        """``(track number, changes)`` that are enough for a block, or all of them at the end of the contig."""
        for strand, finder in enumerate(self._finders):
            for kind, changes in enumerate(finder.push(start, states[strand], sites[strand])):
                track = 2 * kind + strand
                self._held[track].append(changes)
                self._counts[track] += changes.position.size
        for track, count in enumerate(self._counts):
            if count >= BLOCK or (last and count):
                yield track, Changes(*map(np.concatenate, zip(*self._held[track], strict=True)))
                self._held[track], self._counts[track] = [], 0
