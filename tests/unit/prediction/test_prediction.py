"""Prediction from FASTA to files: what may not change it does not, and edge cases give valid results."""

from __future__ import annotations

import itertools
import json
import logging
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rankers import write_ranker

import phytoscribe
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript, numbered
from phytoscribe.annotation.sequences import translate
from phytoscribe.decoding.gene_classes import NUMBERS, REGIONS, GeneClassifier
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.devices import choose_precision, int8_is_fast
from phytoscribe.errors import ConfigError, FastaError, ModelError, PhytoScribeError
from phytoscribe.genome import Genome, check_fasta, decode, reverse_complement
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.sequence import encode
from phytoscribe.labels.states import CODING_STATES, STATE_COUNT, STATE_NAMES
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.batches import WindowTokens, collate_tokens
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.loading import load_model, model_hash
from phytoscribe.prediction.merge import PredictionFiles, PredictionStatistics, median
from phytoscribe.prediction.network import StructureNetwork
from phytoscribe.prediction.pool import FreedMemory
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.shards import Shards, contigs_of_shard, shard_writer, sorted_genes
from phytoscribe.prediction.windows import ContigSequence, PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.tracks.bigwig import write_bigwig
from phytoscribe.tracks.kinds import TRACKS
from phytoscribe.tracks.track_file import ShardTracks

SETTINGS = {
    "window": 1024,
    "margin": 128,
    "batch_size": 4,
    "precision": "float32",
    "device": "cpu",
    "shards": 1,
    "sensitivity": 0.0,
    "partial": False,
}
#: An untrained network favours no state; these scalars make it find genes all the same, so that there is something
#: to compare.
EAGER = DecoderSettings(
    coding_score=1.6, gene_score=60.0, intron_score=10.0, intron_base_score=1.0, minimum_cds=30, site_cutoff=None
)
#: Its logits are made larger, so that they matter beside these scalars.
EMPHASIS = 20.0
bytes_only = pytest.mark.skipif(not int8_is_fast(), reason="this processor has no fast products of bytes")


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tokenizer = build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(4)
    model = AnnotationModel(config_from_settings({"size": "tiny"}, vocab_size=len(tokenizer), token_length=3))
    with torch.no_grad():
        for head in model.heads.values():
            head.weight.mul_(EMPHASIS)
    model.save_pretrained(folder)
    Decoders(EAGER).save(folder / "decoder.json")
    return folder


def write_genome(folder: Path, records: dict[str, str]) -> Path:
    """A checked FASTA with its index."""
    (folder / "source.fa").write_text("".join(f">{name}\n{text}\n" for name, text in records.items()))
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


@pytest.fixture(scope="module")
def real_bases(arabidopsis_fasta) -> np.ndarray:
    with Genome(arabidopsis_fasta) as genome:
        return genome.bases("Chr4", 0, 9_000)


@pytest.fixture(scope="module")
def fasta(tmp_path_factory, arabidopsis_fasta) -> Path:
    """Contigs of many lengths: two real ones, a tiny one, one of only N, one with a gap, one shorter than a codon."""
    with Genome(arabidopsis_fasta) as genome:
        real, other = genome.bases("Chr4", 0, 9_000), genome.bases("Chr2", 5_000, 12_500)
    gap = real[:4_000].copy()
    gap[1_500:2_600] = 4
    contigs = {"b": real, "a": other, "tiny": real[:90], "n": np.full(3_000, 4, np.uint8), "gap": gap, "two": real[:2]}
    return write_genome(tmp_path_factory.mktemp("genome"), {name: decode(bases) for name, bases in contigs.items()})


def predict(
    model_folder,
    fasta,
    folder: Path,
    shards: int = 1,
    threads: int = 1,
    organelles: tuple[str, ...] = (),
    isoforms: dict | None = None,
    classes: Path | None = None,
    drop: bool = False,
    **settings,
) -> PredictionFiles:
    folder.mkdir()
    paths = []
    for shard in range(shards):
        path = folder / f"{shard}.jsonl"
        wanted = {**SETTINGS, **settings, "shards": shards}
        place = (fasta, model_folder, wanted, "athaliana", "Brassicales", None, shard, path, threads)
        predict_shard(*place, isoforms=isoforms, class_folder=classes)
        paths.append(str(path))
    names = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / name for name in names))
    merge_shards(paths, fasta, "g", None, files, organelles, drop)
    return files


