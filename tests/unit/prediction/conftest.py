"""The eager model, a small genome and its prediction; and pieces of the example with theirs from DNA alone."""

from __future__ import annotations

from pathlib import Path

import evidence_predictions
import numpy as np
import pytest
import torch
from eager_model import EAGER, EMPHASIS, predict, write_genome
from evidence_predictions import ANNOTATION, LONG, SHORT

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.settings import Decoders
from phytoscribe.genome import Genome, decode
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.tokenizer.training import build_kmer_tokenizer


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def real_bases(arabidopsis_fasta) -> np.ndarray:
    with Genome(arabidopsis_fasta) as genome:
        return genome.bases("Chr4", 0, 9_000)


@pytest.fixture(scope="session")
def fasta(tmp_path_factory, arabidopsis_fasta) -> Path:
    """Contigs of many lengths: two real ones, a tiny one, one of only N, one with a gap, one shorter than a codon."""
    with Genome(arabidopsis_fasta) as genome:
        real, other = genome.bases("Chr4", 0, 9_000), genome.bases("Chr2", 5_000, 12_500)
    gap = real[:4_000].copy()
    gap[1_500:2_600] = 4
    contigs = {"b": real, "a": other, "tiny": real[:90], "n": np.full(3_000, 4, np.uint8), "gap": gap, "two": real[:2]}
    return write_genome(tmp_path_factory.mktemp("genome"), {name: decode(bases) for name, bases in contigs.items()})


@pytest.fixture(scope="session")
def plain(model_folder, fasta, tmp_path_factory) -> PredictionFiles:
    return predict(model_folder, fasta, tmp_path_factory.mktemp("plain") / "out")


@pytest.fixture(scope="session")
def two_contigs(tmp_path_factory, arabidopsis_fasta) -> Path:
    """Pieces of contigs of the example, for the released model."""
    with Genome(arabidopsis_fasta) as genome:
        records = {name: decode(genome.bases(name, 0, end)) for name, end in (LONG, SHORT)}
    return write_genome(tmp_path_factory.mktemp("two"), records)


@pytest.fixture(scope="session")
def annotated() -> list[GeneModel]:
    """The genes of the first of them."""
    return [gene for gene in read_gff3(ANNOTATION) if gene.contig == LONG[0] and gene.end <= LONG[1]]


@pytest.fixture(scope="session")
def from_dna(two_contigs, tmp_path_factory) -> PredictionFiles:
    return evidence_predictions.predict(two_contigs, tmp_path_factory.mktemp("from_dna") / "run")
