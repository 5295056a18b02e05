"""Loci with some tolerance at both ends of the CDS, as other published tables count them.

A predicted transcript agrees with a reference one if their CDS introns are equal and their outermost CDS bases differ
by at most ``tolerance`` bp on either side.  That is the rule of ``gffcompare --strict-match -e`` (Pertea and Pertea
2020, doi:10.12688/f1000research.23297.1) applied to CDS alone, with a single-exon gene held to its ends like any other;
gffcompare itself is not run.  With tolerance 0 it is the locus level of :mod:`phytoscribe.evaluation.exact`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from phytoscribe.annotation.model import GeneModel, introns_between
from phytoscribe.evaluation.exact import Agreement, CdsChain, cds_chains

_Place = tuple[str, str, tuple, int]


def loci_within(reference: Sequence[GeneModel], predicted: Sequence[GeneModel], tolerance: int) -> Agreement:
    """Agreement of loci; a locus is right if any of its transcripts agrees with any of the other side.

    Args:
        reference, predicted: genes reduced to what is scored (:func:`phytoscribe.evaluation.exact.scorable`).
        tolerance: bp, 0 or more.
    """
    return Agreement(
        right_predicted=_agreeing(predicted, reference, tolerance),
        predicted=len(predicted),
        found_reference=_agreeing(reference, predicted, tolerance),
        reference=len(reference),
    )


def _agreeing(genes: Iterable[GeneModel], others: Iterable[GeneModel], tolerance: int) -> int:
    ends: dict[_Place, list[int]] = defaultdict(list)
    for other in others:
        for chain in cds_chains(other):
            place, end = _place_and_end(chain)
            ends[place].append(end)

    def agrees(chain: CdsChain) -> bool:
        (*track, start), end = _place_and_end(chain)
        near = range(start - tolerance, start + tolerance + 1)
        return any(abs(end - other) <= tolerance for at in near for other in ends.get((*track, at), ()))

    return sum(any(map(agrees, cds_chains(gene))) for gene in genes)


def _place_and_end(chain: CdsChain) -> tuple[_Place, int]:
    """(contig, strand, introns, first base) and the end of a CDS chain."""
    contig, strand, segments = chain
    return (contig, strand, introns_between(segments), segments[0][0]), segments[-1][1]
