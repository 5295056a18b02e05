"""Score heads on the test blocks, beside a guess and a regression on 6-mers of the same bins (rule
evaluate_regulatory)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.kmer_ridge import BINS, PENALTIES, KmerRidge, Table, kmer_table
from phytoscribe.evaluation.label_scores import LabelScores, block_weights, score_label
from phytoscribe.files import atomic_open
from phytoscribe.models.regulatory import Calibration, RegulatoryConfig, RegulatoryHead, load_head
from phytoscribe.prediction.regulatory import BinReader, bases_around
from phytoscribe.regulatory.bins import Labels, Segment, blocks_of, known_bins
from phytoscribe.splits.blocks import BLOCK
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE
from phytoscribe.training.tasks.regulatory.module import ValidationBins
from phytoscribe.training.tasks.regulatory.windows import LabelledGenome, RegulatoryData

logger = logging.getLogger(__name__)

COLUMNS = ("model", "label", "subset", "measure", "value", "low", "high", "n", "base_rate")
#: Resamples of the blocks, and the share of them inside the interval.
RESAMPLES, INSIDE = 200, 0.95
GUESS, RIDGE, MEAN = "guess", "6-mer ridge", "mean"


def score_heads(
    heads: Mapping[str, Path],
    fastas: Sequence[str],
    peaks: Sequence[str],
    parts: Sequence[str],
    trunk: Sequence[tuple[str, str]],
    seed: int,
    output: str | Path,
    threads: int,
) -> None:
    """Write the table of scores.

    Args:
        heads: folder of each head, by the name of its row; all have the same labels and bins.
        fastas, peaks, parts: of the genomes with peaks, in the same order.
        trunk: features of the structure model for each, if a head takes them.

    Raises:
        PhytoScribeError: nothing is held out for the test.
    """
    torch.set_num_threads(threads)
    loaded = {name: load_head(folder) for name, folder in heads.items()}
    config = next(iter(loaded.values()))[0].config
    margin = max(network.config.margin for network, _, _ in loaded.values())
    data = RegulatoryData.read(fastas, peaks, parts, 0, trunk, config.labels, margin)
    test = TestBins(data, config.bin)
    weights = test.weights(seed)
    found = {RIDGE: test.scores(ridge_probabilities(data, config, test), config.labels, weights)}
    for name, (network, calibration, _) in loaded.items():
        probabilities = head_probabilities(network, calibration, data, test.blocks)
        found[name] = test.scores(probabilities, config.labels, weights)
        logger.info("%s: test blocks read", name)
    table = score_table(found, {MEAN: config.labels}, len(test.block))
    with atomic_open(output) as handle:
        table.to_csv(handle, sep="\t", index=False, float_format="%.6g", na_rep="")
    for row in table[~table["label"].isin(config.labels) & (table["measure"] == "auprc")].itertuples():
        logger.info("%s, %s: AUPRC %.4f (95 %% %.4f to %.4f)", row.model, row.label, row.value, row.low, row.high)


class TestBins:
    """The known bins of the test blocks.

    Attributes:
        blocks: number of the genome, and the block.
        labels, has: bool (bins, labels); block: int64 (bins,), place in ``blocks``.
    """

    __test__ = False  # no test of pytest

    def __init__(self, data: RegulatoryData, width: int) -> None:
        segments = data.segments(TEST)
        self.blocks = [(n, block) for n, own in enumerate(segments) for block in blocks_of(own, BLOCK)]
        tables = [data.genomes[number].known_labels([block], width) for number, block in self.blocks]
        if not sum(map(len, tables)):
            raise PhytoScribeError(
                "nothing with peaks is held out for the test, so the head cannot be scored; list contigs under "
                "genomes[...].contigs.test, give a genome with peaks role 'test', or use split.mode: cluster"
            )
        counts = [len(table) for table in tables]
        self.labels = np.concatenate(tables)
        self.has = data.has(np.repeat([number for number, _ in self.blocks], counts))
        self.block = np.repeat(np.arange(len(tables)), counts)

    def weights(self, seed: int) -> npt.NDArray[np.float64]:
        """How often each block counts: once, and as in each of the :data:`RESAMPLES` (blocks, weightings)."""
        return block_weights(len(self.blocks), RESAMPLES, seed)

    def scores(
        self, probabilities: npt.NDArray[np.float32], labels: Sequence[str], weights: npt.NDArray[np.float64]
    ) -> dict[str, LabelScores]:
        """Scores of each label.

        Args:
            probabilities: (bins, labels).
            weights: of :meth:`weights`.
        """
        return {
            label: score_label(probabilities[known, n], self.labels[known, n], self.block[known], weights)
            for n, label in enumerate(labels)
            for known in [self.has[:, n]]
        }


def head_probabilities(
    network: RegulatoryHead, calibration: Calibration, data: RegulatoryData, blocks: Sequence[tuple[int, Segment]]
) -> npt.NDArray[np.float32]:
    """Probabilities (bins, labels) of the known bins of blocks, each with the number of its genome."""
    readers = [BinReader(network, g.genome, torch.device("cpu"), g.trunk) for g in data.genomes]
    found = [readers[number].known_logits([segment]) for number, segment in blocks]
    return calibration.probabilities(np.concatenate(found))


def _kmers(genome: LabelledGenome, segment: Segment, config: RegulatoryConfig) -> Iterator[tuple[Table, Labels]]:
    """6-mers and labels of the known bins of a segment."""
    first, count = segment.grid(config.bin)
    for done in range(0, count, BINS):
        own, start = min(BINS, count - done), first + done * config.bin
        end = start + own * config.bin
        bases = bases_around(genome.genome, segment.contig, start - config.context, end + config.context)
        inner = bases[config.context : bases.size - config.context]
        known = known_bins(inner, config.bin)
        table = kmer_table(bases, own, config.bin, config.context)
        yield table[known], genome.labels.dense(segment.contig, start, own, config.bin)[known]


def ridge_probabilities(data: RegulatoryData, config: RegulatoryConfig, test: TestBins) -> npt.NDArray[np.float32]:
    """Probabilities of the test bins by the regression, calibrated on the validation blocks as the heads are."""
    validation = ValidationBins(data, config.bin)
    ridge = KmerRidge([genome.has for genome in data.genomes])
    for number, segments in enumerate(data.segments(TRAIN)):
        for segment in segments:
            ridge.learn(number, _kmers(data.genomes[number], segment, config))

    def scores(places: Sequence[tuple[int, Segment]]) -> npt.NDArray[np.float32]:
        found = [ridge.scores(t) for n, segment in places for t, _ in _kmers(data.genomes[n], segment, config)]
        return np.concatenate(found)

    places = [(number, segment) for number, own in enumerate(data.segments(VALIDATE)) for segment in own]
    best, chosen = -1.0, PENALTIES[0]
    for penalty in PENALTIES:
        ridge.solve(penalty)
        found = float(np.nanmean(validation.auprc(scores(places))))
        logger.info("%s, penalty %g: mean AUPRC of the validation bins %.4f", RIDGE, penalty, found)
        if found > best:
            best, chosen = found, penalty
    ridge.solve(chosen)
    # To a scale on which the prior of the calibration means something.
    spread = scores(places).std(axis=0) + 1e-9
    calibration = validation.calibration(scores(places) / spread, 1.0)
    return calibration.probabilities(scores(test.blocks) / spread)


def score_table(
    found: Mapping[str, Mapping[str, LabelScores]], groups: Mapping[str, Sequence[str]], count: int
) -> pd.DataFrame:
    """Scores of each model and label, and their means over the labels of each group that have a positive test bin.

    Args:
        found: scores of each label by each model, :data:`RIDGE` among them.
        groups: labels whose mean is given, by the name of its rows.
        count: number of test bins.
    """
    rows: list[tuple] = []
    for group, own in groups.items():
        scored = [label for label in own if np.isfinite(found[RIDGE][label].auprc[0])]
        guess = _mean([found[RIDGE][label].base_rate for label in scored])
        rows.append(_row(GUESS, group, "auprc", guess, count, guess[0]))
        for name, scores in found.items():
            mean = LabelScores(*(_mean(column) for column in zip(*(scores[label] for label in scored), strict=True)))
            rows += _rows(name, group, mean, count)
            if name != RIDGE:
                above = _mean([scores[label].auprc > found[RIDGE][label].auprc for label in scored])
                rows.append(_row(name, group, "above_ridge", above, count, guess[0]))
    rows += [
        row for name, scores in found.items() for label in scores for row in _rows(name, label, scores[label], count)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _mean(columns: Sequence[npt.NDArray]) -> npt.NDArray[np.float64]:
    """Mean over labels, of those that a resample has positives of."""
    table = np.array(columns, dtype=np.float64)
    there = np.isfinite(table)
    return np.where(there, table, 0.0).sum(axis=0) / np.maximum(1, there.sum(axis=0))


def _rows(model: str, label: str, scores: LabelScores, count: int) -> list[tuple]:
    named = zip(LabelScores._fields, scores, strict=True)
    return [
        _row(model, label, measure, values, count, scores.base_rate[0])
        for measure, values in named
        if measure != "base_rate"
    ]


def _row(model: str, label: str, measure: str, values: npt.NDArray[np.float64], count: int, base: float) -> tuple:
    low, high = np.nan, np.nan
    if np.isfinite(values[1:]).any():
        low, high = np.nanquantile(values[1:], [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
    return (model, label, "test", measure, values[0], low, high, count, base)
