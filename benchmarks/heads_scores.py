"""Scores of the heads of heads.py on its test blocks; what was read or scored lies beside each head, and is not again.

Intervals hold 95 %: of resamples of the test blocks in pieces of 500 kb, of the labels, or of both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from heads_cnn import DeepSeaCnn

from phytoscribe.evaluation.label_scores import LabelScores, auprc_of_labels, score_label
from phytoscribe.files import atomic_open, atomic_path
from phytoscribe.genome.sequence import decode
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.regulatory import Calibration, RegulatoryHead, load_head
from phytoscribe.regulatory.bins import known_bins
from phytoscribe.regulatory.peaks import Peaks
from phytoscribe.splits.leakage import nucleotide_hits
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE
from phytoscribe.training.tasks.regulatory.scores import (
    INSIDE,
    RESAMPLES,
    RIDGE,
    TestBins,
    head_probabilities,
    ridge_probabilities,
    score_table,
)
from phytoscribe.training.tasks.regulatory.windows import RegulatoryData

logger = logging.getLogger(__name__)

CONTIG = "Chr1_full"
#: Sequence, peaks and parts of a folder; features of the structure model.
FILES = (f"{CONTIG}.fa", "peaks.npz", "parts.bed")
TRUNK = ("trunk.npy", "trunk.json")
SEED = 1
#: A test bin is a copy if alignments with training sequence cover this share of it, with this identity.
COVERED, IDENTITY = 0.8, 0.8

Numbers = npt.NDArray[np.float64]
Read = npt.NDArray[np.float32]


def interval(draws: Numbers) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
    return float(low), float(high)


def shown(value: float, draws: Numbers, signed: str = "") -> str:
    """A value and its interval, for the page."""
    low, high = interval(draws)
    return f"{value:{signed}.3f} ({low:{signed}.3f} to {high:{signed}.3f})"


def groups_of(labels: Sequence[str]) -> dict[str, list[str]]:
    """Labels of each kind, by the name of the kind."""
    kinds: dict[str, list[str]] = {}
    for label in labels:
        kind = "open chromatin" if label.startswith("ATAC_") else "dimers" if label.startswith("bZIP") else "factors"
        kinds.setdefault(kind, []).append(label)
    return {f"{len(own)} {kind}": own for kind, own in kinds.items()}


class Bench:
    """A folder of heads.py, whose heads all have the labels of its peaks that are frequent enough.

    Args:
        threads: of the processor.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        self.folder = folder

    def load(self, name: str) -> tuple[RegulatoryHead, Calibration]:
        network, calibration, _ = load_head(
            self.folder / name, DeepSeaCnn if name.startswith("cnn") else RegulatoryHead
        )
        return network, calibration

    @cached_property
    def some_head(self) -> RegulatoryHead:
        """The first head of the folder: all have the same labels and bins."""
        found = sorted(path.parent.name for path in self.folder.glob(f"*/{REGULATORY_FILES[0]}"))
        return self.load(found[0])[0]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return self.some_head.config.labels

    def read_data(self, labels: Sequence[str], trunk: bool = False) -> RegulatoryData:
        files = ([str(self.folder / name)] for name in FILES)
        cells = [tuple(str(self.folder / name) for name in TRUNK)] if trunk else []
        return RegulatoryData.read(*files, 0, cells, labels)

    @cached_property
    def data(self) -> RegulatoryData:
        return self.read_data(self.labels)

    @cached_property
    def test(self) -> TestBins:
        return TestBins(self.data, self.some_head.config.bin)

    @cached_property
    def weights(self) -> Numbers:
        return self.test.weights(SEED)

    def _kept(self, name: str, file: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """A table that lies in the folder of a head, made anew if the head is newer."""
        path, weights = self.folder / name / file, self.folder / name / REGULATORY_FILES[1]
        if not path.exists() or (weights.exists() and weights.stat().st_mtime > path.stat().st_mtime):
            path.parent.mkdir(exist_ok=True)
            made = make()
            with atomic_path(path) as temporary, temporary.open("wb") as handle:
                np.save(handle, made)
        return np.load(path)

    def probabilities(self, name: str, part: str = TEST) -> Read:
        """Probabilities (bins, labels) of the bins of a part, by a head or by the regression."""

        def make() -> Read:
            if name == RIDGE:
                return ridge_probabilities(self.data, self.some_head.config, self.test)
            network, calibration = self.load(name)
            data = self.read_data(self.labels, trunk=network.config.trunk_channels > 0)
            blocks = self.test.blocks if part == TEST else [(0, segment) for segment in data.segments(part)[0]]
            return head_probabilities(network, calibration, data, blocks)

        return self._kept(name, f"{part}.npy", make)

    def scores(self, name: str) -> dict[str, LabelScores]:
        """Scores of each label on the test blocks."""

        def make() -> Numbers:
            return np.array(list(self.test.scores(self.probabilities(name), self.labels, self.weights).values()))

        return {
            label: LabelScores(*row)
            for label, row in zip(self.labels, self._kept(name, "scores.npy", make), strict=True)
        }

    def score(self, names: Sequence[str]) -> None:
        """Write regulatory.tsv, and print the rows of the page."""
        found = {name: self.scores(name) for name in (RIDGE, *names)}
        groups = groups_of(self.labels)
        table = score_table(found, groups, len(self.test.block))
        with atomic_open(self.folder / "regulatory.tsv") as handle:
            table.to_csv(handle, sep="\t", index=False, float_format="%.6g", na_rep="")
        wide = table[table["label"].isin(groups)].pivot(index=["label", "model"], columns="measure")
        for (group, model), row in wide.iterrows():
            cells = [f"{row['value', 'auprc']:.3f} ({row['low', 'auprc']:.3f} to {row['high', 'auprc']:.3f})"]
            cells += [f"{row['value', name]:.3f}" for name in ("lift", "precision_10", "precision_50", "ece", "auroc")]
            print(f"| {group} | {model} | {' | '.join(cells)} | {row['value', 'above_ridge']:.2f} |".replace("nan", ""))
        for group, own in groups.items():
            means = [np.nanmean([found[name][label].auprc[0] for label in own]) for name in names]
            print(f"{group}: AUPRC, mean of {len(names)} {np.mean(means):.3f}, {min(means):.3f} to {max(means):.3f}")

    def _auprc(self, names: Iterable[str], own: Sequence[str]) -> Numbers:
        """Average precision (labels, weightings) of labels, mean over heads."""
        return np.mean([[scores[label].auprc for label in own] for scores in map(self.scores, names)], axis=0)

    def compare(self, first: Sequence[str], second: Sequence[str]) -> None:
        """Print the difference in average precision of the second heads from the first, label by label."""
        for group, own in groups_of(self.labels).items():
            before, after = (self._auprc(names, own) for names in (first, second))
            there = np.isfinite(before[:, 0])
            before, after = before[there], after[there]
            difference = after - before
            drawn = np.random.default_rng([SEED, 96]).integers(len(difference), size=(RESAMPLES, len(difference)))
            mean = float(difference[:, 0].mean())
            blocks, labels = np.nanmean(difference[:, 1:], axis=0), difference[drawn, 0].mean(axis=1)
            both = np.array([np.nanmean(difference[rows, 1 + n]) for n, rows in enumerate(drawn)])
            ratio = np.nanmean(after, axis=0) / np.nanmean(before, axis=0)
            print(f"{group}: {','.join(second)} beside {','.join(first)}")
            for drawn_over, draws in (("blocks", blocks), ("labels", labels), ("both", both)):
                print(f"  difference, drawn over {drawn_over}: {shown(mean, draws, '+')}")
            print(f"  ratio of the means: {shown(ratio[0], ratio[1:])}")
            print(f"  higher at {(difference[:, 0] > 0).sum()} of {len(difference)} labels")

    @cached_property
    def copies(self) -> npt.NDArray[np.bool_]:
        """Whether each test bin resembles training sequence (BLASTN), bool (bins,)."""
        genome, width = self.data.genomes[0].genome, self.some_head.config.bin
        sequences = []
        for _, block in self.test.blocks:
            first, count = block.grid(width)
            bases = genome.bases(block.contig, first, first + count * width)
            known = np.flatnonzero(known_bins(bases, width)).tolist()
            sequences += [decode(bases[place * width : (place + 1) * width]) for place in known]
        training = [(contig, decode(genome.bases(contig, a, b))) for contig, a, b in self.data.segments(TRAIN)[0]]
        numbered = [((CONTIG, str(number)), sequence) for number, sequence in enumerate(sequences)]
        found = np.zeros(len(sequences), dtype=np.bool_)
        found[[int(number) for _, number in nucleotide_hits(numbered, training, IDENTITY, COVERED)]] = True
        return found

    def without_copies(self, names: Sequence[str]) -> None:
        """Print scores of the bins that resemble no training sequence, and of those that do."""
        copies = self._kept("copies", "copies.npy", lambda: self.copies)
        print(f"{copies.sum()} of {copies.size} test bins are copies ({copies.mean():.1%})")
        for name in names:
            read = self.probabilities(name)
            for subset, chosen in (("no copies", ~copies), ("copies", copies)):
                for group, own in groups_of(self.labels).items():
                    columns = [self.labels.index(label) for label in own]
                    scored = [
                        score_label(
                            read[chosen, n], self.test.labels[chosen, n], self.test.block[chosen], self.weights
                        ).auprc
                        for n in columns
                    ]
                    mean = np.nanmean(scored, axis=0)
                    rate = self.test.labels[chosen][:, columns].mean()
                    print(f"| {group} | {name} | {subset} | {shown(mean[0], mean[1:])} | {rate:.4f} |")

    def dimers(self, name: str, other: Path) -> None:
        """Print how the outputs for factors rank the bins of dimers that a head never saw.

        For each dimer the factor is taken whose output ranks the validation bins best.

        Args:
            other: folder with the dimers among its peaks.
        """
        factors = [n for n, label in enumerate(self.labels) if not label.startswith("ATAC_")]
        dimers = [label for label in Peaks.load(other / FILES[1]).labels if label.startswith("bZIP")]
        there = Bench(other, 1).read_data(dimers)
        width = self.some_head.config.bin
        test, validation = TestBins(there, width), there.known_labels(VALIDATE, width)[0]
        read = {part: self.probabilities(name, part)[:, factors] for part in (VALIDATE, TEST)}
        own = {VALIDATE: self.data.known_labels(VALIDATE, width)[0][:, factors]}
        found = []
        for number, dimer in enumerate(dimers):
            positive = validation[:, [number]]
            wanted = np.broadcast_to(positive, read[VALIDATE].shape)
            by_output = auprc_of_labels(read[VALIDATE], wanted, np.ones_like(wanted))
            best = int(np.argmax(by_output))
            agreement = np.array([np.corrcoef(positive[:, 0], column)[0, 1] for column in own[VALIDATE].T])
            scores = score_label(read[TEST][:, best], test.labels[:, number], test.block, test.weights(SEED))
            found.append(scores.auprc)
            print(
                f"| {dimer} | {self.labels[factors[best]]} | {scores.base_rate[0]:.3f} | "
                f"{shown(scores.auprc[0], scores.auprc[1:])} | {self.labels[factors[int(np.nanargmax(agreement))]]} | "
                f"{np.nanmax(agreement):.2f} |"
            )
        mean = np.mean(found, axis=0)
        print(f"mean of {len(dimers)} dimers: {shown(mean[0], mean[1:])}")
