"""The decoder against brute force, on both strands, cut into pieces, and mirrored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.sequences import splice
from phytoscribe.decoding import lattice
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.viterbi import CodingGene, StreamingDecoder, decode_coding_genes
from phytoscribe.errors import ModelError
from phytoscribe.genome.sequence import decode, encode, reverse_complement
from phytoscribe.labels.states import STATE_COUNT

STOPS = {"TAA", "TAG", "TGA"}
OTHER = {"+": "-", "-": "+"}
SHORT = DecoderSettings(minimum_intron=8, minimum_cds=0, gene_score=-1.0, intron_score=1.5, coding_score=0.5)


def random_log_probabilities(generator: np.random.Generator, length: int) -> np.ndarray:
    values = generator.normal(0, 2, (length, STATE_COUNT))
    values[:, :5] -= 1.6  # so that genes and introns are about as likely as what lies between them
    return (values - np.logaddexp.reduce(values, axis=1)[:, None]).astype(np.float32)


def mirrored(genes: list[CodingGene], length: int) -> list[CodingGene]:
    return [
        CodingGene(OTHER[g.strand], tuple((length - e, length - s) for s, e in g.cds[::-1])) for g in reversed(genes)
    ]


def all_plus_chains(text: str, minimum_intron: int) -> list[tuple[tuple[int, int], ...]]:
    """Every CDS chain of the plus strand that the grammar allows, straight from the rules."""
    chains = []

    def extend(chain: list[tuple[int, int]], start: int) -> None:
        for end in range(start + 3, len(text) + 1):
            segments = [*chain, (start, end)]
            spliced = "".join(text[s:e] for s, e in segments)
            codons = [spliced[i : i + 3] for i in range(0, len(spliced) - len(spliced) % 3, 3)]
            if "N" in text[start:end] or (len(spliced) >= 3 and codons[0] != "ATG"):
                return
            if any(codon in STOPS for codon in codons[:-1]):
                return
            stopped = codons[-1] in STOPS
            if stopped and len(spliced) % 3:
                return
            if stopped and len(codons) > 1:
                chains.append(tuple(segments))
                continue
            if text[end : end + 2] in ("GT", "GC"):
                for following in range(end + minimum_intron, len(text) - 2):
                    if text[following - 2 : following] == "AG":
                        extend(segments, following)

    for start in range(len(text) - 5):
        if text[start : start + 3] == "ATG":
            extend([], start)
    return chains


def chain_score(chain: tuple[tuple[int, int], ...], plus: np.ndarray, settings: DecoderSettings) -> float:
    """Score of a plus strand chain, term by term."""
    score, position = settings.gene_score, 0
    for index, (start, end) in enumerate(chain):
        for at in range(start, end):
            column = lattice.CODING + position % 3
            if at == start and index == 0:
                column = lattice.START
            elif at == start:
                column = lattice.FIRST + position % 3
            elif at == end - 1 and index == len(chain) - 1:
                column = lattice.STOP
            elif at == end - 1:
                column = lattice.LAST + position % 3
            score += float(plus[at, column])
            position += 1
        if index < len(chain) - 1:
            score += settings.intron_score
            score += sum(float(plus[at, lattice.INTRON + position % 3]) for at in range(end, chain[index + 1][0]))
    return score


def brute_force(bases: np.ndarray, plus: np.ndarray, minus: np.ndarray, settings: DecoderSettings) -> float:
    """Best total score of any set of genes on both strands, at least one base apart."""
    length = bases.size
    candidates = []
    forward = lattice.relative_scores(plus, bases, settings.coding_score)
    for chain in all_plus_chains(decode(bases), settings.minimum_intron):
        candidates.append((chain[0][0], chain[-1][1], chain_score(chain, forward, settings)))
    flipped = reverse_complement(bases)
    backward = lattice.relative_scores(minus[::-1], flipped, settings.coding_score)
    for chain in all_plus_chains(decode(flipped), settings.minimum_intron):
        score = chain_score(chain, backward, settings)
        candidates.append((length - chain[-1][1], length - chain[0][0], score))
    best = np.zeros(length + 2)
    for end in range(1, length + 2):
        best[end] = best[end - 1]
        for start, stop, score in candidates:
            if stop + 1 == end:
                best[end] = max(best[end], best[start] + score)
    return best[length + 1]


def score_of(genes: list[CodingGene], bases, plus, minus, settings) -> float:
    length = bases.size
    forward = lattice.relative_scores(plus, bases, settings.coding_score)
    backward = lattice.relative_scores(minus[::-1], reverse_complement(bases), settings.coding_score)
    total = 0.0
    for gene in genes:
        if gene.strand == "+":
            total += chain_score(gene.cds, forward, settings)
        else:
            total += chain_score(mirrored([gene], length)[0].cds, backward, settings)
    return total


PIECES = ["ATG", "GT", "AG", "TAA", "CAT", "TTA", "AC", "CT", "GC", "A", "C", "G", "T", "TGA", "CTA"]


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=24), st.integers(0, 2**32 - 1))
def test_best_path_equals_brute_force(pieces, seed):
    bases = encode("".join(pieces)[:46])
    generator = np.random.default_rng(seed)
    plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
    genes = decode_coding_genes(bases, plus, minus, SHORT)
    wanted = brute_force(bases, plus, minus, SHORT)
    assert score_of(genes, bases, plus, minus, SHORT) == pytest.approx(wanted, abs=1e-3)


def test_brute_force_cases_hold_introns_on_both_strands():
    """The comparison above is worth something only if spliced genes win in it."""
    seen = set()
    for seed in range(300):
        generator = np.random.default_rng(seed)
        bases = encode("".join(generator.choice(PIECES, 30)))
        plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
        seen |= {(g.strand, len(g.cds) > 1) for g in decode_coding_genes(bases, plus, minus, SHORT)}
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


@pytest.mark.parametrize("piece", [1, 7, 137, 1000])
def test_cutting_the_contig_changes_nothing(contigs, piece):
    settings = DecoderSettings(minimum_intron=12, minimum_cds=0, coding_score=1.2, intron_score=4.0)
    for bases, plus, minus in contigs:
        whole = decode_coding_genes(bases, plus, minus, settings)
        assert decode_coding_genes(bases, plus, minus, settings, piece=piece) == whole
    assert len(whole) > 3
    assert max(len(gene.cds) for gene in whole) > 2


def test_reverse_complement_mirrors_the_genes(contigs):
    settings = DecoderSettings(minimum_intron=12, minimum_cds=0, coding_score=1.2, intron_score=4.0)
    for bases, plus, minus in contigs:
        genes = decode_coding_genes(bases, plus, minus, settings)
        turned = decode_coding_genes(reverse_complement(bases), minus[::-1], plus[::-1], settings)
        assert mirrored(turned, bases.size) == genes


def test_every_decoded_gene_obeys_the_grammar():
    settings = DecoderSettings(minimum_intron=10, minimum_cds=30, coding_score=1.2, intron_score=4.0)
    introns = 0
    for seed in range(6):
        generator = np.random.default_rng([3, seed])
        bases = generator.integers(0, 4, 6000).astype(np.uint8)
        bases[3000:3050] = 4
        plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
        for gene in decode_coding_genes(bases, plus, minus, settings):
            cds = splice(gene.cds, gene.strand, bases)
            codons = [cds[i : i + 3] for i in range(0, len(cds), 3)]
            assert len(cds) % 3 == 0
            assert len(cds) >= 30
            assert "N" not in cds
            assert codons[0] == "ATG"
            assert codons[-1] in STOPS
            assert not STOPS & set(codons[:-1])
            assert all(end - start >= 3 for start, end in gene.cds)
            for (_, left), (right, _) in zip(gene.cds, gene.cds[1:], strict=False):
                intron = splice([(left, right)], gene.strand, bases)
                assert len(intron) >= 10
                assert intron[:2] in ("GT", "GC")
                assert intron[-2:] == "AG"
                introns += 1
    assert introns > 20


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
        kept.append(decoder.kept_bases)
    assert max(kept) < 4_000


def test_settings_refuse_what_no_intron_can_be():
    with pytest.raises(ModelError, match="minimum_intron is 3"):
        DecoderSettings(minimum_intron=3)


def test_settings_round_trip_and_unknown_keys(tmp_path):
    DecoderSettings(gene_score=-3.0).save(tmp_path / "decoder.json")
    assert DecoderSettings.load(tmp_path / "decoder.json").gene_score == -3.0
    (tmp_path / "decoder.json").write_text('{"typo": 1}')
    with pytest.raises(ModelError, match="typo"):
        DecoderSettings.load(tmp_path / "decoder.json")
