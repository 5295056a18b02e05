"""Evidence in the configuration: what is refused, and what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoscribe.configuration.evidence import evidence_file_mistakes, evidence_mistakes, weights_file
from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.read import read_config
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.errors import ConfigError

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def config_with(evidence: dict, model: str = "trained", **genome) -> dict:
    item = {"name": "a", "role": "predict", "genome": {"path": "a.fa"}, "evidence": evidence, **genome}
    return fill_defaults({"genomes": [item], "predict": {"model": model}}, load_schema(SCHEMA))


@pytest.mark.parametrize(
    ("evidence", "genome", "told"),
    [
        ({}, {}, "genomes[a].evidence: names no evidence; list files under rnaseq or proteins"),
        ({"isoseq": True}, {}, "genomes[a].evidence.isoseq: the genome has no Iso-Seq reads"),
        ({"rnaseq": ["x"]}, {}, "no genome with a part for validation has evidence by reads"),
        ({"proteins": ["x"]}, {}, "no genome with a part for validation has evidence by proteins"),
    ],
)
def test_contradictions_are_told(evidence, genome, told):
    assert any(told in mistake for mistake in evidence_mistakes(config_with(evidence, **genome)))


def test_evidence_that_can_be_weighed_is_no_mistake():
    assert not list(evidence_mistakes(config_with({"rnaseq": ["x"]}, role="train")))
    assert not list(evidence_mistakes(config_with({"rnaseq": ["x"]}, "resources/models/brassicales")))
    assert not list(evidence_mistakes(config_with({"proteins": ["x"]}, "resources/models/brassicales")))
    assert not list(evidence_mistakes({"genomes": [{"name": "a"}], "predict": {"model": "trained"}}))


def test_missing_files_and_a_model_without_weights_are_told(tmp_path):
    (tmp_path / "SJ.out.tab").write_text("")
    files = [str(tmp_path / name) for name in ("SJ.out.tab", "reads.bam", "")]
    evidence = {"rnaseq": files, "proteins": files[1:2]}
    told = list(evidence_file_mistakes(config_with(evidence, str(tmp_path))))
    assert [text.partition(": ")[0] for text in told] == [
        "genomes[a].evidence.rnaseq[2]",
        "genomes[a].evidence.rnaseq[3]",
        "genomes[a].evidence.proteins[1]",
        "genomes[a].evidence",
        "genomes[a].evidence",
    ]
    assert "reads.bam: no such file" in told[0]
    assert "is a folder" in told[1]
    assert f"{tmp_path} lacks evidence.json" in told[3]
    assert f"{tmp_path} lacks protein_evidence.json" in told[4]


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ({"rnaseq": "SJ.out.tab"}, "rnaseq"),
        ({"isoseq": ["reads.fq"]}, "isoseq"),
        ({"strict": "no"}, "strict"),
        ({"judge": 0.8}, "judge"),
        ({"proteins": "p.faa"}, "proteins"),
        ({"protein": ["p.faa"]}, "protein"),
    ],
)
def test_bad_values_are_refused_by_name(evidence, told):
    config = {"genomes": [{"name": "a", "role": "predict", "genome": {"path": "a.fa"}, "evidence": evidence}]}
    with pytest.raises(ConfigError, match=told):
        read_config(config, SCHEMA, look_around=False)


def test_reads_that_help_to_predict_do_not_judge():
    reads = {"isoseq": [{"path": "reads.fq"}]}
    helping = Genomes(config_with({"isoseq": True}, **reads))
    assert (helping.with_isoseq, helping.judged_by_isoseq, helping.with_evidence) == (["a"], [], ["a"])
    judging = Genomes(config_with({"rnaseq": ["SJ"]}, **reads))
    assert (judging.with_isoseq, judging.judged_by_isoseq) == (["a"], ["a"])


def test_weights_are_those_of_the_model():
    assert weights_file("resources/models/brassicales/") == "resources/models/brassicales/evidence.json"
    assert weights_file("trained") == "results/models/evidence/evidence.json"
