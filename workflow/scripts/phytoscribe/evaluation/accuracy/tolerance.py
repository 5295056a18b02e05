"""Loci with some tolerance at both ends of the CDS, as other published tables count them.

A predicted transcript agrees with a reference one if their CDS introns are equal and their outermost CDS bases differ
by at most ``tolerance`` bp on either side.  That is the rule of ``gffcompare --strict-match -e`` (Pertea and Pertea
2020, doi:10.12688/f1000research.23297.1) applied to CDS alone, with a single-exon gene held to its ends like any other.
With tolerance 0 it is the locus level of :mod:`phytoscribe.evaluation.accuracy.counts`.
"""

from __future__ import annotations

from collections.abc import Sequence

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import Scored
from phytoscribe.evaluation.accuracy.gene_matching import Agreement

TOLERANCES = (3, 100)


def ruler(tolerance: int) -> str:
    """Name of the ruler with a tolerance of so many bp."""
    return f"within_{tolerance}"


def loci_within(reference: Sequence[GeneModel], predicted: Sequence[GeneModel], tolerance: int) -> Agreement:
    """Agreement of loci; a locus is right if any of its transcripts agrees with any of the other side.

    Args:
        reference, predicted: genes reduced to what is scored (:func:`phytoscribe.evaluation.accuracy.counts.scorable`).
        tolerance: bp, 0 or more.
    """
    comparison = Scored.of_scorable(reference, predicted).comparison
    return comparison.agreement_within("locus", tolerance, comparison.everything)
