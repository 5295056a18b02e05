"""The ready entries of config/catalogue: each is taken in by one line, and is as its README says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from phytoscribe.configuration.read import CATALOGUE, catalogue_names, read_config
from phytoscribe.errors import ConfigError

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
FLAGSHIPS = [
    "athaliana",
    "bdistachyon",
    "creinhardtii",
    "gmax",
    "osativa",
    "ppatens",
    "ptrichocarpa",
    "sbicolor",
    "sitalica",
    "vvinifera",
    "zmays",
]


def read(*items: dict, catalogue: Path = CATALOGUE) -> list[dict]:
    config = {"genomes": list(items), "predict": {"model": "released"}, "clean": {"backend": "builtin"}}
    return read_config(config, SCHEMA, catalogue=catalogue, look_around=False)["genomes"]


def message_of(*items: dict, catalogue: Path = CATALOGUE) -> str:
    with pytest.raises(ConfigError) as caught:
        read(*items, catalogue=catalogue)
    return str(caught.value)


def test_the_flagship_species_are_there():
    assert catalogue_names(CATALOGUE) == FLAGSHIPS
    assert CATALOGUE == ROOT / "config/catalogue"


@pytest.mark.parametrize("name", FLAGSHIPS)
def test_entry_is_complete_with_one_line(name):
    (item,) = read({"catalogue": name, "role": "predict"})
    assert item["name"] == name
    assert item["lineage"] != "unknown"
    assert item["genome"]["phytozome"]["genome_id"] == item["annotation"]["phytozome"]["genome_id"]
    assert {"assembly", "annotation"} <= set(item["genome"]["phytozome"]), "a declared pair, not a guess"
    assert not {"catalogue", "source"} & set(item)


@pytest.mark.parametrize("name", FLAGSHIPS)
def test_entry_says_that_it_was_not_tried_and_agrees_with_the_table(name):
    text = (CATALOGUE / f"{name}.yaml").read_text()
    entry = yaml.safe_load(text)
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert re.search(r"\(taxon \d+\)", comments[0])
    assert "# Not tried against Phytozome: see README.md in this folder." in comments
    rows = (CATALOGUE / "README.md").read_text().splitlines()
    (row,) = [line.strip("| ").split(" | ") for line in rows if line.startswith(f"| `{name}`")]
    query = entry["source"]["phytozome"]
    assert row[2] == str(query["genome_id"])
    for column, key in ((3, "assembly"), (4, "annotation")):
        texts = [query[key]] if isinstance(query[key], str) else query[key]
        assert any(text in row[column] for text in texts), key
    assert row[5] == entry["lineage"]
    assert ("RESTRICTED" in text) is (row[6] == "restricted")
    assert row[-1] == "no"


def test_poplar_declares_assembly_4_0_with_annotation_4_1():
    (item,) = read({"catalogue": "ptrichocarpa", "role": "train"})
    query = item["annotation"]["phytozome"]
    assert (query["genome_id"], query["assembly"], query["annotation"]) == (533, "v4.0", "v4.1")


def test_keys_beside_the_entry_win():
    (item,) = read({"catalogue": "gmax", "name": "soy", "role": "test", "genome": {"path": "my.fa"}, "lineage": "X"})
    assert (item["name"], item["lineage"], item["genome"]) == ("soy", "X", {"path": "my.fa"})
    assert item["annotation"]["phytozome"]["genome_id"] == 880, "what is not given stays"
    (item,) = read({"catalogue": "gmax", "role": "test", "source": {"phytozome": {"genome_id": 7}}})
    assert item["genome"] == item["annotation"] == {"phytozome": {"genome_id": 7}}


def test_annotation_false_leaves_it_out():
    (item,) = read({"catalogue": "gmax", "role": "predict", "annotation": False})
    assert "annotation" not in item
    (item,) = read({"name": "x", "role": "predict", "source": {"phytozome": {"genome_id": 7}}, "annotation": False})
    assert "annotation" not in item
    assert "role 'train' needs an annotation" in message_of({"catalogue": "gmax", "role": "train", "annotation": False})


def test_the_short_form_source_is_genome_and_annotation():
    query = {"proteome": "Ptrichocarpa", "version": "v4.1"}
    (item,) = read({"name": "x", "role": "predict", "source": {"phytozome": query}})
    assert item["genome"] == item["annotation"] == {"phytozome": query}
    (item,) = read({"name": "x", "role": "predict", "source": {"phytozome": query}, "annotation": {"path": "a.gff3"}})
    assert item["genome"] == {"phytozome": query}
    assert item["annotation"] == {"path": "a.gff3"}


def test_a_genome_alone_brings_no_annotation():
    (item,) = read({"name": "x", "role": "predict", "genome": {"phytozome": {"genome_id": 447}}})
    assert "annotation" not in item


def test_unknown_entry_is_named_with_the_known_ones():
    message = message_of({"catalogue": "ptrichocarp", "role": "predict"})
    assert "genomes[ptrichocarp].catalogue: the catalogue has no entry 'ptrichocarp'" in message
    assert "(did you mean 'ptrichocarpa'?)" in message
    assert f"its entries are: {', '.join(FLAGSHIPS)}" in message


def test_role_is_still_asked_for():
    assert "genomes[gmax]: key 'role' is missing" in message_of({"catalogue": "gmax"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lineag: Fabales\n", "the entry: unknown key 'lineag' (did you mean 'lineage'?)"),
        ("lineage: F\nlineage: G\n", "line 2: key 'lineage' was given already in line 1"),
        ("- a\n", "the entry: ['a'] given, but this must be a mapping"),
        ("genome: {phytozome: {genome_id: none}}\n", "genome.phytozome.genome_id: 'none' given"),
        ("a: [\n", "not a YAML file"),
        ("lineage: {{lineage}}\n", "line 1: a key that is no text; put braces and brackets in quotes"),
        ("lineage: Caf\udce9\n", "not a YAML file"),
        ("role: train\n", "the key 'role' is for the configuration alone"),
    ],
)
def test_faulty_entry_names_its_file(tmp_path, text, said):
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8", errors="surrogateescape")
    message = message_of({"catalogue": "x", "role": "predict", "genome": {"path": "x.fa"}}, catalogue=tmp_path)
    assert f"{tmp_path}/x.yaml: " in message
    assert said in message


def test_an_empty_catalogue_says_so(tmp_path):
    message = message_of({"catalogue": "x", "role": "predict"}, catalogue=tmp_path)
    assert f"the folder {tmp_path} holds no entry" in message
