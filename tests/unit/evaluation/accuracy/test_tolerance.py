"""Loci right within a tolerance at both ends of the CDS."""

from pathlib import Path

import pytest
from gene_scores import loci_within

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import compare, scorable

ROOT = Path(__file__).parents[4]


def gene(*chains, strand="+"):
    return GeneModel("g", "c", strand, tuple(Transcript("t", chain, chain) for chain in chains))


REFERENCE = gene(((100, 160), (200, 260)), ((1000, 1090),))


@pytest.mark.parametrize(
    ("chain", "tolerance", "right"),
    [
        (((100, 160), (200, 260)), 0, 1),
        (((103, 160), (200, 257)), 3, 1),
        (((103, 160), (200, 257)), 2, 0),
        (((96, 160), (200, 260)), 3, 0),
        (((100, 160), (201, 260)), 100, 0),
        (((998, 1093),), 3, 1),
        (((998, 1094),), 3, 0),
    ],
)
def test_ends_may_move_and_introns_may_not(chain, tolerance, right):
    agreement = loci_within([REFERENCE], [gene(chain)], tolerance)
    assert (agreement.right_predicted, agreement.found_reference) == (right, right)


def test_the_strand_counts():
    assert loci_within([REFERENCE], [gene(((100, 160), (200, 260)), strand="-")], 100).right_predicted == 0


def test_augustus_on_real_genes():
    contigs = {"Chr5_25975502_26975502"}
    reference = scorable(read_gff3(ROOT / "resources/example/athaliana/annotation.gff3.gz"), contigs=contigs)
    predicted = scorable(read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"), contigs=contigs)
    assert loci_within(reference, predicted, 0) == compare(reference, predicted)["locus"]
    f1 = [loci_within(reference, predicted, tolerance).f1 for tolerance in (0, 3, 100)]
    assert f1 == sorted(f1)
    assert f1[2] > f1[0]
