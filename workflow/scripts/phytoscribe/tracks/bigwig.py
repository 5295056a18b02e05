"""bigWig files of the probability tracks of a genome, from the changes that the jobs of prediction stored.

Every base of a contig that was read has a value, even if it is 0, so that means over larger regions are right.  Written
with pyBigWig (https://github.com/deeptools/pyBigWig); the format is that of Kent et al. 2010
(doi:10.1093/bioinformatics/btq351).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyBigWig

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.tracks.kinds import LEVELS
from phytoscribe.tracks.track_file import Changes, ShardTracks

logger = logging.getLogger(__name__)

#: Intervals that are passed to pyBigWig together. It looks up the first and the last contig of each call by going
#: through the header from its start, which for scaffolds one at a time takes longer than all else.
BATCH = 1 << 15


Arrays = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Start and end of intervals (0-based half-open, in order) and their probabilities, each (n,)."""


@contextmanager
def _opened(path: str | Path, contigs: Mapping[str, int]) -> Iterator[tuple[Any, list[str]]]:
    """A bigWig file with its header, and the contigs in the order in which it wants them: of their names.

    The file appears complete or not at all.
    """
    names = sorted(contigs, key=str.encode)
    with atomic_path(path) as temporary:
        file = pyBigWig.open(str(temporary), "w")
        try:
            file.addHeader([(name, contigs[name]) for name in names])
            yield file, names
        finally:
            file.close()


def write_bigwig(shards: ShardTracks, track: str, contigs: Mapping[str, int], path: str | Path) -> int:
    """Write one track of all contigs; the file appears complete or not at all.

    Contigs are in order of their names, as programs that search for them expect; so the bytes do not depend on how the
    contigs were divided between jobs.

    Args:
        track: of :data:`phytoscribe.tracks.kinds.TRACKS`.
        contigs: name to length.

    Returns:
        Number of intervals with a value.

    Raises:
        PhytoScribeError: a contig of the files is not among ``contigs``, or its values are not in order.
    """
    unknown = sorted(set(shards.contigs) - set(contigs))
    if unknown:
        raise PhytoScribeError(f"tracks of contig {unknown[0]}, which the FASTA lacks; delete the shards and run again")
    count = 0
    with _opened(path, contigs) as (file, names), shards.reading() as changes:
        parts = ((name, part) for name in names for part in _intervals(changes(name, track), name, contigs[name]))
        for places, starts, ends, values in _batches(parts):
            # Its own check looks up the contig of every interval; what it would find is refused in _intervals.
            file.addEntries(places, starts, ends=ends, values=values, validate=False)
            count += len(places)
    return count


def _batches(parts: Iterable[tuple[str, Arrays]]) -> Iterator[tuple[list[str], *Arrays]]:
    """Contig, start, end and value of intervals, for :data:`BATCH` of them or some more.

    Contigs are a list, as pyBigWig misreads numpy's strings where they are not ASCII.
    """
    places: list[str] = []
    held: list[Arrays] = []
    for name, part in parts:
        places += [name] * part[0].size
        held.append(part)
        if len(places) >= BATCH:
            yield places, *map(np.concatenate, zip(*held, strict=True))
            places, held = [], []
    if held:
        yield places, *map(np.concatenate, zip(*held, strict=True))


def _intervals(blocks: Iterable[Changes], contig: str, length: int) -> Iterator[Arrays]:
    """Intervals along a contig; the last of a block waits for the next block's start."""
    starts, levels = np.empty(0, np.int64), np.empty(0, np.uint8)
    for changes in blocks:
        starts = np.concatenate([starts, changes.position.astype(np.int64)])
        levels = np.concatenate([levels, changes.level])
        if (starts[1:] <= starts[:-1]).any() or (starts >= length).any():
            raise PhytoScribeError(f"tracks of contig {contig} are not in order; delete the shards and run again")
        if starts.size > 1:
            yield starts[:-1], starts[1:], levels[:-1] / LEVELS
            starts, levels = starts[-1:], levels[-1:]
    if starts.size:
        yield starts, np.array([length]), levels / LEVELS


def write_base_bigwig(
    runs: Iterable[tuple[str, int, npt.NDArray[np.float32]]], contigs: Mapping[str, int], path: str | Path
) -> int:
    """Write one value for each base of some runs; the file appears complete or not at all.

    Args:
        runs: contig, first base (0-based) and values; of a contig one after the other, in order and apart.
        contigs: name to length.

    Returns:
        Number of bases with a value.
    """
    by_contig: dict[str, list[tuple[int, npt.NDArray[np.float32]]]] = {}
    for contig, start, values in runs:
        by_contig.setdefault(contig, []).append((start, values))
    count = 0
    with _opened(path, contigs) as (file, names):
        for name in names:
            for start, values in by_contig.get(name, ()):
                part = np.round(values.astype(np.float64), 4)
                file.addEntries(name, start, values=part, span=1, step=1, validate=False)
                count += part.size
    return count


def write_bin_bigwig(values: npt.NDArray[np.floating], contigs: Mapping[str, int], width: int, path: str | Path) -> int:
    """Write one value for each bin of a genome; the file appears complete or not at all.

    Args:
        values: (bins,), those of each contig in the order of ``contigs``; bins of nan have no value.
        contigs: name to length; a contig has as many bins as fit into it.
        width: bases of a bin.

    Returns:
        Number of bins with a value.
    """
    counts = [length // width for length in contigs.values()]
    starts = dict(zip(contigs, np.cumsum([0, *counts]).tolist(), strict=False))
    count = 0
    with _opened(path, contigs) as (file, names):
        for name in names:
            first = starts[name]
            for done in range(0, contigs[name] // width, BATCH):
                last = min(done + BATCH, contigs[name] // width)
                part = np.round(values[first + done : first + last].astype(np.float64), 3)
                there = np.flatnonzero(np.isfinite(part))
                if not there.size:
                    continue
                left = (there + done) * width
                file.addEntries([name] * there.size, left, ends=left + width, values=part[there], validate=False)
                count += there.size
    return count
