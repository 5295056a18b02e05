"""Isoforms of a gene by the ranker: candidates, their probabilities, and the transcripts that are likely enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import Direction, FirstTranscript, Isoform, LocusWindow, isoform_candidates
from phytoscribe.decoding.isoform_features import Prefixes, features_of
from phytoscribe.decoding.isoform_reads import IntronReads, least_support
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junctions import ContigReads, Support
from phytoscribe.genome.sequence import reverse_complement

#: Probability of a gene whose first transcript is annotated, and that there is one where none is predicted.
_KNOWN, _NO_GENE = 0.999, 0.01
Intervals = tuple[Interval, ...]
#: Bases beside the outermost exons whose network output is looked at.
BESIDE = 5


class NetworkOutput(NamedTuple):
    """What the network says of a stretch of a contig, contig orientation.

    Attributes:
        bases: uint8 (n,).
        states: log probabilities of the plus and the minus strand, each (n, STATE_COUNT).
        sites: probabilities of splice sites in the same way, each (n, SITE_COUNT).
        start: contig position of the first base.
    """

    bases: npt.NDArray[np.uint8]
    states: tuple[npt.NDArray, npt.NDArray]
    sites: tuple[npt.NDArray, npt.NDArray]
    start: int

    def window(self, strand: str, start: int, end: int) -> tuple[LocusWindow, Direction]:
        """The part around contig positions ``start..end - 1``, in the direction of transcription of a strand."""
        first = max(start - BESIDE, self.start)
        last = min(end + BESIDE, self.start + self.bases.size)
        rows = slice(first - self.start, last - self.start)
        row = 0 if strand == "+" else 1
        bases, states, sites = self.bases[rows], self.states[row][rows], self.sites[row][rows]
        if strand == "-":
            bases, states, sites = reverse_complement(bases), states[::-1], sites[::-1]
        window = LocusWindow(bases, states.astype(np.float32), sites.astype(np.float32))
        return window, Direction(strand, first, last)


def probabilities_of(gene: GeneModel) -> tuple[float, float]:
    """That a predicted gene is right, and that there is one."""
    return gene.score or 0.0, float(gene.transcripts[0].attributes["locus_probability"])


class Candidates(NamedTuple):
    """Possible isoforms of a gene, in the direction of transcription.

    Attributes:
        features: float32 (isoforms, DNA_FEATURES), or (isoforms, FEATURES) where the genome has RNA-seq reads.
        support: RNA-seq reads of each isoform's intron that fewest splice, of those that the first transcript has not;
            None where it has no such intron, or the genome no reads.
    """

    isoforms: list[Isoform]
    features: npt.NDArray[np.float32]
    direction: Direction
    support: list[Support | None]


def candidates_of(
    first: Transcript,
    probabilities: tuple[float, float],
    structures: list[Transcript],
    output: NetworkOutput,
    settings: DecoderSettings,
    reads: ContigReads | None = None,
) -> Candidates | None:
    """Possible isoforms beside a first transcript; None without any.

    Args:
        first: on its strand.
        probabilities: that the gene is right, and that there is one (:class:`FirstTranscript`).
        structures: other structures by the lattice, their posteriors as scores.
        reads: RNA-seq reads of introns, in the coordinates of ``first``.
    """
    start = min(transcript.start for transcript in (first, *structures))
    end = max(transcript.end for transcript in (first, *structures))
    window, direction = output.window(first.strand, start, end)
    own = FirstTranscript(direction.inward(first.exons), direction.inward(first.cds), *probabilities)
    known = [
        Isoform(direction.inward(t.exons), direction.inward(t.cds), math.log(max(t.score or 0.0, 1e-9)))
        for t in structures
    ]
    found = isoform_candidates(own, known, window, settings.minimum_intron, settings.minimum_cds)
    if not found:
        return None
    reads_of = None if reads is None else _in_direction(reads, direction)
    features = features_of(found, own, window, Prefixes.of(window), reads_of)
    support = [reads_of and least_support(isoform.exons, own.exons, reads_of) for isoform in found]
    return Candidates(found, features, direction, support)


def _in_direction(reads: ContigReads, direction: Direction) -> IntronReads:
    return lambda intron: reads.support(direction.strand, direction.outward([intron])[0])


def with_ranked_isoforms(
    gene: GeneModel, output: NetworkOutput, decoder: DecoderSettings, settings: IsoformSettings
) -> GeneModel:
    """A gene with its first transcript and those that the ranker finds likely enough, the likeliest first.

    Args:
        gene: with other structures by the lattice behind its first transcript, their posteriors as scores.
    """
    first, *structures = gene.transcripts
    if settings.ranker is None or "partial" in gene.attributes:
        return replace(gene, transcripts=(first,))
    reads = settings.junctions and settings.junctions.on(gene.contig)
    found = candidates_of(first, probabilities_of(gene), structures, output, decoder, reads)
    if found is None:
        return replace(gene, transcripts=(first,))
    by_cds = {transcript.cds: transcript for transcript in structures}
    return replace(gene, transcripts=(first, *likely_transcripts(gene, found, by_cds, settings)))


def completion_candidates(
    gene: GeneModel,
    predicted: Sequence[GeneModel],
    output: NetworkOutput,
    decoder: DecoderSettings,
    reads: ContigReads | None = None,
) -> Candidates | None:
    """Possible isoforms beside the longest CDS of an annotated gene; None without any.

    Args:
        predicted: genes of the same sequence with all structures by the lattice.
        reads: RNA-seq reads of introns, in the coordinates of the gene.
    """
    own = gene.representative
    if own is None:
        return None
    near = [p for p in predicted if p.strand == gene.strand and p.start < gene.end and gene.start < p.end]
    structures = [t for p in near for t in p.transcripts if t.cds != own.cds]
    locus = max((probabilities_of(p)[1] for p in near), default=_NO_GENE)
    return candidates_of(own, (_KNOWN, locus), structures, output, decoder, reads)


def _support_attributes(support: Support | None) -> dict[str, str]:
    """``reads``, and ``usage`` where any read splices at the sites."""
    if support is None:
        return {}
    usage = {} if support.usage is None else {"usage": f"{support.usage:.2f}"}
    return {"reads": str(support.reads)} | usage


def likely_transcripts(
    gene: GeneModel, found: Candidates, by_cds: Mapping[Intervals, Transcript], settings: IsoformSettings
) -> list[Transcript]:
    """Transcripts of the candidates that the ranker finds likely enough, the likeliest first.

    Args:
        by_cds: structures by the lattice, whose attributes are kept.
    """
    assert settings.ranker is not None
    chosen = []
    probabilities = settings.ranker(found.features).tolist()
    for isoform, probability, support in zip(found.isoforms, probabilities, found.support, strict=True):
        if probability < settings.minimum_probability:
            continue
        exons, cds = found.direction.outward(isoform.exons), found.direction.outward(isoform.cds)
        known = by_cds.get(cds)
        posterior = {} if known is None else {"posterior": f"{known.score or 0.0:.3f}"}
        attributes = posterior | (dict(known.attributes) if known else {}) | _support_attributes(support)
        chosen.append(
            Transcript("", exons, cds, attributes=attributes, score=probability, contig=gene.contig, strand=gene.strand)
        )
    return sorted(chosen, key=lambda transcript: (-(transcript.score or 0.0), transcript.cds))
