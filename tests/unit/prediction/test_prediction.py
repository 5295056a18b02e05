"""Prediction from FASTA to files: what may not change it does not, and edge cases give valid results."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
import torch
from eager_model import EAGER, SETTINGS, predict, predictor_of, write_genome

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.sequences import translate
from phytoscribe.devices import choose_precision, int8_is_fast
from phytoscribe.errors import ConfigError, FastaError
from phytoscribe.genome import Genome, decode, reverse_complement
from phytoscribe.genome.sequence import encode
from phytoscribe.labels.states import CODING_STATES
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.batches import WindowTokens, collate_tokens
from phytoscribe.models.loading import load_model, model_hash
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.network import StructureNetwork
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.windows import ContigSequence, PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tracks.bigwig import write_bigwig
from phytoscribe.tracks.kinds import TRACKS
from phytoscribe.tracks.track_file import ShardTracks

bytes_only = pytest.mark.skipif(not int8_is_fast(), reason="this processor has no fast products of bytes")


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


def test_a_window_must_be_longer_than_its_margins():
    with pytest.raises(ConfigError, match="more than twice"):
        PredictionSettings(window=2048, margin=1024)
