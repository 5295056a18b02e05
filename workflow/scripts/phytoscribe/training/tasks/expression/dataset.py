"""Genes in training: the scale of their levels, and the endless order in which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.examples import Examples
from phytoscribe.expression.features import Windows
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.expression import ExpressionConfig

#: Bases by which a window is shifted at most in training: annotated ends of transcripts are not exact.
LARGEST_SHIFT = 20
#: Fewer training genes teach nothing.
LEAST_GENES = 100
#: Of log2(1 + TPM): levels that vary less are not worth telling apart.
_SMALLEST = 0.1


def require_genes(train: Examples, validate: Examples) -> None:
    """PhytoScribeError unless there is something to learn from, and something to choose with."""
    if len(train.log) < LEAST_GENES or not len(validate.log):
        raise PhytoScribeError(
            f"{len(train.log)} genes with a window and a measured level are for training and {len(validate.log)} for "
            f"validation; at least {LEAST_GENES} and 1 are needed. results/splits/gene_windows.tsv says why genes are "
            "left out; give more genes, or hold out other contigs"
        )


def scaled(config: ExpressionConfig, train: Examples, threshold: float) -> ExpressionConfig:
    """The sizes with tissues and scale of training genes.

    Args:
        threshold: log2(1 + TPM) from which on a gene counts as expressed.

    Raises:
        PhytoScribeError: no training gene is expressed in a tissue.
    """
    expressed, silent = train.log >= threshold, train.log < threshold
    if not expressed.any(axis=0).all():
        tissue = train.tissues[int(np.argmin(expressed.any(axis=0)))]
        raise PhytoScribeError(
            f"no training gene reaches expression.threshold in {tissue!r}; lower it, or leave the tissue out"
        )
    counts = np.maximum(silent.sum(axis=0), 1)
    means = np.where(expressed, train.log, 0).sum(axis=0) / expressed.sum(axis=0)
    spread = float((train.log - means)[expressed].std())
    return replace(
        config,
        tissues=train.tissues,
        means=tuple(means.tolist()),
        silent=tuple((np.where(silent, train.log, 0).sum(axis=0) / counts).tolist()),
        deviation=max(spread, _SMALLEST),
    )


class GeneWindowExample(NamedTuple):
    """One gene: bases uint8 (pieces, bases), or float32 matches of motifs that do not change; float32 log levels
    (tissues,); float32 bins of the trunk."""

    bases: Windows | None
    matches: npt.NDArray[np.float32] | None
    log: npt.NDArray[np.float32]
    trunk: npt.NDArray[np.float32] | None


class ExpressionBatch(NamedTuple):
    """Genes side by side: int64 (batch, pieces, bases) or matches of motifs (batch, pieces, bins, channels); float32
    (batch, tissues); bins of the trunk."""

    bases: Tensor | None
    matches: Tensor | None
    log: Tensor
    trunk: Tensor | None


class ExpressionDataset(Dataset[GeneWindowExample]):
    """Genes in the endless order of a seed, every gene once in each pass; index ``i`` always gives the same window.

    A window is shifted by up to :data:`LARGEST_SHIFT` bases; what a shift would bring in is N, so that a promoter never
    shows transcribed bases.  Where matches of motifs are given they take the place of the bases, without a shift.
    """

    def __init__(self, examples: Examples, seed: int) -> None:
        self.examples, self.seed = examples, seed
        self._order = lru_cache(maxsize=2)(self._order_of_pass)

    def _order_of_pass(self, number: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        generator = np.random.default_rng([self.seed, number])
        shape = (len(self.examples.bases), self.examples.bases.shape[1])
        shifts = generator.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, shape)
        return generator.permutation(shape[0]), shifts

    def __getitem__(self, index: int) -> GeneWindowExample:
        known = self.examples
        number, place = divmod(index, len(known.bases))
        order, shifts = self._order(number)
        row = order[place]
        bases, matches = None, None
        if known.matches is None:
            bases = np.stack([shifted(piece, int(by)) for piece, by in zip(known.bases[row], shifts[row], strict=True)])
        else:
            matches = known.matches[row].astype(np.float32)
        trunk = None if known.trunk is None else known.trunk[row].astype(np.float32)
        return GeneWindowExample(bases, matches, known.log[row].astype(np.float32), trunk)


def shifted(piece: npt.NDArray[np.uint8], by: int) -> npt.NDArray[np.uint8]:
    """A piece moved by some bases to the right (or, if negative, to the left), with N where nothing came."""
    moved = np.full_like(piece, N_CODE)
    if by >= 0:
        moved[by:] = piece[: len(piece) - by]
    else:
        moved[:by] = piece[-by:]
    return moved


def collate_genes(examples: Sequence[GeneWindowExample]) -> ExpressionBatch:
    bases, matches, log, trunk = (
        None if column[0] is None else torch.from_numpy(np.stack(column)) for column in zip(*examples, strict=True)
    )
    return ExpressionBatch(None if bases is None else bases.long(), matches, log, trunk)
