"""List accepted genes that the decoder can never predict, with reasons; the network still learns their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.gene_regions import loci_of
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import as_places, overlapping_pairs
from phytoscribe.genome.sequence import Bases

#: Limits of the grammar, by reason, each with a value that lets a gene pass.
_LIFTED = {
    "intron_too_short": {"minimum_intron": 8},
    "cds_too_short": {"minimum_cds": 0},
    "at_ac_splice_site": {"at_ac": True},
}
OTHER_STRUCTURE = "codons_splice_sites_or_segments"
SAME_STRAND, OTHER_STRAND = "overlaps_gene_of_same_strand", "overlaps_gene_of_other_strand"


def inexpressible_genes(
    genes: Sequence[GeneModel], bases: Bases, settings: DecoderSettings
) -> list[tuple[GeneModel, str]]:
    """Coding genes of a contig that the decoder cannot predict, in the order given, each with one reason.

    Either the grammar allows none of a gene's isoforms, and the reason is the last limit to lift for one of them; or
    the gene overlaps another one, from start to stop codon of any isoform, and at most one of the two is decoded.
    """
    found = [(gene, loci[0]) for gene in genes if (loci := loci_of([gene], bases, settings))]
    spans = as_places((locus.start, locus.end) for _, locus in found)
    reasons: dict[int, str] = {}
    for left, right in zip(*(rows.tolist() for rows in overlapping_pairs(spans, spans)), strict=True):
        if left != right and reasons.get(left) != SAME_STRAND:
            reasons[left] = SAME_STRAND if found[left][0].strand == found[right][0].strand else OTHER_STRAND
    for row, (gene, locus) in enumerate(found):
        if not locus.chains:
            reasons[row] = _structural_reason(gene, bases, settings)
    return [(found[row][0], reasons[row]) for row in sorted(reasons)]


def _structural_reason(gene: GeneModel, bases: Bases, settings: DecoderSettings) -> str:
    for reason, lifted in _LIFTED.items():
        settings = replace(settings, **lifted)
        if loci_of([gene], bases, settings)[0].chains:
            return reason
    return OTHER_STRUCTURE
