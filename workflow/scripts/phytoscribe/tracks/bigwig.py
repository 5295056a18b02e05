"""bigWig files of the probability tracks of a genome, from the changes that the jobs of prediction stored.

Every base of a contig that was read has a value, even if it is 0, so that means over larger regions are right.  Written
with pyBigWig (https://github.com/deeptools/pyBigWig); the format is that of Kent et al. 2010
(doi:10.1093/bioinformatics/btq351).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

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
    names = sorted(contigs, key=str.encode)
    count = 0
    with atomic_path(path) as temporary, shards.reading() as changes:
        file = pyBigWig.open(str(temporary), "w")
        try:
            file.addHeader([(name, contigs[name]) for name in names])
            parts = ((name, part) for name in names for part in _intervals(changes(name, track), name, contigs[name]))
            for places, starts, ends, values in _batches(parts):
                # Its own check looks up the contig of every interval; what it would find is refused in _intervals.
                file.addEntries(places, starts, ends=ends, values=values, validate=False)
                count += len(places)
        finally:
            file.close()
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
