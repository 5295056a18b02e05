"""The released head: it belongs to the other released weights, and ranks genes of a contig that it has not seen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.attribution.explained_heads import ExplainedHeads, importance_of_genome
from phytoscribe.genome.fasta import write_index
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.expression import load_heads
from phytoscribe.models.loading import hash_of, model_hash
from phytoscribe.models.regulatory import load_head
from phytoscribe.prediction.expression import predict_genome
from phytoscribe.tracks.bigwig import write_base_bigwig

RESOURCES = Path(__file__).parents[3] / "resources"
MODEL = RESOURCES / "models/brassicales"
HEAD, MOTIFS = MODEL / "expression", MODEL / "regulatory"


def test_it_was_trained_with_the_released_weights():
    networks, report = load_heads(HEAD)
    assert report["structure_model"] == model_hash(MODEL)
    assert report["motifs"] == hash_of(MOTIFS, REGULATORY_FILES)
    stem = load_head(MOTIFS)[0].stem.state_dict()
    for network in networks:
        torch.testing.assert_close(network.stem.state_dict(), stem, atol=0, rtol=0)
    assert len(networks) == 3
    assert sum(path.stat().st_size for path in HEAD.iterdir()) < 4_000_000


def test_it_ranks_the_genes_of_a_test_contig(arabidopsis_fasta, arabidopsis_genes, tmp_path):
    genes = [gene for gene in arabidopsis_genes if gene.contig == "Chr5"]
    with (tmp_path / "genes.gff3").open("w") as handle:
        write_gff3(handle, genes, {"Chr5": 269_755})
    output, names = tmp_path / "x.tsv", ("athaliana", "Brassicales")
    predict_genome(HEAD, tmp_path / "genes.gff3", arabidopsis_fasta, None, MODEL, names, "cpu", 1, output)
    found = pd.read_csv(output, sep="\t", comment="#", keep_default_na=False, na_values=[""], index_col="gene")
    assert len(found) == len(genes)
    assert set(found["part"]) == {"unknown"}, "chromosome 1 taught it, and it cannot tell"
    assert "no plant of lineage" not in output.read_text()
    measured = np.log2(1 + pd.read_csv(RESOURCES / "example/athaliana/expression.tsv.gz", sep="\t", index_col=0))
    both = pd.concat([found["level"], measured.mean(axis=1)], axis=1, join="inner").dropna()
    assert len(both) > 60
    assert both.corr("spearman").iloc[0, 1] > 0.6


@pytest.mark.parametrize("there", [1, 0])
def test_a_genome_without_a_readable_gene_gets_a_table_without_levels(tmp_path, caplog, there):
    (tmp_path / "x.fa").write_text(f">c\n{'ATG' + 'GCA' * 60 + 'TAA'}\n")
    write_index(tmp_path / "x.fa", tmp_path / "x.fa.fai")
    gene = GeneModel("g", "c", "+", [Transcript("t", [(0, 186)], [(0, 186)])])
    with (tmp_path / "x.gff3").open("w") as handle:
        write_gff3(handle, [gene] * there, {"c": 186})
    files, names = (tmp_path / "x.gff3", tmp_path / "x.fa"), ("new", "Brassicales")
    output, given = tmp_path / "x.tsv", (MODEL, names, "cpu", 1)
    with caplog.at_level("WARNING"):
        predict_genome(HEAD, *files, None, *given, output)
    found = pd.read_csv(output, sep="\t", comment="#", keep_default_na=False, na_values=[""])
    assert len(found) == there
    assert found["level"].isna().all()
    assert found["reason"].eq("beyond_contig").all()
    assert f"can read no gene of {there}" in caplog.text
    heads = ExplainedHeads.load(HEAD, MODEL, "mean", *given[1:])
    assert write_base_bigwig(importance_of_genome(heads, *files, 2), {"c": 186}, tmp_path / "x.bw") == 0
