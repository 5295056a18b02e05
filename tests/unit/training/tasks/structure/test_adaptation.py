"""Fine-tuning from a released model: what learns, adapters that merge away, early stop, and the refusal of worse."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training_set import contig_of, small_set

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.module import adapt, merge_adapters
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.structure import decoder_fit, lineage_fit, selection, task
from phytoscribe.training.tasks.structure.decoder_fit import LEVELS, Outcome
from phytoscribe.training.tasks.structure.start import load_start
from phytoscribe.training.tasks.structure.task import Finetuning

LENGTH = 60_000


def inputs(vocabulary: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(3)
    bases = torch.randint(0, 4, (1, 384), generator=generator)
    tokens = torch.randint(60, vocabulary, (1, 64), generator=generator)
    return bases, tokens, (torch.arange(384) // 6).expand(1, 384), torch.tensor([[7, 8]])


@pytest.fixture
def model() -> AnnotationModel:
    torch.manual_seed(0)
    return AnnotationModel(config_from_settings({"size": "tiny"}, vocab_size=200, token_length=6)).eval()


@pytest.mark.parametrize(
    ("mode", "learns", "rests"),
    [
        ("full", "trunk.encoder.layers.0.feed_forward.0.weight", "trunk.content.weight"),
        ("frozen", "trunk.stem_input.weight", "trunk.encoder.layers.0.feed_forward.0.weight"),
        ("lora", "heads.structure.weight", "trunk.stem_input.weight"),
    ],
)
def test_a_mode_says_what_learns(model, mode, learns, rests):
    adapt(model, mode)
    grads = {name: p.requires_grad for name, p in model.named_parameters()}
    assert grads[learns]
    assert not grads[rests]
    assert any("lora_" in name for name in grads) == (mode == "lora")


def test_adapters_change_nothing_at_first_and_merge_into_plain_weights(model):
    given = inputs(200)
    names = list(model.state_dict())
    with torch.inference_mode():
        before = model(*given).states
    adapt(model, "lora")
    with torch.inference_mode():
        torch.testing.assert_close(model(*given).states, before)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    with torch.inference_mode():
        learnt = model(*given).states
    assert not torch.allclose(learnt, before, atol=1e-3)
    merge_adapters(model)
    assert list(model.state_dict()) == names
    with torch.inference_mode():
        torch.testing.assert_close(model(*given).states, learnt, atol=1e-4, rtol=1e-3)


def test_unknown_mode(model):
    with pytest.raises(ConfigError, match=r"finetune.mode: 'half' is unknown; choose full, frozen, lora, decoder"):
        adapt(model, "half")


@pytest.fixture(scope="module")
def material(arabidopsis_fasta, tmp_path_factory) -> tuple[TrainingSet, Path]:
    """A training set of 60 kb, of which the same 60 kb validate, and a tokenizer."""
    folder = tmp_path_factory.mktemp("finetuning")
    contig = contig_of(arabidopsis_fasta, "Chr4")
    genes = [gene for gene in contig.genes if gene.end <= LENGTH]
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(folder / "tokenizer")
    return small_set(folder / "set", [replace(contig, bases=contig.bases[:LENGTH], genes=genes)]), folder / "tokenizer"


def recipe(**finetune) -> Recipe:
    """The defaults of the schema but for a short run."""
    schema = load_schema("workflow/schemas/config.schema.yaml")
    filled = fill_defaults({"genomes": []}, schema)
    run = {"steps": 12, "checkpoint_every": 2, "batch_size": 2, "window": 1024, "warmup_steps": 1, "average": 0.0}
    run |= {"device": "cpu", "precision": "float32", "sequence_weight": 0.0, "learning_rate": 1e-3, **finetune}
    return Recipe({**filled["finetune"], **run}, {"size": "tiny"}, filled["training"], 1)


def run(material, folder, **finetune) -> Finetuning:
    data, tokenizer = material
    torch.manual_seed(1)
    start = load_start(tokenizer, data, {"size": "tiny"}, "full")
    start = replace(start, folder=Path("the/released"), decoders=Decoders(DecoderSettings()), released=True)
    folder.mkdir(exist_ok=True)
    return Finetuning(data, start, recipe(**finetune), folder, 1)


def scores(monkeypatch, *values: float) -> None:
    """Let the validations find these scores, in turn (the last again and again): what is tested is what follows."""
    left = list(values)

    def next_score(*_):
        value = left.pop(0) if len(left) > 1 else left[0]
        return {"cds_exon": value, "locus": value}

    monkeypatch.setattr(selection, "validation_f1", next_score)
    tuned = lambda _, start, *__: (start, {"used": figures(next_score()), "held_out": {}})  # noqa: E731
    monkeypatch.setattr(task, "tune_decoders", tuned)


def figures(f1):
    return {f"{level}_f1": value for level, value in f1.items()}


def test_a_worse_model_is_refused(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.4)
    with pytest.raises(
        ModelError,
        match=r"no better model than the/released.*mean 0\.5000\).*mean 0\.4000\)\. Nothing is written",
    ):
        run(material, tmp_path).train()


def test_a_model_that_only_seemed_better_is_refused(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4, 0.45)
    with pytest.raises(ModelError, match=r"best after fine-tuning 0\.4500"):
        run(material, tmp_path).train()


def test_a_model_that_is_better_only_where_its_decoder_was_fitted_is_refused(two_lineages, tmp_path, monkeypatch):
    scores(monkeypatch, 0.6)
    report = {"used": figures(dict.fromkeys(LEVELS, 0.6)), "held_out": figures(dict.fromkeys(LEVELS, 0.45))}
    monkeypatch.setattr(task, "tune_decoders", lambda _, start, *__: (start, report))
    of_start = Outcome(figures(dict.fromkeys(LEVELS, 0.5)), [], np.empty(0, bool))
    monkeypatch.setattr(task, "decode_with", lambda *_: of_start)
    with pytest.raises(ModelError, match=r"mean 0\.5000.*mean 0\.4500\)\. Nothing is written"):
        run(two_lineages, tmp_path, steps=2).train()


def test_the_best_weights_are_kept_and_said(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.55, 0.7, 0.6)
    tuned = run(material, tmp_path)
    model, (_, summary) = tuned.start.model, tuned.train()
    assert summary["best_step"] == 4
    assert summary["validation_f1_before"]["locus"] == 0.5
    kept = torch.load(tmp_path / "best.pt", weights_only=True)
    assert torch.equal(model.state_dict()["heads.structure.weight"], kept["heads.structure.weight"])


def test_the_loss_of_whole_genes_changes_what_is_learnt(material, tmp_path, monkeypatch):
    learnt = []
    for weight in (0.0, 0.1, 0.1):
        scores(monkeypatch, 0.5, 0.6)
        tuned = run(material, tmp_path / str(len(learnt)), sequence_weight=weight)
        tuned.train()
        learnt.append(tuned.start.model.heads["structure"].weight.detach().clone())
    assert not torch.allclose(learnt[0], learnt[1])
    assert torch.equal(learnt[1], learnt[2])


def test_the_average_of_the_weights_is_validated_and_kept(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6)
    tuned = run(material, tmp_path, average=0.9)
    tuned.train()
    kept = torch.load(tmp_path / "best.pt", weights_only=True)
    states = torch.load(tmp_path / "last.ckpt", weights_only=False)["state_dict"]
    assert not torch.equal(states["model.heads.structure.weight"], states["average.heads.structure.weight"])
    assert kept.keys() == tuned.start.model.state_dict().keys()


@pytest.fixture(scope="module")
def two_lineages(arabidopsis_fasta, tmp_path_factory) -> tuple[TrainingSet, Path]:
    """Two contigs, as if of two lineages; of each, two pieces of 12 kb validate."""
    folder, contigs, regions = tmp_path_factory.mktemp("lineages"), [], []
    for lineage, name in (("Brassicales", "Chr4"), ("Poales", "Chr5")):
        contig = contig_of(arabidopsis_fasta, name)
        contigs.append(replace(contig, species=name, lineage=lineage, group=name))
        for start in (0, 12_000):
            genes = [g.shifted(-start, name) for g in contig.genes if start <= g.start and g.end <= start + 12_000]
            bases = contig.bases[start : start + 12_000]
            regions.append(ValidationRegion(f"{name}.{start}", name, lineage, bases, genes, []))
    build_kmer_tokenizer(3, ["Chr4", "Chr5"], ["Brassicales", "Poales"]).save_pretrained(folder / "tokenizer")
    return small_set(folder / "set", contigs, regions), folder / "tokenizer"


def test_whole_genes_join_after_some_steps_with_decoders_fitted_by_then(two_lineages, tmp_path, monkeypatch):
    """Each lineage has its decoder by then; a run that was killed and goes on ends with the same ones."""
    monkeypatch.setattr(lineage_fit, "LEAST_GENES", 3)
    monkeypatch.setattr(decoder_fit, "STEPS", {})
    monkeypatch.setattr(decoder_fit, "maximise", partial(decoder_fit.maximise, iterations=2))
    data, tokenizer = two_lineages
    lattices = []
    make = task.SequenceLoss
    monkeypatch.setattr(task, "SequenceLoss", lambda *given: lattices.append(make(*given)) or lattices[-1])

    def train(folder: Path) -> tuple[Decoders, dict]:
        torch.manual_seed(1)
        begin = load_start(tokenizer, data, {"size": "tiny"}, "full")
        assert not begin.released
        return Finetuning(data, begin, recipe(sequence_weight=0.1, sequence_start=0.5), folder, 1).train()

    decoders, summary = train(tmp_path)
    by_then = Decoders.load(tmp_path / "decoder.json")
    assert {lattices[0].lattices[row].settings for row in (0, 1)} == set(by_then.lineages.values())
    assert decoders.lineages.keys() == by_then.lineages.keys() == {"Brassicales", "Poales"}
    assert len({decoders.fallback, *decoders.lineages.values()}) == 3
    assert decoders.fallback.calibrated_on == ("Chr4", "Chr5")
    assert decoders.of("Poales").calibrated_on == ("Chr5",)
    fit = summary["decoder_fit"]
    # Whether a fit is good enough to be kept is the network's affair; one of them is.
    kinds = {lineage: found["decoder"] for lineage, found in fit["lineages"].items()}
    assert kinds.keys() == {"Brassicales", "Poales"}
    assert "fitted" in kinds.values()
    assert set(kinds.values()) <= {"fitted", "calibrated"}
    for lineage, found in fit["lineages"].items():
        wanted = {"start", "fitted"} if kinds[lineage] == "fitted" else set()
        assert found.keys() >= {"held_out", "fallback"} | wanted
    assert fit["held_out"].keys() == fit["used"].keys()
    # Killed behind the last step and started again: the same decoders.
    assert train(tmp_path)[0] == decoders


def test_a_batch_of_one_window_has_no_room_for_both_strands(material, tmp_path):
    with pytest.raises(ConfigError, match=r"finetune.batch_size: 3 is no multiple of 2"):
        run(material, tmp_path, batch_size=3, sequence_weight=0.1)


def decoder_alone(two_lineages, tmp_path, monkeypatch, before, held_out):
    fitted = Decoders(DecoderSettings(gene_score=1.5))
    report = {"used": figures(dict.fromkeys(LEVELS, 0.6)), "held_out": figures(held_out)}
    monkeypatch.setattr(task, "tune_decoders", lambda *_, **__: (fitted, report))
    of_start = Outcome(figures(dict.fromkeys(LEVELS, before)), [], np.empty(0, bool))
    monkeypatch.setattr(task, "decode_with", lambda *_: of_start)
    return run(two_lineages, tmp_path, mode="decoder").refit_decoder()


def test_the_decoder_alone_is_fitted(two_lineages, tmp_path, monkeypatch):
    decoders, summary = decoder_alone(two_lineages, tmp_path, monkeypatch, 0.5, dict.fromkeys(LEVELS, 0.55))
    assert decoders.fallback.gene_score == 1.5
    assert summary["best_step"] == 0
    assert (summary["validation_f1_before"]["locus"], summary["validation_f1"]["locus"]) == (0.5, 0.6)
    assert "validation_locus_f1\t0.6" in (tmp_path / "metrics.tsv").read_text()


def test_a_decoder_that_is_better_only_on_what_it_was_fitted_to_is_refused(two_lineages, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"the/released.*mean 0\.5000.*mean 0\.4900\)\. Nothing is written"):
        decoder_alone(two_lineages, tmp_path, monkeypatch, 0.5, dict.fromkeys(LEVELS, 0.49))


def test_a_decoder_that_is_better_for_exons_and_worse_for_loci_is_refused(two_lineages, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"0\.7000 for CDS exons and 0\.4900 for loci \(mean 0\.5950\)\. Nothing"):
        decoder_alone(two_lineages, tmp_path, monkeypatch, 0.5, {"cds_exon": 0.7, "locus": 0.49})


def test_a_decoder_needs_two_regions(material, tmp_path):
    with pytest.raises(ModelError, match=r"only 1 region of validation"):
        run(material, tmp_path, mode="decoder").refit_decoder()


def test_training_stops_when_it_gets_no_better(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6, 0.55)
    _, summary = run(material, tmp_path, patience=2).train()
    assert summary["best_step"] == 2
    steps = {int(line.split("\t")[0]) for line in (tmp_path / "metrics.tsv").read_text().splitlines()[1:]}
    assert max(steps) == 6  # of 12
    assert np.isfinite(summary["validation_f1"]["locus"])
