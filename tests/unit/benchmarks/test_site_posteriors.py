"""Splice sites under the gene grammar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import site_posteriors as module
from decoded_regions import START, region_with_genes
from site_posteriors import site_posteriors

from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.evaluation.accuracy.splice_sites import annotated_sites, score_sites
from phytoscribe.genome.sequence import reverse_complement

SETTINGS = replace(
    START,
    site_cutoff=-12.0,
    coding_weight=0.02,
    coding_frame_weight=0.02,
    coding_score=0.05,
    intron_weight=0.01,
    intron_score=8.0,
    gene_score=8.0,
)


def test_sites_of_the_genes_stand_out():
    region = region_with_genes(11)
    found = site_posteriors(region.bases, region.plus, region.minus, SETTINGS)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-5
    truth = annotated_sites(region.genes, "c", region.bases.size)
    for score in score_sites(found, truth).values():
        assert score.average_precision > 0.6
    # A site is at least as likely as any one structure that uses it.
    genes = decode_coding_genes(region.bases, region.plus, region.minus, SETTINGS)
    assert any(len(gene.first.cds) > 1 for gene in genes)
    for gene in genes:
        for (_, left), (right, _) in zip(gene.first.cds, gene.first.cds[1:], strict=False):
            ends = (left, right - 1) if gene.strand == "+" else (right - 1, left)
            for column, base in enumerate(ends):
                assert found["+-".index(gene.strand), base, column] >= gene.first.structure_probability - 1e-3


def test_donors_and_acceptors_come_in_pairs_and_strands_are_alike():
    region = region_with_genes(12)
    found = site_posteriors(region.bases, region.plus, region.minus, SETTINGS)
    np.testing.assert_allclose(found[..., 0].sum(1), found[..., 1].sum(1), rtol=1e-4)
    turned = site_posteriors(reverse_complement(region.bases), region.minus[::-1], region.plus[::-1], SETTINGS)
    np.testing.assert_allclose(turned[::-1, ::-1], found, atol=1e-5)


def test_pieces_say_what_the_whole_says(monkeypatch):
    regions = [region_with_genes(seed) for seed in (13, 14)]
    bases, plus, minus = (np.concatenate([getattr(r, name) for r in regions]) for name in ("bases", "plus", "minus"))
    whole = site_posteriors(bases, plus, minus, SETTINGS)
    monkeypatch.setattr(module, "PIECE", 2_000)
    monkeypatch.setattr(module, "CONTEXT", 800)
    np.testing.assert_allclose(site_posteriors(bases, plus, minus, SETTINGS), whole, atol=0.02)


def test_scores_are_the_heads_and_the_grammars_each_in_its_share():
    region = region_with_genes(11)
    head = np.random.default_rng(1).random((2, region.bases.size, 2)).astype(np.float16)

    class Predictor:
        decoder = SETTINGS

        def log_probabilities(self, bases):
            return region.plus.astype(np.float16), region.minus.astype(np.float16)

        def site_probabilities(self, bases):
            return tuple(head)

    scores = module.ranked_sites(Predictor(), region.bases)
    tables = (table.astype(np.float16).astype(np.float32) for table in (region.plus, region.minus))
    grammar = site_posteriors(region.bases, *tables, SETTINGS)
    np.testing.assert_allclose(scores, 0.3 * head.astype(np.float32) + 0.7 * grammar, atol=1e-6)
