"""Fit the writer of isoforms to sentences; the epoch that writes best on validation genes is kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from phytoscribe.decoding.isoform_edits import Chain
from phytoscribe.files import atomic_path
from phytoscribe.models.isoform_writer import IsoformWriter, WriterConfig
from phytoscribe.sentences.grammar import Grammar
from phytoscribe.sentences.sites import SiteTable
from phytoscribe.sentences.tokens import KINDS, PAD
from phytoscribe.sentences.writing import WORDS, Search, written_isoforms
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.runs import read_as_data
from phytoscribe.training.tasks.isoform_writer.examples import Example
from phytoscribe.training.tasks.isoforms.fit import Ranked

logger = logging.getLogger(__name__)

#: Genes of a step, and genes among which those with equally many sites are put together.
BATCH, ALIKE = 16, 1024
LEARNING_RATE, WEIGHT_DECAY, WARMUP = 1e-3, 0.02, 0.1
SMOOTHING = 0.05
#: Of the genes without alternatives so many are read in each epoch, so a sentence with some counts twice as much.
WITHOUT_ALTERNATIVES = 0.5
#: What chooses an epoch: what is less likely is not worth the time.
CHOOSING = Search(least=0.03)
CHECKPOINT = "writer.pt"


class Batch(NamedTuple):
    """Examples side by side; arguments of :class:`IsoformWriter`, then what is wanted.

    Attributes:
        wanted: int64 (genes, length), the word behind each; allowed: bool (genes, length, words + n).
        weights: float32 (genes, length), 1, or 0 behind the end.
    """

    evidence: Tensor
    kinds: Tensor
    padded: Tensor
    words: Tensor
    wanted: Tensor
    allowed: Tensor
    weights: Tensor


def batch_of(examples: Sequence[Example]) -> Batch:
    """Examples padded to the same numbers of sites and words."""
    count, sites = len(examples), max(len(x.kinds) for x in examples)
    length, fixed = max(len(x.words) for x in examples) - 1, len(WORDS)
    evidence = torch.zeros(count, sites, examples[0].evidence.shape[1])
    kinds, padded = torch.zeros(count, sites, dtype=torch.int64), torch.ones(count, sites, dtype=torch.bool)
    words, wanted = (torch.full((count, length), WORDS.id(PAD), dtype=torch.int64) for _ in range(2))
    allowed, weights = torch.zeros(count, length, fixed + sites, dtype=torch.bool), torch.zeros(count, length)
    allowed[..., WORDS.id(PAD)] = True
    for row, x in enumerate(examples):
        n, steps = len(x.kinds), len(x.words) - 1
        evidence[row, :n] = torch.from_numpy(x.evidence.astype(np.float32))
        kinds[row, :n], padded[row, :n] = torch.from_numpy(x.kinds.astype(np.int64)), False
        ids = torch.from_numpy(x.words.astype(np.int64))
        words[row, :steps], wanted[row, :steps] = ids[:-1], ids[1:]
        allowed[row, :steps, : fixed + n] = torch.from_numpy(x.allowed)
        allowed[row, :steps, WORDS.id(PAD)] = False
        weights[row, :steps] = 1.0
    return Batch(evidence, kinds, padded, words, wanted, allowed, weights)


def loss_of(scores: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy of the wanted words over the words that the grammar allows, smoothed over these."""
    logs = torch.log_softmax(scores.masked_fill(~batch.allowed, -torch.inf), dim=-1)
    nll = -logs.gather(2, batch.wanted[..., None])[..., 0]
    spread = -logs.masked_fill(~batch.allowed, 0.0).sum(-1) / batch.allowed.sum(-1)
    losses = (1 - SMOOTHING) * nll + SMOOTHING * spread
    return (losses * batch.weights).sum() / batch.weights.sum()


def batches(examples: Sequence[Example], generator: np.random.Generator) -> list[list[Example]]:
    """Examples of an epoch in random order, those with similarly many sites together.

    All that have alternatives, and a drawn share of the others.
    """
    some = np.array([x.isoforms > 0 for x in examples])
    others = generator.permutation(np.flatnonzero(~some))[: round(WITHOUT_ALTERNATIVES * int((~some).sum()))]
    order = generator.permutation(np.concatenate([np.flatnonzero(some), others]))
    groups = []
    for start in range(0, len(order), ALIKE):
        part = sorted(order[start : start + ALIKE].tolist(), key=lambda k: len(examples[k].kinds))
        groups += [part[k : k + BATCH] for k in range(0, len(part), BATCH)]
    return [[examples[number] for number in groups[k]] for k in generator.permutation(len(groups)).tolist()]


class ValidationGene(NamedTuple):
    """A validation gene, ready to be written.

    Attributes:
        wanted: annotated CDS chains that are no gene's first transcript.
        half: of the regions, 0 or 1.
    """

    table: SiteTable
    evidence: npt.NDArray[np.float32]
    grammar: Grammar
    wanted: frozenset[Chain]
    half: int


