"""A kept AUGUSTUS run is read, not repeated; anything that could change it makes another."""

import json
import shutil

import augustus_cache
import pytest
from augustus_cache import AugustusCache

from phytoscribe.evaluation.accuracy.augustus import predict_genes, version
from phytoscribe.genome.fasta import Genome

pytestmark = pytest.mark.skipif(shutil.which("augustus") is None, reason="AUGUSTUS is not installed")


@pytest.fixture
def bases(arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as genome:
        return genome.bases("Chr4", 0, 20_000)


def test_a_second_run_is_read(tmp_path, bases, monkeypatch):
    cache = AugustusCache(tmp_path / "cache")
    output, run = cache.run("Chr4", bases, "arabidopsis")
    assert "Chr4\tAUGUSTUS\tgene" in output.read_text()
    assert (run.bases, run.species, run.version) == (20_000, "arabidopsis", version())
    assert 0 < run.cpu_seconds < 60
    monkeypatch.setattr(augustus_cache, "run_augustus", None)  # calling it would fail
    assert AugustusCache(tmp_path / "cache").run("Chr4", bases, "arabidopsis") == (output, run)


def test_what_changes_the_result_has_a_name_of_its_own(tmp_path, bases, monkeypatch):
    monkeypatch.setattr(
        augustus_cache, "run_augustus", lambda contig, bases, species, output, options: output.write_text("")
    )
    cache = AugustusCache(tmp_path)
    asked = [("c", bases, "rice"), ("d", bases, "rice"), ("c", bases[1:], "rice"), ("c", bases, "tomato")]
    assert len({cache.run(*arguments)[0] for arguments in asked}) == 4
    sampled = cache.run(*asked[0], options=["--alternatives-from-sampling=true"])[0]
    assert sampled != cache.run(*asked[0])[0]
    cache.version = "another"
    cache.run(*asked[0])
    assert len(list(tmp_path.glob("*.gff"))) == 6


def test_a_timed_run_replaces_the_record(tmp_path, bases, monkeypatch):
    monkeypatch.setattr(
        augustus_cache, "run_augustus", lambda contig, bases, species, output, options: output.write_text("")
    )
    cache = AugustusCache(tmp_path)
    cache.run("c", bases, "rice")
    (record,) = tmp_path.glob("*.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "cpu_seconds": 1e6}))
    assert cache.run("c", bases, "rice")[1].cpu_seconds == 1e6
    assert cache.run("c", bases, "rice", anew=True)[1].cpu_seconds < 1e6


def test_genes_are_those_of_a_run_without_cache(tmp_path, arabidopsis_fasta, monkeypatch):
    with Genome(arabidopsis_fasta) as genome:
        whole = genome.bases
        monkeypatch.setattr(genome, "bases", lambda contig: whole(contig, 0, 15_000))
        genes, runs = AugustusCache(tmp_path).predict_genes(genome, ["Chr2", "Chr4"], "arabidopsis")
        assert genes == predict_genes(genome, ["Chr2", "Chr4"], "arabidopsis", 1)
    assert [run.contig for run in runs] == ["Chr2", "Chr4"]
