"""Probability of each splice site under the whole gene grammar: all gene structures that use it, over all structures.

The network's own probability of a site knows its surroundings; the lattice also knows whether a reading frame, a
partner at a usual distance and a gene around it go with the site.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import scoring, sites
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.streaming import SiteScanner
from phytoscribe.decoding.sums import sums_over_paths

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
    if not rows.position.size:
        return found
    sums = sums_over_paths(rows, scoring.parameters(settings), scoring.edge_scores(settings))
    probability = sums.posteriors(rows).sum(1)
    for kind in (sites.INTRON_BEGIN, sites.INTRON_END):
        for strand in (sites.PLUS, sites.MINUS):
            chosen = (rows.kind == kind) & (rows.strand == strand)
            donor = (kind == sites.INTRON_BEGIN) == (strand == sites.PLUS)
            base = rows.position[chosen] - (kind == sites.INTRON_END)
            np.add.at(found, (strand, base, 0 if donor else 1), probability[chosen])
    return found
