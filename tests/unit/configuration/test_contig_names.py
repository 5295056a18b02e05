"""Contig names of the configuration are those of the files."""

from __future__ import annotations

import gzip
import os

import pytest
from example_configuration import ROOT, SCHEMA, genome, genome_without, message_of

from phytoscribe.configuration import contig_names
from phytoscribe.configuration.contig_names import contig_mistakes
from phytoscribe.configuration.read import read_config
from phytoscribe.intake.records import SourceRecord, write_record


def test_contig_that_the_fasta_lacks_is_named(example, monkeypatch):
    monkeypatch.chdir(ROOT)
    genome(example)["contigs"]["test"] = ["Chr55"]
    message = message_of(example, look_around=True)
    assert "genomes[athaliana].contigs: " in message
    assert "has no 'Chr55' (did you mean 'Chr5'?); its contigs are Chr1, " in message
    read_config(example, SCHEMA, look_around=False)


def place_genome(folder, headers: str, index: str | None = None) -> dict:
    """A genome of role train in ``folder``, with the index of an earlier run if given."""
    (folder / "g.fa").write_text(headers)
    os.utime(folder / "g.fa", (1000, 1000))
    if index is not None:
        (folder / "resources/genomes/g").mkdir(parents=True)
        (folder / "resources/genomes/g/g.fa.fai").write_text(index)
    return {"name": "g", "genome": {"path": "g.fa"}, "contigs": {"validate": ["c1"], "test": ["c2"]}}


def test_contigs_of_an_index_are_taken_where_the_fasta_is_too_large(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    item = place_genome(tmp_path, ">c1 first\nACGT\n>c2\nACGT\n", "c1\t4\t3\t60\t61\n")
    assert list(contig_mistakes(item)) == [], "the FASTA has what an index of another genome lacks"
    monkeypatch.setattr(contig_names, "LARGEST_SCAN", 3)
    (mistake,) = contig_mistakes(item)
    assert mistake.startswith("genomes[g].contigs: resources/genomes/g/g.fa.fai has no 'c2'")
    os.utime(tmp_path / "g.fa")
    os.utime(tmp_path / "resources/genomes/g/g.fa.fai", (1000, 1000))
    assert list(contig_mistakes(item)) == [], "an index older than its FASTA says nothing"


def test_truncated_fasta_is_one_message(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    item = place_genome(tmp_path, "")
    (tmp_path / "g.fa").write_bytes(gzip.compress(b">c1\nACGTTT\n")[:-6])
    assert "truncated or corrupt gzip file" in next(contig_mistakes(item))


@pytest.mark.parametrize(
    ("source", "other", "said"),
    [
        ({"url": "https://h/a.fa?key=1"}, {"url": "https://h/b.fa"}, {"source": "https://h/a.fa?key=***"}),
        ({"phytozome": {"genome_id": 447}}, {"phytozome": {"genome_id": 1}}, {"source": "Phytozome", "genome_id": 447}),
    ],
)
def test_contig_names_of_a_download_are_looked_up_once_it_is_there(tmp_path, monkeypatch, source, other, said):
    monkeypatch.chdir(tmp_path)
    item = {"name": "g", "genome": source, "contigs": {"test": ["c22"]}}
    assert list(contig_mistakes(item)) == [], "nothing is there to look into"
    folder = tmp_path / "resources/genomes/g"
    folder.mkdir(parents=True)
    (folder / "g.fa.fai").write_text("c21\t4\t3\t60\t61\n")
    assert list(contig_mistakes(item)) == [], "an index of unknown origin says nothing"
    facts = {"genome": "g", "kind": "genome", "file": "g.fa", "file_name": "a.fa", "size": 1, "date": "2026-01-31"}
    write_record(folder / "genome.source.json", SourceRecord(**facts, sha256="", md5="", **said))
    (mistake,) = contig_mistakes(item)
    assert "g.fa.fai has no 'c22' (did you mean 'c21'?)" in mistake
    assert list(contig_mistakes(item | {"genome": other})) == [], "the index is of another genome"


def test_names_of_organelles_and_of_the_map_are_looked_up_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    item = place_genome(tmp_path, ">c1 first\nACGT\n>c2\nACGT\n")
    good = item | {"organelles": ["c2"], "seqid_map": {"1": "c1", "Mt": None}}
    assert list(contig_mistakes(good)) == []
    wrong = item | {"organelles": ["c9"], "seqid_map": {"1": "d1", "Mt": None}}
    one, two = contig_mistakes(wrong)
    assert one == "genomes[g].organelles: g.fa has no 'c9'; its contigs are c1, c2"
    assert two == "genomes[g].seqid_map: g.fa has no 'd1'; its contigs are c1, c2"


def test_table_of_sequence_names_must_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = genome_without(tmp_path)
    config["genomes"][0]["seqid_map"] = "names.tsv"
    assert "genomes[g].seqid_map: names.tsv: no such file" in message_of(config, look_around=True)
