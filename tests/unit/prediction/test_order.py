"""Genes are numbered in the order of their places, and shards fit together."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel, Transcript, numbered
from phytoscribe.errors import PhytoScribeError
from phytoscribe.prediction.merge import PredictionStatistics, median
from phytoscribe.prediction.shards import Shards, contigs_of_shard, shard_writer, sorted_genes


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
