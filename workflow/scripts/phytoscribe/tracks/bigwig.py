"""bigWig files of the probability tracks of a genome, from the changes that the jobs of prediction handed over.

Every base of a contig that was read has a value, 0 among them, so that means over larger stretches are right.  Written
with pyBigWig (https://github.com/deeptools/pyBigWig); the format is that of Kent et al. 2010
(doi:10.1093/bioinformatics/btq351).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyBigWig

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.tracks.handover import HandedOver
from phytoscribe.tracks.kinds import LEVELS

logger = logging.getLogger(__name__)


def write_bigwig(handed: HandedOver, track: str, contigs: Mapping[str, int], path: str | Path) -> int:
    """Write one track of all contigs; the file appears complete or not at all.

    Contigs are in order of their names, as programs that search for them expect; so the bytes do not depend on how the
    contigs were divided between jobs.

    Args:
        track: of :data:`phytoscribe.tracks.kinds.TRACKS`.
        contigs: name to length.

    Returns:
        Number of intervals with a value.

    Raises:
        PhytoScribeError: a contig that was handed over is not among ``contigs``.
    """
    unknown = sorted(set(handed.contigs) - set(contigs))
    if unknown:
        raise PhytoScribeError(f"tracks of contig {unknown[0]}, which the FASTA lacks; delete the shards and run again")
    names = sorted(contigs, key=str.encode)
    count = 0
    with atomic_path(path) as temporary:
        file = pyBigWig.open(str(temporary), "w")
        try:
            file.addHeader([(name, contigs[name]) for name in names])
            for name in names:
                for start, end, value in _intervals(handed, name, track, contigs[name]):
                    file.addEntries(np.full(start.size, name), start, ends=end, values=value)
                    count += start.size
        finally:
            file.close()
    return count


def _intervals(
    handed: HandedOver, contig: str, track: str, length: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
    """Start, end and value of the intervals along a contig; the last of a block waits for the next block's start."""
    starts, levels = np.empty(0, np.int64), np.empty(0, np.uint8)
    for changes in handed.changes(contig, track):
        starts = np.concatenate([starts, changes.position.astype(np.int64)])
        levels = np.concatenate([levels, changes.level])
        if starts.size > 1:
            yield starts[:-1], starts[1:], levels[:-1] / LEVELS
            starts, levels = starts[-1:], levels[-1:]
    if starts.size:
        yield starts, np.array([length]), levels / LEVELS
