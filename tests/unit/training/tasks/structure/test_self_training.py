"""Training on own genes: what is compared before and after, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from decoded_regions import START, region_with_genes
from small_training_set import contig_of, small_set

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.errors import ModelError
from phytoscribe.labels.encode import label_contig
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.structure.self_training import HeldBack, judged_training
from phytoscribe.training.tasks.structure.start import load_start
from phytoscribe.training.tasks.structure.task import Finetuning


def tempered(region, factor):
    """The same network, surer of everything by a factor (or less sure)."""

    def of(table):
        scaled = factor * np.asarray(table, dtype=np.float64)
        return (scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)).astype(np.float32)

    return replace(region, plus=of(region.plus), minus=of(region.minus))


def test_a_network_that_is_only_surer_gains_nothing():
    regions = [region_with_genes(seed, genes=3) for seed in (1, 2, 3)]
    before = HeldBack.of(regions, Decoders(START), 1)
    for factor in (1.5, 2.0):
        after = HeldBack.of([tempered(region, factor) for region in regions], Decoders(START), 1)
        assert any("log likelihood did not rise" in reason for reason in before.reasons_against(after))


def test_a_network_that_sees_the_genes_better_is_kept():
    regions = [region_with_genes(seed, genes=3) for seed in (1, 2, 3)]
    better = []
    for region in regions:
        plus = np.array(region.plus)
        plus[np.arange(region.bases.size), label_contig(region.genes, "+", region.bases.size).states] += 1.0
        better.append(tempered(replace(region, plus=plus), 1.0))
    assert not HeldBack.of(regions, Decoders(START), 1).reasons_against(HeldBack.of(better, Decoders(START), 1))


@pytest.mark.parametrize(
    ("exon", "locus", "likelihood", "reasons"),
    [
        (0.99, 0.985, -1.9, []),
        (0.97, 1.0, -1.9, ["their exact F1 (cds_exon) fell from 0.9900 to 0.9700"]),
        (1.0, 0.5, -2.1, ["their exact F1 (locus) fell from 0.9900 to 0.5000", "their log likelihood did not rise"]),
        (1.0, 1.0, -2.0, ["their log likelihood did not rise"]),
        (1.0, 1.0, float("nan"), ["their log likelihood did not rise"]),
    ],
)
def test_what_speaks_against_a_model(exon, locus, likelihood, reasons):
    before = HeldBack({"cds_exon": 0.99, "locus": 0.99}, -2.0)
    found = before.reasons_against(HeldBack({"cds_exon": exon, "locus": locus}, likelihood))
    assert len(found) == len(reasons)
    assert all(text.startswith(start) for text, start in zip(found, reasons, strict=True))


@pytest.fixture(scope="module")
def material(arabidopsis_fasta, tmp_path_factory):
    """A training set of 60 kb, of which the same 60 kb validate, and a tokenizer."""
    folder = tmp_path_factory.mktemp("self")
    contig = contig_of(arabidopsis_fasta, "Chr4")
    genes = [gene for gene in contig.genes if gene.end <= 60_000]
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(folder / "tokenizer")
    data = small_set(folder / "set", [replace(contig, bases=contig.bases[:60_000], genes=genes)])
    data.manifest["genomes"] = [{"genome": "athaliana", "accepted_genes": len(genes)}]
    return data, folder / "tokenizer"


def run(material, folder) -> Finetuning:
    data, tokenizer = material
    filled = fill_defaults({"genomes": []}, load_schema("workflow/schemas/config.schema.yaml"))
    short = {"steps": 4, "checkpoint_every": 2, "batch_size": 2, "window": 1024, "warmup_steps": 1, "average": 0.0}
    short |= {"device": "cpu", "precision": "float32", "sequence_weight": 0.0, "learning_rate": 1e-3, "mode": "self"}
    torch.manual_seed(1)
    start = load_start(tokenizer, data, {"size": "tiny"}, "self")
    start = replace(start, folder=Path("the/released"), decoders=Decoders(DecoderSettings()), released=True)
    recipe = Recipe({**filled["finetune"], **short}, {"size": "tiny"}, filled["training"], 1)
    return Finetuning(data, start, recipe, folder, 1)


def held_back(monkeypatch, *values: float) -> None:
    """Let the held-back genes have these likelihoods, in turn: what is tested is what follows."""
    left = iter(values)
    monkeypatch.setattr(HeldBack, "of", lambda *_: HeldBack({"cds_exon": 1.0, "locus": 1.0}, next(left)))


def test_the_decoder_stays_and_the_report_says_what_was_done(material, tmp_path, monkeypatch):
    held_back(monkeypatch, -0.5, -0.4)
    tuned = run(material, tmp_path)
    decoders, summary = judged_training(tuned)
    assert decoders == tuned.start.decoders
    assert summary["self_training"]["trains"] == "frozen"
    assert summary["self_training"]["confident_genes"] == {"athaliana": len(tuned.data.genes[0])}
    assert (summary["held_back_before"]["log_likelihood"], summary["held_back"]["log_likelihood"]) == (-0.5, -0.4)
    assert json.dumps(summary)
    assert not tuned.start.model.encoder.layers[0].feed_forward[0].weight.requires_grad


def test_the_lowest_cross_entropy_is_best(material, tmp_path, monkeypatch):
    held_back(monkeypatch, -0.5, -0.4)
    values = iter([3.0, 4.0])
    monkeypatch.setattr("phytoscribe.training.tasks.structure.selection.cross_entropy", lambda _: next(values))
    assert judged_training(run(material, tmp_path))[1]["best_step"] == 2


def test_a_model_that_reads_them_no_better_is_refused(material, tmp_path, monkeypatch):
    held_back(monkeypatch, -0.5, -0.5)
    with pytest.raises(ModelError, match=r"no better model than the/released.*did not rise.*Nothing is written"):
        judged_training(run(material, tmp_path))
