"""Mistakes in the configuration: one clear message each, before anything runs."""

from __future__ import annotations

import copy
import itertools
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from example_configuration import EXAMPLE, ROOT, SCHEMA, TRAINING_EXAMPLE, by_itself, genome, genome_without, message_of

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES
from phytoscribe.configuration.genomes import Genomes, deciding_part, describing_part
from phytoscribe.configuration.read import read_config
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.errors import ConfigError
from phytoscribe.models.configuration import config_from_settings


@pytest.mark.parametrize(
    ("junctions", "told"),
    [
        ("SJ.out.tab", "genomes"),
        ({"file": "SJ.out.tab"}, "file"),
        ({"path": "SJ.out.tab", "url": "https://a.org/SJ.out.tab"}, "url"),
        ({"path": "no/SJ.out.tab"}, r"junctions\.path: no/SJ\.out\.tab: no such file"),
    ],
)
def test_junctions_are_one_file_that_is_there(example, junctions, told):
    example["genomes"][0]["junctions"] = junctions
    message = message_of(example, look_around=True)
    assert re.search(told, message), message
    assert "junctions" in message


def test_example_is_valid_and_its_files_exist(monkeypatch):
    monkeypatch.chdir(ROOT)
    filled = read_config(yaml.safe_load(EXAMPLE.read_text()), SCHEMA, [EXAMPLE])
    assert filled["split"]["mode"] == "contig"
    assert not Genomes(filled).trains


def test_training_example_is_valid_in_its_folder_and_of_the_same_genome(monkeypatch, tmp_path):
    """Its paths start two folders below the repository, as `make demo` runs it."""
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    (tmp_path / "results/demo_training").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "results/demo_training")
    filled = read_config(yaml.safe_load(TRAINING_EXAMPLE.read_text()), SCHEMA, [TRAINING_EXAMPLE])
    assert Genomes(filled).trains
    (entry,), (other,) = filled["genomes"], yaml.safe_load(EXAMPLE.read_text())["genomes"]
    assert entry["contigs"] == other["contigs"]
    for kind in ("genome", "annotation"):
        assert entry[kind]["sha256"] == other[kind]["sha256"]
    text = (ROOT / "Makefile").read_text()
    assert "--directory $(TRAINED) --configfile config/demo_training.yaml" in text


@pytest.mark.parametrize("section", [{}, {"model": "resources/models/brassicales"}])
def test_the_shipped_model_is_found_from_any_folder(tmp_path, monkeypatch, section):
    monkeypatch.chdir(tmp_path)
    config = {"genomes": [{"name": "kale", "role": "predict", "genome": {"url": "https://x.org/x.fa"}}]}
    filled = read_config(
        {**config, "predict": section, "finetune": {"from_model": "resources/models/brassicales"}}, SCHEMA
    )
    for model in (filled["predict"]["model"], filled["finetune"]["from_model"]):
        assert Path(model).resolve() == ROOT / "resources/models/brassicales"
    assert Path(filled["expression"]["motifs"]).resolve() == ROOT / "resources/models/brassicales/regulatory"


def test_a_model_of_the_same_name_in_the_own_folder_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "resources/models/brassicales", "resources/models/brassicales")
    config = {"genomes": [{"name": "kale", "role": "predict", "genome": {"url": "https://x.org/x.fa"}}]}
    assert read_config(config, SCHEMA)["predict"]["model"] == "resources/models/brassicales"


def test_defaults_are_filled_at_every_level(example):
    del example["pretrain"], example["split"], example["check"], example["genomes"][0]["contigs"]["test"]
    example["split"] = {"mode": "contig"}
    filled = read_config(example, SCHEMA, look_around=False)
    assert filled["split"]["fractions"] == {"train": 75, "validate": 10, "test": 15}
    assert filled["check"]["maximum_intron"] == 50000
    assert filled["genomes"][0]["contigs"]["test"] == []
    assert filled["pretrain"]["steps"] == 200


def test_the_order_of_keys_does_not_show(example):
    """Snakemake compares params as text."""

    def turned(value):
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    one, other = (read_config(given, SCHEMA, look_around=False) for given in (example, turned(example)))
    assert str(one) == str(other)


