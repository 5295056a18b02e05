"""The keys ``genomes[].expression``: forms, contradictions, missing files."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from example_configuration import message_of

from phytoscribe.configuration.expression import (
    EXPLAINED,
    ExpressionTargets,
    check_expression_targets,
    expression_files,
    head_files,
    quantified_samples,
    training_settings,
)
from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.regulatory import encoder_of
from phytoscribe.errors import ConfigError
from phytoscribe.intake.sources import reads_of_samples
from phytoscribe.models import EXPRESSION_FILES

TABLE = {"path": "tpm.tsv", "tissues": {"leaf": ["a", "b"]}}
READS = {"reads": {"leaf": [{"first": "l_1.fq.gz", "second": "l_2.fq.gz"}, {"first": "l.fq.gz"}]}}
SALMON = {"salmon": {"leaf": ["a/quant.sf", "b/quant.sf"], "root": ["a/quant.sf"]}}


def with_expression(config, expression, **more):
    return config | {"genomes": [config["genomes"][0] | {"expression": expression} | more]}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (TABLE | SALMON, r"genomes\[athaliana\]\.expression: .*Give one of `path`, `salmon` and `reads`"),
        ({"unit": "tpm"}, r"genomes\[athaliana\]\.expression: .*"),
        (TABLE | {"unit": "rpkm"}, "expression.unit: 'rpkm' is not allowed.*allowed: tpm, fpkm, counts"),
        (TABLE | {"tissue": {}}, "expression: unknown key 'tissue' \\(did you mean 'tissues'\\?\\)"),
        (TABLE | {"tissues": {"a leaf": ["a"]}}, "expression.tissues: "),
        (TABLE | {"tissues": {"leaf": []}}, "expression.tissues.leaf: "),
        (SALMON | {"tissues": {"leaf": ["a"]}}, "expression.tissues: belongs to a table"),
        (SALMON | READS, r"genomes\[athaliana\]\.expression: .*Give one of"),
        (
            READS | {"tissues": {"leaf": ["a"]}},
            "tissues: belongs to a table .* under `reads` are the tissues",
        ),
        ({"reads": {"leaf": ["l.fq.gz"]}}, r"expression.reads.leaf\[1\]: 'l.fq.gz' given, but this must be a mapping"),
        ({"reads": {"leaf": []}}, "expression.reads.leaf: "),
        ({"reads": {"a leaf": [{"first": "l.fq.gz"}]}}, "expression.reads: "),
        ({"reads": {"leaf": [{"second": "l.fq.gz"}]}}, r"expression.reads.leaf\[1\]: key 'first' is missing"),
        ({"reads": {"leaf": [{"fist": "l.fq.gz", "first": "a"}]}}, r"unknown key 'fist' \(did you mean 'first'\?\)"),
        ({"reads": {"leaf": [{"first": {}}]}}, r"leaf\[1\]\.first: none of path, url is given"),
        (
            {"reads": {"leaf": [{"first": "l.fq.gz", "second": "l.fq.gz"}]}},
            r"expression.reads.leaf\[1\].second: l.fq.gz is reads.leaf\[1\].first already",
        ),
        (
            {"reads": {"leaf": [{"first": "https://a.org/l.fq?token=x1"}, {"first": "https://a.org/l.fq?token=x1"}]}},
            r"leaf\[2\].first: https://a.org/l.fq\?token=\*\*\* is reads.leaf\[1\].first already",
        ),
        ({"reads": {"leaf": [{"first": "https://me:pw@a.org/l.fq"}]}}, r"first.url: it holds a user name or password"),
        ({"reads": {"leaf": [{"first": "s3://a/l.fq"}]}}, r"first.url: .*only http, https, ftp and file addresses"),
        (READS | {"decoys": "no"}, "expression.decoys: 'no' given, but this must be true or false"),
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


@pytest.mark.parametrize(
    ("attribution", "message"),
    [
        ({"genes": 5}, "attribution.genes: expression.model is none, so there is no head to ask"),
        ({"genes": -1}, "attribution.genes: -1 given"),
        ({"genes": "all"}, "attribution.genes: 'all' given"),
        ({"gene": 5}, "attribution: unknown key 'gene' (did you mean 'genes'?)"),
    ],
)
def test_mistakes_of_what_is_explained(example, attribution, message):
    assert message in message_of(example | {"attribution": attribution})


def test_what_is_explained_trains_nothing_anew(example):
    assert "expression.track: '' should be non-empty" in message_of(example | {"expression": {"track": ""}})
    assert "track" not in training_settings({"model": "trained", "track": "leaf", "steps": 5})


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
    config = {"genomes": [learnt, new], "split": split, **heads(model)}
    files = ExpressionTargets(Genomes(config), config)
    assert files.targets() == [f"results/{file}" for file in made]
    assert files.browser_track(SimpleNamespace(genome="b")) == []
    if model != "none":
        files = ExpressionTargets(Genomes(config), config | heads(model, genes=5))
        more = {*files.targets()} - {f"results/{file}" for file in made}
        assert more == {*EXPLAINED, *(f"results/expression/{name}.importance.bw" for name in "ab")}
        assert files.browser_track(SimpleNamespace(genome="b")) == ["results/tracks/b/importance.bw"]
        assert files.explained_genomes() == (["a"] if model == "trained" else ["a", "b"])


def heads(model, genes=0):
    return {"expression": {"model": model}, "attribution": {"genes": genes}}


def test_targets_that_no_head_makes():
    for target in ("results/expression/x.tsv", "./results/evaluation/expression.tsv"):
        with pytest.raises(ConfigError, match=r"expression\.model is none; set it to trained"):
            check_expression_targets([target], heads("none"))
    with pytest.raises(ConfigError, match="only for heads that are trained here"):
        check_expression_targets(["results/evaluation/expression.tsv"], heads("some/folder"))
    check_expression_targets(["results/expression/x.measured.tsv", "all"], heads("none"))
    check_expression_targets(["results/expression/x.tsv"], heads("some/folder"))
    explained = ("expression/x.importance.bw", "tracks/x/importance.bw", "evaluation/expression_profile.tsv")
    for file in explained:
        with pytest.raises(ConfigError, match=r"attribution\.genes is 0; set it to the number of genes to explain"):
            check_expression_targets([f"results/{file}"], heads("trained"))
        check_expression_targets([f"results/{file}"], heads("trained", genes=5))


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
    message = message_of(with_expression(example, READS), look_around=True)
    assert "genomes[athaliana].expression.reads.leaf[1].second.path: l_2.fq.gz: no such file" in message


def test_samples_of_reads_and_what_salmon_makes_of_them():
    url = {"url": "https://a.org/r.fq.gz", "md5": "0" * 32}
    source = {"reads": {"leaf": READS["reads"]["leaf"], "root": [{"first": url}, {"first": "ftp://a.org/r.fq"}]}}
    assert reads_of_samples(source) == {
        ("leaf", 1, "first"): {"path": "l_1.fq.gz"},
        ("leaf", 1, "second"): {"path": "l_2.fq.gz"},
        ("leaf", 2, "first"): {"path": "l.fq.gz"},
        ("root", 1, "first"): url,
        ("root", 2, "first"): {"url": "ftp://a.org/r.fq"},
    }
    assert reads_of_samples(None) == reads_of_samples(SALMON) == {}
    assert expression_files(source) == []
    assert quantified_samples("x", source)["leaf"] == [
        f"results/expression/salmon/x/leaf/{number}/quant.sf" for number in (1, 2)
    ]
