"""Training windows of the regulatory head: consecutive bins at any place of the training blocks, on either strand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.genome.sequence import Bases, reverse_complement
from phytoscribe.models.regulatory import TRUNK_CELL, RegulatoryConfig
from phytoscribe.prediction.regulatory import BinReader, bases_around
from phytoscribe.prediction.trunk_cells import TrunkCells
from phytoscribe.regulatory.bins import GUARD, BinLabels, Labels, Segment, blocks_of, known_bins, segments_of
from phytoscribe.regulatory.enriched import EnrichedWords
from phytoscribe.regulatory.peaks import Peaks, enough_peaks
from phytoscribe.splits.blocks import BLOCK
from phytoscribe.splits.parts import TRAIN, Parts, read_parts
from phytoscribe.training.loop.sampling import WindowOrder

#: Bins of a training window.
BINS = 32
#: Bases whose words are in memory at a time.
WORDS_AT_ONCE = 500_000


@dataclass(frozen=True)
class LabelledGenome:
    """A genome with peaks.

    Attributes:
        labels: of its bins, with a column for each label of the head.
        has: bool (labels,), whether the genome has peaks of each; of the others nothing is known.
    """

    name: str
    genome: Genome
    parts: Parts
    labels: BinLabels
    has: npt.NDArray[np.bool_]
    trunk: TrunkCells | None = None

    def known_labels(self, segments: Sequence[Segment], width: int) -> Labels:
        """Labels of the known bins of segments, bool (bins, labels)."""
        found = []
        for contig, start, count in ((s.contig, *s.grid(width)) for s in segments):
            if count:
                known = known_bins(self.genome.bases(contig, start, start + count * width), width)
                found.append(self.labels.dense(contig, start, count, width)[known])
        return np.concatenate(found) if found else np.empty((0, self.has.size), dtype=np.bool_)


class LabelCounts(NamedTuple):
    """Positive bins of a part.

    Attributes:
        bins: number of known bins; of_label: those of genomes that have each label, int64 (labels,).
        positive: of each label, int64 (labels,).
        together: of two labels at once, float64 (labels, labels).
    """

    bins: int
    of_label: npt.NDArray[np.int64]
    positive: npt.NDArray[np.int64]
    together: npt.NDArray[np.float64]


@dataclass(frozen=True)
class RegulatoryData:
    """All genomes with peaks, and the labels that have enough of them.

    Attributes:
        guard: bases that bins of one part keep from another part.
    """

    genomes: list[LabelledGenome]
    labels: tuple[str, ...]
    guard: int = GUARD

    @classmethod
    def read(
        cls,
        fastas: Sequence[str | Path],
        peaks: Sequence[str | Path],
        parts: Sequence[str | Path],
        minimum: int,
        trunk: Sequence[tuple[str | Path, str | Path]] = (),
        labels: Sequence[str] | None = None,
        margin: int = 0,
    ) -> Self:
        """Genomes from files in the same order.

        Args:
            minimum: peaks that a label needs in all genomes together.
            trunk: files of features, for a head that takes them.
            labels: those of a trained head, in its order; chosen by ``minimum`` if not given.
            margin: bases that a head reads beside its bins: bins keep so many from another part at least.
        """
        found = [Peaks.load(path) for path in peaks]
        chosen = tuple(labels if labels is not None else enough_peaks(found, minimum))
        genomes = []
        for number, (fasta, those, split) in enumerate(zip(fastas, found, parts, strict=True)):
            genome = Genome(fasta)
            cells = TrunkCells(*trunk[number], genome.contigs) if trunk else None
            has = np.isin(np.array(chosen, dtype=object), np.array(those.labels, dtype=object))
            name = Path(fasta).stem
            genomes.append(LabelledGenome(name, genome, read_parts(split), BinLabels(those, chosen), has, cells))
        return cls(genomes, chosen, max(GUARD, margin))

    def segments(self, part: str) -> list[list[Segment]]:
        """Regions of a part in each genome, on contigs with a peak of any label: on others nothing was measured."""
        return [
            [segment for segment in segments_of(genome.parts, part, self.guard) if genome.labels.covers(segment.contig)]
            for genome in self.genomes
        ]

    def enriched_words(self, width: int) -> EnrichedWords:
        """Words at the summits of the training blocks, for motifs of so many bases."""
        words = EnrichedWords(len(self.labels), width)
        for genome, segments in zip(self.genomes, self.segments(TRAIN), strict=True):
            for contig, start, end in blocks_of(segments, WORDS_AT_ONCE):
                summits, labels = genome.labels.summits(contig, start, end)
                words.learn(genome.genome.bases(contig, start, end), summits - start, labels)
        return words

    def counts(self, part: str, width: int) -> LabelCounts:
        """Positive bins of a part, counted block by block: all labels of a large genome would fill the memory."""
        labels = len(self.labels)
        bins, of_label, positive = 0, np.zeros(labels, dtype=np.int64), np.zeros(labels, dtype=np.int64)
        together = np.zeros((labels, labels))
        for genome, segments in zip(self.genomes, self.segments(part), strict=True):
            for block in blocks_of(segments, BLOCK):
                table = genome.known_labels([block], width)
                bins += len(table)
                of_label += len(table) * genome.has
                positive += table.sum(axis=0)
                hits = table.astype(np.float32)
                together += hits.T @ hits
        return LabelCounts(bins, of_label, positive, together)

    def known_labels(self, part: str, width: int) -> tuple[Labels, npt.NDArray[np.int64]]:
        """Labels of all known bins of a part, (bins, labels), and the number of the genome of each bin."""
        tables = [g.known_labels(s, width) for g, s in zip(self.genomes, self.segments(part), strict=True)]
        return np.concatenate(tables), np.repeat(np.arange(len(tables)), [len(table) for table in tables])

    def has(self, genomes: npt.NDArray[np.int64]) -> Labels:
        """Whether each label is known in the genome of each bin, bool (bins, labels)."""
        return np.stack([genome.has for genome in self.genomes])[genomes]


class RegulatoryWindow(NamedTuple):
    """One window in reading direction: base codes, labels bool (bins, labels), which count bool (bins, labels), cells
    of the trunk."""

    bases: Bases
    targets: Labels
    counted: Labels
    trunk: npt.NDArray[np.float32] | None


class RegulatoryBatch(NamedTuple):
    """Windows side by side: int64 (batch, bases), float32 (batch, bins, labels) twice, and cells of the trunk."""

    bases: Tensor
    targets: Tensor
    counted: Tensor
    trunk: Tensor | None


class RegulatoryDataset(Dataset[RegulatoryWindow]):
    """Windows in the endless order of a seed; index ``i`` always gives the same window.

    Raises:
        PhytoScribeError: nothing is left to train on.
    """

    def __init__(self, data: RegulatoryData, config: RegulatoryConfig, seed: int) -> None:
        self.data, self.config = data, config
        self.rows = [(n, segment) for n, segments in enumerate(data.segments(TRAIN)) for segment in segments]
        if not self.rows:
            raise PhytoScribeError("no block is for training (results/regulatory/*.parts.bed); see split in the config")
        lengths = pd.DataFrame({"length": [segment.end - segment.start for _, segment in self.rows]})
        self.order = WindowOrder(lengths, BINS * config.bin, seed)

    def __getitem__(self, index: int) -> RegulatoryWindow:
        row, offset, strand = self.order[index]
        number, segment = self.rows[row]
        source, width, margin = self.data.genomes[number], self.config.bin, self.config.margin
        # On the grid of the trunk's cells, with or without a trunk, so that heads with and without see the same.
        start = -(-(segment.start + offset) // TRUNK_CELL) * TRUNK_CELL
        bases = bases_around(source.genome, segment.contig, start - margin, start + BINS * width + margin)
        targets = source.labels.dense(segment.contig, start, BINS, width)
        ends = start + width * np.arange(1, BINS + 1)
        known = known_bins(bases[margin:-margin], width) & (ends <= segment.end)
        counted = known[:, None] & source.has
        trunk = None
        if source.trunk is not None:
            trunk = source.trunk.around(segment.contig, (start - margin) // TRUNK_CELL, bases.size // TRUNK_CELL)
        if strand:
            bases, targets, counted = reverse_complement(bases), targets[::-1].copy(), counted[::-1].copy()
            trunk = None if trunk is None else trunk[::-1].copy()
        return RegulatoryWindow(bases, targets, counted, trunk)


def collate_regulatory(windows: Sequence[RegulatoryWindow]) -> RegulatoryBatch:
    return RegulatoryBatch(
        torch.from_numpy(np.stack([w.bases for w in windows]).astype(np.int64)),
        torch.from_numpy(np.stack([w.targets for w in windows]).astype(np.float32)),
        torch.from_numpy(np.stack([w.counted for w in windows]).astype(np.float32)),
        torch.from_numpy(np.stack([w.trunk for w in windows])) if windows[0].trunk is not None else None,
    )


def reader_of(head: torch.nn.Module, genome: LabelledGenome, device: torch.device) -> BinReader:
    """A reader of one of the genomes."""
    return BinReader(head, genome.genome, device, genome.trunk)