def test_filling_defaults_leaves_the_input_alone(example):
    before = copy.deepcopy(example)
    fill_defaults(example, load_schema(SCHEMA))
    assert example == before


# What is done to the example, and what the message must say.
MISTAKES = {
    "unknown key": (lambda c: c.update(genoms=[]), ["unknown key 'genoms'", "did you mean 'genomes'", "tokenizer"]),
    "unknown key of a genome": (
        lambda c: genome(c).update(lineag="x"),
        ["genomes[athaliana]", "'lineag' (did you mean 'lineage'?)", "allowed: annotation, augustus, catalogue"],
    ),
    "unknown key of a section": (lambda c: c["split"].update(flnk=3), ["split: unknown key 'flnk'", "flank"]),
    "unknown choice": (lambda c: c["split"].update(mode="cluters"), ["split.mode", "'cluters'", "contig, cluster"]),
    "unknown cleaner": (lambda c: c["clean"].update(backend="gt"), ["clean.backend", "agat, builtin"]),
    "wrong type": (lambda c: c.update(seed="one"), ["seed: 'one' given", "whole number"]),
    "section left empty": (
        lambda c: c.update(pretrain=None),
        ["pretrain: None given, but this must be a mapping (key: value). Masked-language-model pretraining"],
    ),
    "other section left empty": (
        lambda c: c.update(finetune=None),
        ["finetune: None given, but this must be a mapping (key: value). Training of the gene structure"],
    ),
    "share that is no number": (
        lambda c: c["check"].update(stop_above=float("nan")),
        ["check.stop_above: this must be a finite number, not nan or inf"],
    ),
    "endless rate": (
        lambda c: c["finetune"].update(mixture={"start": {"a": float("-inf")}}),
        ["finetune.mixture.start.a: this must be a finite"],
    ),
    "endless window": (
        lambda c: c.update(predict={"window": 1e30, "model": "trained"}),
        ["predict.window: 1e+30 given, but this must be at most 1048576. Bases that the network sees at once."],
    ),
    "number that YAML takes for a text": (
        lambda c: c["finetune"].update(learning_rate="6e-4"),
        ["finetune.learning_rate: '6e-4' given, but this must be a number, and YAML reads it as a text: write 0.0006."],
    ),
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
    "self-training without a model to start from": (
        lambda c: c.update(by_itself(c, from_model=None)),
        ["finetune.mode is 'self', but no model makes the first prediction; name one in finetune.from_model"],
    ),
    "self-training with a released model that predicts": (
        lambda c: c.update(by_itself(c), predict={"model": "resources/models/brassicales"}),
        [
            "genomes[x]: role 'train' needs an annotation; with finetune.mode: self it needs none",
            "predict.model: trained",
        ],
    ),
    "self-training of annotated genomes": (
        lambda c: c.update(by_itself(c), genomes=c["genomes"]),
        [
            "without annotation, but there is one for athaliana; train on it with finetune.mode: full",
            "annotation: false",
        ],
    ),
    "self-training of less than a gene": (
        lambda c: c.update(by_itself(c, self={"minimum_genes": 0})),
        ["finetune.self.minimum_genes", "at least 1"],
    ),
    "self-training of the decoder": (
        lambda c: c.update(by_itself(c, self={"trains": "decoder"})),
        ["finetune.self.trains", "full", "frozen", "lora"],
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
        ["genomes[athaliana].genome: path and url are given"],
    ),
    "neither path nor url": (
        lambda c: genome(c)["genome"].pop("path"),
        ["genomes[athaliana].genome: none of path, url, phytozome is given"],
    ),
    "fractions": (lambda c: c["split"]["fractions"].update(train=80), ["split.fractions: they add up to 105"]),
    "word size": (
        lambda c: c["split"].update(word_size=5),
        ["split.word_size: 5 needs an identity of at least 0.7", "use word_size: 3"],
    ),
    "contigs with mode cluster": (
        lambda c: c["split"].update(mode="cluster"),
        ["split.mode is 'cluster'", "would ignore genomes[athaliana].contigs; remove", "use split.mode: contig"],
    ),
    "width and heads": (
        lambda c: c["model"].update(hidden_size=100, head_count=3),
        ["model.hidden_size: 100 must be a multiple of twice model.head_count (3), for example 96 or 102"],
    ),
    "heads of a size": (
        lambda c: c["model"].update(head_count=5),
        ["model.hidden_size: 256 must be a multiple of twice model.head_count (5)"],
    ),
    "introns": (lambda c: c["check"].update(minimum_intron=60000), ["minimum_intron must be smaller"]),
    "nothing to train on": (
        lambda c: genome(c).update(role="predict", contigs={}, augustus="arabidopsis"),
        ["predict.model is 'trained', but no genome has role 'train'"],
    ),
    "nothing to validate on": (lambda c: genome(c)["contigs"].pop("validate"), ["nothing is held out for validation"]),
    "a phytozome source beside a path": (
        lambda c: genome(c).update(genome={"path": genome(c)["genome"]["path"], "phytozome": {"genome_id": 447}}),
        ["genomes[athaliana].genome: path and phytozome are given"],
    ),
    "phytozome for reads": (
        lambda c: genome(c)["isoseq"].append({"phytozome": {"genome_id": 447}}),
        ["genomes[athaliana].isoseq[2]: unknown key 'phytozome'; allowed: md5, path, sha256, size, url"],
    ),
    "reads from nowhere": (
        lambda c: genome(c)["isoseq"].append({"size": 3}),
        ["genomes[athaliana].isoseq[2]: none of path, url is given"],
    ),
    "number and name of a proteome": (
        lambda c: genome(c).update(genome={"phytozome": {"genome_id": 447, "proteome": "Athaliana"}}),
        ["genomes[athaliana].genome.phytozome: give genome_id or proteome with version, both are given"],
    ),
    "neither number nor name of a proteome": (
        lambda c: genome(c).update(genome={"phytozome": {"assembly": "TAIR10"}}),
        ["give genome_id or proteome with version, neither is given"],
    ),
    "name of a proteome without its version": (
        lambda c: genome(c).update(genome={"phytozome": {"proteome": "Athaliana"}}),
        ["proteome and version belong together"],
    ),
    "version beside a number": (
        lambda c: genome(c).update(annotation={"phytozome": {"genome_id": 447, "version": "Araport11"}}),
        ["beside genome_id the declared versions are called assembly and annotation"],
    ),
    "version of a phytozome source in the wrong place": (
        lambda c: genome(c).update(annotation={"phytozome": {"genome_id": 447}, "version": "Araport11"}),
        ["genomes[athaliana].annotation.version: is for path and url; say it as phytozome: {..., annotation: ...}"],
    ),
    "number that is none": (
        lambda c: genome(c).update(genome={"phytozome": {"genome_id": "447"}}),
        ["genomes[athaliana].genome.phytozome.genome_id: '447' given", "whole number"],
    ),
    "version without quotes": (
        lambda c: genome(c)["genome"].update(version=4.0),
        ["genomes[athaliana].genome.version: 4.0 given", "a text or a list (- item): put it in quotes."],
    ),
    "version that is blank": (
        lambda c: genome(c)["genome"].update(version=["v1", " "]),
        ["genomes[athaliana].genome.version[2]: ' ' does not match", "One way to write the version"],
    ),
    "version that is a date": (
        lambda c: genome(c)["genome"].update(version=date(2024, 1, 31)),
        ["genomes[athaliana].genome.version: 2024-01-31 given", "put it in quotes"],
    ),
    "contig without quotes": (
        lambda c: genome(c)["contigs"]["test"].append(5),
        ["genomes[athaliana].contigs.test[3]: 5 given, but this must be a text: put it in quotes."],
    ),
    "name that no quotes mend": (
        lambda c: genome(c).update(name=1),
        ["genomes[1].name: 1 given, but this must be a text. Short name"],
    ),
    "name that is too long": (
        lambda c: genome(c).update(name="a" * 101),
        ["a' is too long. Short name", "at most 100"],
    ),
    "address without a host": (
        lambda c: genome(c).update(genome={"url": "http:///a.fa"}),
        ["genomes[athaliana].genome.url: http:///a.fa: the address names no host; correct the URL"],
    ),
    "annotation that is true": (
        lambda c: genome(c).update(annotation=True),
        ["genomes[athaliana].annotation: True given. Give a source, or false for none."],
    ),
    "annotation left empty": (
        lambda c: genome(c).update(annotation=None),
        ["genomes[athaliana].annotation: None given", "a mapping (key: value) or true or false"],
    ),
    "no source at all": (
        lambda c: genome(c).pop("genome"),
        ["genomes[athaliana]: key 'genome' is missing; give `genome` with path, url or phytozome, or `source:"],
    ),
    "password in an address": (
        lambda c: genome(c).update(genome={"url": "ftp://me:hunter2@host/a.fa"}),
        ["genomes[athaliana].genome.url: it holds a user name or password", "give its `path`"],
    ),
    "sequence names without quotes": (
        lambda c: genome(c).update(seqid_map={1: "Chr1"}),
        ["genomes[athaliana].seqid_map: 1 given, but this must be a text: put it in quotes."],
    ),
    "sequence name that is a number": (
        lambda c: genome(c).update(seqid_map={"1": 1}),
        ["genomes[athaliana].seqid_map.1: 1 given, but this must be a text or empty: put it in quotes."],
    ),
    "limits of the check": (
        lambda c: c["check"].update(warn_above=0.6),
        ["check: warn_above must not be larger than stop_above"],
    ),
    "a token would travel unprotected": (
        lambda c: c.update(download={"phytozome": {"files": "http://example.org"}}),
        ["download.phytozome.files: 'http://example.org'", "https"],
    ),
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
    assert "hunter2" not in message
    assert "\n" not in message, "a single mistake is a single line"


def parts_of(schema, path=""):
    """All parts of a schema that describe a value, by the way to them."""
    if isinstance(schema, dict):
        if "type" in schema and not isinstance(schema["type"], dict):
            yield path, schema
        for key, part in schema.items():
            yield from parts_of(part, f"{path}/{key}")


def test_every_number_has_a_largest_value():
    """So that no number of a configuration asks for all memory or all time there is."""
    numbers = {path: part for path, part in parts_of(load_schema(SCHEMA)) if part["type"] in ("number", "integer")}
    assert len(numbers) > 50
    assert [path for path, part in numbers.items() if not part.keys() & {"maximum", "exclusiveMaximum", "enum"}] == []


def test_a_whole_number_with_a_point_is_one(example):
    example["finetune"]["window"] = 2048.0
    window = read_config(example, SCHEMA, look_around=False)["finetune"]["window"]
    assert (window, type(window)) == (2048, int)


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


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in itertools.pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("genomes: &g [*g]", "genomes[1]: an alias (*name) of what it is itself a part of"),
        ("genomes: [&g {name: x, contigs: {test: [*g]}}]", "genomes[x].contigs.test[x]: an alias"),
        (LAUGHS, "aliases (*name) unfold it to 1.36e+09 values"),
    ],
)
def test_aliases_without_end_are_told(tmp_path, text, said):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config(yaml.safe_load(text), SCHEMA, [file])
    assert str(caught.value).startswith(f"{file}: {said}")


