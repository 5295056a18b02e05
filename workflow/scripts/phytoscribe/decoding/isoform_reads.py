"""What RNA-seq reads over splice junctions say of a possible isoform: numbers for a ranker, beside those from DNA.

An intron's usage is the share of the reads at its two sites that splice it.  Junctions say nothing of an intron that is
retained, except that few reads splice it beside the gene's other introns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import Chain, FirstTranscript, Isoform
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junctions import Support

#: Reads of an intron, in the coordinates of the isoforms.
IntronReads = Callable[[Interval], Support]
#: Numbers for each isoform.
READ_FEATURES = 12


def read_features(
    isoforms: Sequence[Isoform], first: FirstTranscript, reads_of: IntronReads
) -> npt.NDArray[np.float32]:
    """Features of the isoforms of one gene, float32 (isoforms, READ_FEATURES)."""
    introns = introns_between(first.exons)
    own = {intron: reads_of(intron) for intron in introns}
    usual = float(np.median([support.reads for support in own.values()])) if own else 0.0
    expressed = float(any(support.at_sites for support in own.values()))
    rows = []
    for isoform in isoforms:
        others = introns_between(isoform.exons)
        gained = [reads_of(intron) for intron in others if intron not in own]
        lost = [own[intron] for intron in set(introns).difference(others)]
        rows.append(
            [
                expressed,
                math.log1p(usual),
                *_least(gained, usual),
                *_least(lost, usual),
                max((support.usage or 0.0 for support in lost), default=0.0),
                min((support.usage or 0.0 for support in map(reads_of, others)), default=1.0),
            ]
        )
    return np.array(rows, dtype=np.float32).reshape(-1, READ_FEATURES)


def _least(introns: Sequence[Support], usual: float) -> list[float]:
    """Of the introns with fewest reads: usage, reads, reads at the sites, reads beside a usual intron; 0 for none."""
    if not introns:
        return [0.0] * 4
    least = min(introns, key=lambda support: (support.reads, -support.at_sites))
    return [
        least.usage or 0.0,
        math.log1p(least.reads),
        math.log1p(least.at_sites),
        math.log((least.reads + 1) / (usual + 1)),
    ]


def least_support(chain: Chain, first: Chain, reads_of: IntronReads) -> Support | None:
    """Reads of the intron of an exon chain that fewest splice, of those that the first transcript's has not.

    None without such an intron.
    """
    own = set(introns_between(first))
    gained = [reads_of(intron) for intron in introns_between(chain) if intron not in own]
    return min(gained, key=lambda support: (support.reads, -support.at_sites), default=None)
