"""Windows as tensors: only this module pads tokens and assigns bases to tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.tokenizer.segments import Segmenter


class TokenBatch(NamedTuple):
    """Input of :class:`phytoscribe.models.annotation_model.AnnotationModel`, in the order of its ``forward``.

    Shapes: bases and token_of_base int64 (batch, window); token_ids int64 (batch, tokens), padded at the end;
    global_ids int64 (batch, 2): species and lineage.
    """

    bases: Tensor
    token_ids: Tensor
    token_of_base: Tensor
    global_ids: Tensor


@dataclass(frozen=True, slots=True)
class WindowTokens:
    """One window, segmented from its own 5' end."""

    bases: npt.NDArray[np.uint8]
    token_ids: npt.NDArray[np.int32]
    token_lengths: npt.NDArray[np.int32]
    global_ids: tuple[int, int]
    pad_id: int

    @classmethod
    def of(cls, bases: npt.NDArray[np.uint8], segmenter: Segmenter, global_ids: tuple[int, int]) -> WindowTokens:
        ids, lengths = segmenter.cut(bases)
        return cls(bases, ids, lengths, global_ids, segmenter.pad_id)


def collate_tokens(windows: Sequence[WindowTokens]) -> TokenBatch:
    """Stack windows of one length; token ids are padded to the longest with the tokenizer's pad id."""
    most = max(w.token_ids.size for w in windows)
    token_ids = np.full((len(windows), most), windows[0].pad_id, dtype=np.int64)
    token_of_base = np.empty((len(windows), windows[0].bases.size), dtype=np.int64)
    for row, window in enumerate(windows):
        token_ids[row, : window.token_ids.size] = window.token_ids
        token_of_base[row] = np.repeat(np.arange(window.token_ids.size), window.token_lengths)
    return TokenBatch(
        torch.from_numpy(np.stack([w.bases for w in windows]).astype(np.int64)),
        torch.from_numpy(token_ids),
        torch.from_numpy(token_of_base),
        torch.tensor([w.global_ids for w in windows], dtype=torch.int64),
    )


def window_of(bases: npt.NDArray[np.uint8], start: int, length: int) -> npt.NDArray[np.uint8]:
    """``bases[start : start + length]`` with N where that lies outside the contig."""
    window = np.full(length, N_CODE, dtype=np.uint8)
    left, right = max(0, start), min(bases.size, start + length)
    if left < right:
        window[left - start : right - start] = bases[left:right]
    return window
