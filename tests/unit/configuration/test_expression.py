"""The keys ``genomes[].expression``: forms, contradictions, missing files."""

from __future__ import annotations

import re

import pytest
from example_configuration import message_of

from phytoscribe.configuration.expression import expression_files

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
