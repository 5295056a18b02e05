"""Masked-language-model pretraining of the encoder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from phytoscribe.devices import choose_device
from phytoscribe.genome.sequence import Bases, reverse_complement
from phytoscribe.models.batches import window_of
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.tokenizer.segments import Segmenter, TokenIds
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.module import TrainedModule
from phytoscribe.training.loop.ranks import divisors, own_rank
from phytoscribe.training.loop.runs import train
from phytoscribe.training.loop.sampling import WindowOrder
from phytoscribe.training.loop.settings import RunSettings

logger = logging.getLogger(__name__)

#: Share of tokens to name, and of these the share shown as [MASK]; the others show a random token.  None is shown as
#: it is, other than in BERT (arXiv:1810.04805): learning to copy took up most of a short training and taught nothing.
MASKED_SHARE, SHOWN_AS_MASK = 0.25, 0.9
IGNORED = -100
POSITIONS_STEP = 256


class MaskedWindow(NamedTuple):
    """ids int32 (T,): what the model sees; wanted int32 (T,): the true token where it is asked for, else IGNORED."""

    ids: TokenIds
    wanted: npt.NDArray[np.int32]
    global_ids: tuple[int, int]


class MaskedBatch(NamedTuple):
    """token_ids, wanted int64 (batch, tokens); global_ids int64 (batch, 2)."""

    token_ids: Tensor
    wanted: Tensor
    global_ids: Tensor


def mask_tokens(
    ids: TokenIds, segmenter: Segmenter, generator: np.random.Generator, only_mask: bool = False
) -> tuple[TokenIds, npt.NDArray[np.int32]]:
    """Hide a share of the nucleotide tokens; tokens with N are never asked for.

    Args:
        only_mask: show all of them as ``[MASK]``, as evaluation does.
    """
    asked = segmenter.nucleotide[ids] & (generator.random(ids.size) < MASKED_SHARE)
    wanted = np.where(asked, ids, IGNORED).astype(np.int32)
    fate = np.zeros(ids.size) if only_mask else generator.random(ids.size)
    seen = ids.copy()
    seen[asked & (fate < SHOWN_AS_MASK)] = segmenter.mask_id
    drawn = asked & (fate >= SHOWN_AS_MASK)
    seen[drawn] = generator.choice(np.flatnonzero(segmenter.nucleotide), size=int(drawn.sum()))
    return seen, wanted


class MaskedDataset(Dataset[MaskedWindow]):
    """Masked windows of the training sequence in the endless order; index ``i`` always gives the same window.

    Args:
        contigs: base codes of each contig, held-out bases as N, in the order of ``order``'s table.
        global_ids: species and lineage token of each contig.
        unknown: the unknown species and lineage tokens, shown in a share ``unknown_share`` of windows.
    """

    def __init__(
        self,
        contigs: Sequence[Bases],
        global_ids: Sequence[tuple[int, int]],
        unknown: tuple[int, int],
        unknown_share: float,
        segmenter: Segmenter,
        order: WindowOrder,
        seed: int,
    ) -> None:
        self.contigs = contigs
        self.global_ids = global_ids
        self.unknown = unknown
        self.unknown_share = unknown_share
        self.segmenter = segmenter
        self.order = order
        self.seed = seed

    def __getitem__(self, index: int) -> MaskedWindow:
        row, start, strand = self.order[index]
        bases = window_of(self.contigs[row], start, self.order.window)
        if strand == 1:
            bases = reverse_complement(bases)
        generator = np.random.default_rng([self.seed, index])
        known = generator.random(2) >= self.unknown_share
        pairs = zip(known, self.global_ids[row], self.unknown, strict=True)
        ids, _ = self.segmenter.segment(bases)
        return MaskedWindow(
            *mask_tokens(ids, self.segmenter, generator),
            tuple(own if use else other for use, own, other in pairs),  # type: ignore[arg-type]
        )


def collate_masked(windows: Sequence[MaskedWindow], pad_id: int) -> MaskedBatch:
    """Stack windows; ids are padded with the tokenizer's pad id, which is never asked for."""
    most = max(w.ids.size for w in windows)
    ids = np.full((len(windows), most), pad_id, dtype=np.int64)
    wanted = np.full((len(windows), most), IGNORED, dtype=np.int64)
    for row, window in enumerate(windows):
        ids[row, : window.ids.size] = window.ids
        wanted[row, : window.ids.size] = window.wanted
    global_ids = torch.tensor([w.global_ids for w in windows], dtype=torch.int64)
    return MaskedBatch(torch.from_numpy(ids), torch.from_numpy(wanted), global_ids)