@dataclass(frozen=True, slots=True)
class Additions:
    """What was written for validation genes.

    Attributes:
        found: probabilities, and which are right; halves: of the regions, (n,).
        wanted: alternatives that could have been added.
    """

    found: Ranked
    halves: npt.NDArray[np.int64]
    wanted: int

    def of_half(self, half: int) -> Ranked:
        chosen = self.halves == half
        return Ranked(self.found.scores[chosen], self.found.right[chosen])

    def best(self) -> tuple[float, float, float]:
        """Precision, recall and F1 of the additions from the probability on at which the F1 is highest."""
        order = np.argsort(-self.found.scores, kind="stable")
        hits, taken = np.cumsum(self.found.right[order]), np.arange(1, order.size + 1)
        f1 = 2 * hits / (taken + max(1, self.wanted))
        if not f1.size or not hits[-1]:
            return 0.0, 0.0, 0.0
        k = int(f1.argmax())
        return float(hits[k] / taken[k]), float(hits[k] / self.wanted), float(f1[k])

    def precision_at(self, recall: float) -> float:
        """Precision of the likeliest additions that reach a recall; not a number if none do."""
        order = np.argsort(-self.found.scores, kind="stable")
        hits = np.cumsum(self.found.right[order])
        k = int(np.searchsorted(hits, recall * self.wanted - 1e-9))
        return float(hits[k] / (k + 1)) if k < hits.size else float("nan")


def additions_of(network: IsoformWriter, genes: Sequence[ValidationGene], wanted: int, search: Search) -> Additions:
    """What a network writes for genes.

    Args:
        wanted: alternatives that could have been added, those of genes that were not predicted included.
    """
    scores, right, halves = [], [], []
    for gene in genes:
        found = written_isoforms(network, gene.table, gene.evidence, gene.grammar, search)
        scores += [isoform.probability for isoform in found]
        right += [isoform.cds in gene.wanted for isoform in found]
        halves += [gene.half] * len(found)
    return Additions(Ranked(np.array(scores), np.array(right, dtype=bool)), np.array(halves, dtype=np.int64), wanted)


class Validation(NamedTuple):
    """Validation genes with predicted and with annotated first transcripts, and the number of their alternatives."""

    predicted: list[ValidationGene]
    annotated: list[ValidationGene]
    wanted: tuple[int, int]

    def judged(self, network: IsoformWriter, search: Search) -> tuple[Additions, Additions]:
        """What a network writes beside predicted, and beside annotated first transcripts."""
        network.eval()
        both = zip((self.predicted, self.annotated), self.wanted, strict=True)
        predicted, annotated = (additions_of(network, genes, wanted, search) for genes, wanted in both)
        return predicted, annotated


def new_writer(examples: Sequence[Example], sizes: dict[str, int], seed: int) -> IsoformWriter:
    """A network that has learned nothing but the mean and deviation of the evidence."""
    torch.manual_seed(seed)
    network = IsoformWriter(
        WriterConfig(
            features=examples[0].evidence.shape[1],
            kinds=len(KINDS),
            tokens=len(WORDS),
            longest=max(64, *(len(x.words) for x in examples)),
            **sizes,
        )
    )
    total = np.concatenate([x.evidence.astype(np.float32) for x in examples])
    mean, deviation = total.mean(axis=0, dtype=np.float64), total.std(axis=0, dtype=np.float64) + 1e-3
    network.normalise_by(torch.from_numpy(mean), torch.from_numpy(deviation))
    return network


def fit_writer(
    examples: Sequence[Example],
    validation: Validation,
    sizes: dict[str, int],
    epochs: int,
    seed: int,
    run_folder: Path,
) -> tuple[IsoformWriter, MetricsTable]:
    """The network of the epoch with the highest F1 of additions, mean of de novo and completion, and the metrics.

    The state of each epoch is kept in the run folder, and a run that was stopped goes on from the last one with the
    numbers of one that was not.
    """
    network = new_writer(examples, sizes, seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = epochs * len(batches(examples, np.random.default_rng(seed)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=WARMUP)
    table, best, done = MetricsTable(run_folder / "metrics.tsv"), {"f1": -1.0, "epoch": 0, "weights": {}}, 0
    checkpoint = run_folder / CHECKPOINT
    if checkpoint.is_file():
        kept: dict[str, Any] = read_as_data(checkpoint)
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        table.load_state_dict(kept["table"])
        best, done = kept["best"], kept["epoch"]
        logger.info("going on behind epoch %d", done)
    for epoch in range(done + 1, epochs + 1):
        since = time.monotonic()
        torch.manual_seed(seed * 1_000_003 + epoch)
        loss = _train_epoch(network, examples, np.random.default_rng((seed, epoch)), optimiser, schedule)
        trained = time.monotonic()
        both = validation.judged(network, CHOOSING)
        values = {"train_loss": loss}
        for name, found in zip(("addition", "completion"), both, strict=True):
            values |= dict(zip((f"{name}_precision", f"{name}_recall", f"{name}_f1"), found.best(), strict=True))
        f1 = (values["addition_f1"] + values["completion_f1"]) / 2
        table.add(epoch, values)
        if f1 > best["f1"]:
            weights = {name: x.clone() for name, x in network.state_dict().items()}
            best = {"f1": f1, "epoch": epoch, "weights": weights}
        took = (trained - since, time.monotonic() - trained)
        logger.info("epoch %d/%d: loss %.4f, additions F1 %.4f (%.0f + %.0f s)", epoch, epochs, loss, f1, *took)
        state = {
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "table": table.state_dict(),
            "best": best,
            "epoch": epoch,
        }
        with atomic_path(checkpoint) as temporary:
            torch.save(state, temporary)
    logger.info("epoch %d is kept", best["epoch"])
    network.load_state_dict(best["weights"])
    return network.eval(), table


def _train_epoch(
    network: IsoformWriter,
    examples: Sequence[Example],
    generator: np.random.Generator,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    """Mean loss of an epoch."""
    network.train()
    total, count = 0.0, 0
    for part in batches(examples, generator):
        batch = batch_of(part)
        optimiser.zero_grad()
        loss = loss_of(network(batch.evidence, batch.kinds, batch.padded, batch.words), batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total, count = total + float(loss.detach()), count + 1
    return total / max(1, count)
