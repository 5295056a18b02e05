"""The decoder against brute force: best path and posteriors, on both strands, and with genes cut by the ends."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from brute_force_lattice import PIECES, SMALL, random_case, random_log_probabilities
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_checks import LONG, alike, compare, mirrored

from phytoscribe.annotation.sequences import STOP_CODONS, splice
from phytoscribe.decoding import grammar, lattice
from phytoscribe.decoding.graph import BACKWARD, Graph, Mode, Open, Paths, new_open, no_lengths
from phytoscribe.decoding.scoring import compose, edge_scores, parameters
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.site_scanner import SiteScanner
from phytoscribe.decoding.streaming import StreamingDecoder, decode_coding_genes
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.labels.states import STATE_COUNT, State


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=24), st.integers(0, 2**32 - 1))
def test_best_path_and_posteriors_equal_brute_force(pieces, seed):
    compare(*random_case(pieces, seed), SMALL)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=6, max_size=16), st.integers(0, 2**32 - 1))
def test_genes_cut_by_the_contigs_ends_equal_brute_force(pieces, seed):
    compare(*random_case(pieces, seed), replace(SMALL, partial=True))


def test_brute_force_cases_hold_introns_on_both_strands():
    """The comparison above is worth something only if spliced genes win in it."""
    seen = set()
    for seed in range(150):
        generator = np.random.default_rng(seed)
        case = random_case(list(generator.choice(PIECES, 30)), seed)
        for gene in decode_coding_genes(*case, SMALL):
            seen.add((gene.strand, len(gene.first.cds) > 1))
    assert seen == {("+", True), ("-", True), ("+", False), ("-", False)}


@pytest.fixture(scope="module")
def contigs() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(7)
    return [
        (
            generator.integers(0, 4, length).astype(np.uint8),
            random_log_probabilities(generator, length),
            random_log_probabilities(generator, length),
        )
        for length in (0, 1, 2, 5, 900, 4000)
    ]


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("piece", [1, 137, 1000])
def test_cutting_the_contig_changes_nothing(contigs, piece, partial):
    chosen = replace(LONG, partial=partial)
    for bases, plus, minus in contigs:
        if piece == 1:
            bases, plus, minus = bases[:900], plus[:900], minus[:900]
        whole = decode_coding_genes(bases, plus, minus, chosen)
        assert decode_coding_genes(bases, plus, minus, chosen, piece=piece) == whole
    assert len(whole) >= 2
    assert max(len(gene.first.cds) for gene in whole) > 2


@pytest.mark.parametrize("partial", [False, True])
def test_reverse_complement_mirrors_the_genes(contigs, partial):
    chosen = replace(LONG, partial=partial)
    for bases, plus, minus in contigs:
        genes = decode_coding_genes(bases, plus, minus, chosen)
        turned = decode_coding_genes(reverse_complement(bases), minus[::-1], plus[::-1], chosen)
        assert len(genes) == len(turned)
        assert all(alike(mirrored(b, bases.size), a) for a, b in zip(genes, turned[::-1], strict=True))


@pytest.mark.parametrize(("limit", "cutoff"), [("GIVEN_UP", -4.0), ("LONG_BLOCK", None)])
def test_blocks_decoded_by_themselves_change_nothing(contigs, monkeypatch, limit, cutoff):
    """Against one block for the whole contig: where all can be given up, and where sites are dense."""
    bases, plus, minus = contigs[-1]
    clear = np.full((1400, STATE_COUNT), -5.0, np.float32)
    clear[:, State.INTERGENIC] = -0.05
    plus, minus = (np.concatenate([table[:1300], clear, table[2700:]]) for table in (plus, minus))
    chosen = replace(LONG, site_cutoff=cutoff)
    with monkeypatch.context() as patch:
        patch.setattr(lattice, "GIVEN_UP", math.inf)
        whole = decode_coding_genes(bases, plus, minus, chosen)
    monkeypatch.setattr(lattice, limit, {"GIVEN_UP": 100.0, "LONG_BLOCK": 1024}[limit])
    decoder = StreamingDecoder(chosen)
    blocks = decoder.push(bases, plus, minus)
    assert decoder.decided > 1000
    assert blocks
    blocks += decoder.finish()
    assert len(blocks) == len(whole)
    assert all(alike(a, b) for a, b in zip(blocks, whole, strict=True))


def test_starts_and_stops_have_a_cutoff_of_their_own(contigs):
    """The sites are those of the lower cut-off for codons, and those of the higher one for splice sites."""
    bases, plus, minus = contigs[-1]

    def found(cutoff, margin=0.0):
        scanner = SiteScanner(cutoff, True, codon_margin=margin)
        rows = grammar.join([scanner.push(bases, plus, minus), scanner.finish()])
        codons = np.isin(rows["kind"], (grammar.BEGIN, grammar.END))
        return [
            set(zip(*(part[name].tolist() for name in ("position", "kind", "strand")), strict=True))
            for part in (rows[codons], rows[~codons])
        ]

    (few, sites), (many, _) = found(-3.0), found(-5.0)
    assert few < many
    assert found(-3.0, 2.0) == [many, sites]


def test_sums_from_left_and_right_agree(contigs):
    bases, plus, minus = contigs[-1]
    for chosen in (LONG, replace(LONG, partial=True)):
        problem = BlockOfSites(bases, plus, minus, chosen)
        forward, backward, crossing = problem.sums()
        assert forward == pytest.approx(backward, abs=1e-6)
        # At every site the non-coding path and all genes over it make up one.
        assert np.allclose(crossing, 1.0, atol=1e-6)


def test_no_list_of_what_is_open_outgrows_its_room(contigs):
    """The lattice writes without looking whether there is room."""
    bases, plus, minus = contigs[-1]
    for chosen in (LONG, replace(LONG, partial=True)):
        problem = BlockOfSites(bases, plus, minus, chosen)
        count = problem.rows.size
        opened, wide = problem.read(count)
        assert opened.used() <= lattice.most_open(problem.rows) < count / 2
        _, narrow = problem.read(lattice.most_open(problem.rows))
        assert all(np.array_equal(a, b) for a, b in zip(wide, narrow, strict=True))


class BlockOfSites:
    """A whole contig as one block of the lattice."""

    def __init__(self, bases, plus, minus, chosen) -> None:
        scanner = SiteScanner(chosen.site_cutoff, chosen.at_ac, chosen.partial, chosen.codon_margin)
        self.rows = grammar.join([scanner.push(bases, plus, minus), scanner.finish()])
        count = self.rows.size
        self.graph = Graph(self.rows, np.empty((count, 3)), np.empty((count, 3)), edge_scores(chosen))
        compose(0, count, self.rows, parameters(chosen), self.graph.site, self.graph.span)

    def read(self, room: int) -> tuple[Open, Paths]:
        """What is open at the end, and all paths, from lists with so much room."""
        count = self.rows.size
        opened, paths = new_open(room, 0), Paths.empty(count)
        lattice.read(0, count, 0, self.graph, opened, paths, Mode(), no_lengths())
        return opened, paths

    def sums(self) -> tuple[float, float, np.ndarray]:
        count = self.rows.size
        opened, paths = self.read(count)
        after = Paths.sums(count)
        total = lattice.backward(0, count, self.graph, after, Mode(BACKWARD), no_lengths())
        onward, free = after.total, after.free
        crossing, inside = [], 0.0
        before = 0.0
        for r in range(count):
            kind, edge = self.rows["kind"][r], self.rows["variant"][r] == grammar.EDGE
            node = np.exp(paths.total[r] + onward[r] - total)
            if kind == grammar.BEGIN or (kind == grammar.INTRON_BEGIN and edge):
                inside += node.sum()
            elif kind == grammar.END:
                inside -= node.sum()
                before = np.logaddexp.reduce([before, *paths.total[r]])
            elif kind == grammar.INTRON_END and edge:
                inside -= node.sum()
                before = np.logaddexp.reduce([before, *(paths.total[r] + self.graph.site[r])])
            # ``free`` holds what lies right of the row before a gene may begin at it.
            after = free[r]
            crossing.append(inside + np.exp(before + after - total))
        return float(opened.free[0]), float(total), np.array(crossing)


def test_every_decoded_gene_obeys_the_grammar():
    introns = 0
    for seed in range(6):
        generator = np.random.default_rng([3, seed])
        bases = generator.integers(0, 4, 6000).astype(np.uint8)
        bases[3000:3050] = 4
        plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
        for gene in decode_coding_genes(bases, plus, minus, replace(LONG, minimum_intron=10)):
            cds = splice(gene.first.cds, gene.strand, bases)
            codons = [cds[i : i + 3] for i in range(0, len(cds), 3)]
            assert len(cds) % 3 == 0
            assert len(cds) >= 30
            assert "N" not in cds
            assert codons[0] == "ATG"
            assert codons[-1] in STOP_CODONS
            assert not set(STOP_CODONS) & set(codons[:-1])
            assert all(end - start >= 3 for start, end in gene.first.cds)
            for (_, left), (right, _) in zip(gene.first.cds, gene.first.cds[1:], strict=False):
                intron = splice([(left, right)], gene.strand, bases)
                assert len(intron) >= 10
                assert intron[:2] in ("GT", "GC")
                assert intron[-2:] == "AG"
                introns += 1
    assert introns > 20


def test_sensitivity_finds_more_genes_or_fewer(contigs):
    bases, plus, minus = contigs[-1]
    counts = []
    for sensitivity in (-20.0, 0.0, 10.0):
        chosen = replace(LONG, sensitivity=sensitivity)
        counts.append(len(decode_coding_genes(bases, plus, minus, chosen)))
    assert counts[0] < counts[1] < counts[2]


def test_sites_under_the_cut_off_are_no_candidates(contigs):
    bases, plus, minus = contigs[-1]
    chosen = replace(LONG, site_cutoff=-4.0)
    genes = decode_coding_genes(bases, plus, minus, chosen)
    assert genes
    for gene in genes:
        table = plus if gene.strand == "+" else minus
        for (_, left), (right, _) in zip(gene.first.cds, gene.first.cds[1:], strict=False):
            for base in (left - 1, right):
                assert table[base, State.FIRST0 : State.STOP].max() >= -4.0


def test_a_long_gap_does_not_hold_the_decoder_back():
    """An intron may cross a gap, but none stays open for ever: what is kept in memory does not grow with the gap."""
    generator = np.random.default_rng(5)
    decoder = StreamingDecoder(DecoderSettings())
    kept = []
    for step in range(20):
        gap = step >= 5
        bases = np.full(5_000, 4, np.uint8) if gap else generator.integers(0, 4, 5_000).astype(np.uint8)
        table = np.full((5_000, STATE_COUNT), -5.0, np.float32)
        table[:, 0] = -0.05
        decoder.push(bases, table, table)
        kept.append(5_000 * (step + 1) - decoder.decided)
    assert max(kept) <= 25_000
    assert max(kept[8:]) < 4_000
