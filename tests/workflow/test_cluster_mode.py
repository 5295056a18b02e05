"""The chain with a split by homology: held-out genes lie among training genes, and no training file shows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_workflow import copy_house, start, tiny_config, write_config, write_tiny_data

from phytoscribe.genome.sequence import encode, reverse_complement


@pytest.fixture(scope="module")
def clustered(tmp_path_factory) -> Path:
    """A folder in which the tiny workflow has run with ``split.mode: cluster``, up to the scores."""
    folder = copy_house(tmp_path_factory.mktemp("clustered"))
    write_tiny_data(folder)
    config = tiny_config()
    config["split"] = {"mode": "cluster"}
    del config["genomes"][1], config["genomes"][0]["contigs"]
    del config["genomes"][0]["isoseq"], config["genomes"][0]["augustus"]
    write_config(folder, config)
    done = start(folder, "results/evaluation/tiny.genes.tsv", "results/splits/leakage.tsv")
    assert done.returncode == 0, done.stdout[-6000:]
    return folder


@pytest.fixture(scope="module")
def held_out(clustered) -> pd.DataFrame:
    splits = pd.read_csv(clustered / "results/splits/splits.tsv", sep="\t")
    assert set(splits["part"]) == {"train", "validate", "test"}
    return splits[splits["part"] != "train"]


def test_no_cluster_no_locus_and_no_base_is_on_two_sides(clustered):
    table = pd.read_csv(clustered / "results/splits/leakage.tsv", sep="\t").set_index("check")["value"]
    for check in ("clusters_on_two_sides", "loci_on_two_sides", "bases_on_two_sides", "held_out_bases_in_training"):
        assert (table.loc[[check]] == 0).all(), check


def test_training_arrays_hide_held_out_loci_with_their_flanks(clustered, held_out):
    contigs = pd.read_csv(clustered / "results/training_set/contigs.tsv", sep="\t").set_index("contig")
    bases = np.load(clustered / "results/training_set/bases.npy")
    weights = np.load(clustered / "results/training_set/weights.npy")
    for row in held_out.itertuples():
        offset, length = contigs.loc[row.contig, ["offset", "length"]]
        hidden = slice(offset + max(0, row.start - 500), offset + min(length, row.end + 500))
        assert (bases[hidden] == 4).all()
        assert not weights[hidden].any()
    assert (bases != 4).sum() > 100_000


def test_the_corpus_of_tokenizer_and_baselines_has_no_held_out_gene(clustered, held_out):
    corpus = (clustered / "results/tokenizer/corpus.txt").read_text().split()
    fasta = (clustered / "resources/genomes/tiny/tiny.fa").read_text().split(">")[1:]
    genome = {r.split(None, 1)[0]: encode("".join(r.split("\n")[1:])) for r in fasta}
    letters = np.array(list("ACGTN"))
    for row in held_out.itertuples():
        locus = genome[row.contig][row.start : row.end]
        for strand in (locus, reverse_complement(locus)):
            text = "".join(letters[strand])
            # Any 60 bases of a held-out gene in the corpus would be copied from it (or be a repeat, of which none
            # is in this data).
            pieces = [text[i : i + 60] for i in range(0, len(text) - 60, 60)]
            assert not [piece for piece in pieces if any(piece in line for line in corpus)]


def test_the_model_was_chosen_on_validation_loci_and_scored_on_test_loci(clustered, held_out):
    report = json.loads((clustered / "results/models/structure/load_report.json").read_text())
    assert report["loaded"] > 0
    assert "cds_exon" in report["validation_f1"]
    scores = pd.read_csv(clustered / "results/evaluation/tiny.genes.tsv", sep="\t")
    loci = scores[(scores["level"] == "locus") & (scores["metric"] == "recall") & (scores["subset"] == "all")]
    assert 0 < loci["n"].iloc[0] <= (held_out["part"] == "test").sum() + 5
    assert {"precision_near_loci", "f1_near_loci"} <= set(scores["metric"])
    assert not {"precision", "f1"} & set(scores["metric"])
