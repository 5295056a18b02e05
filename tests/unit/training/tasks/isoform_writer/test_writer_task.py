"""The writer's training: sentences of real genes, the loss over what the grammar allows, and runs that go on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training_set import contig_of, small_set
from writers import random_network

from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import PhytoScribeError
from phytoscribe.models.isoform_writer import load_writer
from phytoscribe.sentences.generated import GeneratedIsoforms, grammar_of, sites_beside
from phytoscribe.sentences.tokens import EOS, Token
from phytoscribe.sentences.writing import WORDS, Search
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.tasks.isoform_writer import fit, task
from phytoscribe.training.tasks.isoform_writer.fit import Additions, batch_of, batches, loss_of
from phytoscribe.training.tasks.isoform_writer.loci import ReadLoci
from phytoscribe.training.tasks.isoforms import reading
from phytoscribe.training.tasks.isoforms.fit import Ranked

RELEASED = Path(__file__).parents[5] / "resources/models/brassicales"
SIZES = {"width": 16, "encoder_layers": 1, "decoder_layers": 1}
SETTINGS = {"device": "cpu", "bases": 40_000, "epochs": 2, **SIZES}


@pytest.fixture(scope="module")
def training_set(arabidopsis_fasta, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "set"
    contig = contig_of(arabidopsis_fasta, "Chr3_1065466_1464870")
    small_set(
        folder, [replace(contig, bases=contig.bases[:80_000], genes=[g for g in contig.genes if g.end <= 80_000])]
    )
    return folder


@pytest.fixture(scope="module")
def read(training_set) -> tuple[ReadLoci, DecoderSettings]:
    """Loci of the small set's first 60 kb."""
    reader = reading.TrainingReader(TrainingSet.load(training_set), RELEASED, "cpu", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "LEAST_ALTERNATIVES", 1)
        (region,) = reader.validation(task.read_loci)
    return region.part


def test_sentences_say_what_is_annotated(read):
    """Read by the grammar again, they give the CDS of annotated isoforms, and of nearly all whose sites are read."""
    loci, decoder = read
    part = task.examples_of(*read)
    assert len(part.examples) + sum(part.left_out.values()) == len(loci.loci)
    wanted, written, beside = 0, 0, {True: 0, False: 0}
    for locus in loci.loci:
        table = sites_beside(locus.gene)
        example = task.example_of(locus, decoder)
        grammar = grammar_of(table, locus.gene, decoder)
        state = grammar.start()
        for word in example.words[1:].tolist():
            token: Token = WORDS.tokens[word] if word < len(WORDS) else table.sites[word - len(WORDS)]
            state = grammar.after(state, token)
        chains = {isoform.cds for isoform in grammar.isoforms(state)[1:]}
        assert chains <= {isoform.cds for isoform in locus.wanted}
        assert len(chains) == example.isoforms
        assert locus.gene.first.cds not in {isoform.cds for isoform in locus.wanted}
        wanted, written = wanted + len(locus.wanted), written + len(chains)
        beside[locus.completes] += len(chains)
        assert example.allowed[np.arange(len(example.words) - 1), example.words[1:]].all()
        assert not example.allowed[-1, : WORDS.id(EOS)].any()
    assert written > 0.4 * wanted > 0
    assert min(beside.values()) > 0


def test_examples_are_kept_as_they_were(read, tmp_path):
    part = task.examples_of(*read)
    task.save_examples(tmp_path / "a.npz", part)
    found = task.load_examples(tmp_path / "a.npz")
    assert found[1:] == (part.wanted, dict(part.left_out))
    for example, same in zip(part.examples, found.examples, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(example, same, strict=True))
    task.save_examples(tmp_path / "none.npz", task.ReadExamples([], 3, {"why": 2}))
    assert task.load_examples(tmp_path / "none.npz") == ([], 3, {"why": 2})


