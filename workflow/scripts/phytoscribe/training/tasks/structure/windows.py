"""Training windows of the structure model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.labels.states import LABEL_COUNT, NON_CODING_LABEL, STATE_COUNT, UNKNOWN_SITE_BIT
from phytoscribe.models.batches import TokenBatch, WindowTokens, collate_tokens, window_of
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import COUNTED, TrainingSet
from phytoscribe.training.loop.sampling import Order


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
    """

    def __init__(
        self,
        data: TrainingSet,
        segmenter: Segmenter,
        order: Order,
        unknown_share: float,
        seed: int,
    ) -> None:
        self.data = data
        self.segmenter = segmenter
        self.order = order
        self.unknown_share = unknown_share
        self.seed = seed

    def __getitem__(self, index: int) -> StructureWindow:
        row, start, strand = self.order[index]
        contig = self.data.contigs.iloc[row]
        offset, length = int(contig["offset"]), int(contig["length"])
        inside = slice(offset, offset + length)
        bases = window_of(self.data.bases[inside], start, self.order.window)
        known = np.zeros(self.order.window, dtype=np.uint8)
        states = np.zeros(self.order.window, dtype=np.uint8)
        left, right = max(0, start), min(length, start + self.order.window)
        known[left - start : right - start] = self.data.weights[offset + left : offset + right]
        states[left - start : right - start] = self.data.labels[strand, offset + left : offset + right]
        sites = np.zeros(self.order.window, dtype=np.uint8)
        sites[left - start : right - start] = self.data.sites[strand, offset + left : offset + right]
        targets = np.zeros((self.order.window, LABEL_COUNT), dtype=np.float32)
        targets[np.arange(self.order.window), states] = 1.0
        positions = self.data.soft_positions[strand]
        first, last = np.searchsorted(positions, [offset + left, offset + right])
        soft = positions[first:last] - offset - start
        targets[soft, :STATE_COUNT] = self.data.soft_targets[strand][first:last]
        targets[soft, NON_CODING_LABEL] = 0.0
        known[bases == N_CODE] = 0
        weights = (known == COUNTED).astype(np.float32)
        sites[known == 0] |= UNKNOWN_SITE_BIT
        if strand == 1:
            bases, sites = reverse_complement(bases), sites[::-1].copy()
            targets, weights = targets[::-1].copy(), weights[::-1].copy()
        named = np.random.default_rng([self.seed, index]).random(2) >= self.unknown_share
        global_ids = (
            self.segmenter.species_id(str(contig["species"]) if named[0] else ""),
            self.segmenter.lineage_id(str(contig["lineage"]) if named[1] else ""),
        )
        tokens = WindowTokens.of(bases, self.segmenter, global_ids)
        return StructureWindow(tokens, targets, weights, sites, (row, start, strand))


def collate_structure(windows: Sequence[StructureWindow]) -> StructureBatch:
    return StructureBatch(
        collate_tokens([w.tokens for w in windows]),
        torch.from_numpy(np.stack([w.targets for w in windows])),
        torch.from_numpy(np.stack([w.weights for w in windows])),
        torch.from_numpy(np.stack([w.sites for w in windows])),
        torch.tensor([w.place for w in windows]),
    )
