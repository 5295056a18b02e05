"""Self-training up to the training set: the released model on 270 kb of the example, without its annotation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_workflow import EXAMPLE, ROOT, copy_house, start, write_config, write_tiny_data

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.training.data.training_set import COUNTED, TrainingSet

SCORE = 0.6


def config(**of_self) -> dict:
    return {
        "genomes": [{"name": "own", "role": "train", "genome": {"path": "data/tiny.fa"}}],
        "split": {"fractions": {"train": 80, "validate": 20, "test": 0}},
        "finetune": {
            "mode": "self",
            "from_model": str(ROOT / "resources/models/brassicales"),
            "self": {"minimum_score": SCORE, **of_self},
        },
        "predict": {"model": "trained"},
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which everything before the training itself has run."""
    folder = copy_house(tmp_path_factory.mktemp("self"))
    write_tiny_data(folder)
    write_config(folder, config(minimum_genes=20))
    done = start(folder, "results/training_set/manifest.json")
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


def test_confident_genes_train_and_doubtful_ones_are_unknown(made):
    first = {gene.id: gene for gene in read_gff3(made / "results/self/own.gff3")}
    accepted = {gene.id for gene in read_gff3(made / "results/self/own.accepted.gff3")}
    assert accepted == {name for name, gene in first.items() if gene.score >= SCORE}
    assert 20 <= len(accepted) < len(first)
    data = TrainingSet.load(made / "results/training_set")
    [own] = data.manifest["genomes"]
    assert own["accepted_genes"] == len(accepted)
    assert 0 < own["validation_genes"] < len(accepted) / 2
    trained = {gene.id.removeprefix("own:") for genes in data.genes.values() for gene in genes}
    assert trained < accepted
    assert len(trained) > len(accepted) / 2
    for row in data.contigs.itertuples():
        weights = data.weights[row.offset : row.offset + row.length]
        for gene in first.values():
            if gene.contig == row.contig and gene.id not in accepted:
                assert not (weights[gene.start : gene.end] == COUNTED).any(), gene.id
    assert 0.2 < (np.asarray(data.weights) == COUNTED).mean() < 0.8


def test_most_confident_genes_are_those_of_the_annotation(made):
    """What the model has learnt from, this species, so that nearly all are right."""
    known = {
        (gene.contig, gene.strand, transcript.cds)
        for gene in read_gff3(EXAMPLE / "annotation.gff3.gz")
        for transcript in gene.coding_transcripts
    }
    accepted = read_gff3(made / "results/self/own.accepted.gff3")
    right = [(gene.contig, gene.strand, gene.representative.cds) in known for gene in accepted]
    assert np.mean(right) > 0.85


def test_too_few_confident_genes_are_one_message(made):
    write_config(made, config(minimum_genes=1000))
    done = start(made, "results/training_set/manifest.json")
    assert done.returncode != 0
    assert done.stdout.count("but self-training needs 1000 (finetune.self.minimum_genes)") == 1
    assert json.loads((made / "results/training_set/manifest.json").read_text())["genomes"], "the former files stay"
