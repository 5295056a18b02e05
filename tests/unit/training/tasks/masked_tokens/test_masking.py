"""Pretraining: what is hidden is hidden from every input, what is asked for is true, and fine-tuning starts from it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_training_set import contig_of, small_set

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.models.annotation_model import AnnotationModel, MaskedBaseModel
from phytoscribe.models.batches import WindowTokens
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.encoder import MaskedTokenModel
from phytoscribe.models.loading import load_model
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer, save_tokenizer, train_tokenizer
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.masked_tokens.task import run_pretraining
from phytoscribe.training.tasks.masked_tokens.windows import (
    HIDDEN_SHARE,
    IGNORED,
    MASKED_SHARE,
    OBJECTIVES,
    SHOWN_AS_MASK,
    HeldOut,
    MaskedWindow,
    collate_masked,
    hide_bases,
    mask_tokens,
    masked_cross_entropy,
)
from phytoscribe.training.tasks.structure.start import load_start


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    letters = np.random.default_rng(4).choice(list("ACGT"), size=(40, 500), p=[0.4, 0.1, 0.1, 0.4])
    path.write_text("".join("".join(line) + "\n" for line in letters))
    return path


@pytest.fixture(scope="module")
def kmers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kmers")
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(folder)
    return Segmenter(folder)


@pytest.fixture(scope="module")
def bpe(tmp_path_factory, corpus):
    folder = tmp_path_factory.mktemp("bpe")
    save_tokenizer(train_tokenizer(corpus, 128), folder, ("tokenizer.json",))
    return Segmenter(folder)


@pytest.fixture
def bases():
    bases = np.random.default_rng(0).integers(0, 4, 30_000).astype(np.uint8)
    bases[6_000:9_000] = 4
    return bases


def test_masking_asks_only_for_nucleotide_tokens(kmers, bases):
    tokens = WindowTokens.of(bases, kmers, (0, 0))
    ids = tokens.token_ids
    masked, wanted = mask_tokens(tokens, kmers, np.random.default_rng(1))
    seen, asked = masked.token_ids, wanted != IGNORED
    assert not asked[~kmers.nucleotide[ids]].any()
    assert np.array_equal(wanted[asked], ids[asked])
    assert np.array_equal(seen[~asked], ids[~asked])
    assert asked.sum() / kmers.nucleotide[ids].sum() == pytest.approx(MASKED_SHARE, rel=0.1)
    assert (seen[asked] == kmers.mask_id).mean() == pytest.approx(SHOWN_AS_MASK, abs=0.05)
    all_masked, _ = mask_tokens(tokens, kmers, np.random.default_rng(1), only_mask=True)
    assert (all_masked.token_ids[asked] == kmers.mask_id).all()


@pytest.mark.parametrize("kind", ["kmers", "bpe"])
def test_spans_of_whole_tokens_are_hidden(kind, bases, request):
    segmenter = request.getfixturevalue(kind)
    tokens = WindowTokens.of(bases, segmenter, (0, 0))
    seen, wanted = hide_bases(tokens, segmenter, np.random.default_rng(1))
    asked = wanted != IGNORED
    assert np.array_equal(wanted[asked], bases[asked])
    assert (seen.bases[asked] == 4).all()
    assert np.array_equal(seen.bases[~asked], bases[~asked])
    hidden = seen.token_ids == segmenter.mask_id
    assert np.array_equal(np.repeat(hidden, seen.token_lengths), asked)
    assert np.array_equal(seen.token_ids[~hidden], tokens.token_ids[~hidden])
    nucleotide = segmenter.nucleotide[tokens.token_ids]
    assert not hidden[~nucleotide].any()
    assert hidden.sum() / nucleotide.sum() == pytest.approx(HIDDEN_SHARE, rel=0.1)
    spans = np.diff(np.flatnonzero(np.diff(np.pad(hidden.astype(int), 1))))[::2]
    assert (spans > 1).mean() > 0.6


def test_no_input_of_the_trunk_knows_a_hidden_base(kmers, bases):
    masked, wanted = hide_bases(WindowTokens.of(bases, kmers, (0, 0)), kmers, np.random.default_rng(1))
    asked = wanted != IGNORED
    other = np.where(asked, (bases + 1) % 4, bases).astype(np.uint8)
    others, others_wanted = hide_bases(WindowTokens.of(other, kmers, (0, 0)), kmers, np.random.default_rng(1))
    assert (wanted[asked] != others_wanted[asked]).all()
    batches = [collate_masked([MaskedWindow(*window)]).inputs for window in ((masked, wanted), (others, wanted))]
    for one, two in zip(*batches, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(("name", "kind"), [("tokens", MaskedTokenModel), ("bases", MaskedBaseModel)])
def test_windows_of_only_n_ask_for_nothing_and_cost_nothing(name, kind, kmers):
    regions = [np.full(4_000, 4, np.uint8), np.random.default_rng(0).integers(0, 4, 700).astype(np.uint8)]
    held_out = HeldOut(regions, [(0, 0), (0, 0)], kmers, OBJECTIVES[name], 1_000, 50, seed=1)
    assert len(held_out.windows) == 1
    config = config_from_settings({"size": "tiny"}, vocab_size=kmers.vocabulary_size, token_length=3)
    empty = OBJECTIVES[name].hide(WindowTokens.of(regions[0], kmers, (7, 8)), kmers, np.random.default_rng(1))
    assert masked_cross_entropy(kind(config), collate_masked([empty]), "mean").item() == 0


@pytest.mark.parametrize(("name", "part"), [("tokens", "encoder"), ("bases", "trunk")])
def test_fine_tuning_starts_from_what_was_pretrained(name, part, corpus, arabidopsis_fasta, tmp_path):
    contig = contig_of(arabidopsis_fasta, "Chr4")
    genes = [gene for gene in contig.genes if gene.end <= 60_000]
    data = small_set(tmp_path / "set", [replace(contig, bases=contig.bases[:60_000], genes=genes)])
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(tmp_path / "tokenizer")
    filled = fill_defaults({"genomes": []}, load_schema("workflow/schemas/config.schema.yaml"))
    run = {"steps": 4, "checkpoint_every": 2, "batch_size": 2, "window": 1024, "device": "cpu", "objective": name}
    recipe = Recipe({**filled["pretrain"], **run}, {"size": "tiny"}, filled["training"], 1)
    given = (tmp_path / "set", tmp_path / "tokenizer", corpus, recipe, [], tmp_path / "run", tmp_path / "pretrained", 1)
    run_pretraining(*given)
    report = json.loads((tmp_path / "pretrained" / "report.json").read_text())
    assert (tmp_path / "pretrained" / "model.sha256").is_file()
    found = report[f"cross_entropy_nats_per_{OBJECTIVES[name].unit}"]
    most = np.log(64 if name == "tokens" else 4)
    assert all(0.5 * most < found[model] < 1.5 * most for model in ("model", "unigram", "markov"))
    start = load_start(tmp_path / "pretrained", data, {"size": "tiny"}, "full")
    assert start.report["part"] == part
    saved = load_model(MaskedTokenModel, tmp_path / "pretrained", MaskedBaseModel).state_dict()
    arrived = {
        key.removeprefix("trunk.") if name == "tokens" else key: v for key, v in start.model.state_dict().items()
    }
    carried = [key for key in saved if key.startswith(f"{part}.")]
    assert len(carried) == start.report["loaded"]
    assert all(torch.equal(saved[key], arrived[key]) for key in carried)
    fresh = set(AnnotationModel(start.model.config).state_dict()) - set(start.report["new"])
    assert len(fresh) == start.report["loaded"]
