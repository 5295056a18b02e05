"""Masking for pretraining: tokens or spans of bases are hidden, in training windows and on held-out sequence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from phytoscribe.genome.sequence import N_CODE, Bases, reverse_complement
from phytoscribe.models.annotation_model import MaskedBaseModel
from phytoscribe.models.batches import TokenBatch, WindowTokens, collate_tokens, window_of
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import SEQUENCE, STRUCTURE, TrainingSet
from phytoscribe.training.loop.ranks import divisors
from phytoscribe.training.loop.sampling import WindowOrder

logger = logging.getLogger(__name__)

#: Share of tokens to name, and of these the share shown as [MASK]; the others show a random token.  None is shown as
#: it is, other than in BERT (arXiv:1810.04805): learning to copy took up most of a short training and taught nothing.
MASKED_SHARE, SHOWN_AS_MASK = 0.25, 0.9
#: Share of tokens whose bases are hidden, and the most tokens of a span: 6 to 24 bases with 6-mers.  What single
#: bases hide, their neighbours give away.
HIDDEN_SHARE, LONGEST_SPAN = 0.2, 4
IGNORED = -100
POSITIONS_STEP = 256


class MaskedWindow(NamedTuple):
    """The model's input, and the target for each token or base (int32): its identity if it is scored, else IGNORED."""

    tokens: WindowTokens
    wanted: npt.NDArray[np.int32]


class MaskedBatch(NamedTuple):
    """Stacked windows; wanted int64 (batch, tokens) or (batch, bases)."""

    inputs: TokenBatch
    wanted: Tensor


Hide = Callable[[WindowTokens, Segmenter, np.random.Generator], MaskedWindow]


def mask_tokens(
    tokens: WindowTokens, segmenter: Segmenter, generator: np.random.Generator, only_mask: bool = False
) -> MaskedWindow:
    """Hide a share of the nucleotide tokens; tokens with N are never targets.

    Args:
        only_mask: show all of them as ``[MASK]``, as evaluation does.
    """
    ids = tokens.token_ids
    asked = segmenter.nucleotide[ids] & (generator.random(ids.size) < MASKED_SHARE)
    fate = np.zeros(ids.size) if only_mask else generator.random(ids.size)
    seen = ids.copy()
    seen[asked & (fate < SHOWN_AS_MASK)] = segmenter.mask_id
    drawn = asked & (fate >= SHOWN_AS_MASK)
    seen[drawn] = generator.choice(np.flatnonzero(segmenter.nucleotide), size=int(drawn.sum()))
    return MaskedWindow(replace(tokens, token_ids=seen), np.where(asked, ids, IGNORED).astype(np.int32))


def hide_bases(tokens: WindowTokens, segmenter: Segmenter, generator: np.random.Generator) -> MaskedWindow:
    """Hide the bases of spans of whole nucleotide tokens: N to the stem, ``[MASK]`` to the encoder.

    With a variable-length tokenizer, the end of a hidden token remains visible.
    """
    count = tokens.token_ids.size
    begins = generator.random(count) < -np.log1p(-HIDDEN_SHARE) * 2 / (LONGEST_SPAN + 1)
    lengths = generator.integers(1, LONGEST_SPAN + 1, count)
    hidden = np.zeros(count, dtype=bool)
    for step in range(LONGEST_SPAN):
        hidden[step:] |= (begins & (lengths > step))[: count - step]
    hidden &= segmenter.nucleotide[tokens.token_ids]
    asked = np.repeat(hidden, tokens.token_lengths)
    seen = replace(
        tokens,
        bases=np.where(asked, N_CODE, tokens.bases).astype(np.uint8),
        token_ids=np.where(hidden, segmenter.mask_id, tokens.token_ids).astype(np.int32),
    )
    return MaskedWindow(seen, np.where(asked, tokens.bases.astype(np.int32), IGNORED))


@dataclass(frozen=True)
class Objective:
    """What the model must predict.

    Attributes:
        hide, hide_evaluated: make a masked window, for training and for evaluation.
        symbols: of a window's tokens, the array that ``wanted`` belongs to.
        unit: of the cross-entropy, for the report.
    """

    hide: Hide
    hide_evaluated: Hide
    symbols: Callable[[WindowTokens], npt.NDArray]
    unit: str


TOKENS, BASES = "tokens", "bases"
OBJECTIVES = {
    TOKENS: Objective(mask_tokens, partial(mask_tokens, only_mask=True), attrgetter("token_ids"), "masked_token"),
    BASES: Objective(hide_bases, hide_bases, attrgetter("bases"), "hidden_base"),
}


