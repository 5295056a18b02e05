"""The grammar allows what leads to an end and nothing else; what it allows is a gene."""

from __future__ import annotations

import numpy as np
import pytest
from gene_sentences import BESIDE, checked, drawn, locus_of, random_table
from hypothesis import given, settings
from hypothesis import strategies as st
from small_loci import CODING, INTRON, PIECES, all_alternatives, random_locus, table_of

from phytoscribe.decoding.isoform_edits import FirstTranscript, longest_cds
from phytoscribe.genome import Genome
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.gene_sentences import coding_alternatives, sharing_ends
from phytoscribe.sentences.grammar import Grammar, Phase
from phytoscribe.sentences.lookahead import _frame, _usual, spliced
from phytoscribe.sentences.sentence import tokens_of
from phytoscribe.sentences.shapes import bases_of
from phytoscribe.sentences.sites import site_table, sites_of_isoform
from phytoscribe.sentences.tokens import EOS, TRANSCRIPT, SentenceError, Site, SiteKind


def choices(grammar, state):
    words, pointers = grammar.allowed(state)
    return [*words, *(grammar.table.sites[k] for k in np.flatnonzero(pointers))]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 26), st.integers(3, 9))
def test_allowed_is_what_some_alternative_says_next(seed, pieces, most):
    """Against all alternatives of a small locus, word by word."""
    locus = random_locus(seed, pieces, most)
    if locus is None:
        return
    codes, primary, table = locus
    grammar = Grammar(table, codes, primary, INTRON, CODING, most_isoforms=3)
    generator = np.random.default_rng(seed)
    state, earlier = grammar.start(), [primary]
    for _ in range(2):
        whole = all_alternatives(codes, primary, earlier, table)
        assert (TRANSCRIPT in choices(grammar, state)) == bool(whole)
        if not whole:
            break
        state, said = grammar.after(state, TRANSCRIPT), []
        while state.phase != Phase.DONE:
            possible = [words[len(said)] for words in whole if words[: len(said)] == said and len(words) > len(said)]
            found = choices(grammar, state)
            assert set(found) - {EOS, TRANSCRIPT} == set(possible)
            assert (EOS in found) == (said in whole)
            if EOS in found and (not possible or generator.random() < 0.3):
                break
            said.append(possible[generator.integers(len(possible))])
            state = grammar.after(state, said[-1])
        earlier = grammar.isoforms(grammar.after(state, EOS))


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=40), st.data())
def test_frames_with_one_more_intron_are_those_of_the_new_chain(pieces, data):
    """Looked up, and read anew."""
    codes = np.array(["ACGTN".index(base) for base in "".join(pieces)], dtype=np.uint8)
    cuts = data.draw(st.lists(st.integers(0, codes.size), min_size=2, max_size=6, unique=True).map(sorted))
    exons = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    chain = spliced(codes, np.array([s for s, _ in exons]), np.array([e for _, e in exons]))
    start, end = data.draw(st.sampled_from(exons))
    donor = data.draw(st.integers(start, end))
    acceptor = data.draw(st.integers(donor, end))
    left = sum(min(e, donor) - s for s, e in exons if s < donor)
    right = left + acceptor - donor
    halves = [(start, donor), (acceptor, end)]
    new = tuple(sorted(x for x in [*(e for e in exons if e != (start, end)), *halves] if x[0] < x[1]))
    if not new:
        return
    usual, length = _usual(chain, left, right)
    cds = longest_cds(new, codes)
    assert length == bases_of(cds)
    assert not cds or chain.place[usual] == cds[0][0]
    for begin in range(chain.codes.size):
        found = _frame(chain, begin, left, right)
        assert found == (0 if left <= begin < right else bases_of(open_frame(new, int(chain.place[begin]), codes)))


@pytest.fixture(scope="module")
def loci(arabidopsis_fasta, arabidopsis_genes):
    """Annotated genes, most with isoforms, in windows with random network output."""
    generator = np.random.default_rng(3)
    spliced_genes = [gene for gene in arabidopsis_genes if 2 <= len(gene.transcripts) < 8][::12]
    with Genome(arabidopsis_fasta) as genome:
        found = []
        for gene in spliced_genes[:60]:
            start, end = max(0, gene.start - BESIDE), min(genome.contigs[gene.contig], gene.end + BESIDE)
            found.append(locus_of(gene.shifted(-start), genome.bases(gene.contig, start, end), generator))
    return found


@pytest.mark.parametrize("whole", [False, True])
def test_sentences_by_random_weights_are_genes(loci, whole):
    """No dead end, no isoform twice, every CDS intact, as other code than the grammar's finds."""
    generator, isoforms, types = np.random.default_rng(5), [], set()
    for locus in loci[:20]:
        gene, faults = checked(locus, random_table(locus, generator), whole, 90, generator, [])
        assert not faults
        isoforms.append(len(gene.isoforms))
        types.add(gene.gene_type)
    assert max(isoforms) > 3
    assert len(types) > 3 or not whole


def test_a_sentence_ends_in_time(loci):
    """Also where hardly a word or isoform is left."""
    generator = np.random.default_rng(6)
    for locus in loci[:12]:
        codes, first = locus.window.codes, locus.sentence.isoforms[0]
        table = site_table(FirstTranscript(*first, 0.9, 0.9), locus.window, most=len(sites_of_isoform(*first)) + 50)
        before = len(tokens_of(locus.sentence._replace(isoforms=(first,)), codes))
        most = before + int(generator.integers(0, 9))
        grammar = Grammar(table, codes, first, 20, 90, most_isoforms=3, most_tokens=most)
        said, isoforms = drawn(grammar, generator, [])
        assert before - 1 + len(said) <= most
        assert len(isoforms) <= 3
        with pytest.raises(SentenceError, match="may not be word"):
            grammar.after(grammar.start(), Site(SiteKind.T, 0))


def test_annotated_alternatives_are_allowed(loci):
    """Their sites being candidates."""
    words = 0
    for locus in loci:
        codes = locus.window.codes
        gene = coding_alternatives(sharing_ends(locus.sentence, codes), codes)
        tokens, first = tokens_of(gene, codes), gene.isoforms[0]
        wanted = [token for token in tokens if isinstance(token, Site)]
        table = site_table(FirstTranscript(*first, 0.9, 0.9), locus.window, wanted)
        grammar = Grammar(table, codes, first, 20, 90)
        state = grammar.start()
        for token in tokens[state.length :]:
            state, words = grammar.after(state, token), words + 1
        assert set(grammar.isoforms(state)) == set(gene.isoforms)
    assert words > 200


def test_a_locus_without_any_frame_has_no_coding_gene():
    codes = np.array([0, 2] * 30, dtype=np.uint8)
    table = table_of([Site(SiteKind.T, 0), Site(SiteKind.P, 60), Site(SiteKind.D, 20), Site(SiteKind.A, 40)])
    with pytest.raises(SentenceError, match="no gene of the types protein_coding can be written"):
        Grammar.open(table, codes, ["protein_coding"], INTRON, CODING).start()
    assert Grammar.open(table, codes, ["protein_coding", "tRNA"], INTRON, CODING).start().way
