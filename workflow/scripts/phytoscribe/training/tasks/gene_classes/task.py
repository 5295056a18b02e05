"""The task of the classifier of genes: from a training set, mobile elements and a structure model to its file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.decoding.settings import Decoders
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import Interval, true_runs
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.completion import STRETCH, stretches
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import ProgressReport
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.tables import write_table
from phytoscribe.training.data.training_set import STRUCTURE, TrainingSet
from phytoscribe.training.loop.runs import claim_run_folder
from phytoscribe.training.tasks.gene_classes.fit import (
    FOLDS,
    Examples,
    average_precision,
    calibrated,
    cross_fitted,
    examples_of,
    fit_classifier,
    joined,
)

logger = logging.getLogger(__name__)

#: Element-like genes without which nothing can be learned, of all and of each part that is left out once.
LEAST_ELEMENTS = 30
METRICS_FILE = "metrics.tsv"

Elements = Mapping[str, Mapping[str, Sequence[Interval]]]


def run_class_training(
    training_set: Path,
    model_folder: Path,
    elements: Elements,
    device: str,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    threads: int,
) -> None:
    """Train the classifier on the genes that a structure model predicts on training contigs; write it to ``target``.

    What has been read is kept in the run folder, so that a run that was stopped goes on from there.

    Args:
        elements: mobile elements by genome and contig.
        inputs: files whose content decides the result.

    Raises:
        PhytoScribeError: too few predicted genes lie in mobile elements.
    """
    claim_run_folder(run_folder, {"device": device}, inputs)
    parts = list(_read(TrainingSet.load(training_set), model_folder, elements, device, run_folder, threads))
    found = sum(int(part.element.sum()) for part in parts)
    genes = sum(len(part.element) for part in parts)
    logger.info("%d predicted genes: %d coding, %d element-like", genes, genes - found, found)
    if found < LEAST_ELEMENTS or any(not any(p.element.any() for p in parts[k::FOLDS]) for k in range(FOLDS)):
        raise PhytoScribeError(
            f"of {genes} genes that the model predicts on the training contigs {found} lie in mobile elements, too few "
            f"to learn from ({LEAST_ELEMENTS}, in at least {FOLDS} megabases); give `repeats` to training genomes that "
            "are rich in elements, or set predict.gene_classes to none"
        )
    odds, examples = cross_fitted(parts)
    counts = {"genes": str(genes), "elements": str(found), "trained_on": ", ".join(sorted(elements))}
    facts = {"model": model_hash(model_folder), **counts}
    classifier = calibrated(fit_classifier(joined(parts), facts), odds, examples.element)
    # Elements are expected where a gene is unlikely, short or of few segments.
    baselines = zip(
        ("short CDS", "few CDS segments", "unlikely gene", "unlikely structure"), -examples.numbers.T, strict=True
    )
    ranked = {"class": odds, **dict(baselines)}
    rows = [(by, average_precision(scores, examples.element)) for by, scores in ranked.items()]
    rows.append(("any order", float(examples.element.mean())))
    for by, value in rows:
        logger.info("average precision of element-like genes, %s first: %.3f", by, value)
    with atomic_path(target) as folder:
        folder.mkdir()
        classifier.save(folder)
        write_table(pd.DataFrame(rows, columns=["first", "average_precision"]), folder / METRICS_FILE)


def _read(
    data: TrainingSet, model_folder: Path, elements: Elements, device: str, run_folder: Path, threads: int
) -> Iterator[Examples]:
    """Examples of the training contigs of genomes with elements, stretch by stretch."""
    predictor = StructurePredictor.from_folder(
        model_folder, PredictionSettings(), choose_device(device), threads=threads
    )
    predictor.network.read_features(np.eye(predictor.network.channels, dtype=np.float32))
    decoders = Decoders.load(model_folder / "decoder.json")
    work = []
    for row in data.rows_for(STRUCTURE).tolist():
        contig = data.contigs.iloc[row]
        if contig["contig"] in elements.get(contig["genome"], {}):
            parts = stretches(int(contig["length"]), data.genes.get(row, []), STRETCH)
            work += [(run_folder / f"{row}.{start}.npz", row, start, end) for start, end in parts]
    unread = {path: end - start for path, _, start, end in work if not path.exists()}
    # Both strands are read, as in a prediction.
    progress = ProgressReport(2 * sum(unread.values()))
    for path, row, start, end in work:
        if path in unread:
            contig = data.contigs.iloc[row]
            offset = int(contig["offset"])
            hidden = true_runs(np.asarray(data.weights[offset + start : offset + end]) == 0)
            genes = [g.shifted(-start) for g in data.genes.get(row, []) if start <= g.start and g.end <= end]
            near = [(s - start, e - start) for s, e in elements[contig["genome"]][contig["contig"]]]
            predictor.set_species(contig["species"], contig["lineage"])
            decoder = decoders.of(contig["lineage"], contig["species"])
            bases = np.asarray(data.contig_bases(row)[start:end])
            part = examples_of(predictor, bases, genes, near, hidden, decoder)
            with atomic_path(path) as temporary, temporary.open("wb") as handle:
                np.savez(handle, **part._asdict())
            progress.add(2 * unread[path])
        with np.load(path) as stored:
            yield Examples(**stored)
