"""Mistakes in the configuration: one clear message each, before anything runs."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from phytoscribe.configuration.catalogue import Catalogue
from phytoscribe.configuration.read import read_config
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.errors import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
EXAMPLE = ROOT / "config/config.yaml"


@pytest.fixture
def example():
    return yaml.safe_load(EXAMPLE.read_text())


def message_of(config, *, look_around=False) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config(config, SCHEMA, look_around=look_around)
    return str(caught.value)


def test_example_is_valid_and_its_files_exist(example, monkeypatch):
    monkeypatch.chdir(ROOT)
    filled = read_config(example, SCHEMA, [EXAMPLE])
    assert filled["split"]["mode"] == "contig"


def test_defaults_are_filled_at_every_level(example):
    assert "pretrain" not in example or "steps" not in example["pretrain"]
    del example["split"], example["check"]
    filled = read_config(example, SCHEMA, look_around=False)
    assert filled["split"]["fractions"] == {"train": 75, "validate": 10, "test": 15}
    assert filled["check"]["maximum_intron"] == 50000
    assert filled["genomes"][0]["contigs"]["test"] == ["Chr5", "Chr5_25975502_26975502"]
    assert filled["pretrain"]["steps"] >= 1


def test_filling_defaults_leaves_the_input_alone(example):
    before = copy.deepcopy(example)
    fill_defaults(example, load_schema(SCHEMA))
    assert example == before


def genome(config):
    return config["genomes"][0]


# What is done to the example, and what the message must say.
MISTAKES = {
    "unknown key": (lambda c: c.update(genoms=[]), ["unknown key 'genoms'", "did you mean 'genomes'", "tokenizer"]),
    "unknown key of a genome": (
        lambda c: genome(c).update(lineag="x"),
        ["genomes[athaliana]", "'lineag' (did you mean 'lineage'?)", "allowed: annotation, augustus"],
    ),
    "unknown key of a section": (lambda c: c["split"].update(flnk=3), ["split: unknown key 'flnk'", "flank"]),
    "unknown choice": (lambda c: c["split"].update(mode="cluters"), ["split.mode", "'cluters'", "contig, cluster"]),
    "unknown cleaner": (lambda c: c["clean"].update(backend="gt"), ["clean.backend", "builtin, agat"]),
    "wrong type": (lambda c: c.update(seed="one"), ["seed: 'one' given", "whole number"]),
    "number out of range": (lambda c: c["split"].update(identity=1.5), ["split.identity", "at most 1"]),
    "name with a dot": (lambda c: genome(c).update(name="a.thaliana"), ["genomes[a.thaliana].name", "letters, digits"]),
    "missing key": (lambda c: genome(c).pop("role"), ["genomes[athaliana]: key 'role' is missing"]),
    "no genomes": (lambda c: c.update(genomes=[]), ["genomes"]),
    "name used twice": (
        lambda c: c["genomes"].append(dict(genome(c), name="Athaliana")),
        ["'athaliana' is used 2 times"],
    ),
    "role without annotation": (
        lambda c: c["genomes"].append({"name": "x", "role": "test", "genome": {"path": "x.fa"}}),
        ["genomes[x]", "role 'test' needs an annotation", "role 'predict'"],
    ),
    "contigs on a wrong role": (
        lambda c: c["genomes"].append(dict(genome(c), name="x", role="validate")),
        ["genomes[x].contigs: only a genome of role 'train'"],
    ),
    "contig in two parts": (
        lambda c: genome(c)["contigs"]["test"].append("Chr2"),
        ["genomes[athaliana].contigs: 'Chr2' is listed 2 times"],
    ),
    "path and url": (
        lambda c: genome(c)["genome"].update(url="https://example.org/a.fa.gz"),
        ["genomes[athaliana].genome: both path and url"],
    ),
    "neither path nor url": (
        lambda c: genome(c)["genome"].pop("path"),
        ["genomes[athaliana].genome: neither path nor url"],
    ),
    "fractions": (lambda c: c["split"]["fractions"].update(train=80), ["split.fractions: they add up to 105"]),
    "word size": (
        lambda c: c["split"].update(word_size=5),
        ["split.word_size: 5 needs an identity of at least 0.7", "use word_size: 3"],
    ),
    "introns": (lambda c: c["check"].update(minimum_intron=60000), ["minimum_intron must be smaller"]),
    "nothing to train on": (
        lambda c: genome(c).update(role="predict", contigs={}, augustus="arabidopsis"),
        ["predict.model is 'trained', but no genome has role 'train'"],
    ),
    "nothing to validate on": (lambda c: genome(c)["contigs"].pop("validate"), ["nothing is held out for validation"]),
    "baseline without annotation": (
        lambda c: c["genomes"].append(
            {"name": "x", "role": "predict", "genome": {"path": "x.fa"}, "augustus": "tomato"},
        ),
        ["genomes[x].augustus", "there is none"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_has_its_message(example, name):
    spoil, expected = MISTAKES[name]
    spoil(example)
    message = message_of(example)
    for part in expected:
        assert part in message
    assert "\n" not in message, "a single mistake is a single line"


def test_several_mistakes_come_in_one_message(example):
    example["seed"] = -1
    example["split"]["mode"] = "x"
    message = message_of(example)
    assert "2 mistakes" in message
    assert "seed" in message
    assert "split.mode" in message


def test_key_given_twice_names_both_lines(tmp_path, example):
    file = tmp_path / "config.yaml"
    file.write_text("seed: 1\ngenomes: []\nsplit:\n  flank: 1\n  flank: 2\n")
    with pytest.raises(ConfigError, match=r"config.yaml: line 5: key 'flank' was given already in line 4"):
        read_config(example, SCHEMA, [file])


def test_missing_file_is_named(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example["genomes"] = [{"name": "x", "role": "predict", "genome": {"path": "missing.fa"}}]
    example["predict"]["model"] = "somewhere"
    message = message_of(example, look_around=True)
    assert "genomes[x].genome.path: missing.fa: no such file" in message
    assert "predict.model: somewhere: no such folder" in message


def test_incomplete_model_folder_is_named(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "config.json").write_text("{}")
    example["predict"]["model"] = str(tmp_path)
    message = message_of(example, look_around=True)
    assert "no complete model folder" in message
    assert "model.safetensors" in message
    assert "config.json," not in message.replace("tokenizer_config.json", "")


def test_unknown_augustus_species_is_named(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "species/arabidopsis").mkdir(parents=True)
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(tmp_path))
    genome(example)["augustus"] = "arabidopsi"
    assert "AUGUSTUS has no species 'arabidopsi' (did you mean 'arabidopsis'?)" in message_of(example, look_around=True)


def test_agat_is_refused_where_it_cannot_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", str(tmp_path))
    example["clean"]["backend"] = "agat"
    assert "neither AGAT nor conda is on PATH" in message_of(example, look_around=True)
    conda = tmp_path / "conda"
    conda.write_text("#!/bin/sh\n")
    conda.chmod(0o755)
    read_config(example, SCHEMA)


def catalogue(**changes) -> Catalogue:
    train = {
        "name": "a",
        "role": "train",
        "genome": {"path": "a.fa"},
        "annotation": {"path": "a.gff3"},
        "contigs": {"validate": ["c1"], "test": ["c2", "c3"]},
    }
    other = {"name": "b", "role": "predict", "genome": {"path": "b.fa"}, "isoseq": [{"path": "r.fq"}]}
    settings = {"model": "trained", "scope": "test", "mode": "contig"} | changes
    config = {
        "genomes": [train, other],
        "predict": {"model": settings["model"], "scope": settings["scope"]},
        "split": {"mode": settings["mode"]},
    }
    return Catalogue(read_config(config, SCHEMA, look_around=False))


def test_genomes_of_role_predict_are_outside_the_split():
    genomes = catalogue()
    assert genomes.split == ["a"]
    assert set(genomes.roles()) == set(genomes.lineages()) == set(genomes.contig_parts()) == {"a"}


def test_scope_test_restricts_a_training_genome_alone():
    genomes = catalogue()
    assert genomes.predicted_contigs("a") == ["c2", "c3"]
    assert genomes.predicted_contigs("b") is None
    assert catalogue(scope="all").predicted_contigs("a") is None
    assert catalogue(scope="all").scored_contigs("a") == ["c2", "c3"]


def test_mode_cluster_forgets_contig_lists():
    genomes = catalogue(mode="cluster")
    assert genomes.contig_parts() == {}
    assert genomes.predicted_contigs("a") is None
    assert genomes.evaluated == ["a"]


def test_genomes_without_reference_are_not_scored_against_one():
    genomes = catalogue()
    assert genomes.evaluated == ["a"]
    assert genomes.with_isoseq == ["b"]
    assert genomes.with_baseline == []
