"""The grammar allows what leads to an end and nothing else; what it allows is a gene."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_loci import CODING, INTRON, all_alternatives, random_locus

from phytoscribe.sentences.grammar import Grammar, Phase
from phytoscribe.sentences.tokens import EOS, TRANSCRIPT


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
