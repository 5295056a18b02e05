"""Select the reference loci with the worst predictions, by :data:`RULE`.

The weight grows with the number of Iso-Seq reads, since an error in an expressed gene is certain.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pysam

from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.accuracy.gene_tables import RIGHT
from phytoscribe.evaluation.long_reads.alignments import ReadLimits, blocks_and_introns, failed_limit, transcript_strand
from phytoscribe.genome.intervals import Interval, IntervalIndex, Places, as_places, merge_intervals, shared_bases

MOST_LOCI = 20
RULE = (
    "Worst: most coding bases wrong (of the closest isoform and not predicted, or predicted and coding in no annotated "
    "transcript), times 1 + log10(1 + Iso-Seq reads)."
)


@dataclass(frozen=True)
class WorstLocus:
    """A reference locus without a correct predicted gene; ``error`` is its class, ``weight`` decides its rank."""

    gene: GeneModel
    error: str
    wrong_bases: int
    reads: int
    weight: float


class GenesByPlace:
    """Genes to look up by contig and interval (0-based half-open)."""

    def __init__(self, genes: Iterable[GeneModel]) -> None:
        found: dict[str, list[GeneModel]] = defaultdict(list)
        for gene in genes:
            found[gene.contig].append(gene)
        self._genes = dict(found)
        self._spans = {
            contig: np.array([(gene.start, gene.end) for gene in listed], dtype=np.int64)
            for contig, listed in found.items()
        }

    def over(self, contig: str, start: int, end: int, strand: str | None = None) -> list[GeneModel]:
        """Genes that overlap an interval, on ``strand`` or both, in the order given."""
        if contig not in self._genes:
            return []
        spans = self._spans[contig]
        places = np.flatnonzero((spans[:, 0] < end) & (spans[:, 1] > start))
        found = [self._genes[contig][place] for place in places]
        return [gene for gene in found if strand in (None, gene.strand)]


class AlignedReads:
    """An indexed BAM of Iso-Seq reads: blocks of the primary alignments that reach the limits.

    Raises:
        PhytoScribeError: the BAM or its index cannot be read.
    """

    def __init__(self, bam: str | Path, limits: ReadLimits) -> None:
        self._path, self._limits = bam, limits
        try:
            self._bam = pysam.AlignmentFile(str(bam), "rb")
            self._bam.check_index()
        except (OSError, ValueError) as error:
            raise PhytoScribeError(f"{bam}: cannot be read as indexed BAM ({error}); run align_isoseq again") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bam.close()

    def blocks(self, contig: str, start: int, end: int) -> Iterator[tuple[str, tuple[Interval, ...]]]:
        """(strand of the transcript, aligned blocks) of each read that spans or overlaps an interval."""
        for read in self._bam.fetch(contig, start, end):
            if read.is_unmapped or read.is_secondary or read.is_supplementary:
                continue
            if failed_limit(read, self._limits, self._path) is None:
                blocks, _ = blocks_and_introns(read.reference_start, read.cigartuples)
                yield transcript_strand(read), blocks

    def count(self, gene: GeneModel) -> int:
        """Reads on the gene's strand with an aligned base in its CDS."""
        coding = coding_bases([gene])
        index = IntervalIndex({gene.strand: coding})
        reads = self.blocks(gene.contig, coding[0][0], coding[-1][1])
        return sum(any(index.overlaps(strand, *block) for block in blocks) for strand, blocks in reads)


def worst_loci(
    loci: pd.DataFrame,
    reference: Sequence[GeneModel],
    predicted: Sequence[GeneModel],
    reads: AlignedReads | None = None,
) -> list[WorstLocus]:
    """At most :data:`MOST_LOCI` loci of one predictor, the worst first; ties in the order of the table.

    Args:
        loci: rows of ``{genome}.reference_loci.tsv`` of that predictor.
        reference: the annotation that contains the loci.
        predicted: genes of that predictor.
        reads: without them every locus has the same expression.

    Raises:
        PhytoScribeError: a locus is not in the annotation.
    """
    by_id = {gene.id: gene for gene in reference}
    annotated, guessed = GenesByPlace(reference), GenesByPlace(predicted)
    found = []
    for name, error in loci.loc[loci["class"] != RIGHT, ["locus", "class"]].itertuples(index=False):
        if name not in by_id:
            raise PhytoScribeError(
                f"reference_loci.tsv: locus {name} is not in the annotation; run evaluate_genes again"
            )
        gene = by_id[name]
        wrong = _wrong_bases(gene, annotated, guessed)
        count = reads.count(gene) if reads else 0
        found.append(WorstLocus(gene, error, wrong, count, wrong * (1 + math.log10(1 + count))))
    return sorted(found, key=lambda locus: -locus.weight)[:MOST_LOCI]


def coding_bases(genes: Iterable[GeneModel]) -> list[Interval]:
    """Union of the CDS of genes, sorted."""
    return merge_intervals(part for gene in genes for transcript in gene.coding_transcripts for part in transcript.cds)


def _wrong_bases(gene: GeneModel, annotated: GenesByPlace, guessed: GenesByPlace) -> int:
    locus = IntervalIndex({"CDS": coding_bases([gene])})
    over = [
        other
        for other in guessed.over(gene.contig, gene.start, gene.end, gene.strand)
        if any(locus.overlaps("CDS", *part) for part in coding_bases([other]))
    ]
    low = min([gene.start, *(other.start for other in over)])
    high = max([gene.end, *(other.end for other in over)])
    guess = as_places(coding_bases(over))
    known = as_places(coding_bases(annotated.over(gene.contig, low, high, gene.strand)))
    missing = min(_beyond(as_places(isoform.cds), guess) for isoform in gene.coding_transcripts)
    return missing + _beyond(guess, known)


def _beyond(places: Places, others: Places) -> int:
    """Bases of ``places`` that are not in ``others``."""
    return shared_bases(places, others, without=as_places([]))[1]
