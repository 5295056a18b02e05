"""The keys ``genomes[].expression``: forms, contradictions, missing files."""

from __future__ import annotations

import re

import pytest
from example_configuration import message_of

from phytoscribe.configuration.expression import (
    ExpressionTargets,
    check_expression_targets,
    expression_files,
    head_files,
)
from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.regulatory import encoder_of
from phytoscribe.errors import ConfigError
from phytoscribe.models import EXPRESSION_FILES

TABLE = {"path": "tpm.tsv", "tissues": {"leaf": ["a", "b"]}}
SALMON = {"salmon": {"leaf": ["a/quant.sf", "b/quant.sf"], "root": ["a/quant.sf"]}}


def with_expression(config, expression, **more):
    return config | {"genomes": [config["genomes"][0] | {"expression": expression} | more]}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (TABLE | SALMON, r"genomes\[athaliana\]\.expression: .*Give either `path` or `salmon`"),
        ({"unit": "tpm"}, r"genomes\[athaliana\]\.expression: .*"),
        (TABLE | {"unit": "rpkm"}, "expression.unit: 'rpkm' is not allowed.*allowed: tpm, fpkm, counts"),
        (TABLE | {"tissue": {}}, "expression: unknown key 'tissue' \\(did you mean 'tissues'\\?\\)"),
        (TABLE | {"tissues": {"a leaf": ["a"]}}, "expression.tissues: "),
        (TABLE | {"tissues": {"leaf": []}}, "expression.tissues.leaf: "),
        (SALMON | {"tissues": {"leaf": ["a"]}}, "expression.tissues: belongs to a table"),
        ({"salmon": {"leaf": "a/quant.sf"}}, "expression.salmon.leaf: 'a/quant.sf' given, but this must be a list"),
    ],
)
def test_mistakes(example, expression, message):
    assert re.search(message, message_of(with_expression(example, expression)))


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"input": "genes"},
            r"expression\.input: 'genes' is not allowed \(did you mean 'gene'\?\)",
        ),
        ({"upstream": 1010}, r"expression\.upstream: .*1010.*multiple of 50"),
        ({"encoder": "full"}, r"expression\.encoder: 'full' is not allowed.*allowed: none, frozen"),
        ({"loss": "huber"}, r"expression\.loss: 'huber' is not allowed.*allowed: hurdle, mse"),
        ({"threshold": 0}, r"expression\.threshold: 0 given, but this must be more than 0"),
        ({"sedes": 3}, r"expression: unknown key 'sedes' \(did you mean 'seeds'\?\)"),
        (
            {"model": "trained", "steps": 150},
            r"expression\.steps: 150 must be a multiple of",
        ),
    ],
)
def test_mistakes_of_heads(example, section, message):
    assert re.search(message, message_of(with_expression(example, TABLE) | {"expression": section}))


def test_heads_need_genes_to_learn_from_and_to_be_chosen_by(example):
    trained = {"expression": {"model": "trained"}}
    assert "no genome of role 'train' has `expression`" in message_of(example | trained)
    unchosen = with_expression(example, TABLE, contigs={"test": ["Chr5"]}) | trained
    unchosen |= {"predict": {"model": "resources/models/brassicales"}}
    assert "no genome with `expression` has anything held out for validation" in message_of(unchosen)


def test_motifs_are_those_of_a_regulatory_head(example, tmp_path):
    own = with_expression(example, TABLE) | {"expression": {"model": "trained", "motifs": "trained"}}
    assert "expression.motifs is 'trained', but no regulatory head is trained here" in message_of(own)
    for folder, message in ((tmp_path / "x", "no such folder"), (tmp_path, "this is no folder of a regulatory head")):
        given = {"expression": {"model": "trained", "motifs": str(folder)}}
        assert f"expression.motifs: {folder}: {message}" in message_of(
            with_expression(example, TABLE) | given, look_around=True
        )


def test_folders_of_heads(example, tmp_path):
    there = {"expression": {"model": str(tmp_path / "none")}}
    assert f"expression.model: {tmp_path}/none: no such folder" in message_of(example | there, look_around=True)
    there = {"expression": {"model": str(tmp_path)}}
    assert "this is no folder of heads, expression.json, expression.safetensors is missing" in message_of(
        example | there, look_around=True
    )
    assert head_files("trained") == [f"results/models/expression/expression.{x}" for x in ("json", "safetensors")]


def test_heads_of_a_folder_say_themselves_whether_they_take_the_structure_model(tmp_path):
    for told, encoder in (("null", "none"), ('"7bc5dd52"', "frozen")):
        (tmp_path / "expression.json").write_text(f'{{"structure_model": {told}}}')
        for configured in ("none", "frozen"):
            section = {"model": str(tmp_path), "encoder": configured}
            assert encoder_of(section, EXPRESSION_FILES[0]) == encoder
            assert encoder_of(section | {"model": "trained"}, EXPRESSION_FILES[0]) == configured


@pytest.mark.parametrize(
    ("model", "split", "made"),
    [
        ("none", {"mode": "cluster", "fractions": {"test": 0.1}}, []),
        ("some/folder", {"mode": "cluster", "fractions": {"test": 0.1}}, ["expression/a.tsv", "expression/b.tsv"]),
        ("trained", {"mode": "contig"}, ["expression/a.tsv", "expression/b.tsv"]),
        ("trained", {"mode": "cluster", "fractions": {"test": 0}}, ["expression/a.tsv", "expression/b.tsv"]),
        (
            "trained",
            {"mode": "cluster", "fractions": {"test": 0.1}},
            ["expression/a.tsv", "expression/b.tsv", "evaluation/expression.tsv"],
        ),
    ],
)
def test_what_is_made_without_being_named(model, split, made):
    learnt = {"name": "a", "role": "train", "genome": {"path": "a.fa"}, "expression": TABLE}
    new = {"name": "b", "role": "predict", "genome": {"path": "b.fa"}}
    config = {"genomes": [learnt, new], "split": split, "expression": {"model": model}}
    assert ExpressionTargets(Genomes(config), config).targets() == [f"results/{file}" for file in made]


def test_targets_that_no_head_makes():
    for target in ("results/expression/x.tsv", "./results/evaluation/expression.tsv"):
        with pytest.raises(ConfigError, match=r"expression\.model is none; set it to trained"):
            check_expression_targets([target], "none")
    with pytest.raises(ConfigError, match="only for heads that are trained here"):
        check_expression_targets(["results/evaluation/expression.tsv"], "some/folder")
    check_expression_targets(["results/expression/x.measured.tsv", "all"], "none")
    check_expression_targets(["results/expression/x.tsv"], "some/folder")


def test_levels_need_an_annotation_and_their_files(example):
    lonely = with_expression(example, TABLE)
    del lonely["genomes"][0]["annotation"]
    lonely["genomes"][0] |= {"role": "predict", "contigs": {}, "augustus": None}
    del lonely["genomes"][0]["augustus"]
    assert "expression: its genes are those of an annotation, and there is none" in message_of(lonely)
    message = message_of(with_expression(example, SALMON), look_around=True)
    assert "genomes[athaliana].expression: a/quant.sf: no such file" in message
    assert expression_files(SALMON) == ["a/quant.sf", "b/quant.sf"]
    assert expression_files(TABLE | {"unit": "tpm"}) == ["tpm.tsv"]
    assert expression_files(None) == []