class MaskedDataset(Dataset[MaskedWindow]):
    """Masked windows over all sequence of a training set, annotated or not, with held-out bases as N.

    Index ``i`` of the endless order always gives the same window.

    Args:
        window: bases of a window.
        unknown_share: share of windows whose species, and independently whose lineage, is given as unknown.
    """

    def __init__(
        self, data: TrainingSet, segmenter: Segmenter, hide: Hide, window: int, unknown_share: float, seed: int
    ) -> None:
        self.data, self.segmenter, self.hide = data, segmenter, hide
        self.unknown_share, self.seed = unknown_share, seed
        self.rows = data.rows_for(STRUCTURE, SEQUENCE)
        self.order = WindowOrder(data.contigs.iloc[self.rows], window, seed)
        logger.info("%d windows of %d bases a pass", self.order.windows_per_pass, window)

    def __getitem__(self, index: int) -> MaskedWindow:
        place, start, strand = self.order[index]
        contig = self.data.contigs.iloc[self.rows[place]]
        bases = window_of(self.data.contig_bases(self.rows[place]), start, self.order.window)
        generator = np.random.default_rng([self.seed, index])
        named = generator.random(2) >= self.unknown_share
        global_ids = (
            self.segmenter.species_id(contig["species"] if named[0] else ""),
            self.segmenter.lineage_id(contig["lineage"] if named[1] else ""),
        )
        tokens = WindowTokens.of(reverse_complement(bases) if strand else bases, self.segmenter, global_ids)
        return self.hide(tokens, self.segmenter, generator)


def collate_masked(windows: Sequence[MaskedWindow]) -> MaskedBatch:
    """Stack windows; padding is never a target."""
    wanted = np.full((len(windows), max(w.wanted.size for w in windows)), IGNORED, dtype=np.int64)
    for row, window in enumerate(windows):
        wanted[row, : window.wanted.size] = window.wanted
    return MaskedBatch(collate_tokens([w.tokens for w in windows]), torch.from_numpy(wanted))


def masked_cross_entropy(model: MaskedTokenModel | MaskedBaseModel, batch: MaskedBatch, reduction: str) -> Tensor:
    """Cross-entropy over the targets, in nats; padding never contributes.

    Their number is padded to a multiple of a constant with uncounted positions, because the math library keeps memory
    for every matrix shape that it has met.
    """
    positions = (batch.wanted.flatten() != IGNORED).nonzero()[:, 0]
    wanted = batch.wanted.flatten()[positions]
    missing = -positions.numel() % POSITIONS_STEP
    positions, wanted = F.pad(positions, (0, missing)), F.pad(wanted, (0, missing), value=IGNORED)
    logits = model(batch.inputs, positions).float()
    total = F.cross_entropy(logits, wanted, ignore_index=IGNORED, reduction="sum")
    # Windows of only N ask for nothing.
    return total / divisors((wanted != IGNORED).sum()[None])[0] if reduction == "mean" else total


class HeldOut:
    """Masked windows of validation sequence, the same for the model and for the baselines.

    Consecutive windows of the regions, both strands in turn, evenly thinned to ``maximum_windows``.  Bases after a
    region's end are N, and windows of only N are left out.

    Args:
        regions: base codes.
        global_ids: species and lineage token of each.
    """

    def __init__(
        self,
        regions: Sequence[Bases],
        global_ids: Sequence[tuple[int, int]],
        segmenter: Segmenter,
        objective: Objective,
        window: int,
        maximum_windows: int,
        seed: int,
    ) -> None:
        self.objective = objective
        places = [(row, s) for row, bases in enumerate(regions) for s in range(0, bases.size, window)]
        step = max(1, -(-len(places) // maximum_windows))
        self.windows: list[MaskedWindow] = []
        for number, (row, start) in enumerate(places[::step]):
            bases = window_of(regions[row], start, window)
            bases = reverse_complement(bases) if number % 2 else bases
            tokens = WindowTokens.of(bases, segmenter, global_ids[row])
            masked = objective.hide_evaluated(tokens, segmenter, np.random.default_rng([seed, number]))
            if (masked.wanted != IGNORED).any():
                self.windows.append(masked)

    def asked(self) -> list[tuple[npt.NDArray, npt.NDArray[np.bool_]]]:
        """``(true symbols, asked for)`` of each window, for the baselines."""
        pairs = [(w.wanted, w.wanted != IGNORED, self.objective.symbols(w.tokens)) for w in self.windows]
        return [(np.where(asked, wanted, seen), asked) for wanted, asked, seen in pairs]

    def cross_entropy(self, model: MaskedTokenModel | MaskedBaseModel, device: torch.device, batch: int = 8) -> float:
        """Mean over the targets, in nats."""
        model.eval()
        total, count = 0.0, 0
        with torch.inference_mode():
            for first in range(0, len(self.windows), batch):
                inputs, wanted = collate_masked(self.windows[first : first + batch])
                part = MaskedBatch(TokenBatch(*(t.to(device) for t in inputs)), wanted.to(device))
                total += float(masked_cross_entropy(model, part, "sum"))
                count += int((part.wanted != IGNORED).sum())
        return total / count
