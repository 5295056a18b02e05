"""Fine-tuning from a released model: what learns, adapters that merge away, early stop, and the refusal of worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.genome import Genome
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.prediction.settings import PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.data.training_set import TrainingArrays, TrainingGenome, write_training_arrays
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.adaptation import adapt, merge_adapters
from phytoscribe.training.loop.runs import RunSettings
from phytoscribe.training.tasks.structure import module
from phytoscribe.training.tasks.structure.loss import LossSettings
from phytoscribe.training.tasks.structure.module import Start, finetune

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
def material(arabidopsis_fasta, tmp_path_factory):
    """Arrays, tokenizer and a validation region of 60 kb of one contig."""
    folder = tmp_path_factory.mktemp("finetuning")
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases("Chr4", 0, LENGTH)
        genes = [
            g
            for g in read_gff3("resources/example/athaliana/annotation.gff3.gz")
            if g.contig == "Chr4" and g.end <= LENGTH
        ]
        held_out = {"Chr4": [(LENGTH, genome.contigs["Chr4"])]}
        training = TrainingGenome("a", "b", genome, ["Chr4"], held_out, {}, genes)
        write_training_arrays([training], folder / "arrays")
    build_kmer_tokenizer(3, ["a"], ["b"]).save_pretrained(folder / "tokenizer")
    region = ValidationRegion("Chr4", "a", "b", bases, genes, [])
    return TrainingArrays.load(folder / "arrays"), Segmenter(folder / "tokenizer"), region, training


def run(material, folder, patience=0, rate=1e-3, sequence_weight=0.0):
    arrays, segmenter, region, genome = material
    torch.manual_seed(1)
    config = config_from_settings({"size": "tiny"}, vocab_size=segmenter.vocabulary_size, token_length=3)
    model = AnnotationModel(config)
    return model, finetune(
        model,
        arrays,
        segmenter,
        [region],
        RunSettings(12, 2, 2, rate, warmup_steps=1, device="cpu", precision="float32"),
        LossSettings(),
        PredictionSettings(window=4096, margin=256, batch_size=2),
        1024,
        0.1,
        1,
        patience,
        folder,
        DecoderSettings(),
        Start("the/released", "full", [genome], sequence_weight),
    )


def scores(monkeypatch, *values: float) -> None:
    """Let the validations find these scores, in turn (the last again and again): what is tested is what follows."""
    left = list(values)

    def next_score(*_):
        value = left.pop(0) if len(left) > 1 else left[0]
        return {"cds_exon": value, "locus": value}

    monkeypatch.setattr(module, "validation_f1", next_score)
    monkeypatch.setattr(module, "tune_decoder", lambda decoded, start, **_: (start, next_score(), {}))


def test_a_worse_model_is_refused(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.4)
    with pytest.raises(
        ModelError,
        match=r"no better model than the/released.* was 0\.5000, the best .* 0\.4000\. Nothing is written",
    ):
        run(material, tmp_path)


def test_a_model_that_only_seemed_better_is_refused(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4, 0.45)
    with pytest.raises(ModelError, match=r"best after fine-tuning 0\.4500"):
        run(material, tmp_path)


def test_the_best_weights_are_kept_and_said(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.55, 0.7, 0.6)
    model, (_, summary) = run(material, tmp_path)
    assert summary["best_step"] == 4
    assert summary["validation_f1_before"]["locus"] == 0.5
    kept = torch.load(tmp_path / "best.pt", weights_only=True)
    assert torch.equal(model.state_dict()["heads.structure.weight"], kept["heads.structure.weight"])


def test_the_loss_of_whole_genes_changes_what_is_learnt(material, tmp_path, monkeypatch):
    learnt = []
    for weight in (0.0, 0.1, 0.1):
        scores(monkeypatch, 0.5, 0.6)
        folder = tmp_path / str(len(learnt))
        folder.mkdir()
        model, _ = run(material, folder, sequence_weight=weight)
        learnt.append(model.heads["structure"].weight.detach().clone())
    assert not torch.allclose(learnt[0], learnt[1])
    assert torch.equal(learnt[1], learnt[2])


def decoder_alone(material, tmp_path, monkeypatch, before, held_out):
    _, segmenter, region, _ = material
    torch.manual_seed(1)
    model = AnnotationModel(
        config_from_settings({"size": "tiny"}, vocab_size=segmenter.vocabulary_size, token_length=3)
    )
    figures = {f"{level}_f1": held_out for level in ("cds_exon", "locus")} if held_out else {}
    scores(monkeypatch, before, 0.6)
    monkeypatch.setattr(
        module, "fit_decoder", lambda regions, start, **_: (replace(start, gene_score=1.5), {"held_out": figures})
    )
    return module.refit_decoder(
        model,
        segmenter,
        [region],
        PredictionSettings(window=4096, margin=256, batch_size=2),
        DecoderSettings(),
        Start("the/released", "decoder"),
        tmp_path,
        torch.device("cpu"),
        1,
    )


def test_the_decoder_alone_is_fitted(material, tmp_path, monkeypatch):
    decoder, summary = decoder_alone(material, tmp_path, monkeypatch, 0.5, 0.55)
    assert decoder.gene_score == 1.5
    assert summary["best_step"] == 0
    assert (summary["validation_f1_before"]["locus"], summary["validation_f1"]["locus"]) == (0.5, 0.6)
    assert "validation_locus_f1\t0.6" in (tmp_path / "metrics.tsv").read_text()


def test_a_decoder_that_is_better_only_on_what_it_was_fitted_to_is_refused(material, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"the/released.* 0\.5000, .* 0\.4900\. Nothing is written"):
        decoder_alone(material, tmp_path, monkeypatch, 0.5, 0.49)


def test_a_decoder_needs_two_regions(material, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"only 1 region of validation"):
        decoder_alone(material, tmp_path, monkeypatch, 0.5, None)


def test_training_stops_when_it_gets_no_better(material, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6, 0.55)
    _, (_, summary) = run(material, tmp_path, patience=2)
    assert summary["best_step"] == 2
    steps = {int(line.split("\t")[0]) for line in (tmp_path / "metrics.tsv").read_text().splitlines()[1:]}
    assert max(steps) == 6  # of 12
    assert np.isfinite(summary["validation_f1"]["locus"])
