"""The task of the isoform ranker: from a training set and a structure model to its files (rule train_isoforms)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.isoform_ranker import RANKED, RANKED_WITH_READS, IsoformRanker, save_rankers
from phytoscribe.decoding.isoforms import CUTS_FILE
from phytoscribe.decoding.settings import Decoders
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.junctions import ContigReads, JunctionReads
from phytoscribe.labels.states import UNKNOWN_SITE_BIT
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.completion import STRETCH, stretches
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import ProgressReport
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.data.training_set import STRUCTURE, TrainingSet
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.runs import claim_run_folder
from phytoscribe.training.tasks.isoforms.examples import Examples, Locus, examples_of
from phytoscribe.training.tasks.isoforms.fit import (
    calibrated_ranker,
    calibration_error,
    f1_of_transcripts,
    fit_ranker,
    least_probability,
    ranked,
)

logger = logging.getLogger(__name__)

#: Genes with several CDS without which a species' annotation counts as one of one transcript a gene.
LEAST_ALTERNATIVES = 20
#: Share of a contig's genes with unknown splice sites from which its annotation counts as one that leaves isoforms out.
LACKING = 0.5


def run_isoform_training(
    training_set: Path,
    model_folder: Path,
    settings: Mapping[str, Any],
    seed: int,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    threads: int,
    junctions: Mapping[str, JunctionReads] | None = None,
) -> None:
    """Train the ranker on a structure model's output for the training genes; write it with its cut to ``target``.

    Where genomes have junctions, another ranker learns from these genomes what reads add to the first one.  What has
    been read is kept in the run folder, so that a run that was stopped goes on from there.

    Args:
        settings: the configuration's ``isoforms.training``: device and bases.
        inputs: files whose content decides the result.
        junctions: RNA-seq reads by genome, of those that have some.

    Raises:
        PhytoScribeError: no annotation of the training set has isoforms, or none of its validation regions; or this is
            so of the genomes with junctions.
    """
    claim_run_folder(run_folder, {**settings, "seed": seed}, inputs)
    data = TrainingSet.load(training_set)
    reader = _Reader(data, model_folder, settings["device"], threads, junctions or {})
    training, validation = list(reader.training(settings["bases"], run_folder)), reader.validation()
    from_dna = [region._replace(examples=region.examples.from_dna()) for region in validation]
    found = {RANKED: _trained([part.from_dna() for part in training], from_dna, seed)}
    if junctions:
        dna = found[RANKED].ranker
        having = [part.beside_reads(dna) for part in training if part.has_reads]
        judging = [r._replace(examples=r.examples.beside_reads(dna)) for r in validation if r.has_reads]
        found[RANKED_WITH_READS] = _trained(having, judging, seed, "in genomes with junctions, ")
    report = {
        "minimum_probability": {kind: round(own.cut, 4) for kind, own in found.items()},
        "model": model_hash(model_folder),
        **{kind: own.report for kind, own in found.items()},
    }
    with atomic_path(target) as folder:
        folder.mkdir()
        save_rankers({kind: own.ranker for kind, own in found.items()}, folder)
        (folder / CUTS_FILE).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        table = MetricsTable(folder / "metrics.tsv")
        for epoch, losses in enumerate(zip(*(own.losses for own in found.values()), strict=True), start=1):
            table.add(epoch, {f"train_loss_{kind}": loss for kind, loss in zip(found, losses, strict=True)})


class _Region(NamedTuple):
    """Examples of a validation region, its species, and whether its genome has RNA-seq reads."""

    species: str
    has_reads: bool
    examples: Examples


class _Trained(NamedTuple):
    """A calibrated ranker, its cut, the mean loss of each epoch, and what it has learned from and reached."""

    ranker: IsoformRanker
    cut: float
    losses: list[float]
    report: dict[str, Any]


def _trained(training: Sequence[Examples], validation: Sequence[_Region], seed: int, where: str = "") -> _Trained:
    """A ranker that learns from training genes; validation regions calibrate it and choose its cut.

    Args:
        where: begins messages.
    """
    loci = [locus for part in training for locus in part.loci]
    positives = sum(int(locus.right.sum()) for locus in loci)
    logger.info("%s%d loci, %d candidates, %d right", where, len(loci), sum(x.right.size for x in loci), positives)
    if not positives:
        raise PhytoScribeError(
            f"{where}no gene of the training set has a second CDS that is among the candidates, so there is nothing to "
            "learn; isoforms are trained on genomes with `isoforms: complete` whose genes have several transcripts"
        )
    ranker, losses = fit_ranker(loci, seed)
    parts = [region.examples for region in validation]
    halves = [[x for part in parts[k::2] for x in part.loci if not x.completes] for k in range(2)]
    if not all(any(locus.right.any() for locus in half) for half in halves):
        known, first = (sum(getattr(part, name) for part in parts) for name in ("reference", "first_right"))
        raise PhytoScribeError(
            f"{where}the validation regions have too few genes with a second CDS to calibrate the probability of an "
            "isoform; give the validation part a larger share (split.fractions, or contigs.validate), or train the "
            f"model longer first: it finds {first} of the {known} annotated CDS there"
        )
    # Each half with the calibration of the other.
    held_out = [ranked(calibrated_ranker(ranker, halves[1 - k]), halves[k]) for k in range(2)]
    error = float(np.mean([calibration_error(half) for half in held_out]))
    ranker = calibrated_ranker(ranker, [*halves[0], *halves[1]])
    f1 = f1_of_transcripts(parts)
    cut = least_probability(ranked(ranker, [*halves[0], *halves[1]]), f1)
    logger.info("%stranscript F1 with one transcript %.4f, cut %.3f, calibration error %.3f", where, f1, cut, error)
    report = {
        "chosen_on": sorted({region.species for region in validation}),
        "training": {"loci": len(loci), "right": positives, "loss": losses[-1]},
        "validation": {"transcript_f1_with_one": f1, "calibration_error_held_out": error},
    }
    return _Trained(ranker, cut, losses, report)


class _Reader:
    """Reads the training set with a structure model."""

    def __init__(
        self, data: TrainingSet, folder: Path, device: str, threads: int, junctions: Mapping[str, JunctionReads]
    ) -> None:
        self.junctions = junctions
        self.data, self.decoders = data, Decoders.load(folder / "decoder.json")
        self.predictor = StructurePredictor.from_folder(
            folder, PredictionSettings(), choose_device(device), threads=threads
        )

    def training(self, bases: int, run_folder: Path) -> Iterator[Examples]:
        """Examples of the training contigs with isoforms, until so many bases have been read."""
        work = []
        for row in self.data.rows_for(STRUCTURE).tolist():
            if genes := self._genes(row):
                length = int(self.data.contigs["length"][row])
                work += [(row, *part) for part in stretches(length, genes, STRETCH)]
        # Both strands are read, as in a prediction.
        progress = ProgressReport(2 * min(bases, sum(end - start for _, start, end in work)))
        for row, start, end in work:
            if progress.done >= 2 * bases:
                break
            path = run_folder / f"{row}.{start}.npz"
            if not path.exists():
                save_examples(path, self._examples(row, start, end))
            yield load_examples(path)
            progress.add(2 * (end - start))

    def _genes(self, row: int) -> list[GeneModel]:
        """Genes of a contig; none where the annotation leaves isoforms out, so that sites in its genes are unknown."""
        genes, unknown = self.data.genes.get(row, []), self._unknown(row, 0, int(self.data.contigs["length"][row]))
        lacking = sum(bool(unknown[gene.start : gene.end].any()) for gene in genes)
        return genes if lacking < LACKING * len(genes) else []

    def _unknown(self, row: int, start: int, end: int) -> npt.NDArray[np.bool_]:
        """Bases of a stretch, bool (end - start,), where the annotation may lack a splice site of either strand."""
        offset = int(self.data.contigs["offset"][row])
        return (self.data.sites[:, offset + start : offset + end] & UNKNOWN_SITE_BIT).any(axis=0)

    def _examples(self, row: int, start: int, end: int) -> Examples:
        contig = self.data.contigs.iloc[row]
        offset = int(contig["offset"])
        hidden = (self.data.weights[offset + start : offset + end] == 0) | self._unknown(row, start, end)
        genes = [g.shifted(-start) for g in self.data.genes[row] if start <= g.start and g.end <= end]
        self.predictor.set_species(contig["species"], contig["lineage"])
        decoder = self.decoders.of(contig["lineage"], contig["species"])
        bases = np.asarray(self.data.contig_bases(row)[start:end])
        reads = self._reads(contig["genome"], contig["contig"], start)
        return examples_of(self.predictor, bases, genes, true_runs(hidden), decoder, reads)

    def _reads(self, genome: str, contig: str, start: int) -> ContigReads | None:
        """Reads of a stretch that begins at ``start``; None for a genome without."""
        return self.junctions[genome].on(contig, start) if genome in self.junctions else None

    def validation(self) -> list[_Region]:
        """Examples of the validation regions of species whose annotation has isoforms."""
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
                part = examples_of(self.predictor, region.bases, region.genes, region.mask, decoder, reads)
                found.append(_Region(region.species, reads is not None, part))
        return found


def save_examples(path: Path, part: Examples) -> None:
    """Keep the examples of a stretch."""
    sizes = np.array([locus.right.size for locus in part.loci], dtype=np.int64)
    flags = np.array([(x.completes, x.first_right, x.wanted) for x in part.loci], dtype=np.int64).reshape(-1, 3)
    features = np.concatenate([x.features for x in part.loci]) if part.loci else np.empty((0, 0), np.float32)
    right = np.concatenate([x.right for x in part.loci]) if part.loci else np.empty(0, np.bool_)
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, sizes=sizes, flags=flags, features=features, right=right, counts=np.array(part[1:]))


def load_examples(path: Path) -> Examples:
    """Inverse of :func:`save_examples`."""
    with np.load(path) as stored:
        cuts = np.cumsum(stored["sizes"])[:-1]
        parts = zip(np.split(stored["features"], cuts), np.split(stored["right"], cuts), stored["flags"], strict=True)
        loci = [Locus(f, r, bool(c), bool(w), int(n)) for f, r, (c, w, n) in parts] if len(stored["sizes"]) else []
        return Examples(loci, *(int(count) for count in stored["counts"]))
