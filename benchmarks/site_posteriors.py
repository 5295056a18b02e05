"""Probability of each splice site under the whole gene grammar: all gene structures that use it, over all structures.

The network's own probability of a site knows its surroundings; the lattice also knows whether a reading frame, a
partner at a usual distance and a gene around it go with the site.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import grammar, scoring
from phytoscribe.decoding.likelihood import path_sums
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.site_scanner import SiteScanner
from phytoscribe.genome.sequence import Bases
from phytoscribe.prediction.predictor import StructurePredictor

#: Part of the grammar in the score of a splice site; chosen on validation contigs (benchmarks/ablations.md).
GRAMMAR_SHARE = 0.7
#: Bases that are summed over at once, and how much of that on either side only serves as context.
PIECE, CONTEXT = 300_000, 20_000


def site_posteriors(
    bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray, settings: DecoderSettings
) -> npt.NDArray[np.float32]:
    """Probabilities of donors and acceptors between CDS segments.

    Args:
        bases: uint8 (length,).
        plus, minus: log probabilities of each strand's states, (length, STATE_COUNT), contig orientation.

    Returns:
        float32 (2, length, 2) by strand (+, -), base in contig orientation, donor and acceptor: the base is the first
        or the last base of an intron, as in :func:`phytoscribe.evaluation.accuracy.splice_sites.annotated_sites`.
    """
    found = np.zeros((2, bases.size, 2), np.float32)
    for first in range(0, max(1, bases.size), PIECE - 2 * CONTEXT):
        start, end = max(0, first - CONTEXT), min(bases.size, first + PIECE - CONTEXT)
        part = slice(start, end)
        here = _posteriors(bases[part], plus[part], minus[part], settings)
        last = min(bases.size, first + PIECE - 2 * CONTEXT)
        found[:, first:last] = here[:, first - start : last - start]
    return found


def _posteriors(
    bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray, settings: DecoderSettings
) -> npt.NDArray[np.float32]:
    found = np.zeros((2, bases.size, 2), np.float32)
    scanner = SiteScanner(settings.site_cutoff, settings.at_ac, codon_margin=settings.codon_margin)
    rows = grammar.join([scanner.push(bases, plus, minus), scanner.finish()])
    if not rows.size:
        return found
    sums = path_sums(rows, scoring.parameters(settings), scoring.edge_scores(settings))
    probability = sums.posteriors().sum(1)
    for kind in (grammar.INTRON_BEGIN, grammar.INTRON_END):
        for strand in (grammar.PLUS, grammar.MINUS):
            chosen = (rows["kind"] == kind) & (rows["strand"] == strand)
            donor = (kind == grammar.INTRON_BEGIN) == (strand == grammar.PLUS)
            base = rows["position"][chosen] - (kind == grammar.INTRON_END)
            np.add.at(found, (strand, base, 0 if donor else 1), probability[chosen])
    return found


def ranked_sites(predictor: StructurePredictor, bases: Bases) -> npt.NDArray[np.float32]:
    """Scores of splice sites of a whole contig: the network's own beside those of the gene grammar.

    The network knows sites of every isoform and of UTRs, the grammar what a site is good for; their weighted mean
    ranks sites better than either.

    Returns:
        float32 (2, length, 2) by strand (+, -), base in contig orientation, donor and acceptor.
    """
    states = (table.astype(np.float32) for table in predictor.log_probabilities(bases))
    sites = np.stack(predictor.site_probabilities(bases)).astype(np.float32)
    return (1 - GRAMMAR_SHARE) * sites + GRAMMAR_SHARE * site_posteriors(bases, *states, predictor.decoder)
