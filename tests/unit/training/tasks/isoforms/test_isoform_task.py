"""The ranker's training: from examples of real genes to its files, and what it is chosen by."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from small_training_set import contig_of, small_set

from phytoscribe.annotation.model import GeneModel, Transcript, introns_between
from phytoscribe.decoding.isoform_features import DNA_FEATURES
from phytoscribe.decoding.isoform_ranker import RANKED, RANKED_WITH_READS, IsoformRanker
from phytoscribe.decoding.isoform_reads import READ_FEATURES
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.junctions import Junction, JunctionReads
from phytoscribe.models import RANKER_WEIGHTS
from phytoscribe.prediction.completion import stretches
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.tasks.isoforms import reading, task
from phytoscribe.training.tasks.isoforms.examples import Examples, Locus
from phytoscribe.training.tasks.isoforms.fit import (
    Ranked,
    calibrated_ranker,
    calibration_error,
    fit_ranker,
    least_probability,
    ranked,
)

CONTIG = "Chr3_1065466_1464870"
RELEASED = Path(__file__).parents[5] / "resources/models/brassicales"


def made_loci(seed: int, count: int) -> list[Locus]:
    """Candidates that are right more often the larger their first feature is."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        features = generator.normal(0, 1, (generator.integers(1, 30), DNA_FEATURES)).astype(np.float32)
        right = generator.random(len(features)) < 1 / (1 + np.exp(3.0 - 2.0 * features[:, 0]))
        found.append(Locus(features, right, completes=False, first_right=True, wanted=0))
    return found


def test_a_ranker_learns_what_tells_isoforms_apart_and_is_calibrated():
    training, others = made_loci(1, 200), made_loci(2, 200)
    ranker, losses = fit_ranker(training, seed=1)
    assert losses[-1] < losses[0]
    again, _ = fit_ranker(training, seed=1)
    assert np.array_equal(again.log_odds(others[0].features), ranker.log_odds(others[0].features))
    found = ranked(calibrated_ranker(ranker, made_loci(3, 200)), others)
    assert found.scores[found.right].mean() > 2 * found.scores[~found.right].mean()
    assert calibration_error(found) < 0.1
    assert calibration_error(Ranked(np.minimum(1.0, 3 * found.scores), found.right)) > 0.2


def test_the_cut_is_where_isoforms_stop_to_pay():
    """Ninety candidates, three in four right, then none but one far down: the cut lies behind the ninety."""
    right = np.array([k % 4 != 0 for k in range(90)] + [False] * 100)
    scores = np.linspace(0.9, 0.1, right.size)
    cut = least_probability(Ranked(scores, right), f1=0.8)
    assert 88 <= (scores >= cut).sum() <= 90
    right[180] = True
    assert least_probability(Ranked(scores, right), f1=0.8) == cut
    assert least_probability(Ranked(scores, np.zeros(190, bool)), f1=0.8) == 1.0
    assert least_probability(Ranked(scores[:0], right[:0]), f1=0.8) == 1.0


@given(st.data())
def test_stretches_cut_no_gene_and_cover_the_contig(data):
    length = data.draw(st.integers(1, 3000))
    starts = data.draw(st.lists(st.integers(0, length - 1), max_size=12))
    exons = [((start, min(length, start + data.draw(st.integers(1, 400)))),) for start in starts]
    genes = [GeneModel("g", "c", "+", (Transcript("t", own, own),)) for own in exons]
    found = list(stretches(length, genes, size=500))
    assert [start for start, _ in found] == [0, *(end for _, end in found[:-1])]
    assert found[-1][1] == length
    cuts = {start for start, _ in found}
    assert not any(gene.start < cut < gene.end for gene in genes for cut in cuts)


def test_examples_are_kept_as_they_were(tmp_path):
    part = Examples(made_loci(5, 3), 7, 5, 4)
    task.save_examples(tmp_path / "a.npz", part)
    found = task.load_examples(tmp_path / "a.npz")
    assert found[1:] == part[1:]
    for locus, same in zip(part.loci, found.loci, strict=True):
        assert np.array_equal(locus.features, same.features)
        assert np.array_equal(locus.right, same.right)
        assert locus[2:] == same[2:]
    task.save_examples(tmp_path / "none.npz", Examples([], 1, 0, 0))
    assert task.load_examples(tmp_path / "none.npz") == Examples([], 1, 0, 0)


