"""Records of what arrived: written and read back, declared pairs compared, and all of them in the manifest."""

from __future__ import annotations

import csv
import re

import pytest

from phytoscribe.errors import ConfigError, PhytoScribeError
from phytoscribe.intake.records import (
    COLUMNS,
    SourceRecord,
    Statement,
    check_pair,
    read_records,
    shown,
    terms_line,
    write_manifest,
    write_record,
)


def record(kind="genome", source="a.fa", declared=None, **changes) -> SourceRecord:
    values = {
        "genome": "x",
        "kind": kind,
        "file": f"resources/genomes/x/{kind}",
        "source": source,
        "file_name": source,
        "size": 7,
        "sha256": "5" * 64,
        "md5": "5" * 32,
        "date": "2026-01-31",
        "declared": Statement.of_source(kind, declared or {}),
    }
    return SourceRecord(**(values | changes))


def of_phytozome(kind, genome_id, assembly, annotation=()) -> SourceRecord:
    said = Statement(tuple(assembly), tuple(annotation), "unrestricted")
    return record(kind, f"Phytozome {genome_id} (X)", genome_id=genome_id, provider=said)


@pytest.mark.parametrize("content", [record(), [record("isoseq"), record("isoseq", "b.fq")]])
def test_records_come_back_as_written(tmp_path, content):
    write_record(tmp_path / "x.json", content)
    assert read_records(tmp_path / "x.json") == (content if isinstance(content, list) else [content])


def test_versions_and_terms_come_back_as_written(tmp_path):
    one = of_phytozome("annotation", 447, ["TAIR9", "TAIR10"], ["Araport11"])
    write_record(tmp_path / "x.json", one)
    assert read_records(tmp_path / "x.json") == [one]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"genome": "x"}', "<html>"])
def test_a_file_that_is_no_record(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(PhytoScribeError, match=r"x\.json: not a record of a download .* run the workflow again"):
        read_records(tmp_path / "x.json")


def test_missing_record(tmp_path):
    with pytest.raises(PhytoScribeError, match=r"x\.json: not a record"):
        read_records(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("genome", {"path": "a", "version": "v1"}, Statement(("v1",))),
        ("genome", {"path": "a", "version": ["v1", "1"]}, Statement(("v1", "1"))),
        ("annotation", {"url": "a", "version": "v2", "assembly": "v1"}, Statement(("v1",), ("v2",))),
        (
            "annotation",
            {"phytozome": {"genome_id": 1, "assembly": "v1", "annotation": "v2"}},
            Statement(("v1",), ("v2",)),
        ),
        ("isoseq", {"path": "a"}, Statement()),
    ],
)
def test_what_a_source_declares(kind, source, expected):
    assert Statement.of_source(kind, source) == expected


# Versions of the genome and of the assembly that the annotation names, and whether that is a pair.
PAIRS = [
    ("v4.0", "v4.0", True),
    ("V4.0", "v4.0", True),
    (["TAIR9", "TAIR10"], "TAIR10", True),
    ("TAIR9", ["TAIR10", "TAIR9"], True),
    (None, "v4.0", False),
    ("v4.0", None, False),
    (None, None, False),
]


@pytest.mark.parametrize(("version", "assembly", "declared"), PAIRS)
def test_pairs_that_are_declared_or_not(version, assembly, declared, caplog):
    genome = record(declared={"version": version} if version else {})
    annotation = record("annotation", "a.gff3", {"assembly": assembly} if assembly else {})
    caplog.set_level("INFO")
    assert check_pair(genome, annotation) is declared
    assert ("not declared" in caplog.text) is not declared
    for key, value in (("genome.version", version), ("annotation.assembly", assembly)):
        assert (f"no {key}" in caplog.text) is (value is None)


@pytest.mark.parametrize(("version", "assembly"), [("v4.0", "v4.1"), ("v4", "v4.0"), (["a", "b"], ["c", "d"])])
def test_pairs_that_do_not_belong_together(version, assembly):
    genome, annotation = record(declared={"version": version}), record("annotation", "b.gff3", {"assembly": assembly})
    with pytest.raises(ConfigError) as caught:
        check_pair(genome, annotation)
    message = str(caught.value)
    assert f"genome 'x': the assembly (a.fa) is {shown([version] if isinstance(version, str) else version)}" in message
    assert "the annotation (b.gff3) was made on" in message
    assert "correct `genome.version` and `annotation.assembly`" in message


