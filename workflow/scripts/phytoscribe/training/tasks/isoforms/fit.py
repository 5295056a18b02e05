"""Fit the ranker to examples, calibrate it, and choose the probability from which isoforms are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import isotonic_regression
from torch import nn

from phytoscribe.decoding.decoded_gene import platt
from phytoscribe.decoding.isoform_ranker import IsoformRanker, normalised
from phytoscribe.training.tasks.isoforms.examples import Examples, Locus

#: Of the two hidden layers.
WIDTH = 128
DROPOUT = 0.2
EPOCHS, BATCH = 12, 512
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 0.02


class Ranked(NamedTuple):
    """Candidates of many loci in one order: probabilities or log odds, and whether each is right."""

    scores: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]


def fit_ranker(loci: Sequence[Locus], seed: int) -> tuple[IsoformRanker, list[float]]:
    """A ranker that is not calibrated yet, and the mean loss of each epoch.

    Every candidate counts the same: cross-entropy of right or wrong, with negatives as they come.
    """
    features = np.concatenate([locus.features for locus in loci])
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64) + 1e-3
    inputs = torch.from_numpy(normalised(features, mean, deviation).astype(np.float32))
    wanted = torch.from_numpy(np.concatenate([locus.right for locus in loci]).astype(np.float32))
    torch.manual_seed(seed)
    layers = [nn.Linear(a, b) for a, b in pairwise((features.shape[1], WIDTH, WIDTH, 1))]
    hidden = [part for layer in layers[:-1] for part in (layer, nn.ReLU(), nn.Dropout(DROPOUT))]
    network = nn.Sequential(*hidden, layers[-1]).train()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    generator = torch.Generator().manual_seed(seed)
    batches = max(1, len(wanted) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=EPOCHS * batches)
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(wanted), generator=generator).chunk(batches):
            optimiser.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(network(inputs[batch])[:, 0], wanted[batch])
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(batch)
        losses.append(total / len(wanted))
    numbers = tuple(tuple(part.detach().double().numpy() for part in (layer.weight, layer.bias)) for layer in layers)
    return IsoformRanker(mean, deviation, numbers), losses


def ranked(ranker: IsoformRanker, loci: Sequence[Locus]) -> Ranked:
    """Probabilities of all candidates of the loci."""
    if not loci:
        return Ranked(np.empty(0), np.empty(0, np.bool_))
    scores = np.concatenate([ranker(locus.features) for locus in loci])
    return Ranked(scores, np.concatenate([locus.right for locus in loci]))


def calibrated_ranker(ranker: IsoformRanker, loci: Sequence[Locus]) -> IsoformRanker:
    """The ranker with slope and offset by which its probabilities match the share of right candidates of these loci."""
    odds = np.concatenate([ranker.log_odds(locus.features) for locus in loci])
    slope, offset = platt(odds, np.concatenate([locus.right for locus in loci]))
    return replace(ranker, slope=slope, offset=offset)


def calibration_error(found: Ranked, bins: int = 10) -> float:
    """Mean difference of probability and share right over bins with equally much probability in each."""
    order = np.argsort(found.scores, kind="stable")
    mass = np.cumsum(found.scores[order])
    parts = np.searchsorted(mass, np.linspace(0, mass[-1], bins + 1)[1:-1])
    groups = [group for group in np.split(order, parts) if group.size]
    errors = [abs(found.scores[g].mean() - found.right[g].mean()) * found.scores[g].sum() for g in groups]
    return float(sum(errors) / mass[-1])


def least_probability(found: Ranked, f1: float) -> float:
    """The lowest probability down to which isoforms do not lower the F1 of transcripts; 1 where any would.

    An isoform raises the F1 as long as its chance to be right is above half of the F1.  That chance is the share right,
    made to fall with the score (isotonic regression), so that a few right ones far down do not count.
    """
    order = np.argsort(-found.scores, kind="stable")
    if not order.size:
        return 1.0
    chance = isotonic_regression(found.right[order].astype(np.float64), increasing=False).x
    paying = np.flatnonzero(chance >= f1 / 2)
    return float(found.scores[order[paying[-1]]]) if paying.size else 1.0


def f1_of_transcripts(parts: Sequence[Examples]) -> float:
    """F1 of CDS chains with one transcript for each gene."""
    reference, first, right = (sum(part[k] for part in parts) for k in (1, 2, 3))
    return 2 * right / max(1, reference + first)