def masked_cross_entropy(model: MaskedTokenModel, batch: MaskedBatch, reduction: str) -> Tensor:
    """Cross-entropy over the tokens that are asked for, nats; the loss never touches padding.

    Their number is filled up to a multiple of a constant with positions that do not count: the math library keeps
    memory for every matrix shape that it has met.
    """
    positions = (batch.wanted.flatten() != IGNORED).nonzero()[:, 0]
    wanted = batch.wanted.flatten()[positions]
    missing = -positions.numel() % POSITIONS_STEP
    positions, wanted = F.pad(positions, (0, missing)), F.pad(wanted, (0, missing), value=IGNORED)
    logits = model(batch.token_ids, batch.global_ids, positions).float()
    total = F.cross_entropy(logits, wanted, ignore_index=IGNORED, reduction="sum")
    # Windows of only N ask for nothing.
    return total / divisors((wanted != IGNORED).sum()[None])[0] if reduction == "mean" else total


class MaskedTokenModule(TrainedModule):
    """Training step and optimizer around :class:`MaskedTokenModel`."""

    def __init__(self, model: MaskedTokenModel, settings: RunSettings) -> None:
        super().__init__(settings)
        self.model = model

    def training_step(self, batch: MaskedBatch, batch_idx: int) -> Tensor:
        return masked_cross_entropy(self.model, batch, "mean")