@pytest.fixture(scope="module")
def plain(model_folder, fasta, tmp_path_factory) -> PredictionFiles:
    return predict(model_folder, fasta, tmp_path_factory.mktemp("plain") / "out")


def structure(files: PredictionFiles) -> list[tuple]:
    return [
        (g.id, g.contig, g.strand, g.transcripts[0].id, g.transcripts[0].exons, g.transcripts[0].cds)
        for g in read_gff3(files.gff3)
    ]


def test_there_is_something_to_compare(plain):
    genes = read_gff3(plain.gff3)
    assert {g.strand for g in genes} == {"+", "-"}
    assert {g.contig for g in genes} >= {"a", "b"}
    assert any(len(g.transcripts[0].cds) > 1 for g in genes)


def test_shards_give_the_same_bytes(plain, model_folder, fasta, tmp_path):
    sharded = predict(model_folder, fasta, tmp_path / "out", shards=7)
    for name in PredictionFiles.__slots__:
        assert Path(getattr(sharded, name)).read_bytes() == Path(getattr(plain, name)).read_bytes(), name


def test_tracks_do_not_depend_on_shards_or_threads_and_change_no_gene(plain, model_folder, fasta, tmp_path):
    """The probabilities of pieces in several threads arrive as the network gives them, contig by contig."""
    found = {}
    with Genome(fasta) as genome:
        contigs = dict(genome.contigs)
        bases = genome.bases("b")
    for shards, threads in ((1, 1), (5, 2)):
        folder = tmp_path / str(shards)
        folder.mkdir()
        for shard in range(shards):
            given = {**SETTINGS, "shards": shards}
            out, tracks = folder / f"{shard}.jsonl", folder / f"{shard}.tracks"
            predict_shard(fasta, model_folder, given, "athaliana", "Brassicales", None, shard, out, threads, tracks)
        handed = ShardTracks([folder / f"{shard}.tracks" for shard in range(shards)])
        for track in TRACKS:
            write_bigwig(handed, track, contigs, folder / f"{track}.bw")
        found[shards] = [(folder / f"{track}.bw").read_bytes() for track in TRACKS]
    assert found[1] == found[5]
    assert (tmp_path / "1" / "0.jsonl").read_bytes() == (Path(plain.gff3).parent / "0.jsonl").read_bytes()
    plus, minus = predictor_of(model_folder).log_probabilities(bases)
    for strand, states in (("plus", plus), ("minus", minus)):
        wanted = np.exp(states.astype(float))[:, list(CODING_STATES)].sum(1)
        with pyBigWig.open(str(tmp_path / "1" / f"coding_{strand}.bw")) as file:
            assert np.abs(file.values("b", 0, bases.size, numpy=True) - wanted).max() < 0.026
            assert file.intervals("two") is None, "shorter than any gene: not read"
            assert file.stats("n", type="max") == [0.0]


@pytest.mark.parametrize("precision", ["float32", "bfloat16", pytest.param("int8", marks=bytes_only)])
@pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (8, 1), (4, 2), (1, 17)])
def test_batch_size_and_threads_do_not_change_a_byte(model_folder, fasta, tmp_path, batch_size, threads, precision):
    one = predict(model_folder, fasta, tmp_path / "one", precision=precision)
    other = predict(model_folder, fasta, tmp_path / "other", 1, threads, batch_size=batch_size, precision=precision)
    for name in PredictionFiles.__slots__:
        assert Path(getattr(other, name)).read_bytes() == Path(getattr(one, name)).read_bytes(), name


