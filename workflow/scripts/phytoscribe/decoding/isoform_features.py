"""What tells an isoform that exists from one that does not: numbers for a ranker.

Most are from DNA through the network; the last ones are from RNA-seq reads (:mod:`phytoscribe.decoding.isoform_reads`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.isoform_events import (
    EVENT_CLASSES,
    NMD_DISTANCE,
    event_class,
    exon_chain_events,
    from_stop_to_last_junction,
)
from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import FirstTranscript, Isoform, LocusWindow
from phytoscribe.decoding.isoform_reads import READ_FEATURES, IntronReads, read_features
from phytoscribe.genome.intervals import Interval
from phytoscribe.labels.states import CODING_STATES, INTRON_STATES, State

#: Least posterior of structures that a ranker looks at.
RANKED_FROM = 0.005
#: Log posterior of structures that the lattice holds for less likely than that, or that it has no sites for.
LEAST_LOG_POSTERIOR = math.log(RANKED_FROM)
#: Numbers for each isoform from DNA, and with those from reads behind them.
DNA_FEATURES = 47 + len(EVENT_CLASSES)
FEATURES = DNA_FEATURES + READ_FEATURES


class Prefixes(NamedTuple):
    """Sums of log probabilities over the bases before each position of a window, float64 (n + 1,)."""

    coding: npt.NDArray[np.float64]
    intron: npt.NDArray[np.float64]
    outside: npt.NDArray[np.float64]

    @classmethod
    def of(cls, window: LocusWindow) -> Prefixes:
        def prefix(states: Sequence[State]) -> npt.NDArray[np.float64]:
            values = np.logaddexp.reduce(window.states[:, list(states)], axis=1)
            return np.concatenate([[0.0], np.cumsum(np.maximum(values, -8.0), dtype=np.float64)])

        outside = [State.UTR5_EXON, State.UTR3_EXON]
        return cls(
            prefix(CODING_STATES), prefix([*INTRON_STATES, State.UTR5_INTRON, State.UTR3_INTRON]), prefix(outside)
        )

    def means(self, stretches: Sequence[Interval]) -> list[float]:
        """Mean log probability of coding, intron and UTR exon over stretches; 0 without any."""
        size = sum(end - start for start, end in stretches)
        return [sum(p[end] - p[start] for start, end in stretches) / max(size, 1) for p in self]


def _logit(p: float) -> float:
    p = min(max(p, 1e-5), 1 - 1e-5)
    return math.log(p / (1 - p))


def _sites(window: LocusWindow, introns: Sequence[Interval]) -> list[float]:
    """Lowest evidence of donors and of acceptors, by the head of sites and by states; 0 without introns."""
    if not introns:
        return [0.0] * 4
    donors, acceptors = [window.donor(d) for d, _ in introns], [window.acceptor(a) for _, a in introns]
    found = []
    for sites in (donors, acceptors):
        found += [min(_logit(head) for head, _ in sites), max(min(state for _, state in sites), -20.0)]
    return found


def _log_size(values: Sequence[Interval]) -> float:
    return math.log1p(sum(end - start for start, end in values))


def features_of(
    isoforms: Sequence[Isoform],
    first: FirstTranscript,
    window: LocusWindow,
    prefixes: Prefixes,
    reads_of: IntronReads | None = None,
) -> npt.NDArray[np.float32]:
    """Features of the isoforms of one gene, float32 (isoforms, DNA_FEATURES), or with reads (isoforms, FEATURES).

    Args:
        reads_of: RNA-seq reads of an intron of the window, if there are reads of this genome.
    """
    introns, length = set(introns_between(first.exons)), sum(e - s for s, e in first.cds)
    posteriors = [LEAST_LOG_POSTERIOR if i.log_posterior is None else i.log_posterior for i in isoforms]
    best = max(posteriors, default=0.0)
    shared = [
        math.log(max(first.gene, 1e-3)),
        _logit(first.gene),
        _logit(first.locus),
        math.log(length),
        float(len(introns)),
        math.log1p(len(isoforms)),
        best,
    ]
    own_start = float(window.states[first.cds[0][0], State.START])
    rows = []
    for isoform, known in zip(isoforms, posteriors, strict=True):
        others = set(introns_between(isoform.exons))
        lost, gained = sorted(introns - others), sorted(others - introns)
        events = exon_chain_events(first.exons, isoform.exons, forward=True)
        kind = event_class(events)
        size = sum(event.size for event in events)
        its_length = sum(e - s for s, e in isoform.cds)
        behind = from_stop_to_last_junction(isoform.exons, isoform.cds)
        changed = lost + gained
        place = sum(a + b for a, b in changed) / (2 * len(changed)) if changed else first.cds[0][0]
        rows.append(
            [
                *shared,
                known,
                known - shared[0],
                known - best,
                float(isoform.log_posterior is not None),
                float(isoform.edited),
                *(float(kind == name) for name in EVENT_CLASSES),
                float(len(lost)),
                float(len(gained)),
                math.log1p(size),
                float(size % 3 == 0),
                float((its_length - length) % 3 == 0),
                *_sites(window, gained),
                *_sites(window, lost),
                _log_size(gained),
                _log_size(lost),
                *prefixes.means(gained),
                *prefixes.means(lost),
                math.log(its_length / length),
                float(isoform.cds[0][0] == first.cds[0][0]),
                float(isoform.cds[-1][1] == first.cds[-1][1]),
                max(float(window.states[isoform.cds[0][0], State.START]), -20.0),
                max(own_start, -20.0),
                max(float(window.states[isoform.cds[-1][1] - 1, State.STOP]), -20.0),
                max(float(window.states[first.cds[-1][1] - 1, State.STOP]), -20.0),
                math.log1p(behind),
                float(behind > NMD_DISTANCE),
                float(place < first.cds[0][0]),
                float(place > first.cds[-1][1]),
                (place - first.exons[0][0]) / max(1, first.exons[-1][1] - first.exons[0][0]),
                *(
                    min(math.log1p(abs(a - b)), 10.0)
                    for a, b in ((isoform.cds[0][0], first.cds[0][0]), (isoform.cds[-1][1], first.cds[-1][1]))
                ),
            ]
        )
    dna = np.array(rows, dtype=np.float32).reshape(-1, DNA_FEATURES)
    if reads_of is None:
        return dna
    return np.concatenate([dna, read_features(isoforms, first, reads_of)], axis=1)
