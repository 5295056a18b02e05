"""What a model's folder says is heeded: its decoders and the order of its states, and what is wrong with it is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from eager_model import EAGER, SETTINGS, predict, structure

from phytoscribe.decoding.settings import Decoders
from phytoscribe.errors import ModelError
from phytoscribe.labels.states import STATE_COUNT, STATE_NAMES
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.loading import load_model
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import predict_shard
from phytoscribe.prediction.shards import Shards
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter


def test_states_in_another_order_give_the_same_genes(plain, model_folder, fasta, tmp_path):
    """Columns are found by the names that config.json gives them; a state that the decoder lacks changes nothing."""
    model = load_model(AnnotationModel, model_folder)
    order = torch.randperm(STATE_COUNT, generator=torch.Generator().manual_seed(1)).tolist()
    config = config_from_settings(
        {"size": "tiny"},
        vocab_size=model.config.vocab_size,
        token_length=3,
        heads={"structure": [*(STATE_NAMES[i] for i in order), "ncrna_exon"], "sites": ["acceptor", "donor"]},
    )
    turned = AnnotationModel(config)
    turned.trunk.load_state_dict(model.trunk.state_dict())
    with torch.no_grad():
        for name in ("weight", "bias"):
            structure_head, site_head = (getattr(model.heads[head], name) for head in ("structure", "sites"))
            getattr(turned.heads["structure"], name)[:-1] = structure_head[order]
            getattr(turned.heads["sites"], name).copy_(site_head.flip(0))
        turned.heads["structure"].weight[-1] = 0
        turned.heads["structure"].bias[-1] = -100.0
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    turned.save_pretrained(folder)
    assert structure(predict(folder, fasta, tmp_path / "out")) == structure(plain)


def test_the_model_that_trains_is_not_touched(model_folder, real_bases):
    model = load_model(AnnotationModel, model_folder).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settings = PredictionSettings(1024, 128, precision="bfloat16")
    StructurePredictor(model, Segmenter(model_folder), EAGER, settings, torch.device("cpu")).genes("x", real_bases)
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_model_folder_that_lacks_a_file_is_named(model_folder, fasta, tmp_path):
    with pytest.raises(ModelError, match=r"config\.json: missing"):
        predict_shard(fasta, tmp_path, SETTINGS, "x", "", None, 0, tmp_path / "o.jsonl", 1)
    assert not (tmp_path / "o.jsonl").exists()


def test_a_tokenizer_of_another_model_is_refused(model_folder):
    other = AnnotationModel(config_from_settings({"size": "tiny"}, vocab_size=30))
    with pytest.raises(ModelError, match="mixes files of different models"):
        StructurePredictor(other, Segmenter(model_folder), EAGER, PredictionSettings(), torch.device("cpu"))


def test_a_damaged_weight_file_is_one_message(model_folder, fasta, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500])
    with pytest.raises(ModelError, match="not a saved AnnotationModel"):
        predict_shard(fasta, folder, SETTINGS, "x", "", None, 0, tmp_path / "o.jsonl", 1)


def test_the_header_says_as_which_species_the_genome_was_read(plain, model_folder, fasta, tmp_path):
    assert "read as: <species:athaliana> <lineage:Brassicales>" in Path(plain.gff3).read_text()
    predict_shard(fasta, model_folder, SETTINGS, "zmays", "Poales", ["two"], 0, tmp_path / "0.jsonl", 1)
    header = Shards([tmp_path / "0.jsonl"], ["two"]).header
    assert header["read as"] == "<species:unknown> <lineage:unknown>"
    assert header["score calibrated on"] == "not known"
    assert "decoder" not in header, "the model has one decoder for all lineages"
    released = Decoders.load(Path(__file__).parents[3] / "resources/models/brassicales/decoder.json")
    assert released.fallback.calibrated_on == ("athaliana", "bnapus", "osativa", "ptrichocarpa")
    assert released.of("Brassicales", "athaliana").calibrated_on == ("athaliana",)


def test_each_lineage_is_predicted_with_its_decoder(model_folder, fasta, tmp_path, caplog):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    silent = replace(EAGER, gene_score=-1e6, calibrated_on=("zmays",))
    brassicales = {"Brassicales": replace(EAGER, calibrated_on=("athaliana",))}
    Decoders(EAGER, {"Poales": silent} | brassicales, {"bnapus": silent}).save(folder / "decoder.json")
    genes, headers = {}, {}
    for lineage in ("Brassicales", "Poales", "Solanales", "unknown"):
        shard = tmp_path / f"{lineage}.jsonl"
        with caplog.at_level("INFO"):
            predict_shard(fasta, folder, SETTINGS, "x", lineage, ["b"], 0, shard, 1)
        found = Shards([shard], ["b"])
        genes[lineage], headers[lineage] = found.gene_count, found.header
    assert genes["Poales"] == 0 < genes["Brassicales"]
    assert genes["Solanales"] == genes["unknown"] > 0
    said = {lineage: (header["decoder"], header["score calibrated on"]) for lineage, header in headers.items()}
    assert said == {
        "Brassicales": ("Brassicales", "athaliana"),
        "Poales": ("Poales", "zmays"),
        "Solanales": ("any lineage (the model has none for Solanales)", "not known"),
        "unknown": ("any lineage (that of the genome is not known)", "not known"),
    }
    assert "decoder: Poales; lineages and species with one of their own: Brassicales, Poales, bnapus" in caplog.text
    predict_shard(fasta, folder, SETTINGS, "bnapus", "Brassicales", ["b"], 0, tmp_path / "species.jsonl", 1)
    found = Shards([tmp_path / "species.jsonl"], ["b"])
    assert (found.gene_count, found.header["decoder"]) == (0, "bnapus")
