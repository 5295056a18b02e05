"""The task of the isoform ranker: from a training set and a structure model to its files (rule train_isoforms)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.isoforms import CUTS_FILE
from phytoscribe.decoding.settings import Decoders
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import true_runs
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
) -> None:
    """Train the ranker on a structure model's output for the training genes; write it with its cut to ``target``.

    What has been read is kept in the run folder, so that a run that was stopped goes on from there.

    Args:
        settings: the configuration's ``isoforms.training``: device and bases.
        inputs: files whose content decides the result.

    Raises:
        PhytoScribeError: no annotation of the training set has isoforms, or none of its validation regions.
    """
    claim_run_folder(run_folder, {**settings, "seed": seed}, inputs)
    data = TrainingSet.load(training_set)
    reader = _Reader(data, model_folder, settings["device"], threads)
    training = list(reader.training(settings["bases"], run_folder))
    loci = [locus for part in training for locus in part.loci]
    positives = sum(int(locus.right.sum()) for locus in loci)
    logger.info("%d loci, %d candidates, %d right", len(loci), sum(x.right.size for x in loci), positives)
    if not positives:
        raise PhytoScribeError(
            "no gene of the training set has a second CDS that is among the candidates, so there is nothing to learn; "
            "isoforms are trained on genomes with `isoforms: complete` whose genes have several transcripts"
        )
    ranker, losses = fit_ranker(loci, seed)
    validation = reader.validation()
    found, chosen_on = [part for _, part in validation], sorted({species for species, _ in validation})
    halves = [[x for part in found[k::2] for x in part.loci if not x.completes] for k in range(2)]
    if not all(any(locus.right.any() for locus in half) for half in halves):
        known, first = (sum(getattr(part, name) for part in found) for name in ("reference", "first_right"))
        raise PhytoScribeError(
            "the validation regions have too few genes with a second CDS to calibrate the probability of an isoform; "
            "give the validation part a larger share (split.fractions, or contigs.validate), or train the model longer "
            f"first: it finds {first} of the {known} annotated CDS there"
        )
    # Each half with the calibration of the other.
    held_out = [ranked(calibrated_ranker(ranker, halves[1 - k]), halves[k]) for k in range(2)]
    error = float(np.mean([calibration_error(half) for half in held_out]))
    ranker = calibrated_ranker(ranker, [*halves[0], *halves[1]])
    f1 = f1_of_transcripts(found)
    cut = least_probability(ranked(ranker, [*halves[0], *halves[1]]), f1)
    logger.info("transcript F1 with one transcript %.4f, cut %.3f, calibration error %.3f", f1, cut, error)
    report = {
        "minimum_probability": {"ranked": round(cut, 4)},
        "chosen_on": chosen_on,
        "model": model_hash(model_folder),
        "training": {"loci": len(loci), "right": positives, "loss": losses[-1]},
        "validation": {"transcript_f1_with_one": f1, "calibration_error_held_out": error},
    }
    with atomic_path(target) as folder:
        folder.mkdir()
        ranker.save(folder)
        (folder / CUTS_FILE).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        table = MetricsTable(folder / "metrics.tsv")
        for epoch, loss in enumerate(losses, start=1):
            table.add(epoch, {"train_loss": loss})


class _Reader:
    """Reads the training set with a structure model."""

    def __init__(self, data: TrainingSet, folder: Path, device: str, threads: int) -> None:
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
        return examples_of(self.predictor, bases, genes, true_runs(hidden), decoder)

    def validation(self) -> list[tuple[str, Examples]]:
        """Examples of the validation regions of species whose annotation has isoforms, with the species."""
        alternatives: dict[str, int] = {}
        for region in self.data.regions:
            several = sum(len({t.cds for t in gene.coding_transcripts}) > 1 for gene in region.genes)
            alternatives[region.species] = alternatives.get(region.species, 0) + several
        found = []
        for region in self.data.regions:
            if alternatives[region.species] >= LEAST_ALTERNATIVES:
                self.predictor.set_species(region.species, region.lineage)
                decoder = self.decoders.of(region.lineage, region.species)
                part = examples_of(self.predictor, region.bases, region.genes, region.mask, decoder)
                found.append((region.species, part))
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
