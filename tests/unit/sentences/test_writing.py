"""What a network writes that knows nothing: whole genes all the same, with probabilities that add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from writers import SHORT, random_network

from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.decoding.isoform_edits import Isoform, NetworkOutput
from phytoscribe.decoding.ranked_isoforms import Known
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome import Genome
from phytoscribe.labels.states import SITE_COUNT, STATE_COUNT
from phytoscribe.sentences import generated, writing
from phytoscribe.sentences.generated import isoforms_beside, sites_beside
from phytoscribe.sentences.given_gene import GivenGene, given_gene
from phytoscribe.sentences.grammar import Grammar
from phytoscribe.sentences.shapes import WrittenIsoform
from phytoscribe.sentences.site_evidence import EVIDENCE, site_evidence
from phytoscribe.sentences.tokens import BOS, EOS
from phytoscribe.sentences.writing import WORDS, Search, kinds_of, written_isoforms

CONTIG = "Chr4"
SETTINGS = DecoderSettings()


@pytest.fixture(scope="module")
def loci(arabidopsis_fasta, arabidopsis_genes) -> list[GivenGene]:
    """Real genes on both strands, and a network's output that says nothing."""
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases(CONTIG)
    generator = np.random.default_rng(4)
    states = generator.normal(-4, 2, (2, bases.size, STATE_COUNT)).astype(np.float16)
    sites = generator.random((2, bases.size, SITE_COUNT)).astype(np.float16) ** 4
    output = NetworkOutput(bases, tuple(states), tuple(sites), 0)
    own = [gene.representative for gene in arabidopsis_genes if gene.contig == CONTIG]
    spliced = [t for t in own if t is not None and 2 <= len(t.exons) <= 12][:7]
    found = [given_gene(Known(t, (0.9, 0.99), ()), output, SETTINGS) for t in spliced]
    assert {gene.direction.strand for gene in found} == {"+", "-"}
    return found


def start_of(network, table, evidence, grammar) -> np.ndarray:
    """Probabilities of the first word."""
    memory = network.read(
        torch.from_numpy(evidence)[None].double(),
        torch.from_numpy(kinds_of(table))[None],
        torch.zeros(1, len(table)) > 0,
    )
    with torch.no_grad():
        scores = network.write(torch.tensor([[WORDS.id(BOS)]]), memory)[0][0, 0].numpy()
    allowed = writing.allowed_words(grammar, grammar.start(), len(table))
    weights = np.where(allowed, np.exp(scores - scores[allowed].max()), 0.0)
    return weights / weights.sum()


def test_all_ways_together_have_the_whole_probability(loci, monkeypatch):
    """With one alternative at most, and every way followed: it is written, or nothing is."""
    monkeypatch.setattr(generated, "OTHER_SITES", 3)
    network = random_network()
    looked_at = 0
    for gene in sorted(loci, key=lambda gene: len(gene.first.exons))[:3]:
        table = sites_beside(gene)
        evidence = site_evidence(table, gene, SETTINGS)
        first = WrittenIsoform(gene.first.exons, gene.first.cds)
        grammar = Grammar(table, gene.window.codes, first, 40, 90, most_isoforms=2)
        found = written_isoforms(network, table, evidence, grammar, Search(least=1e-200))
        nothing = start_of(network, table, evidence, grammar)[WORDS.id(EOS)]
        assert sum(isoform.probability for isoform in found) == pytest.approx(1 - nothing, abs=1e-9)
        looked_at += len(found)
    assert looked_at > 10


def test_what_is_written_is_whole_new_and_follows_its_search(loci, monkeypatch):
    monkeypatch.setattr(generated, "OTHER_SITES", 24)
    network, likely_ways, draws = random_network(longest=SHORT), Search(least=0.02), Search("sampled", draws=8)
    everything, few, drawn = [], [], []
    genes = sorted(loci, key=lambda gene: len(gene.first.exons))[:4]
    for gene in genes:
        by_search = [
            isoforms_beside(network, gene, SETTINGS, search, "c1")
            for search in (likely_ways, Search("beam"), Search("greedy"), draws)
        ]
        for found in by_search:
            chains = [isoform.cds for isoform in found]
            assert len(set(chains)) == len(chains)
            assert gene.first.cds not in chains
            for exons, cds, probability in found:
                assert 0 < probability <= 1
                assert sum(end - start for start, end in cds) >= SETTINGS.minimum_cds
                assert reading_frame(spliced_codes(cds, "+", gene.window.codes)).intact
                assert all(any(a <= s and e <= b for a, b in exons) for s, e in cds)
        likely = {isoform.cds: isoform.probability for isoform in by_search[0]}
        greedy = [isoform for isoform in by_search[2] if isoform.probability > likely_ways.least]
        assert all(isoform.probability <= likely[isoform.cds] + 1e-9 for isoform in greedy)
        everything += by_search[0]
        few += by_search[1]
        drawn.append(by_search[3])
    assert everything
    assert few
    again = [isoforms_beside(network, gene, SETTINGS, draws, "c1") for gene in genes]
    elsewhere = [isoforms_beside(network, gene, SETTINGS, draws, "c2") for gene in genes]
    assert again == drawn != elsewhere


def test_draws_name_ways_and_do_not_change_their_probabilities(loci, monkeypatch):
    monkeypatch.setattr(generated, "OTHER_SITES", 6)
    network, gene = random_network(), min(loci, key=lambda gene: len(gene.first.exons))
    likely = isoforms_beside(network, gene, SETTINGS, Search())
    drawn = {x.cds: x.probability for x in isoforms_beside(network, gene, SETTINGS, Search("sampled", draws=300))}
    assert likely[0].probability > 0.01
    assert drawn[likely[0].cds] == pytest.approx(likely[0].probability, rel=0.3)


def test_evidence_is_finite_and_says_what_the_lattice_knows(loci):
    for gene in loci:
        table = sites_beside(gene)
        plain = site_evidence(table, gene, SETTINGS)
        assert plain.shape == (len(table), EVIDENCE)
        assert np.isfinite(plain).all()
        if len(gene.first.cds) > 1:
            structure = Isoform(gene.first.exons[:-1], gene.first.cds[:-1], -0.5)
            told = site_evidence(table, gene._replace(structures=(structure,)), SETTINGS)
            assert (told[table.own] != plain[table.own]).any()


def test_a_gene_of_too_many_sites_is_refused_with_a_reason(loci, monkeypatch):
    monkeypatch.setattr(generated, "MOST_SITES", 5)
    gene = max(loci, key=lambda gene: len(gene.first.exons))
    with pytest.raises(generated.SentenceError, match="at most 5 are read"):
        isoforms_beside(random_network(), gene, SETTINGS, Search())
