"""Species and lineages that a released model does not know get tokens, and begin as the unknown that they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_training_set import contig_of, small_set

from phytoscribe.labels.states import STATE_COUNT
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.batches import WindowTokens, collate_tokens
from phytoscribe.models.loading import load_model, write_checksums
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.tasks.structure.start import Start, load_start

RELEASED = Path(__file__).parents[5] / "resources/models/brassicales"


@pytest.fixture(scope="module")
def data(arabidopsis_fasta, tmp_path_factory) -> TrainingSet:
    contig = contig_of(arabidopsis_fasta, "Chr4")
    rice = replace(contig, species="osativa", lineage="Poales", group="osativa")
    return small_set(tmp_path_factory.mktemp("set") / "set", [contig, rice], [])


@pytest.fixture(scope="module")
def start(data) -> Start:
    return load_start(RELEASED, data, {}, "full")


def outputs(start: Start, bases, species: str, lineage: str) -> torch.Tensor:
    global_ids = start.segmenter.species_id(species), start.segmenter.lineage_id(lineage)
    batch = collate_tokens([WindowTokens.of(bases, start.segmenter, global_ids)])
    with torch.inference_mode():
        return start.model.eval()(*batch).states[0]


def test_nothing_changes_before_they_learn(start, data):
    before = load_start(RELEASED, data, {}, "decoder")
    bases = data.contig_bases(0)[:3000]
    for species, lineage in (("athaliana", "Brassicales"), ("osativa", "Poales"), ("zmays", "")):
        found = outputs(start, bases, species, lineage)
        assert found.shape == (3000, STATE_COUNT)
        assert torch.equal(found, outputs(before, bases, species, lineage)), species
    assert start.report["new_names"] == ["<species:osativa>", "<lineage:Poales>"]
    assert "new_names" not in before.report
    assert (start.model.config.species, start.model.config.lineages) == (
        ["athaliana", "bnapus", "osativa"],
        ["Brassicales", "Poales"],
    )


def test_each_has_a_vector_of_its_own(start):
    segmenter = start.segmenter
    ids = [segmenter.species_id("osativa"), segmenter.species_id("zmays"), segmenter.lineage_id("Poales")]
    assert len(set(ids)) == 3
    assert segmenter.species_id("athaliana") == Segmenter(RELEASED).species_id("athaliana")
    assert start.model.encoder.embedding.weight.requires_grad
    assert len(start.model.encoder.embedding.weight) == segmenter.vocabulary_size


def test_they_are_saved_with_the_model(start, tmp_path):
    start.model.save_pretrained(tmp_path)
    start.save_tokenizer(tmp_path)
    write_checksums(tmp_path)
    again = load_model(AnnotationModel, tmp_path)
    segmenter = Segmenter(tmp_path)
    assert segmenter.token(segmenter.species_id("osativa")) == "<species:osativa>"
    assert again.config.vocab_size == segmenter.vocabulary_size == len(again.encoder.embedding.weight)


def test_known_names_change_nothing(data):
    known = replace(data, contigs=data.contigs[data.contigs["lineage"] == "Brassicales"].assign(species="athaliana"))
    found = load_start(RELEASED, known, {}, "full")
    assert found.tokenizer is None
    assert found.segmenter.vocabulary_size == Segmenter(RELEASED).vocabulary_size
