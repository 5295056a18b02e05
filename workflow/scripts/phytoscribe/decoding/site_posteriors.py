"""Probability of each splice site under the whole gene grammar: all gene structures that use it, over all structures.

The network's own probability of a site knows its surroundings; the lattice also knows whether a reading frame, a
partner at a usual distance and a gene around it go with the site.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import lattice, scoring, sites
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.streaming import SiteScanner

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
        or the last base of an intron.  As :func:`phytoscribe.evaluation.splice_sites.annotated_sites` has it.
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
    scanner = SiteScanner(settings.site_cutoff, settings.at_ac)
    rows = sites.join([scanner.push(bases, plus, minus), scanner.finish()])
    count = rows.position.size
    if not count:
        return found
    probability = node_posteriors(rows, scoring.parameters(settings), scoring.edge_scores(settings))[0].sum(1)
    for kind in (sites.INTRON_BEGIN, sites.INTRON_END):
        for strand in (sites.PLUS, sites.MINUS):
            chosen = (rows.kind == kind) & (rows.strand == strand)
            donor = (kind == sites.INTRON_BEGIN) == (strand == sites.PLUS)
            base = rows.position[chosen] - (kind == sites.INTRON_END)
            np.add.at(found, (strand, base, 0 if donor else 1), probability[chosen])
    return found


def node_posteriors(
    rows: sites.Rows, theta: npt.NDArray, scores: lattice.Scores
) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Forward-backward over all rows as one block.

    Returns:
        Posterior of each node (rows, 3), the log sum over all paths, and what :func:`scoring.compose` gave: site and
        span scores of the nodes.
    """
    count = rows.position.size
    site, span = np.empty((count, 3)), np.empty((count, 3))
    scoring.compose(0, count, rows, theta, site, span)
    edges = (rows, site, span, scores)
    opened, paths = lattice.Open.empty(count + 1), lattice.Paths.empty(count)
    lattice.forward(0, count, 0, *edges, opened, paths, np.empty(6 * count + 256), math.inf, True, True)
    onward, free = np.empty((count, 3)), np.empty(count)
    total = lattice.backward(0, count, *edges, onward, free)
    posterior = np.exp(np.minimum(paths.total + onward - total, 0.0))
    posterior[rows.kind == sites.CHECK] = 0.0
    return posterior, total, site, span
