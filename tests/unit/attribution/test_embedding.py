"""Promoters as points: GC that is all there is shows as such, and what neighbours know of levels is told from words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phytoscribe.annotation.gene_database import GeneDatabase, write_gene_database
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.attribution.embedding import (
    BOTH_AXES,
    DIFFERENCE,
    GC_R2,
    KMERS,
    NEIGHBOUR_R2,
    TRUNK,
    Promoters,
    points_of,
    principal_axes,
    read_promoters,
    score_points,
)
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.examples import GenomeFiles, specificity
from phytoscribe.expression.window_table import GENE_WINDOWS, windows_of_genome
from phytoscribe.expression.windows import WindowSettings
from phytoscribe.genome.fasta import Genome
from phytoscribe.tables import EMBEDDING

ROOT = Path(__file__).parents[3]
GENES = 240


def made(signal: float) -> Promoters:
    """Vectors that are GC content, and another direction of ``signal`` that is the level; 4-mers are noise."""
    random = np.random.default_rng(1)
    gc, level = random.normal(0.35, 0.05, GENES), random.normal(3, 2, GENES)
    vectors = np.outer(gc, random.normal(size=12)) * 20
    vectors[:, -4:] += signal * level[:, None]
    part = np.repeat(["train", "validate", "test"], GENES // 3)
    table = pd.DataFrame({"genome": "g", "gene": [f"g{n}" for n in range(GENES)], "part": part, "cluster": np.nan})
    log = np.stack([level.clip(0), np.full(GENES, 2.0)], axis=1)
    kmers = random.normal(size=(GENES, 30)).astype(np.float32)
    return Promoters(table, log, ("leaf", "bud"), vectors.astype(np.float32), kmers, gc)


def scores(promoters: Promoters) -> pd.DataFrame:
    return score_points(promoters, 1).set_index(["measure", "label", "model"])


def test_vectors_of_gc_alone_are_explained_by_gc():
    found = scores(made(0.0))
    both = found.loc[(GC_R2, BOTH_AXES, TRUNK)]
    assert both["value"] > 0.999
    assert (both["n"], both["subset"]) == (GENES, "all")
    assert found.loc[(GC_R2, BOTH_AXES, KMERS), "value"] < 0.1
    row = found.loc[(NEIGHBOUR_R2, "leaf", TRUNK)]
    assert (row["n"], row["subset"]) == (GENES // 3, "test")
    assert row["high"] < 0.2
    assert (
        found.loc[(NEIGHBOUR_R2, "leaf", DIFFERENCE), "low"] < 0 < found.loc[(NEIGHBOUR_R2, "leaf", DIFFERENCE), "high"]
    )


def test_what_neighbours_know_of_levels_beyond_words_is_told():
    promoters = made(5.0)
    found = scores(promoters)
    assert found.loc[(GC_R2, BOTH_AXES, TRUNK), "value"] < 0.9
    assert found.loc[(NEIGHBOUR_R2, "leaf", TRUNK), "low"] > 0.5
    assert found.loc[(NEIGHBOUR_R2, "leaf", KMERS), "high"] < 0.2
    assert found.loc[(NEIGHBOUR_R2, "leaf", DIFFERENCE), "low"] > 0.3
    # The level of a test gene changes nothing but its own row, and its vector no axis.
    test = promoters.of_part("test")
    promoters.log[test] = 0.0
    changed = promoters.vectors.copy()
    changed[test] *= 2
    axes = (principal_axes(vectors, promoters.of_part("train")) for vectors in (promoters.vectors, changed))
    assert np.array_equal(*(one[~test] for one in axes))


def test_too_few_genes_make_no_picture():
    promoters = made(0.0)
    with pytest.raises(PhytoScribeError, match=r"49 training genes .*50 are needed.*hold less out"):
        principal_axes(promoters.vectors, np.arange(GENES) < 49)


def test_specificity_to_tissues():
    log = np.array([[2, 2, 2], [4, 0, 0], [4, 2, 0], [4, np.nan, 2], [0, 0, 0], [3, np.nan, np.nan]])
    assert np.allclose(specificity(log), [0, 1, 0.75, 0.5, np.nan, np.nan], equal_nan=True)


def test_real_promoters_become_the_same_points_each_time(tmp_path, arabidopsis_fasta, arabidopsis_genes):
    """The first genes of the example, read with the released model."""
    genes = arabidopsis_genes[:66]
    with Genome(arabidopsis_fasta) as genome, (tmp_path / "g.gff3").open("w") as handle:
        write_gff3(handle, genes, genome.contigs)
    write_gene_database(tmp_path / "g.gff3", tmp_path / "g.db")
    names = [gene.id for gene in genes]
    pd.DataFrame({"gene": names, "leaf": np.arange(66.0)}).to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    files = GenomeFiles("g", tmp_path / "g.db", tmp_path / "g.gff3", arabidopsis_fasta, tmp_path / "m.tsv")
    settings = WindowSettings("promoter", 200)
    table = windows_of_genome("g", GeneDatabase(files.database), files.gff3, files.fasta, settings)
    table = table.assign(cluster=np.nan, part=np.where(np.arange(len(table)) < 52, "train", "test"))[list(GENE_WINDOWS)]
    promoters = read_promoters(table, [files], 200, ROOT / "resources/models/brassicales", "cpu", 1)
    assert promoters.table["gene"].tolist() == table["gene"][table["reason"] == ""].tolist()
    assert promoters.kmers.shape[1] == 256
    assert np.allclose((promoters.kmers**2).sum(axis=1)[promoters.gc > 0], 197, atol=12)
    points = points_of(promoters, 3)
    assert list(points) == list(EMBEDDING)
    assert points["tau"].isna().all(), "one tissue tells no specificity"
    assert points[["pca_1", "umap_1", "umap_2"]].notna().all(axis=None)
    pd.testing.assert_frame_equal(points, points_of(promoters, 3))
