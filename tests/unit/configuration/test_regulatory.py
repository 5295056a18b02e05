"""The section ``regulatory`` and ``genomes[].peaks``: what is made of them, and mistakes in them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.read import read_config
from phytoscribe.configuration.regulatory import RegulatoryFiles, check_regulatory_targets
from phytoscribe.errors import ConfigError

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
CONTIGS = {"contigs": {"validate": ["c2"], "test": ["c3"]}}


def checked(tmp_path, regulatory, look_around=False, peaks=None, mode="contig", attribution=None, **more):
    for name in ("g.fa", "g.gff3", "a.bed", "b.bed"):
        (tmp_path / name).write_text(">c1\nA\n>c2\nA\n>c3\nA\n" if name == "g.fa" else "")
    genome = {"name": "g", "role": "train", "genome": {"path": str(tmp_path / "g.fa")}, **more}
    if peaks is not None:
        genome["peaks"] = peaks
    config = {"genomes": [genome], "clean": {"backend": "builtin"}, "split": {"mode": mode}, "regulatory": regulatory}
    if attribution is not None:
        config["attribution"] = attribution
    found = read_config(config, SCHEMA, look_around=look_around)
    return found, RegulatoryFiles(Genomes(found), found)


def test_nothing_is_made_by_default(tmp_path):
    annotation = {"annotation": {"path": str(tmp_path / "g.gff3")}}
    config, files = checked(tmp_path, {}, peaks={"A": "a.bed"}, **CONTIGS, **annotation)
    assert config["regulatory"]["model"] == "none"
    assert files.targets() == []


def test_a_genome_with_peaks_needs_no_annotation(tmp_path):
    _, files = checked(tmp_path, {"model": "trained", "encoder": "frozen"}, peaks={"A": "a.bed"}, **CONTIGS)
    assert files.labelled == ["g"]
    assert files.heads == ["none", "frozen"]
    assert files.trunk(["g"], "none") == []
    assert files.trunk(["g"], files.encoder) == ["results/regulatory/g.trunk.npy", "results/regulatory/g.trunk.json"]
    assert files.head()[0] == "results/models/regulatory/frozen/regulatory.json"
    assert files.targets() == [
        "results/regulatory/g.bed",
        "results/regulatory/g",
        "results/evaluation/regulatory.tsv",
    ]
    here = SimpleNamespace(genome="g")
    assert files.browser_tracks(here) == ["results/tracks/g/regulatory"]
    _, files = checked(tmp_path, {"model": "trained", "tracks": 0}, peaks={"A": "a.bed"}, mode="cluster")
    assert files.browser_tracks(here) == []
    assert files.targets() == ["results/regulatory/g.bed", "results/evaluation/regulatory.tsv"]


def test_a_released_head_says_whether_it_takes_the_trunk(tmp_path):
    (tmp_path / "head").mkdir()
    for hashed, encoder in ((None, "none"), ("abc", "frozen")):
        (tmp_path / "head" / "regulatory.json").write_text(json.dumps({"structure_model": hashed}))
        _, files = checked(tmp_path, {"model": str(tmp_path / "head")}, peaks={"A": "a.bed"}, **CONTIGS)
        assert files.encoder == encoder
        assert files.targets() == ["results/regulatory/g.bed", "results/regulatory/g"]


def test_labels_of_a_genome_of_role_predict_never_enter_training(tmp_path):
    given = {"model": "trained"}
    with pytest.raises(ConfigError, match=r"no genome of role 'train' has `peaks`"):
        checked(tmp_path, given, peaks={"A": "a.bed"}, role="predict")
    config = {"genomes": [{"name": "g", "role": "predict", "genome": {"path": "x"}, "peaks": {"A": "a.bed"}}]}
    assert Genomes(config).with_peaks == []


@pytest.mark.parametrize(
    ("regulatory", "more", "message"),
    [
        ({"model": "trained"}, {"annotation": {"path": "x"}}, r"no genome of role 'train' has `peaks`"),
        ({"model": "trained"}, {"peaks": {"A": "a"}}, r"no genome with `peaks` has anything held out for validation"),
        ({"model": "trained", "steps": 150}, {"peaks": {"A": "a"}, **CONTIGS}, r"regulatory\.steps: 150 must be"),
        ({"bin": 210}, {}, r"regulatory\.bin: 210"),
        ({"context": 55}, {}, r"regulatory\.context: 55"),
        ({"encoder": "lora"}, {}, r"regulatory\.encoder: 'lora' is not allowed.*none, frozen"),
        ({"called_precision": 0}, {}, r"regulatory\.called_precision: 0"),
        ({"tracks": "all"}, {}, r"regulatory\.tracks"),
        ({"start": "jaspar"}, {}, r"regulatory\.start: 'jaspar' is not allowed.*enriched, random"),
        ({"windows": 1}, {}, r"unknown key 'windows'"),
        ({}, {"peaks": {}}, r"peaks"),
        ({}, {"peaks": {"a/b": "x.bed"}}, r"a/b"),
        ({}, {"peaks": {"A": 3}}, r"peaks\.A: 3 given, but this must be a text"),
        ({}, {"peaks": {"path": "x.bed", "A": "a.bed"}}, r"genomes\[g\]\.peaks: `path` names one file with all labels"),
    ],
)
def test_mistakes(tmp_path, regulatory, more, message):
    with pytest.raises(ConfigError, match=message):
        checked(tmp_path, regulatory, **{"annotation": {"path": "x"}, **more})


@pytest.mark.parametrize(
    ("attribution", "message"),
    [
        ({"labels": -1}, r"attribution\.labels"),
        ({"labels": "all"}, r"attribution\.labels"),
        ({"steps": 0}, r"attribution\.steps: 0"),
        ({"sequences": 10}, r"attribution\.sequences: 10"),
        ({"mutagenesis": 0}, r"attribution\.mutagenesis: 0"),
        ({"motifs": ""}, r"attribution\.motifs"),
        ({"promoters": "all"}, r"attribution\.promoters: 'all' given, but this must be true or false"),
        ({"promoters": True}, r"attribution\.promoters: no genome of role train has `expression`; add"),
        ({"label": 3}, r"unknown key 'label'"),
        ({"labels": 3}, r"attribution\.labels: regulatory\.model is none, so there is no head to ask"),
    ],
)
def test_mistakes_of_an_attribution(tmp_path, attribution, message):
    with pytest.raises(ConfigError, match=message):
        checked(tmp_path, {}, peaks={"A": "a.bed"}, attribution=attribution, **CONTIGS)


def test_an_attribution_needs_sites_and_known_motifs(tmp_path):
    head, labels = tmp_path / "head", {"labels": ["A"]}
    head.mkdir()
    for file in ("regulatory.json", "regulatory.safetensors"):
        (head / file).write_text("{}")
    given = {"model": str(head)}
    with pytest.raises(ConfigError, match=r"no genome of role train, validate or test has any; add peaks"):
        checked(tmp_path, given, peaks={"A": "a.bed"}, role="predict", attribution=labels)
    _, files = checked(tmp_path, given, peaks={"A": "a.bed"}, attribution=labels, **CONTIGS)
    assert files.targets()[-6:] == [
        "results/evaluation/attribution.tsv",
        *(f"results/motifs/regulatory{ending}" for ending in (".meme", ".tsv", "")),
        f"results/motifs/{files.labelled[0]}.hits.bed",
        "results/motifs/filters.tsv",
    ]
    more = {"attribution": {**labels, "motifs": "no.meme"}, **CONTIGS}
    with pytest.raises(ConfigError, match=r"attribution\.motifs: no\.meme: no such file"):
        checked(tmp_path, given, look_around=True, peaks={"A": str(tmp_path / "a.bed")}, **more)


@pytest.mark.parametrize(
    "target", ["results/evaluation/attribution.tsv", "./results/motifs/regulatory.tsv", "results/motifs/a.hits.bed"]
)
def test_an_attribution_is_asked_for_by_its_labels(target):
    with pytest.raises(ConfigError, match=r"attribution\.labels is 0"):
        check_regulatory_targets([target], {"regulatory": {"model": "trained"}, "attribution": {"labels": 0}})
    check_regulatory_targets([target], {"regulatory": {"model": "trained"}, "attribution": {"labels": 2}})


def test_promoters_as_points_are_asked_for_by_their_key():
    target = "./results/evaluation/promoter_embedding.scores.tsv"
    for promoters in (False, True):
        section = {"regulatory": {"model": "none"}, "attribution": {"labels": 0, "promoters": promoters}}
        if promoters:
            check_regulatory_targets([target], section)
        else:
            with pytest.raises(ConfigError, match=r"attribution\.promoters is false; set it to true"):
                check_regulatory_targets([target], section)


def test_missing_files_are_named(tmp_path):
    peaks = {"A": str(tmp_path / "a.bed"), "B": str(tmp_path / "no.bed")}
    with pytest.raises(ConfigError, match=r"genomes\[g\]\.peaks\.B: .*no\.bed: no such file"):
        checked(tmp_path, {}, look_around=True, peaks=peaks, annotation={"path": str(tmp_path / "g.gff3")})
    with pytest.raises(ConfigError, match=r"regulatory\.model: nowhere: no such folder"):
        checked(tmp_path, {"model": "nowhere"}, look_around=True, role="predict")
    (tmp_path / "head").mkdir()
    message = r"no folder of a regulatory head, regulatory\.json, regulatory\.safetensors is missing"
    with pytest.raises(ConfigError, match=message):
        checked(tmp_path, {"model": str(tmp_path / "head")}, look_around=True, role="predict")


def asked(model: str) -> dict:
    return {"regulatory": {"model": model}, "attribution": {"labels": 0}}


@pytest.mark.parametrize(
    "target", ["results/regulatory/g.bed", "./results/regulatory/g", "results/evaluation/regulatory.tsv"]
)
def test_files_that_no_head_makes(target):
    with pytest.raises(ConfigError, match=r"regulatory\.model is none"):
        check_regulatory_targets(["-n", target], asked("none"))
    check_regulatory_targets([target, "results/predictions/g.gff3"], asked("trained"))


def test_scores_need_a_head_that_is_trained_here():
    check_regulatory_targets(["results/regulatory/g.bed"], asked("some/folder"))
    with pytest.raises(ConfigError, match="only for a head that is trained here"):
        check_regulatory_targets(["results/evaluation/regulatory.tsv"], asked("some/folder"))
