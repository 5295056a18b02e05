"""The file in which a job of prediction stores the changes of its tracks, and reading it.

A line of JSON with the settings of the prediction and the names of the contigs comes first, then compressed blocks:
each is a region of one track of one contig.  Blocks of one track and contig are in order of position; those of
different contigs may alternate.  A last block holds the SHA-256 of the first line and of the heads of all blocks, and
zlib has a checksum of what is in a block: so a file that was cut or changed on its way is told.  The file is written
(:mod:`phytoscribe.tracks.recording`) and read block by block, so that memory does not grow with the length of a contig.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.errors import PhytoScribeError
from phytoscribe.tracks.kinds import TRACKS

#: What stands before a block: contig and track by number, changes, bytes of them.
BLOCK_HEAD = struct.Struct("<IIII")
FORMAT = "PhytoScribe tracks 2"
#: In the place of a contig's number in the head of the last block.
END = 0xFFFFFFFF
#: Files that are open at a time, well below the 1024 that systems grant a process.
OPEN_FILES = 500


class Changes(NamedTuple):
    """Where a track takes a new value, which holds until the next one.

    Attributes:
        position: uint32 (n,), contig positions, 0-based, ascending.
        level: uint8 (n,), the probability in steps of ``1 / LEVELS``.
    """

    position: npt.NDArray[np.uint32]
    level: npt.NDArray[np.uint8]


def pack(changes: Changes) -> bytes:
    """The bytes of a block: steps from position to position, then levels."""
    steps = np.diff(changes.position, prepend=np.uint32(0)).astype("<u4")
    return zlib.compress(steps.tobytes() + changes.level.tobytes(), 1)


def unpack(packed: bytes, count: int) -> Changes:
    """The ``count`` changes of a block; the inverse of :func:`pack`."""
    raw = zlib.decompress(packed)
    steps = np.frombuffer(raw, "<u4", count)
    return Changes(np.cumsum(steps, dtype=np.uint32), np.frombuffer(raw, np.uint8, count, 4 * count))


class _Block(NamedTuple):
    """Where a block is, and what it holds."""

    path: Path
    offset: int
    changes: int
    size: int


class ShardTracks:
    """The files of all jobs of a genome; only the places of the blocks are kept in memory.

    Raises:
        PhytoScribeError: a file is no such file, is cut short or was changed, files come from different models or
            settings, or a contig is in two of them.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self._blocks: dict[tuple[str, str], list[_Block]] = defaultdict(list)
        self.header: dict[str, Any] | None = None
        self.contigs: list[str] = []
        for path in paths:
            self._look_through(Path(path))

    def _look_through(self, path: Path) -> None:
        size = path.stat().st_size
        with path.open("rb") as handle:
            first = _read_first_line(path, handle)
            digest = hashlib.sha256(first_line(first))
            if self.header not in (None, first["prediction"]):
                raise PhytoScribeError(
                    f"{path}: made with another model or other settings; delete the shards and run again"
                )
            self.header = first["prediction"]
            twice = sorted(set(first["contigs"]) & set(self.contigs))
            if twice:
                raise PhytoScribeError(
                    f"{path}: contig {twice[0]} is in another shard too; delete the shards and run again"
                )
            self.contigs += first["contigs"]
            while True:
                head = handle.read(BLOCK_HEAD.size)
                end = handle.tell() + BLOCK_HEAD.unpack(head)[3] if len(head) == BLOCK_HEAD.size else size + 1
                if end > size:
                    raise PhytoScribeError(f"{path}: cut short; delete it and run again")
                contig, track, count, length = BLOCK_HEAD.unpack(head)
                if contig == END:
                    if end != size or handle.read(length) != digest.digest():
                        raise _changed(path)
                    return
                if contig >= len(first["contigs"]) or track >= len(TRACKS):
                    raise _changed(path)
                digest.update(head)
                key = (first["contigs"][contig], TRACKS[track])
                self._blocks[key].append(_Block(path, handle.tell(), count, length))
                handle.seek(end)

    @contextmanager
    def reading(self) -> Iterator[Callable[[str, str], Iterator[Changes]]]:
        """A function that gives the changes of a track along a contig, block by block: ``changes(contig, track)``.

        Each file is opened once, not for each block: a genome of many scaffolds has millions of blocks.
        """
        handles: dict[Path, IO[bytes]] = {}

        def changes(contig: str, track: str) -> Iterator[Changes]:
            for path, offset, count, length in self._blocks.get((contig, track), ()):
                if path not in handles:
                    if len(handles) == OPEN_FILES:
                        handles.popitem()[1].close()
                    handles[path] = path.open("rb")
                handles[path].seek(offset)
                try:
                    found = unpack(handles[path].read(length), count)
                except (zlib.error, ValueError) as error:
                    raise _changed(path) from error
                yield found

        try:
            yield changes
        finally:
            for handle in handles.values():
                handle.close()


def _changed(path: Path) -> PhytoScribeError:
    return PhytoScribeError(f"{path}: changed since it was written, as its checksum shows; delete it and run again")


def first_line(first: Mapping[str, Any]) -> bytes:
    """How the first line is written."""
    return json.dumps(first, sort_keys=True).encode() + b"\n"


def _read_first_line(path: Path, handle: IO[bytes]) -> dict[str, Any]:
    try:
        first = json.loads(handle.readline())
        sound = first["format"] == FORMAT and first["tracks"] == list(TRACKS)
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise PhytoScribeError(f"{path}: no tracks of this version of PhytoScribe; delete it and run again")
    return first