def test_an_alias_is_as_good_as_what_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load(EXAMPLE.read_text())
    config["evaluate"] = {"isoseq": (limits := {"min_coverage": 0.8})}
    again = yaml.safe_load(yaml.safe_dump(config | {"evaluate": {"isoseq": limits}}))
    assert read_config(config, SCHEMA) == read_config(again, SCHEMA)


def test_missing_file_is_named(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example["genomes"] = [{"name": "x", "role": "predict", "genome": {"path": "missing.fa"}}]
    example["predict"]["model"] = "somewhere"
    message = message_of(example, look_around=True)
    assert "genomes[x].genome.path: missing.fa: no such file" in message
    assert "predict.model: somewhere: no such folder" in message


def test_a_name_that_no_file_system_holds_is_no_file(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    long, source = "x" * 300, {"path": "x" * 300}
    item = {"name": "x", "role": "train", "genome": source, "annotation": source, "isoseq": [source]}
    example["genomes"] = [{**item, "seqid_map": long, "contigs": {"test": ["c"]}}]
    example["predict"]["model"] = long
    example["finetune"] = {"from_model": long}
    message = message_of(example, look_around=True)
    for key in ("genome.path", "annotation.path", "isoseq[1].path", "seqid_map"):
        assert f"genomes[x].{key}: {long}: no such file" in message
    for key in ("predict.model", "finetune.from_model"):
        assert f"{key}: {long}: no such folder" in message
    example["genomes"] = [{"catalogue": long, "role": "predict"}]
    assert f"the catalogue has no entry '{long}'" in message_of(example)


def test_checking_a_size_needs_no_pytorch():
    code = "import sys, phytoscribe.configuration.read; print('torch' in sys.modules or 'transformers' in sys.modules)"
    scripts = str(ROOT / "workflow/scripts")
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_model_and_configuration_say_the_same(example):
    example["model"] = {"hidden_size": 100, "head_count": 3}
    with pytest.raises(ConfigError) as caught:
        config_from_settings(example["model"], vocab_size=100)
    assert message_of(example).endswith(str(caught.value))


def test_incomplete_model_folder_is_named(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "config.json").write_text("{}")
    example["predict"]["model"] = str(tmp_path)
    message = message_of(example, look_around=True)
    assert "no complete model folder" in message
    assert "model.safetensors" in message
    assert "config.json," not in message.replace("tokenizer_config.json", "")
    for name in (*RELEASED_MODEL_FILES, "adapter_config.json"):
        (tmp_path / name).write_text("{}")
    assert "holds adapter files, which are not read" in message_of(example, look_around=True)


def test_unknown_augustus_species_is_named(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "species/arabidopsis").mkdir(parents=True)
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(tmp_path))
    genome(example)["augustus"] = "arabidopsi"
    assert "AUGUSTUS has no species 'arabidopsi' (did you mean 'arabidopsis'?)" in message_of(example, look_around=True)


def place_program(folder, name: str) -> None:
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("programs", "with_conda", "said"),
    [
        ([], True, "AGAT is not on PATH, and neither is conda"),
        ([], False, "AGAT is not on PATH, and neither is conda"),
        (["conda"], False, "AGAT is not on PATH, and conda is there but not used (no `--sdm conda`)"),
        (["conda"], True, None),
        (["agat_convert_sp_gxf2gxf.pl"], False, None),
    ],
)
def test_agat_is_refused_where_it_cannot_run(example, tmp_path, monkeypatch, programs, with_conda, said):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", str(tmp_path))
    for program in programs:
        place_program(tmp_path, program)
    del example["clean"]
    if said is None:
        assert read_config(example, SCHEMA, with_conda=with_conda)["clean"]["backend"] == "agat"
        return
    with pytest.raises(ConfigError) as caught:
        read_config(example, SCHEMA, with_conda=with_conda)
    message = str(caught.value)
    assert said in message
    for remedy in ("run with `--sdm conda`", "install AGAT", "use clean.backend: builtin"):
        assert remedy in message


