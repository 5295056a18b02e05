"""Prediction with a model folder: nothing is trained, genes are whole, and shards do not show in the result."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from tiny_workflow import copy_house, start, tiny_config, write_config, write_tiny_data

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.sequences import protein_of
from phytoscribe.genome.fasta import Genome
from phytoscribe.models.loading import write_checksums

ENDINGS = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")


@pytest.fixture(scope="module")
def predicted(finished, tmp_path_factory):
    """A folder whose configuration names a model folder; the literal command has run in it.

    The tiny model has learned next to nothing. Its decoder is therefore told to like coding sequence and introns, so
    that the grammar alone makes genes, as many as it can.
    """
    folder = copy_house(tmp_path_factory.mktemp("released"))
    write_tiny_data(folder)
    shutil.copytree(finished / "results/models/structure", folder / "released")
    decoder = json.loads((folder / "released/decoder.json").read_text())
    eager = {"coding_score": 8.0, "intron_score": 12.0, "site_cutoff": None}
    (folder / "released/decoder.json").write_text(json.dumps(decoder | eager))
    write_checksums(folder / "released")
    config = tiny_config()
    config["predict"].update(model="released", shards=1)
    write_config(folder, config)
    done = start(folder, "results/predictions/other.gff3")
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


def test_nothing_is_trained(predicted):
    made = {path.name for path in (predicted / "results").iterdir()}
    assert made <= {"predictions", "benchmarks"}
    assert not (predicted / "resources/genomes/tiny").exists()


def test_genes_are_whole_and_gff3_is_valid(predicted):
    path = predicted / "results/predictions/other.gff3"
    subprocess.run(["gt", "gff3validator", str(path)], check=True, capture_output=True)
    with Genome(predicted / "resources/genomes/other/other.fa") as genome:
        genes = read_gff3(path, genome.contigs)
        bases = {contig: genome.bases(contig) for contig in genome.contigs}
    assert len(genes) > 10, "the grammar makes genes"
    assert {gene.strand for gene in genes} == {"+", "-"}
    assert any(len(transcript.cds) > 1 for gene in genes for transcript in gene.transcripts), "some have introns"
    assert not [gene for gene in genes if gene.contig == "gap"]
    for gene in genes:
        for transcript in gene.transcripts:
            protein = protein_of(transcript, bases[gene.contig])
            assert protein.startswith("M")
            assert protein.rstrip("*").count("*") == 0
            assert all(end - start >= 3 for start, end in transcript.cds)
    names = [line.split("ID=")[1].split(";")[0] for line in path.read_text().splitlines() if "\tmRNA\t" in line]
    assert len(names) == len(set(names)) > 10


def test_shards_do_not_change_a_byte(predicted):
    files = [predicted / f"results/predictions/other.{ending}" for ending in ENDINGS]
    before = [file.read_bytes() for file in files]
    config = tiny_config()
    config["predict"].update(model="released", shards=3)
    write_config(predicted, config)
    done = start(predicted, "results/predictions/other.gff3")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "part 002" in done.stdout
    assert [file.read_bytes() for file in files] == before
