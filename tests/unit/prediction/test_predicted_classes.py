"""Classes of predicted genes: told beside what was there, and element-like genes left out on demand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from eager_model import predict, structure

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.decoding.gene_classes import NUMBERS, REGIONS, GeneClassifier
from phytoscribe.errors import ModelError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.merge import PredictionFiles


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
