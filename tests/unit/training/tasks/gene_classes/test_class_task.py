"""The training of what tells element-like genes: labels, fit, and the files it writes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_training_set import contig_of, small_set

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.gene_classes import NUMBERS, REGIONS, GeneClassifier
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import as_places
from phytoscribe.models.loading import model_hash
from phytoscribe.training.tasks.gene_classes import task
from phytoscribe.training.tasks.gene_classes.fit import (
    Examples,
    average_precision,
    calibrated,
    class_of,
    cross_fitted,
    fit_classifier,
    odds_of,
)

RELEASED = Path(__file__).parents[5] / "resources/models/brassicales"


@pytest.mark.parametrize(
    ("coding", "elements", "wanted"),
    [
        ([(100, 200)], [(0, 900)], False),  # what is annotated as coding stays a gene, also in an element
        ([(100, 199)], [(0, 900)], True),
        ([], [(100, 200), (300, 360)], True),  # 160 of 200
        ([], [(100, 200), (300, 359)], None),
        ([], [(200, 300)], None),  # an intron
        ([], [], None),
    ],
)
def test_what_a_predicted_gene_is(coding, elements, wanted):
    cds = ((100, 200), (300, 400))
    gene = GeneModel("g", "c", "+", (Transcript("t", cds, cds),))
    assert class_of(gene, as_places(coding), as_places(elements)) is wanted


def made(seed: int, genes: int) -> Examples:
    """Genes that are element-like more often the larger their first feature is."""
    generator = np.random.default_rng(seed)
    means = generator.normal(0, 1, (genes, len(REGIONS), 5)).astype(np.float32)
    numbers = generator.normal(0, 1, (genes, NUMBERS))
    return Examples(means, numbers, generator.random(genes) < 1 / (1 + np.exp(2.0 - 3.0 * means[:, 0, 0])))


def test_a_classifier_learns_and_is_calibrated():
    parts = [made(seed, 150) for seed in range(10)]
    odds, examples = cross_fitted(parts)
    share = examples.element.mean()
    assert average_precision(odds, examples.element) > 0.7 > 2 * share
    assert average_precision(np.zeros(share.size), np.array([True])) == 1.0
    whole = Examples(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    classifier = calibrated(fit_classifier(whole, {}), odds, examples.element)
    unseen = made(99, 2000)
    probability = 1 / (1 + np.exp(-odds_of(classifier, unseen)))
    sure, unsure = probability > 0.7, probability < 0.3
    assert abs(probability[sure].mean() - unseen.element[sure].mean()) < 0.08
    assert abs(probability[unsure].mean() - unseen.element[unsure].mean()) < 0.04


def test_from_a_training_set_to_the_file(arabidopsis_fasta, tmp_path, monkeypatch):
    """Genes of the annotation are taken away and called elements, so the model predicts element-like genes there."""
    contig = contig_of(arabidopsis_fasta, "Chr3_1065466_1464870")
    genes = [gene for gene in contig.genes if gene.end <= 50_000]
    taken = genes[::2]
    kept = [gene for gene in genes if gene not in taken]
    small_set(tmp_path / "set", [replace(contig, bases=contig.bases[:50_000], genes=kept)])
    row = task.TrainingSet.load(tmp_path / "set").contigs.iloc[0]
    elements = {row["genome"]: {row["contig"]: [(gene.start, gene.end) for gene in taken]}}
    given = (tmp_path / "set", RELEASED, elements, "cpu", [], tmp_path / "run", tmp_path / "out", 1)
    with pytest.raises(PhytoScribeError, match=r"of \d+ genes that the model predicts .* too few to learn from"):
        task.run_class_training(*given)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(task, "LEAST_ELEMENTS", 3)
    monkeypatch.setattr(task, "STRETCH", 15_000)
    monkeypatch.setattr(task, "FOLDS", 2)
    monkeypatch.setattr("phytoscribe.training.tasks.gene_classes.fit.FOLDS", 2)
    task.run_class_training(*given)
    classifier = GeneClassifier.load(tmp_path / "out", model_hash(RELEASED))
    assert int(classifier.facts["elements"]) >= len(taken) // 2
    assert int(classifier.facts["genes"]) > len(taken)
    first = (tmp_path / "out" / "gene_classes.safetensors").read_bytes()
    read = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("*.npz")}
    shutil.rmtree(tmp_path / "out")
    task.run_class_training(*given)
    # What had been read is not read again.
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("*.npz")} == read
    assert (tmp_path / "out" / "gene_classes.safetensors").read_bytes() == first
