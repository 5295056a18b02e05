"""Training windows of the structure model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.labels.states import LABEL_COUNT, NON_CODING_LABEL, STATE_COUNT, UNKNOWN_SITE_BIT
from phytoscribe.models.batches import TokenBatch, WindowTokens, collate_tokens, window_of
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import COUNTED, TrainingSet
from phytoscribe.training.loop.sampling import Order
from phytoscribe.training.tasks.structure.mutation import fixed_intervals, mutate


class StructureWindow(NamedTuple):
    """One training window in reading direction.

    Attributes:
        targets: float32 (window, LABEL_COUNT), rows sum to one.
        weights: float32 (window,), 0 where the state is not known.
        sites: uint8 (window,), bits of :mod:`phytoscribe.labels.states`; also on bases of unknown state.
        place: row of the contig, start on it, and strand (0 plus, 1 minus).
    """

    tokens: WindowTokens
    targets: np.ndarray
    weights: np.ndarray
    sites: np.ndarray
    place: tuple[int, int, int]


class StructureBatch(NamedTuple):
    """Stacked windows: inputs, targets (batch, window, LABEL_COUNT), weights and sites (batch, window), places
    (batch, 3)."""

    inputs: TokenBatch
    targets: Tensor
    weights: Tensor
    sites: Tensor
    places: Tensor


class StructureDataset(Dataset[StructureWindow]):
    """Windows in the endless order; index ``i`` always gives the same window.

    Args:
        unknown_share: share of windows whose species, and independently whose lineage, is given as unknown, so that
            the model also learns to read genomes of species that it has never seen.
        mutation_rate: highest share of bases that mutate where they may (:mod:`.mutation`); each window draws its own
            share below it.  Both strands of a window mutate alike.
    """

    def __init__(
        self,
        data: TrainingSet,
        segmenter: Segmenter,
        order: Order,
        unknown_share: float,
        seed: int,
        mutation_rate: float = 0.0,
    ) -> None:
        self.data = data
        self.segmenter = segmenter
        self.order = order
        self.unknown_share = unknown_share
        self.seed = seed
        self.mutation_rate = mutation_rate
        # By row of the contig: first and last base that may not change, of each interval.
        self._fixed: dict[int, npt.NDArray[np.int64]] = {}

    def __getitem__(self, index: int) -> StructureWindow:
        row, start, strand = self.order[index]
        contig = self.data.contigs.iloc[row]
        offset, length = int(contig["offset"]), int(contig["length"])
        size = self.order.window
        bases = window_of(self.data.bases[offset : offset + length], start, size)
        left, right = max(0, start), min(length, start + size)
        inside, there = slice(left - start, right - start), slice(offset + left, offset + right)
        known = np.zeros(size, dtype=np.uint8)
        states, sites = np.zeros((2, size), dtype=np.uint8), np.zeros((2, size), dtype=np.uint8)
        known[inside] = self.data.weights[there]
        states[:, inside], sites[:, inside] = self.data.labels[:, there], self.data.sites[:, there]
        known[bases == N_CODE] = 0
        soft, shares = zip(*(self._soft(number, there) for number in range(2)), strict=True)
        if self.mutation_rate:
            settled = known == COUNTED
            settled[np.concatenate(soft) + left - start] = False
            for first, last in self._fixed_in(row, left, right):
                settled[max(0, first - start) : last - start] = False
            generator = np.random.default_rng([self.seed, row, start, 3])
            bases = mutate(bases, states, sites, settled, self.mutation_rate * generator.random(), generator)
        targets = np.zeros((size, LABEL_COUNT), dtype=np.float32)
        targets[np.arange(size), states[strand]] = 1.0
        places = soft[strand] + left - start
        targets[places, :STATE_COUNT] = shares[strand]
        targets[places, NON_CODING_LABEL] = 0.0
        weights, own_sites = (known == COUNTED).astype(np.float32), sites[strand]
        own_sites[known == 0] |= UNKNOWN_SITE_BIT
        if strand == 1:
            bases, own_sites = reverse_complement(bases), own_sites[::-1].copy()
            targets, weights = targets[::-1].copy(), weights[::-1].copy()
        named = np.random.default_rng([self.seed, index]).random(2) >= self.unknown_share
        global_ids = (
            self.segmenter.species_id(str(contig["species"]) if named[0] else ""),
            self.segmenter.lineage_id(str(contig["lineage"]) if named[1] else ""),
        )
        tokens = WindowTokens.of(bases, self.segmenter, global_ids)
        return StructureWindow(tokens, targets, weights, own_sites, (row, start, strand))

    def _fixed_in(self, row: int, left: int, right: int) -> npt.NDArray[np.int64]:
        """Intervals of a contig that may not change, (n, 2), as far as they touch ``left`` to ``right``."""
        if row not in self._fixed:
            intervals = fixed_intervals(self.data.genes.get(row, ()))
            self._fixed[row] = np.array(intervals, dtype=np.int64).reshape(-1, 2)
        intervals = self._fixed[row]
        first, last = np.searchsorted(intervals[:, 1], left, "right"), np.searchsorted(intervals[:, 0], right)
        return intervals[first:last]

    def _soft(self, strand: int, there: slice) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]:
        """Places from the start of a stretch where isoforms disagree, and the states' shares there."""
        positions = self.data.soft_positions[strand]
        first, last = np.searchsorted(positions, [there.start, there.stop])
        return positions[first:last] - there.start, self.data.soft_targets[strand][first:last]


def collate_structure(windows: Sequence[StructureWindow]) -> StructureBatch:
    return StructureBatch(
        collate_tokens([w.tokens for w in windows]),
        torch.from_numpy(np.stack([w.targets for w in windows])),
        torch.from_numpy(np.stack([w.weights for w in windows])),
        torch.from_numpy(np.stack([w.sites for w in windows])),
        torch.tensor([w.place for w in windows]),
    )