def predictor_of(model_folder, window: int = 1024, margin: int = 128, threads: int = 2, **settings):
    wanted = PredictionSettings(window, margin, 4, **{"precision": "float32"} | settings)
    return StructurePredictor.from_folder(
        model_folder, wanted, torch.device("cpu"), "athaliana", "Brassicales", threads=threads
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16", pytest.param("int8", marks=bytes_only)])
def test_the_reverse_complemented_genome_gives_mirrored_genes(model_folder, real_bases, precision):
    predictor = predictor_of(model_folder, precision=precision)
    plus, minus = predictor.log_probabilities(real_bases)
    other_plus, other_minus = predictor.log_probabilities(reverse_complement(real_bases))
    np.testing.assert_array_equal(other_minus[::-1], plus)
    np.testing.assert_array_equal(other_plus[::-1], minus)
    forward = predictor.genes("b", real_bases)
    backward = predictor.genes("b", reverse_complement(real_bases))
    mirrored = [g.reverse_complement(real_bases.size) for g in backward]

    def shape(genes: list[GeneModel]) -> list[tuple]:
        return sorted((g.strand, g.transcripts[0].cds) for g in genes)

    assert shape(forward) == shape(mirrored)
    assert len(forward) > 3


def test_a_window_holds_what_the_network_says_of_it(model_folder, real_bases):
    """One window, read by the model itself: log probabilities and site probabilities arrive unchanged."""
    predictor = predictor_of(model_folder, window=3072)
    bases = real_bases[:3072]
    model, segmenter = load_model(AnnotationModel, model_folder), Segmenter(model_folder)
    batch = collate_tokens([WindowTokens.of(bases, segmenter, predictor.global_ids)])
    with torch.inference_mode():
        output = model(*batch)
    np.testing.assert_allclose(
        predictor.log_probabilities(bases)[0],
        output.states.log_softmax(-1).clamp(min=-14)[0].numpy(),
        atol=2e-2,
    )
    sites = predictor.site_probabilities(bases)[0]
    assert sites.dtype == np.float16
    np.testing.assert_allclose(sites, output.sites.sigmoid()[0].numpy(), atol=2e-3)


def test_only_pieces_are_read_and_genes_come_while_reading(model_folder, real_bases):
    """Of a long contig no more is read at once than a window, and genes are out before it has ended."""
    bases = np.tile(real_bases, 8)
    asked: list[tuple[int, int]] = []

    def read(start: int, end: int) -> np.ndarray:
        asked.append((start, end))
        return bases[start:end]

    predictor = predictor_of(model_folder, threads=1)
    predictor.decoder = replace(EAGER, intron_base_score=-1.0)
    first, found = None, []
    for piece in predictor.decoded([ContigSequence("long", bases.size, read)]):
        if piece.genes and first is None:
            first = max(end for _, end in asked)
        found += piece.genes
    assert max(end - start for start, end in asked) <= 1024
    assert first < bases.size / 2
    assert [g.transcripts[0].cds for g in found] == [g.transcripts[0].cds for g in predictor.genes("x", bases)]


def test_a_fault_in_a_thread_is_told(model_folder):
    def read(start: int, end: int) -> np.ndarray:
        raise FastaError("the sequence is not as its index says")

    with pytest.raises(FastaError, match="not as its index says"):
        list(predictor_of(model_folder).decoded([ContigSequence("x", 5_000, read)]))


def test_the_number_of_threads_of_pytorch_is_left_as_it_was(model_folder, real_bases):
    before = torch.get_num_threads()
    predictor_of(model_folder, threads=3).genes("x", real_bases[:2000])
    assert torch.get_num_threads() == before


def test_masking_case_and_ambiguity_letters_change_nothing_but_what_they_hide(model_folder, real_bases, tmp_path):
    text = decode(real_bases)
    soft = "".join(c.lower() if (i // 700) % 2 else c for i, c in enumerate(text))
    ambiguous = text[:4000] + "RYSWKM" + text[4006:]
    unknown = text[:4000] + "NNNNNN" + text[4006:]
    fasta = write_genome(tmp_path, {"upper": text, "soft": soft, "iupac": ambiguous, "n": unknown})
    genes = read_gff3(predict(model_folder, fasta, tmp_path / "out").gff3)

    def of(contig: str) -> list[tuple]:
        return [(g.strand, g.score, g.transcripts[0].exons, g.transcripts[0].cds) for g in genes if g.contig == contig]

    assert of("upper") == of("soft") != []
    assert of("iupac") == of("n") != of("upper")


def test_a_long_gap_costs_nothing_and_has_no_genes(model_folder, real_bases, monkeypatch):
    calls = []
    read = StructureNetwork.__call__
    monkeypatch.setattr(StructureNetwork, "__call__", lambda self, *given: calls.append(1) or read(self, *given))
    gap = np.full(200_000, 4, np.uint8)
    predictor = predictor_of(model_folder)
    left = predictor.genes("x", real_bases)
    alone, calls[:] = len(calls), []
    genes = predictor.genes("x", np.concatenate([real_bases, gap, real_bases]))
    assert len(calls) <= 2 * alone + 8
    segments = [segment for g in genes for segment in g.transcripts[0].cds]
    assert not [(s, e) for s, e in segments if e > real_bases.size and s < real_bases.size + gap.size]
    assert len(genes) >= len(left)


def test_twenty_thousand_contigs_of_all_lengths(model_folder, real_bases, tmp_path):
    """Each contig is read with its own windows: alone it gives the same genes as among the others."""
    lengths = [100 + 13 * (i % 31) for i in range(600)] + [20] * 19_400
    pieces = {f"c{i}": real_bases[2_000 + i % 6_000 :][:length] for i, length in enumerate(lengths)}
    records = {name: decode(bases) for name, bases in pieces.items()}
    fasta = write_genome(tmp_path, records)
    began = time.monotonic()
    genes = read_gff3(predict(model_folder, fasta, tmp_path / "out", threads=2).gff3)
    assert time.monotonic() - began < 120
    assert len(genes) > 3
    predictor = predictor_of(model_folder)
    contig = genes[0].contig
    alone = predictor.genes(contig, pieces[contig])
    assert [g.transcripts[0].cds for g in alone] == [g.transcripts[0].cds for g in genes if g.contig == contig]


def test_organelles_are_flagged(model_folder, real_bases, tmp_path, caplog):
    text = decode(real_bases[:3000])
    fasta = write_genome(tmp_path, {"Chr1": text, "ChrC": text, "odd_name": text})
    folder = tmp_path / "out"
    with caplog.at_level(logging.WARNING):
        files = predict(model_folder, fasta, folder, organelles=["odd_name"])
    assert "contig ChrC is an organelle (chloroplast)" in caplog.text
    assert "contig odd_name is an organelle" in caplog.text
    assert json.loads(Path(files.stats).read_text())["organelles"].keys() == {"ChrC", "odd_name"}
    assert "# organelle: ChrC, chloroplast" in Path(files.gff3).read_text()
    assert "organelle: Chr1" not in Path(files.gff3).read_text()


def test_sensitivity_moves_the_number_of_genes_and_is_in_the_header(plain, model_folder, fasta, tmp_path):
    found = {0.0: len(read_gff3(plain.gff3))}
    for sensitivity in (-60.0, 60.0):
        files = predict(model_folder, fasta, tmp_path / str(sensitivity), sensitivity=sensitivity)
        found[sensitivity] = len(read_gff3(files.gff3))
        assert f"decoder.sensitivity: {sensitivity}" in Path(files.gff3).read_text()
    assert found[-60.0] < found[0.0] < found[60.0]


def test_partial_genes_are_written_only_on_demand(plain, model_folder, fasta, tmp_path):
    files = predict(model_folder, fasta, tmp_path / "out", partial=True)
    genes = read_gff3(files.gff3)
    partial = [g for g in genes if g.attributes.get("partial") == "true"]
    assert partial
    assert not [g for g in read_gff3(plain.gff3) if g.attributes.get("partial")]
    assert json.loads(Path(files.stats).read_text())["partial_genes"] == len(partial)
    run = subprocess.run(["gt", "gff3validator", str(files.gff3)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


ISOFORMS = {"method": "lattice", "minimum_probability": 0.03, "maximum": 2, "nmd": True}


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
    again = predict(model_folder, fasta, tmp_path / "again", shards=3, threads=2, isoforms=ISOFORMS)
    assert Path(again.gff3).read_bytes() == Path(files.gff3).read_bytes()


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
    again = predict(tmp_path / "model", fasta, tmp_path / "again", shards=3, threads=2, isoforms=wanted)
    assert Path(again.gff3).read_bytes() == Path(files.gff3).read_bytes()
    with pytest.raises(ModelError, match=r"isoforms\.safetensors: missing"):
        predict(model_folder, fasta, tmp_path / "none", isoforms={**wanted, "minimum_probability": 0.5})


def write_classifier(folder: Path, model: str) -> None:
    """A classifier that halves the genes of the small genome, by features of all regions."""
    generator = np.random.default_rng(1)
    channels = AnnotationModel.from_pretrained(folder).trunk.channels
    projection = generator.normal(0, 1, (channels, len(REGIONS))).astype(np.float32)
    facts = {"model": model, "genes": "9", "elements": "4", "trained_on": "nothing"}
    GeneClassifier(projection, np.zeros(NUMBERS), 0.0, facts).save(folder)


def test_classes_of_genes_are_told_and_element_like_ones_left_out_on_demand(plain, model_folder, fasta, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(model_folder, model)
    with pytest.raises(ModelError, match=r"gene_classes\.safetensors: missing"):
        predict(model, fasta, tmp_path / "none", classes=model)
    write_classifier(model, model_hash(model))
    files = predict(model, fasta, tmp_path / "out", classes=model)
    assert "gene classes: learned from 4 element-like of 9 genes of nothing" in Path(files.gff3).read_text()
    assert structure(files) == structure(plain)
    classes = {gene.id: gene.attributes["gene_class"] for gene in read_gff3(files.gff3)}
    assert set(classes.values()) == {"coding", "element"}
    assert all(0.5 <= float(gene.attributes["class_probability"]) <= 1 for gene in read_gff3(files.gff3))
    told = re.compile(r";gene_class=\w+;class_probability=[\d.]+")
    assert told.sub("", lines_of(files)) == lines_of(plain), "nothing else in the lines"
    again = predict(model, fasta, tmp_path / "again", shards=3, threads=2, classes=model)
    assert Path(again.gff3).read_bytes() == Path(files.gff3).read_bytes()
    fewer = predict(model, fasta, tmp_path / "fewer", classes=model, drop=True)
    assert [gene.id for gene in read_gff3(fewer.gff3)] == [name for name, kind in classes.items() if kind == "coding"]
    assert "element-like genes are left out" in Path(fewer.gff3).read_text()
    assert Path(fewer.proteins).read_text().count(">") == list(classes.values()).count("coding")
    write_classifier(model, "0123456789abcdef")
    with pytest.raises(ModelError, match="has learned from the features of model 0123456789abcdef, not of"):
        predict(model, fasta, tmp_path / "other", classes=model)
    (model / "gene_classes.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"gene_classes\.safetensors: cannot be read"):
        predict(model, fasta, tmp_path / "damaged", classes=model)


def lines_of(files: PredictionFiles) -> str:
    return "".join(line for line in Path(files.gff3).read_text().splitlines(keepends=True) if line[0] != "#")


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


def test_states_in_another_order_give_the_same_genes(plain, model_folder, fasta, tmp_path):
    """Columns are found by the names that config.json gives them; a state that the decoder lacks changes nothing."""
    model = load_model(AnnotationModel, model_folder)
    order = torch.randperm(STATE_COUNT, generator=torch.Generator().manual_seed(1)).tolist()
    config = config_from_settings(
        {"size": "tiny"},
        vocab_size=model.config.vocab_size,
        token_length=3,
        heads={"structure": [*(STATE_NAMES[i] for i in order), "ncrna_exon"], "sites": ["acceptor", "donor"]},
    )
    turned = AnnotationModel(config)
    turned.trunk.load_state_dict(model.trunk.state_dict())
    with torch.no_grad():
        for name in ("weight", "bias"):
            structure_head, site_head = (getattr(model.heads[head], name) for head in ("structure", "sites"))
            getattr(turned.heads["structure"], name)[:-1] = structure_head[order]
            getattr(turned.heads["sites"], name).copy_(site_head.flip(0))
        turned.heads["structure"].weight[-1] = 0
        turned.heads["structure"].bias[-1] = -100.0
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    turned.save_pretrained(folder)
    assert structure(predict(folder, fasta, tmp_path / "out")) == structure(plain)


def test_the_precision_is_chosen_by_the_processor_and_told(model_folder, fasta, tmp_path):
    assert choose_precision("float32", torch.device("cpu")) == "float32"
    fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    best = "int8" if fast and int8_is_fast() else "bfloat16" if fast else "float32"
    assert choose_precision("auto", torch.device("cpu")) == best
    files = predict(model_folder, fasta, tmp_path / "out", precision="auto")
    assert f"precision: {choose_precision('auto', torch.device('cpu'))}" in Path(files.gff3).read_text()


HASH_OF_READINGS = """
import hashlib, sys
import torch
from phytoscribe.genome import Genome
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings
model, fasta, *precisions = sys.argv[1:]
with Genome(fasta) as genome:
    bases = genome.bases("Chr3", 0, 40_000)
for precision in precisions:
    settings = PredictionSettings(precision=precision)
    predictor = StructurePredictor.from_folder(model, settings, torch.device("cpu"), "athaliana", "Brassicales", 1)
    tables = predictor.log_probabilities(bases)
    print(precision, hashlib.sha256(b"".join(table.tobytes() for table in tables)).hexdigest())
"""


def test_a_process_that_compiles_says_the_same_as_one_that_finds_it_done(arabidopsis_fasta, tmp_path):
    """With real weights: a sum in another order shows only where a number is close to the middle of two steps."""
    precisions = ["bfloat16", *(["int8"] if int8_is_fast() else [])]
    command = [sys.executable, "-c", HASH_OF_READINGS, "resources/models/brassicales", arabidopsis_fasta, *precisions]
    cache = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": "workflow/scripts"}
    runs = [
        subprocess.run(command, env={**os.environ, **cache}, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert list(tmp_path.rglob("*.nbc"))
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.count("\n") == len(precisions)


def test_the_model_that_trains_is_not_touched(model_folder, real_bases):
    model = load_model(AnnotationModel, model_folder).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settings = PredictionSettings(1024, 128, precision="bfloat16")
    StructurePredictor(model, Segmenter(model_folder), EAGER, settings, torch.device("cpu")).genes("x", real_bases)
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_files_agree_and_every_protein_is_whole(plain, fasta):
    genes = read_gff3(plain.gff3)

    def records(path) -> dict[str, str]:
        parts = Path(path).read_text().split(">")[1:]
        return {part.split(None, 1)[0]: "".join(part.split("\n")[1:]) for part in parts}

    cds, proteins, transcripts = records(plain.cds), records(plain.proteins), records(plain.transcripts)
    assert list(cds) == [g.transcripts[0].id for g in genes]
    for name, sequence in cds.items():
        assert translate(encode(sequence)).rstrip("*") == proteins[name].rstrip("*")
        assert sequence.startswith("ATG")
        assert sequence in transcripts[name]
        assert "*" not in translate(encode(sequence))[:-1]
    stats = json.loads(Path(plain.stats).read_text())
    assert stats["genes"] == len(genes)
    assert stats["contigs"] == 6


def test_the_gff3_is_valid_and_says_what_made_it(plain, model_folder):
    text = Path(plain.gff3).read_text()
    assert f"model: {model_hash(model_folder)}" in text
    assert "device: cpu" in text
    assert "##sequence-region n 1 3000" in text
    assert "shard" not in text
    ids = [line.split("ID=")[1].split(";")[0] for line in text.splitlines() if "\tgene\t" in line]
    assert ids == [f"g_g{number:06d}" for number in range(1, len(ids) + 1)]
    run = subprocess.run(["gt", "gff3validator", str(plain.gff3)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_genes_are_in_fasta_order(plain):
    contigs = [g.contig for g in read_gff3(plain.gff3)]
    order = ["b", "a", "tiny", "n", "gap", "two"]
    assert contigs == sorted(contigs, key=order.index)
    assert "n" not in contigs


def test_a_genome_without_genes_gives_valid_empty_files(model_folder, fasta, tmp_path):
    names = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(tmp_path / name for name in names))
    predict_shard(fasta, model_folder, SETTINGS, "x", "", ["n"], 0, tmp_path / "0.jsonl", 1)
    merge_shards([str(tmp_path / "0.jsonl")], fasta, "x", ["n"], files)
    assert read_gff3(files.gff3) == []
    assert json.loads(Path(files.stats).read_text())["genes"] == 0
    run = subprocess.run(["gt", "gff3validator", str(files.gff3)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_shards_hold_every_contig_once_and_are_balanced():
    contigs = {f"c{i}": 1_000 + 37 * (i % 11) for i in range(50)}
    parts = [contigs_of_shard(contigs, shard, 7) for shard in range(7)]
    assert sorted(itertools.chain(*parts)) == sorted(contigs)
    sizes = [sum(contigs[c] for c in part) for part in parts]
    assert max(sizes) - min(sizes) < 1_500
    assert contigs_of_shard({"a": 5}, 1, 2) == []


def test_shards_that_do_not_fit_together_are_refused(tmp_path):
    gene = GeneModel("", "a", "+", (Transcript("", ((0, 9),), ((0, 9),), score=0.5),), score=0.5)
    one, two, other = (tmp_path / name for name in ("1", "2", "3"))
    for path, model, contig, genes in ((one, "x", "a", [gene]), (two, "x", "a", []), (other, "y", "b", [])):
        with shard_writer(path, {"model": model}) as write:
            write(contig, genes)
    assert list(Shards([one], ["a"]).genes()) == [gene]
    with pytest.raises(PhytoScribeError, match="contig a is in another shard"):
        Shards([one, two], ["a"])
    with pytest.raises(PhytoScribeError, match="another model"):
        Shards([one, other], ["a", "b"])
    with pytest.raises(PhytoScribeError, match="lack 1 contigs"):
        Shards([one], ["a", "b"])


def test_numbers_follow_contig_start_end_strand():
    def gene(contig: str, start: int, end: int, strand: str) -> GeneModel:
        return GeneModel("", contig, strand, (Transcript("", ((start, end),), ((start, end),)),), score=0.5)

    def in_order(genes: list[GeneModel]) -> list[GeneModel]:
        return list(sorted_genes(genes, 3))

    genes = in_order([gene("y", 0, 9, "+")])
    genes += in_order([gene("x", 5, 20, "-"), gene("x", 5, 20, "+"), gene("x", 5, 11, "-"), gene("x", 30, 39, "-")])
    found = list(numbered(genes, "sp"))
    assert [(g.id, g.contig, g.start, g.end, g.strand) for g in found] == [
        ("sp_g000001", "y", 0, 9, "+"),
        ("sp_g000002", "x", 5, 11, "-"),
        ("sp_g000003", "x", 5, 20, "+"),
        ("sp_g000004", "x", 5, 20, "-"),
        ("sp_g000005", "x", 30, 39, "-"),
    ]
    counted = PredictionStatistics()
    for g in found:
        counted.add(g)
    summary = counted.summary({"y": 10, "x": 40})
    assert summary["single_exon_genes"] == summary["genes"] == 5
    assert summary["cds_length_median"] == 9
    assert summary["cds_length_mean"] == 10.8


def test_genes_that_begin_before_an_earlier_one_are_put_in_order():
    """Genes come by their CDS; a long untranslated region begins before that of the gene before."""

    def gene(start: int, cds: int) -> GeneModel:
        return GeneModel("", "x", "+", (Transcript("", ((start, cds + 9),), ((cds, cds + 9),)),))

    arriving = [gene(95, 100), gene(90, 120), gene(70, 150), gene(300, 300)]
    assert [g.start for g in sorted_genes(arriving, 100)] == [70, 90, 95, 300]


@given(st.lists(st.integers(min_value=0, max_value=30), min_size=1))
def test_medians_of_counts_are_those_of_the_numbers(numbers):
    assert median(Counter(numbers)) == statistics.median(numbers)


def test_a_model_folder_that_lacks_a_file_is_named(model_folder, fasta, tmp_path):
    with pytest.raises(ModelError, match=r"config\.json: missing"):
        predict_shard(fasta, tmp_path, SETTINGS, "x", "", None, 0, tmp_path / "o.jsonl", 1)
    assert not (tmp_path / "o.jsonl").exists()


def test_a_tokenizer_of_another_model_is_refused(model_folder):
    other = AnnotationModel(config_from_settings({"size": "tiny"}, vocab_size=30))
    with pytest.raises(ModelError, match="mixes files of different models"):
        StructurePredictor(other, Segmenter(model_folder), EAGER, PredictionSettings(), torch.device("cpu"))


def test_a_damaged_weight_file_is_one_message(model_folder, fasta, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500])
    with pytest.raises(ModelError, match="not a saved AnnotationModel"):
        predict_shard(fasta, folder, SETTINGS, "x", "", None, 0, tmp_path / "o.jsonl", 1)


def test_the_header_says_as_which_species_the_genome_was_read(plain, model_folder, fasta, tmp_path):
    assert "read as: <species:athaliana> <lineage:Brassicales>" in Path(plain.gff3).read_text()
    predict_shard(fasta, model_folder, SETTINGS, "zmays", "Poales", ["two"], 0, tmp_path / "0.jsonl", 1)
    header = Shards([tmp_path / "0.jsonl"], ["two"]).header
    assert header["read as"] == "<species:unknown> <lineage:unknown>"
    assert header["score calibrated on"] == "not known"
    assert "decoder" not in header, "the model has one decoder for all lineages"
    released = Decoders.load(Path(__file__).parents[3] / "resources/models/brassicales/decoder.json")
    assert released.fallback.calibrated_on == ("athaliana", "bnapus", "osativa", "ptrichocarpa")
    assert released.of("Brassicales", "athaliana").calibrated_on == ("athaliana",)


def test_each_lineage_is_predicted_with_its_decoder(model_folder, fasta, tmp_path, caplog):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    silent = replace(EAGER, gene_score=-1e6, calibrated_on=("zmays",))
    brassicales = {"Brassicales": replace(EAGER, calibrated_on=("athaliana",))}
    Decoders(EAGER, {"Poales": silent} | brassicales, {"bnapus": silent}).save(folder / "decoder.json")
    genes, headers = {}, {}
    for lineage in ("Brassicales", "Poales", "Solanales", "unknown"):
        shard = tmp_path / f"{lineage}.jsonl"
        with caplog.at_level("INFO"):
            predict_shard(fasta, folder, SETTINGS, "x", lineage, ["b"], 0, shard, 1)
        found = Shards([shard], ["b"])
        genes[lineage], headers[lineage] = found.gene_count, found.header
    assert genes["Poales"] == 0 < genes["Brassicales"]
    assert genes["Solanales"] == genes["unknown"] > 0
    said = {lineage: (header["decoder"], header["score calibrated on"]) for lineage, header in headers.items()}
    assert said == {
        "Brassicales": ("Brassicales", "athaliana"),
        "Poales": ("Poales", "zmays"),
        "Solanales": ("any lineage (the model has none for Solanales)", "not known"),
        "unknown": ("any lineage (that of the genome is not known)", "not known"),
    }
    assert "decoder: Poales; lineages and species with one of their own: Brassicales, Poales, bnapus" in caplog.text
    predict_shard(fasta, folder, SETTINGS, "bnapus", "Brassicales", ["b"], 0, tmp_path / "species.jsonl", 1)
    found = Shards([tmp_path / "species.jsonl"], ["b"])
    assert (found.gene_count, found.header["decoder"]) == (0, "bnapus")


def test_a_window_must_be_longer_than_its_margins():
    with pytest.raises(ConfigError, match="more than twice"):
        PredictionSettings(window=2048, margin=1024)


def test_giving_back_memory_changes_nothing(model_folder, real_bases):
    memory = FreedMemory()
    memory.INTERVAL = 1
    predictor = predictor_of(model_folder)
    assert predictor.genes("x", real_bases, lambda _: memory.tidy()) == predictor.genes("x", real_bases)


#: Eight threads that are alive at the same time make and free 32 MiB each, one after the other.
THREADS_IN_TURN = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from phytoscribe.prediction.pool import FreedMemory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def work(_):
    together.wait()
    with one:
        arrays = [np.ones(1 << 20, np.uint8) for _ in range(32)]
        del arrays

memory, together, one = FreedMemory(), threading.Barrier(8), threading.Lock()
memory.INTERVAL = 1
before = resident()
with ThreadPoolExecutor(8) as pool:
    list(pool.map(work, range(8)))
    kept = resident() - before
    memory.tidy()
    print(kept, resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_threads_share_what_has_been_freed():
    scripts = Path(phytoscribe.__file__).parents[1]
    command = [sys.executable, "-c", THREADS_IN_TURN, str(scripts)]
    kept, after = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    # Kept for the next arrays, once and not once a thread; and given back when it is time.
    assert 25 < kept < 80
    assert after < 10
