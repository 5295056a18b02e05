"""The regulatory head along contigs: log odds of each label in consecutive bins.

Windows always hold the same number of bins, the last of a contig filled up with N, so that the numbers depend on the
sequence alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe.genome import Genome
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.models.regulatory import TRUNK_CELL, RegulatoryHead
from phytoscribe.prediction.trunk_cells import TrunkCells
from phytoscribe.regulatory.bins import Segment, known_bins

#: Bins of a window.
BINS = 64

Logits = npt.NDArray[np.float32]


class ReadBins(NamedTuple):
    """Consecutive bins of a contig.

    Attributes:
        start: of the first bin.
        logits: float32 (bins, labels), log odds before calibration.
        known: bool (bins,), whether at least half of the bases are known.
    """

    contig: str
    start: int
    logits: Logits
    known: npt.NDArray[np.bool_]


def bases_around(genome: Genome, contig: str, start: int, end: int) -> Bases:
    """Base codes of ``[start, end)``, N where that lies outside the contig."""
    bases = np.full(end - start, N_CODE, dtype=np.uint8)
    left, right = max(0, start), min(genome.contigs[contig], end)
    if left < right:
        bases[left - start : right - start] = genome.bases(contig, left, right)
    return bases


class BinReader:
    """Reads bins with a head.

    Args:
        network: in evaluation mode, on ``device``.
        trunk: features of the structure model, for a head that takes them.
    """

    def __init__(
        self, network: RegulatoryHead, genome: Genome, device: torch.device, trunk: TrunkCells | None = None
    ) -> None:
        self.network, self.genome, self.device, self.trunk = network, genome, device, trunk

    def windows(self, segment: Segment) -> Iterator[ReadBins]:
        """The whole bins of a segment, in order."""
        width, margin = self.network.config.bin, self.network.config.margin
        first, count = segment.grid(width)
        for done in range(0, count, BINS):
            start = first + done * width
            own = min(BINS, count - done)
            left, right = start - margin, start + BINS * width + margin
            bases = bases_around(self.genome, segment.contig, left, right)
            cells = None
            if self.trunk is not None:
                found = self.trunk.around(segment.contig, left // TRUNK_CELL, bases.size // TRUNK_CELL)
                cells = torch.from_numpy(found)[None].to(self.device)
            with torch.inference_mode():
                codes = torch.from_numpy(bases.astype(np.int64))[None].to(self.device)
                logits = self.network(codes, cells)[0, :own].float().cpu().numpy()
            yield ReadBins(segment.contig, start, logits, known_bins(bases[margin:-margin], width)[:own])

    def known_logits(self, segments: Sequence[Segment]) -> Logits:
        """Log odds of the known bins of segments, float32 (bins, labels)."""
        found = [read.logits[read.known] for segment in segments for read in self.windows(segment)]
        return np.concatenate(found) if found else np.empty((0, len(self.network.config.labels)), dtype=np.float32)
