"""Examples for the ranker of isoforms: candidates of training genes, and which of them are annotated.

Each gene gives examples in two ways: beside the first transcript that the structure model predicts, as in a prediction,
and beside the annotated transcript with the longest CDS, as where an annotation is completed.  Genes without isoforms
teach what no isoform is, so only genomes whose annotation has all isoforms (``isoforms: complete``) give examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.isoform_edits import NetworkOutput
from phytoscribe.decoding.isoform_features import DNA_FEATURES
from phytoscribe.decoding.isoform_ranker import IsoformRanker, beside_reads
from phytoscribe.decoding.ranked_isoforms import annotated_first, candidates_of, predicted_first
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval, as_places, merged, overlapping
from phytoscribe.genome.junctions import ContigReads
from phytoscribe.prediction.completion import ALL_STRUCTURES
from phytoscribe.prediction.predictor import StructurePredictor


class Locus(NamedTuple):
    """The candidates of one gene.

    Attributes:
        features: float32 (candidates, DNA_FEATURES), or (candidates, FEATURES) in a genome with RNA-seq reads.
        right: bool (candidates,), whether each is annotated and no gene's first transcript.
        completes: whether the first transcript is the annotation's.
        first_right: whether the first transcript is annotated.
        wanted: annotated isoforms beside an annotated first transcript; 0 for a predicted one.
    """

    features: npt.NDArray[np.float32]
    right: npt.NDArray[np.bool_]
    completes: bool
    first_right: bool
    wanted: int


class Examples(NamedTuple):
    """Loci of a stretch, and what is there.

    Attributes:
        reference: annotated CDS chains; first: predicted first transcripts; first_right: those that are annotated.
    """

    loci: list[Locus]
    reference: int
    first: int
    first_right: int

    @property
    def has_reads(self) -> bool:
        """Whether any locus is in a genome with RNA-seq reads."""
        return any(locus.features.shape[1] > DNA_FEATURES for locus in self.loci)

    def beside_reads(self, dna: IsoformRanker) -> Examples:
        """The same with what a ranker says of DNA alone in place of the features from DNA."""
        return self._replace(loci=[x._replace(features=beside_reads(dna, x.features)) for x in self.loci])

    def from_dna(self) -> Examples:
        """The same as in a genome without RNA-seq reads."""
        return self._replace(loci=[locus._replace(features=locus.features[:, :DNA_FEATURES]) for locus in self.loci])


def examples_of(
    predictor: StructurePredictor,
    bases: npt.NDArray[np.uint8],
    genes: Sequence[GeneModel],
    mask: Sequence[Interval],
    decoder: DecoderSettings,
    reads: ContigReads | None = None,
) -> Examples:
    """Examples of a stretch of sequence.

    Args:
        predictor: set to the sequence's species.
        genes: annotated genes, in the stretch's coordinates.
        mask: intervals whose genes, annotated or predicted, are left out.
        reads: RNA-seq reads of introns, in the stretch's coordinates.
    """
    output, predicted, genes = read_stretch(predictor, bases, genes, mask, decoder)
    reference = {(gene.strand, t.cds) for gene in genes for t in gene.coding_transcripts}
    first = {(gene.strand, gene.transcripts[0].cds) for gene in predicted}
    loci = []
    for gene in predicted:
        own = gene.transcripts[0]
        found = candidates_of(predicted_first(gene), output, decoder, reads)
        if found is not None:
            chains = [(gene.strand, found.direction.outward(isoform.cds)) for isoform in found.isoforms]
            right = np.array([chain in reference and chain not in first for chain in chains])
            loci.append(Locus(found.features, right, False, (gene.strand, own.cds) in reference, 0))
    for gene in genes:
        known = annotated_first(gene, predicted)
        if known is not None and (found := candidates_of(known, output, decoder, reads)) is not None:
            chains = {t.cds for t in gene.coding_transcripts} - {known.first.cds}
            right = np.array([found.direction.outward(isoform.cds) in chains for isoform in found.isoforms])
            loci.append(Locus(found.features, right, True, True, len(chains)))
    return Examples(loci, len(reference), len(first), len(reference & first))


def read_stretch(
    predictor: StructurePredictor,
    bases: npt.NDArray[np.uint8],
    genes: Sequence[GeneModel],
    mask: Sequence[Interval],
    decoder: DecoderSettings,
) -> tuple[NetworkOutput, list[GeneModel], list[GeneModel]]:
    """What the network says of a stretch, the predicted genes with all structures by the lattice, and the annotated.

    Arguments as of :func:`examples_of`; genes of both kinds lie outside the mask.
    """
    output = NetworkOutput(bases, *predictor.output(bases), 0)
    predicted = decode_contig("", bases, *output.states, decoder, isoforms=ALL_STRUCTURES)
    hidden = merged(as_places(mask))
    return output, _outside(predicted, hidden), _outside(genes, hidden)


def _outside(genes: Sequence[GeneModel], hidden: npt.NDArray[np.int64]) -> list[GeneModel]:
    """Genes that share no base with hidden intervals; transcripts by the lattice that do are left out too."""
    kept = []
    for gene in genes:
        clear = ~overlapping(as_places((t.start, t.end) for t in gene.transcripts), hidden)
        if clear[0]:
            transcripts = tuple(t for t, free in zip(gene.transcripts, clear, strict=True) if free)
            kept.append(replace(gene, transcripts=transcripts))
    return kept