@dataclass(frozen=True)
class HeldOutTokens:
    """Masked windows of validation sequence, the same for the model and for the baselines.

    Attributes:
        windows: shown and asked tokens.
        originals: ids int32 (T,) before masking, for the baselines.
    """

    windows: list[MaskedWindow]
    originals: list[TokenIds]

    @classmethod
    def of(
        cls,
        regions: Sequence[Bases],
        global_ids: Sequence[tuple[int, int]],
        segmenter: Segmenter,
        window: int,
        maximum_windows: int,
        seed: int,
    ) -> HeldOutTokens:
        """Consecutive windows of the regions, both strands in turn, evenly thinned to ``maximum_windows``.

        What lies behind a region's end is N, and windows of only N are left out.
        """
        places = [(row, s) for row, bases in enumerate(regions) for s in range(0, bases.size, window)]
        step = max(1, -(-len(places) // maximum_windows))
        windows, originals = [], []
        for number, (row, start) in enumerate(places[::step]):
            bases = window_of(regions[row], start, window)
            ids, _ = segmenter.segment(reverse_complement(bases) if number % 2 else bases)
            generator = np.random.default_rng([seed, number])
            masked = mask_tokens(ids, segmenter, generator, only_mask=True)
            if (masked[1] == IGNORED).all():
                continue
            windows.append(MaskedWindow(*masked, global_ids[row]))
            originals.append(ids)
        return cls(windows, originals)

    def asked(self) -> list[tuple[TokenIds, npt.NDArray[np.bool_]]]:
        """``(ids, masked)`` of each window, for the baselines."""
        return [(ids, w.wanted != IGNORED) for ids, w in zip(self.originals, self.windows, strict=True)]

    def cross_entropy(self, model: MaskedTokenModel, pad_id: int, device: torch.device, batch: int = 8) -> float:
        """Mean cross-entropy over masked tokens, nats per token."""
        model.eval()
        total, count = 0.0, 0
        with torch.inference_mode():
            for first in range(0, len(self.windows), batch):
                part = MaskedBatch(*(t.to(device) for t in collate_masked(self.windows[first : first + batch], pad_id)))
                total += float(masked_cross_entropy(model, part, "sum"))
                count += int((part.wanted != IGNORED).sum())
        return total / count


class HeldOutLoss(Callback):
    """Held-out cross-entropy at each epoch's end, into the metrics table."""

    def __init__(self, held_out: HeldOutTokens, pad_id: int, table: MetricsTable) -> None:
        self.held_out = held_out
        self.pad_id = pad_id
        self.table = table
        self.last = float("nan")

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if own_rank() or trainer.global_step % module.settings.checkpoint_every:
            return
        self.last = self.held_out.cross_entropy(module.model, self.pad_id, module.device)
        module.model.train()
        self.table.add(trainer.global_step, {"validation_cross_entropy": self.last})
        logger.info("step %d: held-out cross-entropy %.4f nats per masked token", trainer.global_step, self.last)


def start_from_frequencies(model: MaskedTokenModel, log_frequencies: npt.NDArray[np.float64]) -> None:
    """Set the output bias to the tokens' log frequencies: training starts at the unigram model."""
    finite = np.isfinite(log_frequencies)
    bias = np.where(finite, log_frequencies, log_frequencies[finite].min() - 10)
    with torch.no_grad():
        model.token_bias.copy_(torch.from_numpy(bias.astype(np.float32)))


#: Bases from each end of a token that its first embedding tells, and the deviation of that embedding.
TOLD_BASES, TOLD_DEVIATION = 5, 0.05


def start_from_bases(model: MaskedTokenModel, segmenter: Segmenter, seed: int) -> None:
    """Let each token's embedding begin as a random projection of the bases that it stands for.

    The features are the first and the last bases, the share of each base and the length.  So tokens that are alike
    begin alike, and what is learned of one holds for the others: a short training never sees most tokens often enough
    to learn that they share an end.
    """
    bases, lengths = segmenter.token_bases, segmenter.lengths
    count, longest = bases.shape
    columns = []
    for place in range(min(TOLD_BASES, longest)):
        from_left = np.where(lengths > place, bases[:, place], 9)
        from_right = np.where(lengths > place, bases[np.arange(count), np.maximum(lengths - 1 - place, 0)], 9)
        columns += [side == base for side in (from_left, from_right) for base in range(4)]
    columns += [(bases == base).sum(1) / np.maximum(lengths, 1) for base in range(5)]
    columns.append(np.log1p(lengths))
    features = np.stack(columns, axis=1).astype(np.float64)
    sequence = lengths > 0
    features -= features[sequence].mean(0)
    projection = np.random.default_rng(seed).normal(size=(features.shape[1], model.config.hidden_size))
    told = features[sequence] @ projection
    weight = model.encoder.embedding.weight
    with torch.no_grad():
        weight[torch.from_numpy(sequence)] += torch.from_numpy(told * TOLD_DEVIATION / told.std()).float()


def pretrain(
    model: MaskedTokenModel,
    dataset: MaskedDataset,
    held_out: HeldOutTokens,
    settings: RunSettings,
    run_folder: Path,
) -> float:
    """Train ``model`` in place; returns the final held-out cross-entropy."""
    pad_id = dataset.segmenter.pad_id
    table = MetricsTable(run_folder / "metrics.tsv")
    module = MaskedTokenModule(model, settings)
    watch = HeldOutLoss(held_out, pad_id, table)
    bases = settings.batch_size * dataset.order.window
    train(module, dataset, partial(collate_masked, pad_id=pad_id), settings, run_folder, bases, table, [watch])
    # Lightning has moved the model back to the CPU.
    device = choose_device(settings.device)
    return held_out.cross_entropy(model.to(device), pad_id, device)
