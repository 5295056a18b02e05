"""Structures of a gene beside its first: against brute force, and what is written of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from brute_force_lattice import PIECES, SMALL, BruteForce, random_case
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.decoding.block_genes import overlap
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.genome.sequence import reverse_complement

MANY = IsoformSettings(0.02, maximum=100)


def isoforms_of(gene):
    return {t.cds: t.structure_probability for t in gene.transcripts[1:]}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=24), st.integers(0, 2**32 - 1))
def test_all_isoforms_above_the_bound_and_no_others(pieces, seed):
    """Each structure that shares coding bases with one gene of its strand, and its posterior, as brute force has it."""
    case = random_case(pieces, seed)
    plain, genes = decode_coding_genes(*case, SMALL), decode_coding_genes(*case, SMALL, isoforms=MANY)
    assert [replace(gene, transcripts=(gene.first,)) for gene in genes] == plain
    brute = BruteForce(*case, SMALL)
    for gene in genes:
        others = [s for other in genes if other is not gene and other.strand == gene.strand for s in other.first.cds]
        wanted: dict = {}
        for structure in brute.all:
            same_gene = structure.strand == gene.strand and overlap(structure.cds, gene.first.cds)
            if same_gene and structure.cds != gene.first.cds and not overlap(structure.cds, others):
                wanted[structure.cds] = brute.posterior(structure)
        found = isoforms_of(gene)
        assert set(found) <= set(wanted)
        assert {cds for cds, p in wanted.items() if p > MANY.minimum_probability + 1e-4} <= set(found)
        assert found == pytest.approx({cds: wanted[cds] for cds in found}, abs=1e-4)
        assert list(found.values()) == sorted(found.values(), reverse=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=24), st.integers(0, 2**32 - 1))
def test_reverse_complement_has_the_same_isoforms(pieces, seed):
    bases, plus, minus = random_case(pieces, seed)
    genes = decode_coding_genes(bases, plus, minus, SMALL, isoforms=MANY)
    turned = decode_coding_genes(reverse_complement(bases), minus[::-1], plus[::-1], SMALL, isoforms=MANY)
    for gene, other in zip(genes, turned[::-1], strict=True):
        mirrored = {
            tuple((bases.size - e, bases.size - s) for s, e in cds[::-1]): p for cds, p in isoforms_of(other).items()
        }
        sure = {cds for cds, p in isoforms_of(gene).items() if p > MANY.minimum_probability + 1e-4}
        assert sure <= set(mirrored)


def test_brute_force_cases_hold_isoforms():
    """The comparison above is worth something only if there are some, on both strands."""
    seen = set()
    import numpy as np

    for seed in range(60):
        generator = np.random.default_rng(seed)
        case = random_case(list(generator.choice(PIECES, 30)), seed)
        for gene in decode_coding_genes(*case, SMALL, isoforms=MANY):
            seen.add((gene.strand, len(gene.transcripts) > 1))
    assert {("+", True), ("-", True)} <= seen