def introns_of(gene: GeneModel) -> set[Junction]:
    """On the contig of the training set."""
    chains = (introns_between(transcript.exons) for transcript in gene.transcripts)
    return {(CONTIG, gene.strand, intron) for chain in chains for intron in chain}


@pytest.fixture(scope="module")
def training_set(arabidopsis_fasta, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "set"
    contig = contig_of(arabidopsis_fasta, CONTIG)
    small = replace(contig, bases=contig.bases[:120_000], genes=[g for g in contig.genes if g.end <= 120_000])
    small_set(folder, [small])
    return folder


def told(caplog) -> list[str]:
    """What is said of reading."""
    return [text for text in caplog.messages if "stretches" in text or "min left" in text]


def test_from_a_training_set_to_the_rankers_files(training_set, tmp_path, monkeypatch, caplog):
    """With few genes: the halves of one region, cut in two, choose nothing that is worth having, but all is written."""
    caplog.set_level("INFO", "phytoscribe")
    monkeypatch.setattr(reading, "LEAST_ALTERNATIVES", 1)
    monkeypatch.setattr(reading, "STRETCH", 40_000)
    settings = {"device": "cpu", "bases": 90_000}
    run = tmp_path / "run"
    given = (training_set, RELEASED, settings, 1, [], run)
    introns = {i for genes in TrainingSet.load(training_set).genes.values() for g in genes for i in introns_of(g)}
    reads = {"athaliana": JunctionReads(dict.fromkeys(introns, 30))}
    # One region validates, so one of the halves has nothing.
    with pytest.raises(PhytoScribeError, match="too few genes with a second CDS to calibrate"):
        task.run_isoform_training(*given, tmp_path / "out", 1, reads)
    assert not (tmp_path / "out").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in run.glob("*.npz")}
    assert len(kept) >= 2
    first, *_, last = told(caplog)
    assert first == f"{len(kept)} stretches of the training contigs, 0 of them read before"
    assert re.fullmatch(r"100\.0 % of both strands  .* 0\.0 min left", last)
    caplog.clear()
    reader = reading.TrainingReader
    whole = reader.validation

    def twice(self, read):
        return whole(self, read) * 2

    monkeypatch.setattr(reader, "validation", twice)
    task.run_isoform_training(*given, tmp_path / "out", 1, reads)
    # What had been read is not read again.
    assert {path.name: path.stat().st_mtime_ns for path in run.glob("*.npz")} == kept
    assert told(caplog) == [f"{len(kept)} stretches of the training contigs, {len(kept)} of them read before"]
    report = json.loads((tmp_path / "out" / "isoforms.json").read_text())
    assert report["minimum_probability"].keys() == {RANKED, RANKED_WITH_READS}
    assert all(0 < cut <= 1 for cut in report["minimum_probability"].values())
    assert report[RANKED]["chosen_on"] == report[RANKED_WITH_READS]["chosen_on"] == ["athaliana"]
    sizes = {kind: IsoformRanker.load(tmp_path / "out", kind).mean.size for kind in (RANKED, RANKED_WITH_READS)}
    assert sizes == {RANKED: DNA_FEATURES, RANKED_WITH_READS: 1 + READ_FEATURES}
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name != "metrics.tsv"}
    shutil.rmtree(tmp_path / "out")
    task.run_isoform_training(*given, tmp_path / "out", 1, reads)
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.name != "metrics.tsv"}
    # Only what splices where nothing is annotated lacks reads.
    loci = [locus for path in run.glob("*.npz") for locus in task.load_examples(path).loci]
    usage = np.concatenate([locus.features[:, DNA_FEATURES + 2] for locus in loci])
    right = np.concatenate([locus.right for locus in loci])
    assert usage[right].mean() > 2 * usage[~right].mean()
    # The ranker for DNA alone is the one of a run without reads.
    dna = load_file(tmp_path / "out" / RANKER_WEIGHTS)
    task.run_isoform_training(*given[:-1], tmp_path / "other", tmp_path / "alone", 1)
    alone = load_file(tmp_path / "alone" / RANKER_WEIGHTS)
    assert alone.keys() < dna.keys()
    assert all(np.array_equal(dna[name], values) for name, values in alone.items())