def test_two_files_of_phytozome_are_of_one_proteome():
    genome = of_phytozome("genome", 533, ["v4.0"])
    assert check_pair(genome, of_phytozome("annotation", 533, ["v4.0"], ["v4.1"]))
    with pytest.raises(ConfigError, match=r"the assembly is of Phytozome 533 \(X\), the annotation of Phytozome 444"):
        check_pair(genome, of_phytozome("annotation", 444, ["v4.0"], ["v3.1"]))


def test_a_genome_of_phytozome_with_an_annotation_from_elsewhere():
    genome = of_phytozome("genome", 447, ["TAIR9", "TAIR10"])
    assert check_pair(genome, record("annotation", "my.gff3", {"assembly": "TAIR10"}))
    assert not check_pair(genome, record("annotation", "my.gff3"))
    with pytest.raises(ConfigError, match=r"is TAIR9 \(= TAIR10\), but the annotation \(my.gff3\) was made on TAIR8"):
        check_pair(genome, record("annotation", "my.gff3", {"assembly": "TAIR8"}))


def test_terms_of_provider_and_user_stand_side_by_side():
    one = of_phytozome("genome", 447, ["TAIR9"])
    assert one.declared_anew({}, "used with leave").terms == "unrestricted; used with leave"
    assert terms_line(one) == "x: Phytozome 447 (X): data usage: unrestricted"
    assert "\n" not in terms_line(one.declared_anew({}, "two\nlines"))


def descriptions(**changes) -> dict:
    return {"x": {"genome": {}, "annotation": {}, "isoseq": [{}, {}], "terms": ""} | changes}


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_manifest(tmp_path):
    records = [
        of_phytozome("genome", 447, ["TAIR9", "TAIR10"], ["Araport11"]),
        of_phytozome("annotation", 447, ["TAIR9", "TAIR10"], ["Araport11"]),
        record("isoseq", "a.fq"),
        record("isoseq", "b.fq"),
    ]
    write_manifest(records, descriptions(terms="with\tleave"), tmp_path / "manifest.tsv")
    rows = rows_of(tmp_path / "manifest.tsv")
    assert tuple(rows[0]) == COLUMNS
    assert [row["source"] for row in rows] == ["Phytozome 447 (X)", "Phytozome 447 (X)", "a.fq", "b.fq"]
    assert [row["assembly_version"] for row in rows] == ["TAIR9 (= TAIR10)", "TAIR9 (= TAIR10)", "-", "-"]
    assert [row["annotation_version"] for row in rows] == ["-", "Araport11", "-", "-"]
    assert {row["terms"] for row in rows[:2]} == {"unrestricted; with leave"}
    assert {(row["size"], row["date"], row["sha256"]) for row in rows} == {("7", "2026-01-31", "5" * 64)}


def test_manifest_says_what_was_not_declared(tmp_path):
    write_manifest([record(), record("annotation", "a.gff3")], descriptions(), tmp_path / "manifest.tsv")
    genome, annotation = rows_of(tmp_path / "manifest.tsv")
    assert genome["assembly_version"] == annotation["assembly_version"] == "not declared"
    assert annotation["annotation_version"] == "not declared"
    assert genome["terms"] == "not declared"


def test_manifest_takes_versions_as_they_are_declared_now(tmp_path):
    records = [record(declared={"version": "old"}), record("annotation", "a.gff3", {"assembly": "old"})]
    now = descriptions(genome={"version": "v1"}, annotation={"assembly": ["v1", "V1"], "version": "v2"})
    write_manifest(records, now, tmp_path / "manifest.tsv")
    genome, annotation = rows_of(tmp_path / "manifest.tsv")
    assert (genome["assembly_version"], annotation["assembly_version"]) == ("v1", "v1 (= V1)")
    assert annotation["annotation_version"] == "v2"


def test_manifest_checks_the_pair_as_it_is_declared_now(tmp_path):
    records = [record(declared={"version": "v1"}), record("annotation", "a.gff3", {"assembly": "v1"})]
    now = descriptions(genome={"version": "v1"}, annotation={"assembly": "v2"})
    with pytest.raises(ConfigError, match=re.escape("(a.fa) is v1, but the annotation (a.gff3) was made on v2")):
        write_manifest(records, now, tmp_path / "manifest.tsv")
    assert not list(tmp_path.iterdir())
