"""Prediction from FASTA to files: what may not change it does not, and edge cases give valid results."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import translate
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import ConfigError, ModelError, PhytoScribeError
from phytoscribe.genome import Genome, check_fasta, decode, reverse_complement
from phytoscribe.genome.fasta import write_index
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.loading import model_hash
from phytoscribe.models.structure import StructureModel
from phytoscribe.prediction.merge import PredictionFiles, number_genes, statistics_of
from phytoscribe.prediction.predictor import StructurePredictor, shortest_window
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.settings import PredictionSettings, choose_device
from phytoscribe.prediction.shards import contigs_of_shard, gather_shards, read_shard, write_shard
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer

SETTINGS = {"window": 1024, "margin": 128, "batch_size": 4, "precision": "float32", "device": "cpu", "shards": 1}
#: An untrained network favours no state; these scalars make it find genes all the same, so that there is something
#: to compare.
EAGER = DecoderSettings(coding_score=1.6, gene_score=2.0, intron_score=72.0, minimum_cds=30)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tokenizer = build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(4)
    model = StructureModel(config_from_settings({"size": "tiny"}, vocab_size=len(tokenizer)))
    model.save_pretrained(folder)
    EAGER.save(folder / "decoder.json")
    return folder


@pytest.fixture(scope="module")
def fasta(tmp_path_factory, arabidopsis_fasta) -> Path:
    """Contigs of many lengths: two real ones, a tiny one, one of only N, one with a gap, one shorter than a codon."""
    with Genome(arabidopsis_fasta) as genome:
        real, other = genome.bases("Chr4", 0, 9_000), genome.bases("Chr2", 5_000, 12_500)
    gap = real[:4_000].copy()
    gap[1_500:2_600] = 4
    contigs = {"b": real, "a": other, "tiny": real[:90], "n": np.full(3_000, 4, np.uint8), "gap": gap, "two": real[:2]}
    folder = tmp_path_factory.mktemp("genome")
    (folder / "source.fa").write_text("".join(f">{name}\n{decode(bases)}\n" for name, bases in contigs.items()))
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


def predict(model_folder, fasta, folder: Path, shards: int = 1, threads: int = 1, **settings) -> PredictionFiles:
    folder.mkdir()
    paths = []
    for shard in range(shards):
        path = folder / f"{shard}.jsonl"
        wanted = {**SETTINGS, **settings, "shards": shards}
        predict_shard(fasta, model_folder, wanted, "athaliana", "Brassicales", None, shard, path, threads)
        paths.append(str(path))
    names = ("genes.gff3", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / name for name in names))
    merge_shards(paths, fasta, "g", None, files)
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


@pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (8, 1), (4, 2)])
def test_batch_size_and_threads_do_not_matter(plain, model_folder, fasta, tmp_path, batch_size, threads):
    other = predict(model_folder, fasta, tmp_path / "out", batch_size=batch_size, threads=threads)
    assert structure(other) == structure(plain)
    scores = [[g.score for g in read_gff3(files.gff3)] for files in (plain, other)]
    np.testing.assert_allclose(*scores, atol=1.01e-3)


def test_the_reverse_complemented_genome_gives_mirrored_genes(model_folder, fasta):
    predictor = StructurePredictor.from_folder(
        model_folder, PredictionSettings(1024, 128, 4), torch.device("cpu"), "athaliana", "Brassicales"
    )
    with Genome(fasta) as genome:
        bases = genome.bases("b")
    forward = predictor.genes("b", bases)
    backward = predictor.genes("b", reverse_complement(bases))
    mirrored = [g.reverse_complement(bases.size) for g in backward]
    assert {(g.strand, g.transcripts[0].cds) for g in forward} == {(g.strand, g.transcripts[0].cds) for g in mirrored}
    assert len(forward) > 3


def test_the_files_agree_and_every_protein_is_whole(plain, fasta):
    genes = read_gff3(plain.gff3)

    def records(path) -> dict[str, str]:
        parts = Path(path).read_text().split(">")[1:]
        return {part.split(None, 1)[0]: "".join(part.split("\n")[1:]) for part in parts}

    cds, proteins, transcripts = records(plain.cds), records(plain.proteins), records(plain.transcripts)
    assert list(cds) == [g.transcripts[0].id for g in genes]
    for name, sequence in cds.items():
        assert translate(sequence).rstrip("*") == proteins[name].rstrip("*")
        assert sequence.startswith("ATG")
        assert sequence in transcripts[name]
        assert "*" not in translate(sequence)[:-1]
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
    names = ("genes.gff3", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
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
    write_shard(one, {"model": "x"}, {"a": [gene]})
    write_shard(two, {"model": "x"}, {"a": []})
    write_shard(other, {"model": "y"}, {"b": []})
    assert read_shard(one)[1]["a"][0].transcripts == gene.transcripts
    with pytest.raises(PhytoScribeError, match="contig a is in another shard"):
        gather_shards([one, two], ["a"])
    with pytest.raises(PhytoScribeError, match="another model"):
        gather_shards([one, other], ["a", "b"])
    with pytest.raises(PhytoScribeError, match="lack 1 contigs"):
        gather_shards([one], ["a", "b"])


def test_numbers_follow_contig_start_end_strand():
    def gene(contig: str, start: int, end: int, strand: str) -> GeneModel:
        return GeneModel("", contig, strand, (Transcript("", ((start, end),), ((start, end),)),), score=0.5)

    genes = [gene("x", 5, 20, "-"), gene("y", 0, 9, "+"), gene("x", 5, 20, "+"), gene("x", 5, 11, "-")]
    numbered = number_genes(genes, "sp", ["y", "x"])
    assert [(g.id, g.contig, g.start, g.end, g.strand) for g in numbered] == [
        ("sp_g000001", "y", 0, 9, "+"),
        ("sp_g000002", "x", 5, 11, "-"),
        ("sp_g000003", "x", 5, 20, "+"),
        ("sp_g000004", "x", 5, 20, "-"),
    ]
    assert statistics_of(numbered, {"y": 10, "x": 20})["single_exon_genes"] == 4


def test_a_device_that_is_not_there_is_never_replaced():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="cuda was asked for"):
        choose_device("cuda")
    assert choose_device("auto").type in ("cpu", "mps")


def test_a_model_folder_that_lacks_a_file_is_named(model_folder, fasta, tmp_path):
    with pytest.raises(ModelError, match=r"config\.json: missing"):
        predict_shard(fasta, tmp_path, SETTINGS, "x", "", None, 0, tmp_path / "o.jsonl", 1)
    assert not (tmp_path / "o.jsonl").exists()


def test_a_tokenizer_of_another_model_is_refused(model_folder):
    other = StructureModel(config_from_settings({"size": "tiny"}, vocab_size=30))
    with pytest.raises(ModelError, match="mixes files of different models"):
        StructurePredictor(other, Segmenter(model_folder), EAGER, PredictionSettings(), torch.device("cpu"))


def test_a_damaged_weight_file_is_one_message(model_folder, fasta, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500])
    with pytest.raises(ModelError, match="not a saved StructureModel"):
        predict_shard(fasta, folder, SETTINGS, "x", "", None, 0, tmp_path / "o.jsonl", 1)


def test_short_contigs_get_short_windows():
    assert shortest_window(1, 1024) == 3072
    assert shortest_window(1024, 1024) == 3072
    assert shortest_window(1025, 1024) == 4096


def test_the_header_says_as_which_species_the_genome_was_read(plain, model_folder, fasta, tmp_path):
    assert "read as: <species:athaliana> <lineage:Brassicales>" in Path(plain.gff3).read_text()
    predict_shard(fasta, model_folder, SETTINGS, "zmays", "Poales", ["two"], 0, tmp_path / "0.jsonl", 1)
    header, _ = read_shard(tmp_path / "0.jsonl")
    assert header["read as"] == "<species:unknown> <lineage:unknown>"


def test_a_window_must_be_longer_than_its_margins():
    with pytest.raises(ConfigError, match="more than twice"):
        PredictionSettings(window=2048, margin=1024)
