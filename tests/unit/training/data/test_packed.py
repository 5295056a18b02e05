"""Packed training data: what comes out is what went in; and windows drawn from several groups."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.genome.sequence import decode, encode
from phytoscribe.labels import label_sites
from phytoscribe.labels.states import ACCEPTOR_BIT, DONOR_BIT
from phytoscribe.training.data.packed import PackedSequences, load_packed, pack_sequences, with_share
from phytoscribe.training.loop.mixture import MixtureOrder

EXAMPLE = Path("resources/example/athaliana")


@given(st.lists(st.text("ACGTN", min_size=1, max_size=50), min_size=1, max_size=5))
def test_sequences_come_back(texts):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npz"
        given_sequences = {f"c{number}": encode(text) for number, text in enumerate(texts)}
        pack_sequences(given_sequences, path)
        found = PackedSequences(path)
        assert found.contigs == {name: bases.size for name, bases in given_sequences.items()}
        for name, bases in given_sequences.items():
            assert np.array_equal(found.bases(name), bases)
            assert np.array_equal(found.bases(name, 1, 3), bases[1:3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("packed")
    command = [sys.executable, "tools/pack_training_data.py", str(target), "--name", "athaliana"]
    command += ["--species", "athaliana", "--lineage", "Brassicales", "--fasta", str(EXAMPLE / "genome.fa.gz")]
    command += ["--annotation", str(EXAMPLE / "annotation.gff3.gz"), "--mask", str(EXAMPLE / "mask.bed")]
    subprocess.run([*command, "--train", "Chr4,Chr2", "--validate", "Chr3", "--ignore-ends", "100"], check=True)
    return target


def test_a_packed_genome_is_read_as_it_was(folder, arabidopsis_fasta):
    (packed,) = load_packed(folder)
    training = packed.for_training()
    assert set(training.contigs) == {"Chr2", "Chr4"}
    with Genome(arabidopsis_fasta) as genome:
        for contig in training.contigs:
            assert np.array_equal(training.genome.bases(contig), genome.bases(contig))
    assert {gene.contig for gene in training.genes} == {"Chr2", "Chr4"}
    (region,) = packed.validation_regions()
    assert (region.name, len(region.genes)) == ("Chr3", sum(gene.contig == "Chr3" for gene in packed.genes))
    assert (0, 100) in region.mask
    assert training.complete_utrs


def test_a_share_of_the_training_contigs(folder):
    (packed,) = load_packed(folder)
    many = replace(packed, parts=dict.fromkeys(packed.sequences.contigs, "train") | {"Chr3": "validate"})
    sizes = packed.sequences.contigs
    total = sum(sizes[contig] for contig in many.for_training().contigs)
    former: set[str] = set()
    for share in (0.01, 0.3, 0.6, 1.0):
        (fewer,) = with_share([many], share, seed=1)
        contigs = set(fewer.for_training().contigs)
        assert former <= contigs
        assert {gene.contig for gene in fewer.for_training().genes} <= contigs
        assert [region.name for region in fewer.validation_regions()] == ["Chr3"]
        bases = sum(sizes[contig] for contig in contigs)
        assert share * total <= bases < share * total + max(sizes.values())
        former = contigs
    assert former == set(sizes) - {"Chr3"}
    assert len({tuple(with_share([many], 0.01, seed)[0].for_training().contigs) for seed in range(20)}) > 1
    with pytest.raises(PhytoScribeError, match="above 0 and up to 1"):
        with_share([many], 0.0, 1)


def test_training_stretches_hold_whole_genes_and_mask_those_cut(folder):
    (packed,) = load_packed(folder)
    sizes = packed.sequences.contigs
    cut = next(gene for gene in packed.genes if gene.contig == "Chr4" and gene.start > 50_000)
    length = (cut.start + cut.end) // 2
    assert sizes["Chr2"] > length
    for region in packed.training_stretches(5, length):
        assert region.name in ("Chr2", "Chr4")  # trained on, and long enough
        assert region.bases.size == length
        assert all(gene.end <= length for gene in region.genes)
        if region.name == "Chr4":
            assert (cut.start, length) in region.mask
            assert len(region.genes) + 1 <= sum(gene.contig == "Chr4" and gene.start < length for gene in packed.genes)
    assert len(packed.training_stretches(1, length)) == 1
    assert packed.training_stretches(5, 1 + max(sizes.values())) == []


def test_a_contig_that_is_not_there_is_named(tmp_path):
    command = [sys.executable, "tools/pack_training_data.py", str(tmp_path), "--name", "a", "--species", "a"]
    command += ["--fasta", str(EXAMPLE / "genome.fa.gz"), "--annotation", str(EXAMPLE / "annotation.gff3.gz")]
    done = subprocess.run([*command, "--train", "Chr9"], capture_output=True, text=True)
    assert done.returncode
    assert "has no sequence Chr9" in done.stderr


def test_an_empty_folder_is_no_packed_data(tmp_path):
    with pytest.raises(PhytoScribeError, match=r"genomes.json: no such file"):
        load_packed(tmp_path)


def test_groups_are_drawn_in_their_changing_shares():
    contigs = pd.DataFrame(
        {"offset": [0, 50_000, 90_000], "length": [50_000, 40_000, 80_000], "group": ["a", "b", "a"]}
    )
    order = MixtureOrder(contigs, 1000, 3, {"a": 1, "b": 3}, {"a": 4, "b": 0}, 4000)
    assert [order[i] for i in range(50)] == [
        MixtureOrder(contigs, 1000, 3, {"a": 1, "b": 3}, {"a": 4, "b": 0}, 4000)[i] for i in range(50)
    ]
    rows = [order[i][0] for i in range(5000)]
    early, late = Counter(rows[:400]), Counter(rows[4000:])
    assert early[1] / 400 == pytest.approx(0.72, abs=0.07)
    assert late[1] == 0
    assert late[2] / late[0] == pytest.approx(80 / 50, rel=0.3)
    for index in range(200):
        row, start, strand = order[index]
        assert 0 <= start <= contigs["length"][row] - 1000
        assert strand in (0, 1)


def test_the_release_is_trained_and_resumed(folder, tmp_path):
    command = [sys.executable, "tools/train_release.py", "--data", str(folder), "--out", str(tmp_path)]
    command += ["--window", "1024", "--size", "tiny", "--k", "3", "--validate-every", "4", "--save-every", "2"]
    command += ["--warmup", "1", "--threads", "1", "--device", "cpu", "--steps", "4"]
    first = subprocess.run([*command, "--stop-after", "0"], capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert "stopped at step 1 of 4" in first.stderr
    second = subprocess.run(command, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert "resumed at step 1" in second.stderr
    assert {"config.json", "model.safetensors", "decoder.json", "tokenizer.json"} <= {
        path.name for path in (tmp_path / "model").iterdir()
    }
    names = pd.read_csv(tmp_path / "metrics.tsv", sep="\t")["name"]
    assert "validation_locus_f1" in set(names)


def test_introns_alone_teach_their_sites_and_nothing_else(tmp_path):
    introns = [
        ("ACGTACGTAC", "GTAAGT" + "T" * 40 + "CAG", "GATTACAGAT"),
        ("TTTTTTTTTT", "GCAAGT" + "A" * 50 + "TAG", "CC"),
    ]
    (tmp_path / "introns.txt").write_text("".join(" ".join(parts) + " 12 AT1G01010\n" for parts in introns))
    command = [sys.executable, "tools/pack_introns.py", str(tmp_path / "packed"), "--species", "a"]
    subprocess.run([*command, "--introns", str(tmp_path / "introns.txt")], check=True)
    (packed,) = load_packed(tmp_path / "packed")
    training = packed.for_training()
    assert training.sites_only
    (contig,) = training.contigs
    text = decode(training.genome.bases(contig))
    sites = label_sites(training.genes, "+", len(text))
    for left, intron, right in introns:
        begin = text.index(left + intron + right) + len(left)
        assert sites[begin] == DONOR_BIT
        assert sites[begin + len(intron) - 1] == ACCEPTOR_BIT
    assert np.count_nonzero(sites) == 4