def test_the_loss_counts_allowed_words_alone_and_no_padding(read):
    examples = sorted(task.examples_of(*read).examples, key=lambda x: len(x.words))
    short, long = examples[0], examples[-1]
    network = random_network().float()
    batch = batch_of([short, long])

    def loss(given) -> float:
        with torch.no_grad():
            return float(loss_of(network(given.evidence, given.kinds, given.padded, given.words), given))

    alone = [loss(batch_of([x])) for x in (short, long)]
    sizes = [len(x.words) - 1 for x in (short, long)]
    assert loss(batch) == pytest.approx(np.average(alone, weights=sizes), rel=1e-4)
    scores = torch.zeros(2, *batch.allowed.shape[1:])
    first = loss_of(scores, batch)
    scores[~batch.allowed] = 50.0  # what is not allowed does not matter
    assert float(loss_of(scores, batch)) == pytest.approx(float(first), rel=1e-6)
    best = torch.zeros_like(scores).scatter(2, batch.wanted[..., None], 9.0)
    assert float(loss_of(best, batch)) < float(first)


def test_an_epoch_has_all_alternatives_and_half_of_the_others(read):
    examples = task.examples_of(*read).examples
    some = sum(x.isoforms > 0 for x in examples)
    drawn = [x for group in batches(examples, np.random.default_rng(1)) for x in group]
    assert len(drawn) == some + round(0.5 * (len(examples) - some))
    assert sum(x.isoforms > 0 for x in drawn) == some


def test_additions_are_counted_where_their_f1_is_highest():
    found = Ranked(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    additions = Additions(found, np.array([0, 1, 0, 1]), wanted=4)
    assert additions.best() == pytest.approx((2 / 3, 0.5, 4 / 7))
    assert additions.precision_at(0.25) == 1.0
    assert additions.precision_at(0.5) == pytest.approx(2 / 3)
    assert np.isnan(additions.precision_at(0.75))
    assert additions.of_half(1).right.tolist() == [False, False]
    assert Additions(Ranked(np.empty(0), np.empty(0, bool)), np.empty(0, int), 3).best() == (0, 0, 0)


class Killed(Exception):
    pass


def test_from_a_training_set_to_the_writers_files(training_set, read, tmp_path, monkeypatch):
    """A run that was stopped goes on with the numbers of one that was not.

    So few genes teach nothing, but all is written.
    """
    loci, decoder = read
    regions = [reading.ReadRegion("athaliana", False, read)]
    monkeypatch.setattr(reading.TrainingReader, "validation", lambda self, part: regions)
    monkeypatch.setattr(fit, "CHOOSING", Search(least=0.1))
    monkeypatch.setattr(task, "Search", lambda: Search(least=0.1))
    monkeypatch.setattr(reading, "LEAST_ALTERNATIVES", 1)
    monkeypatch.setattr(reading, "STRETCH", 30_000)
    given = (training_set, RELEASED, SETTINGS, 1, [], tmp_path / "run")
    # One region validates, so one of the halves has nothing.
    with pytest.raises(PhytoScribeError, match="too few genes with a second CDS to calibrate"):
        task.run_writer_training(*given, tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("*.npz")}
    assert kept
    several_first = sorted(loci.loci, key=lambda locus: not locus.wanted)
    halves = [loci._replace(loci=several_first[half::2]) for half in range(2)]
    regions[:] = [reading.ReadRegion("athaliana", False, (half, decoder)) for half in halves]
    add = MetricsTable.add

    def stop(self, step, values):
        if step == 2:
            raise Killed
        add(self, step, values)

    monkeypatch.setattr(MetricsTable, "add", stop)
    with pytest.raises(Killed):
        task.run_writer_training(*given, tmp_path / "out", 1)
    monkeypatch.setattr(MetricsTable, "add", add)
    task.run_writer_training(*given, tmp_path / "out", 1)
    # What had been read is not read again.
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("*.npz")} == kept
    (tmp_path / "run" / fit.CHECKPOINT).unlink()
    task.run_writer_training(*given, tmp_path / "again", 1)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"isoform_writer.json", "isoform_writer.safetensors", "metrics.tsv"}
    assert all((tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)
    report = json.loads((tmp_path / "out" / "isoform_writer.json").read_text())
    assert 0 < report["minimum_probability"]["generated"] <= 1
    assert report["chosen_on"] == ["athaliana"]
    table = (tmp_path / "out" / "metrics.tsv").read_text()
    assert all(f"{epoch}\taddition_{name}" in table for epoch in (1, 2) for name in ("precision", "recall", "f1"))
    assert load_writer(tmp_path / "out")[0].config.width == 16
    assert isinstance(GeneratedIsoforms.load(tmp_path / "out", Search()), GeneratedIsoforms)
