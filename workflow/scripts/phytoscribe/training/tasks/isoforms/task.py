"""The task of the isoform ranker: from a training set and a structure model to its files (rule train_isoforms)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from phytoscribe.decoding.isoform_ranker import RANKED, RANKED_WITH_READS, IsoformRanker, save_rankers
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.models import RANKER_CUTS
from phytoscribe.models.loading import model_hash
from phytoscribe.training.data.training_set import TrainingSet
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
from phytoscribe.training.tasks.isoforms.reading import ReadRegion, TrainingReader

logger = logging.getLogger(__name__)


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
    reader = TrainingReader(data, model_folder, settings["device"], threads, junctions or {})
    training = list(reader.training(settings["bases"], run_folder, examples_of, save_examples, load_examples))
    validation = reader.validation(examples_of)
    from_dna = [region._replace(part=region.part.from_dna()) for region in validation]
    found = {RANKED: _trained([part.from_dna() for part in training], from_dna, seed)}
    if junctions:
        dna = found[RANKED].ranker
        having = [part.beside_reads(dna) for part in training if part.has_reads]
        judging = [r._replace(part=r.part.beside_reads(dna)) for r in validation if r.has_reads]
        found[RANKED_WITH_READS] = _trained(having, judging, seed, "in genomes with junctions, ")
    report = {
        "minimum_probability": {kind: round(own.cut, 4) for kind, own in found.items()},
        "model": model_hash(model_folder),
        **{kind: own.report for kind, own in found.items()},
    }
    with atomic_path(target) as folder:
        folder.mkdir()
        save_rankers({kind: own.ranker for kind, own in found.items()}, folder)
        (folder / RANKER_CUTS).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        table = MetricsTable(folder / "metrics.tsv")
        for epoch, losses in enumerate(zip(*(own.losses for own in found.values()), strict=True), start=1):
            table.add(epoch, {f"train_loss_{kind}": loss for kind, loss in zip(found, losses, strict=True)})


class _Trained(NamedTuple):
    """A calibrated ranker, its cut, the mean loss of each epoch, and what it has learned from and reached."""

    ranker: IsoformRanker
    cut: float
    losses: list[float]
    report: dict[str, Any]


def _trained(
    training: Sequence[Examples], validation: Sequence[ReadRegion[Examples]], seed: int, where: str = ""
) -> _Trained:
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
    parts = [region.part for region in validation]
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
