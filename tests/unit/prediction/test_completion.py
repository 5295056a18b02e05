"""Isoforms that are added to an annotation: what was there stays, and what comes is whole and new."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rankers import write_ranker
from writers import write_writer

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.genome import Genome
from phytoscribe.prediction import completion

RELEASED = Path(__file__).parents[3] / "resources/models/brassicales"
ISOFORMS = {"method": "none", "minimum_probability": 0.5, "maximum": 3, "nmd": True}
PREDICT = {"window": 24576, "margin": 512, "batch_size": 1, "precision": "auto", "device": "cpu"}
CONTIG, LENGTH = "Chr3_1065466_1464870", 60_000


@pytest.fixture(scope="module")
def annotation(arabidopsis_fasta, arabidopsis_genes, tmp_path_factory) -> Path:
    """Genes of the contig's beginning, with all their isoforms, and a gene that codes for nothing."""
    path = tmp_path_factory.mktemp("annotation") / "genes.gff3"
    genes = [gene for gene in arabidopsis_genes if gene.contig == CONTIG and gene.end <= LENGTH]
    exon = ((LENGTH + 100, LENGTH + 180),)
    genes.append(GeneModel("trna", CONTIG, "+", (Transcript("trna.1", exon, type="tRNA"),)))
    with Genome(arabidopsis_fasta) as genome, path.open("w") as handle:
        write_gff3(handle, genes, {CONTIG: genome.contigs[CONTIG]})
    return path


def completed(
    fasta: Path,
    annotation: Path,
    folder: Path,
    threads: int = 1,
    accepted: Path | None = None,
    isoforms: dict[str, Any] = ISOFORMS,
) -> Path:
    model = folder / "method"
    if not model.exists():
        model.mkdir(parents=True)
        write_ranker(model, 0.5)
        write_writer(model, 0.5)
    place = ("athaliana", "Brassicales", [CONTIG])
    output = folder / f"{threads}.gff3"
    genes = (annotation, accepted or annotation)
    completion.complete_annotation(fasta, *genes, RELEASED, model, isoforms, PREDICT, *place, output, threads)
    return output


@pytest.fixture(scope="module")
def once(arabidopsis_fasta, annotation, tmp_path_factory) -> Path:
    return completed(arabidopsis_fasta, annotation, tmp_path_factory.mktemp("once"))


def test_what_was_there_stays_and_additions_are_whole(arabidopsis_fasta, annotation, once):
    output = once
    before, after = ({g.id: g for g in read_gff3(path)} for path in (annotation, output))
    assert before.keys() == after.keys()
    added = 0
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases(CONTIG)
    for name, gene in before.items():
        kept, new = after[name].transcripts[: len(gene.transcripts)], after[name].transcripts[len(gene.transcripts) :]
        assert kept == gene.transcripts
        known = {t.cds for t in gene.transcripts}
        for number, transcript in enumerate(new, start=1):
            assert transcript.id == f"{name}.added{number}"
            assert transcript.cds not in known
            known.add(transcript.cds)
            assert reading_frame(spliced_codes(transcript.cds, gene.strand, bases)).intact
            assert transcript.attributes["source_of_isoform"] == "PhytoScribe"
            assert transcript.attributes["isoform"] == "alternative"
            assert 0.5 <= transcript.score <= 1
        added += len(new)
        assert len(new) <= 3
    assert added > 5
    assert not after["trna"].coding_transcripts
    run = subprocess.run(["gt", "gff3validator", str(output)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_genes_that_do_not_fit_get_nothing_and_threads_and_stretches_change_nothing(
    arabidopsis_fasta, annotation, once, tmp_path, monkeypatch
):
    full, genes = {gene.id: gene for gene in read_gff3(once)}, read_gff3(annotation)
    odd = next(gene for gene in genes if len(full[gene.id].transcripts) > len(gene.transcripts))
    with (tmp_path / "accepted.gff3").open("w") as handle:
        write_gff3(handle, [gene for gene in genes if gene.id != odd.id], {CONTIG: 10**6})
    monkeypatch.setattr(completion, "STRETCH", 3_000_000)
    found = completed(arabidopsis_fasta, annotation, tmp_path, threads=2, accepted=tmp_path / "accepted.gff3")
    assert {gene.id: gene for gene in read_gff3(found)} == {**full, odd.id: odd}


def test_a_writer_completes_an_annotation(arabidopsis_fasta, annotation, tmp_path):
    drawn = {"search": "sampled", "beam": 1, "draws": 2}
    wanted = {**ISOFORMS, "method": "generated", "minimum_probability": 0.001, "seed": 2, "generated": drawn}
    output = completed(arabidopsis_fasta, annotation, tmp_path, isoforms=wanted)
    assert "isoforms: generated (sampled, 2 draws, seed 2), probability" in output.read_text()
    added = [t for gene in read_gff3(output) for t in gene.transcripts if "source_of_isoform" in t.attributes]
    assert len(added) > 5
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases(CONTIG)
    assert all(reading_frame(spliced_codes(t.cds, t.strand, bases)).intact for t in added)
    run = subprocess.run(["gt", "gff3validator", str(output)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert completed(arabidopsis_fasta, annotation, tmp_path, 2, isoforms=wanted).read_bytes() == output.read_bytes()


def test_a_completed_annotation_can_be_completed_again(arabidopsis_fasta, once, tmp_path):
    """Nothing is added twice, and no id is used twice."""
    shutil.copy(once, tmp_path / "again.gff3")
    twice = completed(arabidopsis_fasta, tmp_path / "again.gff3", tmp_path / "two")
    ids = [t.id for gene in read_gff3(twice) for t in gene.transcripts]
    assert len(set(ids)) == len(ids)
    chains = [(gene.id, t.cds) for gene in read_gff3(twice) for t in gene.coding_transcripts]
    once_chains = [(gene.id, t.cds) for gene in read_gff3(once) for t in gene.coding_transcripts]
    assert len(set(chains)) - len(set(once_chains)) == len(chains) - len(once_chains)
