"""Reads a training set with a finished structure model, for the tasks that learn from its output (isoforms)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.devices import choose_device
from phytoscribe.genome.intervals import Interval, true_runs
from phytoscribe.genome.junctions import ContigReads, JunctionReads
from phytoscribe.labels.states import UNKNOWN_SITE_BIT
from phytoscribe.prediction.completion import STRETCH, stretches
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import ProgressReport
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.data.training_set import STRUCTURE, TrainingSet

logger = logging.getLogger(__name__)

#: Genes with several CDS without which a species' annotation counts as one of one transcript a gene.
LEAST_ALTERNATIVES = 20
#: Share of a contig's genes with unknown splice sites from which its annotation counts as one that leaves isoforms out.
LACKING = 0.5

Part = TypeVar("Part")
#: What is made of a stretch: from the predictor (set to its species), bases, annotated genes, mask, decoder, and
#: RNA-seq reads of introns in the stretch's coordinates (None for a genome without).
ReadPart = Callable[
    [
        StructurePredictor,
        npt.NDArray[np.uint8],
        Sequence[GeneModel],
        Sequence[Interval],
        DecoderSettings,
        ContigReads | None,
    ],
    Part,
]


class ReadRegion(NamedTuple, Generic[Part]):
    """What is made of a validation region, its species, and whether its genome has RNA-seq reads."""

    species: str
    has_reads: bool
    part: Part


class TrainingReader:
    """Reads training contigs and validation regions with a structure model.

    Args:
        data: the training set.
        folder: of the structure model.
        junctions: RNA-seq reads by genome, of those that have some.
    """

    def __init__(
        self,
        data: TrainingSet,
        folder: Path,
        device: str,
        threads: int,
        junctions: Mapping[str, JunctionReads] | None = None,
    ) -> None:
        self.junctions = junctions or {}
        self.data, self.decoders = data, Decoders.load(folder / "decoder.json")
        self.predictor = StructurePredictor.from_folder(
            folder, PredictionSettings(), choose_device(device), threads=threads
        )

    def training(
        self,
        bases: int,
        run_folder: Path,
        read: ReadPart[Part],
        save: Callable[[Path, Part], None],
        load: Callable[[Path], Part],
    ) -> Iterator[Part]:
        """What is made of the training contigs with isoforms, until so many bases have been read.

        Args:
            run_folder: where what was made of each stretch is kept, and found again.
        """
        work = [(run_folder / f"{row}.{start}.npz", row, start, end) for row, start, end in self._stretches(bases)]
        unread = {path: end - start for path, _, start, end in work if not path.exists()}
        logger.info("%d stretches of the training contigs, %d of them read before", len(work), len(work) - len(unread))
        # Both strands are read, as in a prediction.
        progress = ProgressReport(2 * sum(unread.values()))
        for path, row, start, end in work:
            if path in unread:
                save(path, self._part(row, start, end, read))
                progress.add(2 * unread[path])
            yield load(path)

    def _stretches(self, bases: int) -> Iterator[tuple[int, int, int]]:
        """Rows, starts and ends of stretches of contigs with isoforms, whole ones, until they have so many bases."""
        for row in self.data.rows_for(STRUCTURE).tolist():
            genes = self._genes(row)
            for start, end in stretches(int(self.data.contigs["length"][row]), genes, STRETCH) if genes else ():
                if bases <= 0:
                    return
                yield row, start, end
                bases -= end - start

    def _genes(self, row: int) -> list[GeneModel]:
        """Genes of a contig; none where the annotation leaves isoforms out, so that sites in its genes are unknown."""
        genes, unknown = self.data.genes.get(row, []), self._unknown(row, 0, int(self.data.contigs["length"][row]))
        lacking = sum(bool(unknown[gene.start : gene.end].any()) for gene in genes)
        return genes if lacking < LACKING * len(genes) else []

    def _unknown(self, row: int, start: int, end: int) -> npt.NDArray[np.bool_]:
        """Bases of a stretch, bool (end - start,), where the annotation may lack a splice site of either strand."""
        offset = int(self.data.contigs["offset"][row])
        return (self.data.sites[:, offset + start : offset + end] & UNKNOWN_SITE_BIT).any(axis=0)

    def _part(self, row: int, start: int, end: int, read: ReadPart[Part]) -> Part:
        contig = self.data.contigs.iloc[row]
        offset = int(contig["offset"])
        hidden = (self.data.weights[offset + start : offset + end] == 0) | self._unknown(row, start, end)
        genes = [g.shifted(-start) for g in self.data.genes[row] if start <= g.start and g.end <= end]
        self.predictor.set_species(contig["species"], contig["lineage"])
        decoder = self.decoders.of(contig["lineage"], contig["species"])
        bases = np.asarray(self.data.contig_bases(row)[start:end])
        reads = self._reads(contig["genome"], contig["contig"], start)
        return read(self.predictor, bases, genes, true_runs(hidden), decoder, reads)

    def _reads(self, genome: str, contig: str, start: int) -> ContigReads | None:
        """Reads of a stretch that begins at ``start``; None for a genome without."""
        return self.junctions[genome].on(contig, start) if genome in self.junctions else None

    def validation(self, read: ReadPart[Part]) -> list[ReadRegion[Part]]:
        """What is made of the validation regions of species whose annotation has isoforms."""
        alternatives: dict[str, int] = {}
        for region in self.data.regions:
            several = sum(len({t.cds for t in gene.coding_transcripts}) > 1 for gene in region.genes)
            alternatives[region.species] = alternatives.get(region.species, 0) + several
        found = []
        for region in self.data.regions:
            if alternatives[region.species] >= LEAST_ALTERNATIVES:
                self.predictor.set_species(region.species, region.lineage)
                decoder = self.decoders.of(region.lineage, region.species)
                reads = self._reads(*region.place)
                part = read(self.predictor, region.bases, region.genes, region.mask, decoder, reads)
                found.append(ReadRegion(region.species, reads is not None, part))
        return found