def test_without_annotation_nothing_is_cleaned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    read_config(genome_without(tmp_path), SCHEMA, with_conda=False)


def test_parameters_of_downloads_hold_no_secret_and_no_description():
    url = "https://example.org/a.fa?token=abc"
    assert deciding_part({"url": url, "md5": "m", "version": "v1"}) == {
        "url": "https://example.org/a.fa?token=***",
        "md5": "m",
    }
    query = {"genome_id": 447, "assembly": "TAIR10", "annotation": "Araport11", "genome_file": "a.fa.gz"}
    assert deciding_part({"phytozome": query}) == {"phytozome": {"genome_id": 447, "genome_file": "a.fa.gz"}}
    assert describing_part({"phytozome": query}) == {"phytozome": {"assembly": "TAIR10", "annotation": "Araport11"}}
    assert describing_part({"url": url, "md5": "m", "version": "v1"}) == {"version": "v1"}


def test_every_key_of_a_source_either_decides_or_describes():
    definitions = load_schema(SCHEMA)["$defs"]
    for name in ("genome_source", "annotation_source", "reads_source", "phytozome"):
        example = {key: f"https://x/{key}" for key in definitions[name]["properties"]}
        if name == "phytozome":
            example, wrapped = {"phytozome": example}, example
        else:
            example.pop("phytozome", None)
        decides, describes = deciding_part(example), describing_part(example)
        if name == "phytozome":
            decides, describes, example = decides["phytozome"], describes["phytozome"], wrapped
        assert decides | describes == example
        assert not set(decides) & set(describes)
