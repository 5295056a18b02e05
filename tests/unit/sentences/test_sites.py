"""Candidate sites of a locus: what must be there, what the network makes likely, and in which order."""

from __future__ import annotations

import numpy as np
import pytest
from gene_sentences import BESIDE, locus_of

from phytoscribe.decoding.isoform_edits import FirstTranscript, LocusWindow
from phytoscribe.genome import Genome, decode
from phytoscribe.labels.states import ACCEPTOR, DONOR, SITE_COUNT, STATE_COUNT, State
from phytoscribe.sentences.sites import ENDS, SITE_FEATURES, site_table, sites_of_isoform
from phytoscribe.sentences.tokens import Reason, SentenceError, Site, SiteKind


@pytest.fixture(scope="module")
def locus(arabidopsis_fasta, arabidopsis_genes):
    gene = next(g for g in arabidopsis_genes if g.strand == "-" and len(g.transcripts) > 2)
    start, end = gene.start - BESIDE, gene.end + BESIDE
    with Genome(arabidopsis_fasta) as genome:
        return locus_of(gene.shifted(-start), genome.bases(gene.contig, start, end), np.random.default_rng(1))


@pytest.fixture
def first(locus):
    return FirstTranscript(*locus.sentence.isoforms[0], 0.9, 0.99)


def test_own_and_wanted_sites_are_there_and_others_by_probability(locus, first):
    own = set(sites_of_isoform(first.exons, first.cds))
    wanted = {site for isoform in locus.sentence.isoforms for site in sites_of_isoform(*isoform)}
    text = decode(locus.window.codes)
    most = len(wanted) + 100
    table, wide = site_table(first, locus.window, wanted, most), site_table(first, locus.window)
    assert len(table) == most < len(wide)
    assert own < wanted <= set(table.sites)
    assert {site for site, is_own in zip(table.sites, table.own, strict=True) if is_own} == own
    for one in (table, wide):
        assert list(one.sites) == sorted(set(one.sites), key=lambda site: site.order)
        assert one.features.shape == (len(one), SITE_FEATURES)
        assert one.features.dtype == np.float32
        assert np.isfinite(one.features).all()
        assert [one.number(site) for site in one.sites] == list(range(len(one)))
    for site in wide.sites:
        if site.kind in "DAS" and site not in own:
            before, behind = text[site.cut - 2 : site.cut], text[site.cut : site.cut + 3]
            assert {"D": behind[:2] in ("GT", "GC"), "A": before == "AG", "S": behind == "ATG"}[site.kind]
    for kind in "TP":
        assert sum(site.kind == kind for site in wide.sites) <= ENDS + 1
    with pytest.raises(SentenceError, match="is no candidate site of this locus"):
        table.number(Site(SiteKind.D, 0))


def test_no_site_is_left_out_silently(locus, first):
    with pytest.raises(SentenceError, match="sites are on its isoforms; at most 5 are read") as caught:
        site_table(first, locus.window, most=5)
    assert caught.value.reason == Reason.TOO_MANY_SITES
    with pytest.raises(SentenceError, match="is outside the window"):
        site_table(first, locus.window, [Site(SiteKind.P, locus.window.codes.size + 1)])


def test_the_network_decides_what_is_likely(locus, first):
    """One donor, acceptor, start and end that it believes in, among sites that it rules out."""
    size = locus.window.codes.size
    states = np.full((size, STATE_COUNT), -16.0, np.float32)
    sites = np.zeros((size, SITE_COUNT), np.float32)
    codes = locus.window.codes.copy()
    text = {100: "GT", 200: "AG", 300: "ATG"}
    for at, letters in text.items():
        codes[at : at + len(letters)] = ["ACGT".index(letter) for letter in letters]
    sites[100, DONOR], sites[201, ACCEPTOR] = 0.9, 0.9
    states[300, State.START] = -0.1
    states[400:450, State.INTERGENIC] = states[450:480, State.UTR5_EXON] = -0.1
    found = site_table(first, LocusWindow(codes, states, sites))
    own = set(sites_of_isoform(first.exons, first.cds))
    others = {site for site in found.sites if site not in own and site.kind not in (SiteKind.T, SiteKind.P)}
    assert others == {Site(SiteKind.D, 100), Site(SiteKind.A, 202), Site(SiteKind.S, 300)}
    assert Site(SiteKind.T, 450) in found.sites
    row = found.features[found.number(Site(SiteKind.D, 100))]
    assert row[:5].tolist() == [0, 0, 1, 0, 0]
    assert row[7] == pytest.approx(np.log(9), abs=1e-4)
