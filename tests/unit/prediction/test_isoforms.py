"""Isoforms in a prediction: the genes that were there stay, and nothing depends on how the work is divided."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from eager_model import predict, structure, write_genome
from rankers import write_ranker
from writers import write_writer

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import introns_between
from phytoscribe.errors import ModelError
from phytoscribe.genome import decode
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.merge import PredictionFiles

ISOFORMS = {"method": "lattice", "minimum_probability": 0.03, "maximum": 2, "nmd": True}


def assert_same_files(one: PredictionFiles, other: PredictionFiles) -> None:
    for name in PredictionFiles.__slots__:
        assert Path(getattr(one, name)).read_bytes() == Path(getattr(other, name)).read_bytes(), name


def test_isoforms_come_beside_the_genes_that_were_there(plain, model_folder, fasta, tmp_path):
    files = predict(model_folder, fasta, tmp_path / "out", isoforms=ISOFORMS)
    text = Path(files.gff3).read_text()
    assert "isoforms: lattice, posterior from 0.03 on, at most 2 a gene" in text
    genes, before = read_gff3(files.gff3), read_gff3(plain.gff3)
    assert structure(files) == structure(plain)
    added = [t for g in genes for t in g.transcripts[1:]]
    assert {t.strand for t in added} == {"+", "-"}
    assert max(len(g.transcripts) for g in genes) == 3
    own = {line for line in Path(plain.gff3).read_text().splitlines() if "\tgene\t" not in line and line[0] != "#"}
    assert own <= set(text.splitlines())
    for gene in genes:
        scores = [t.score for t in gene.transcripts[1:]]
        assert scores == sorted(scores, reverse=True)
        assert all(score >= 0.03 for score in scores)
        assert len({t.cds for t in gene.transcripts}) == len(gene.transcripts)
    assert {t.attributes["isoform"] for t in added} <= {"alternative", "rival"}
    assert all(t.attributes["event"] and t.attributes["frame"] in ("kept", "shifted") for t in added)
    assert len(genes) == len(before)
    proteins = [line for line in Path(files.proteins).read_text().splitlines() if line.startswith(">")]
    assert len(proteins) == len(genes) + len(added) == json.loads(Path(files.stats).read_text())["transcripts"]
    run = subprocess.run(["gt", "gff3validator", str(files.gff3)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    again = predict(model_folder, fasta, tmp_path / "again", shards=7, threads=2, isoforms=ISOFORMS)
    assert_same_files(again, files)


def test_ranked_isoforms_come_beside_the_same_genes(plain, model_folder, fasta, tmp_path):
    shutil.copytree(model_folder, tmp_path / "model")
    write_ranker(tmp_path / "model", 0.5)
    wanted = {"method": "ranked", "minimum_probability": "auto", "maximum": 4, "nmd": True}
    files = predict(tmp_path / "model", fasta, tmp_path / "out", isoforms=wanted)
    text = Path(files.gff3).read_text()
    assert "isoforms: ranked, probability from 0.5 on, at most 4 a gene" in text
    assert structure(files) == structure(plain)
    added = [t for g in read_gff3(files.gff3) for t in g.transcripts[1:]]
    assert {"posterior" in t.attributes for t in added} == {True, False}
    assert all(t.score >= 0.5 for t in added)
    assert not any(t.score > 0.999 and t.attributes.get("posterior") == "1.000" for t in added)
    again = predict(tmp_path / "model", fasta, tmp_path / "again", shards=7, threads=2, isoforms=wanted)
    assert_same_files(again, files)
    with pytest.raises(ModelError, match=r"isoforms\.safetensors: missing"):
        predict(model_folder, fasta, tmp_path / "none", isoforms={**wanted, "minimum_probability": 0.5})


def test_a_users_reads_are_told_and_move_probabilities(plain, model_folder, fasta, tmp_path):
    """Reads over all introns that a prediction has, ten for each further transcript, forty for each first one."""
    shutil.copytree(model_folder, tmp_path / "model")
    write_ranker(tmp_path / "model", 0.5)
    wanted = {"method": "ranked", "minimum_probability": "auto", "maximum": 4, "nmd": True}
    alone = read_gff3(predict(tmp_path / "model", fasta, tmp_path / "alone", isoforms=wanted).gff3)
    counts = {
        (gene.contig, gene.strand, intron): 10 if number else 40
        for gene in alone
        for number, transcript in reversed([*enumerate(gene.transcripts)])
        for intron in introns_between(transcript.exons)
    }
    reads = JunctionReads(counts, "rna/SJ.out.tab")
    files = predict(tmp_path / "model", fasta, tmp_path / "out", isoforms=wanted, junctions=reads)
    text = Path(files.gff3).read_text()
    assert "at most 4 a gene, with the reads of rna/SJ.out.tab" in text
    assert structure(files) == structure(plain)
    told = 0
    for gene in read_gff3(files.gff3):
        first, *others = gene.transcripts
        assert not {"reads", "usage"} & first.attributes.keys()
        for other in others:
            gained = set(introns_between(other.exons)) - set(introns_between(first.exons))
            supports = [reads.support(gene.contig, gene.strand, intron) for intron in gained]
            least = min((s.reads for s in supports), default=None)
            assert other.attributes.get("reads") == (None if least is None else str(least))
            if "usage" in other.attributes:
                shares = {f"{s.usage:.2f}" for s in supports if s.reads == least and s.usage is not None}
                assert other.attributes["usage"] in shares
                told += 1
    assert told
    scores = [{t.cds: t.score for g in genes for t in g.transcripts[1:]} for genes in (alone, read_gff3(files.gff3))]
    assert scores[0] != scores[1]
    again = predict(tmp_path / "model", fasta, tmp_path / "again", 3, 2, isoforms=wanted, junctions=reads)
    assert Path(again.gff3).read_bytes() == Path(files.gff3).read_bytes()
    # A ranker that has learned from DNA alone.
    (tmp_path / "model" / "isoforms.json").write_text('{"minimum_probability": {"ranked": 0.5}}')
    with pytest.raises(ModelError, match=r"learned without RNA-seq reads, so it cannot use those of rna/SJ\.out\.tab"):
        predict(tmp_path / "model", fasta, tmp_path / "none", isoforms=wanted, junctions=reads)


def test_isoforms_that_decay_are_left_out_on_demand(model_folder, fasta, tmp_path):
    found = []
    for nmd in (True, False):
        files = predict(model_folder, fasta, tmp_path / str(nmd), isoforms={**ISOFORMS, "nmd": nmd, "maximum": 100})
        found.append(Counter(t.attributes.get("nmd") for g in read_gff3(files.gff3) for t in g.transcripts[1:]))
    assert found[0]["true"]
    assert found[1] == {None: found[0][None]}


def test_a_ranker_of_another_model_is_refused(model_folder, fasta, tmp_path):
    write_ranker(tmp_path, 0.5, model="0123456789abcdef")
    shutil.copytree(model_folder, tmp_path / "model")
    for name in ("isoforms.json", "isoforms.safetensors"):
        shutil.copy(tmp_path / name, tmp_path / "model")
    with pytest.raises(ModelError, match="has learned from the output of model 0123456789abcdef, not of"):
        predict(tmp_path / "model", fasta, tmp_path / "out", isoforms={**ISOFORMS, "method": "ranked"})


def test_a_model_without_a_cut_for_isoforms_says_so(model_folder, fasta, tmp_path):
    with pytest.raises(ModelError, match=r"no cut for isoforms\.method lattice; set isoforms\.minimum_probability"):
        predict(model_folder, fasta, tmp_path / "out", isoforms={**ISOFORMS, "minimum_probability": "auto"})


WRITTEN = {"method": "generated", "minimum_probability": "auto", "maximum": 4, "nmd": True, "seed": 5}


def test_generated_isoforms_come_beside_the_same_genes(model_folder, real_bases, tmp_path):
    fasta = write_genome(tmp_path, {"b": decode(real_bases[:2_000]), "a": decode(real_bases[2_000:3_500])})
    plain = predict(model_folder, fasta, tmp_path / "plain")
    shutil.copytree(model_folder, tmp_path / "model")
    write_writer(tmp_path / "model", 0.002, model=model_hash(model_folder))
    wanted = WRITTEN | {"generated": {"search": "sampled", "beam": 3, "draws": 2}}
    files = predict(tmp_path / "model", fasta, tmp_path / "out", isoforms=wanted)
    said = "isoforms: generated (sampled, 2 draws, seed 5), probability from 0.002 on, at most 4 a gene"
    assert said in Path(files.gff3).read_text()
    assert structure(files) == structure(plain)
    added = [t for g in read_gff3(files.gff3) for t in g.transcripts[1:]]
    assert added
    assert all(t.score >= 0.002 for t in added)
    again = predict(tmp_path / "model", fasta, tmp_path / "again", shards=2, threads=2, isoforms=wanted)
    assert Path(again.gff3).read_bytes() == Path(files.gff3).read_bytes()


def test_a_writer_of_another_model_is_refused(model_folder, fasta, tmp_path):
    shutil.copytree(model_folder, tmp_path / "model")
    wanted = WRITTEN | {"generated": {"search": "greedy", "beam": 3, "draws": 4}}
    with pytest.raises(ModelError, match=r"isoform_writer\.json: missing, so isoforms cannot be generated"):
        predict(tmp_path / "model", fasta, tmp_path / "lacking", isoforms=wanted)
    write_writer(tmp_path / "model", 0.5, model="0123456789abcdef")
    with pytest.raises(ModelError, match="the writer has learned from the output of model 0123456789abcdef, not of"):
        predict(tmp_path / "model", fasta, tmp_path / "out", isoforms=wanted)
