"""Writing the probabilities of contigs, as they come from the network, into a job's file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from phytoscribe.files import atomic_path
from phytoscribe.tracks.changes import ChangeFinder
from phytoscribe.tracks.handover import BLOCK_HEAD, FORMAT, Changes, pack
from phytoscribe.tracks.kinds import TRACKS

#: Changes of a track that are held back until they are written as one block.
BLOCK = 1 << 15
Pair = tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]


@contextmanager
def track_writer(path: str | Path, header: Mapping[str, Any], contigs: Sequence[str]) -> Iterator[TrackWriter]:
    """A writer of a job's file, which appears complete or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        first = {"format": FORMAT, "prediction": dict(header), "tracks": TRACKS, "contigs": list(contigs)}
        handle.write(json.dumps(first, sort_keys=True).encode() + b"\n")
        yield TrackWriter(handle, contigs)


class TrackWriter:
    """Takes the probabilities of contigs piece by piece: a contig's in order, different contigs' from any thread."""

    def __init__(self, handle: IO[bytes], contigs: Sequence[str]) -> None:
        self._handle = handle
        self._numbers = {contig: number for number, contig in enumerate(contigs)}
        self._lock = threading.Lock()
        self._open: dict[str, _ContigBuffer] = {}

    def add(
        self,
        contig: str,
        start: int,
        states: Pair,
        sites: Pair,
        last: bool,
    ) -> None:
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
        with self._lock:
            self._handle.write(BLOCK_HEAD.pack(contig, track, changes.position.size, len(packed)) + packed)


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
                yield track, _joined(self._held[track])
                self._held[track], self._counts[track] = [], 0


def _joined(parts: Sequence[Changes]) -> Changes:
    return Changes(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
