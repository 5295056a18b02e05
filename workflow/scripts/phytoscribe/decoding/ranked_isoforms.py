"""Further transcripts of a gene: its possible isoforms, their probabilities, and those that are likely enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import Direction, FirstTranscript, Isoform, NetworkOutput, isoform_candidates
from phytoscribe.decoding.isoform_features import Prefixes, features_of
from phytoscribe.decoding.isoform_reads import IntronReads, least_support
from phytoscribe.decoding.isoforms import Intervals, IsoformSettings, JudgedIsoform
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.junctions import ContigReads, Support

#: Probability of a gene whose first transcript is annotated, and that there is one where none is predicted.
_KNOWN, _NO_GENE = 0.999, 0.01


def probabilities_of(gene: GeneModel) -> tuple[float, float]:
    """That a predicted gene is right, and that there is one."""
    return gene.score or 0.0, float(gene.transcripts[0].attributes["locus_probability"])


class Known(NamedTuple):
    """A first transcript and what the decoder says of it.

    Attributes:
        first: on its strand.
        probabilities: that the gene is right, and that there is one (:class:`FirstTranscript`).
        structures: other structures by the lattice, their posteriors as scores.
    """

    first: Transcript
    probabilities: tuple[float, float]
    structures: Sequence[Transcript]


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


def predicted_first(gene: GeneModel) -> Known:
    """First transcript of a predicted gene that has all structures by the lattice."""
    first, *structures = gene.transcripts
    return Known(first, probabilities_of(gene), structures)


def annotated_first(gene: GeneModel, predicted: Sequence[GeneModel]) -> Known | None:
    """First transcript of an annotated gene, which is that of the longest CDS; None if the gene codes for nothing.

    Args:
        predicted: genes of the same sequence with all structures by the lattice.
    """
    own = gene.representative
    if own is None:
        return None
    near = [p for p in predicted if p.strand == gene.strand and p.start < gene.end and gene.start < p.end]
    structures = [t for p in near for t in p.transcripts if t.cds != own.cds]
    return Known(own, (_KNOWN, max((probabilities_of(p)[1] for p in near), default=_NO_GENE)), structures)


def candidates_of(
    known: Known, output: NetworkOutput, settings: DecoderSettings, reads: ContigReads | None = None
) -> Candidates | None:
    """Possible isoforms beside a first transcript; None without any.

    Args:
        reads: RNA-seq reads of introns, in the coordinates of the first transcript.
    """
    first, probabilities, structures = known
    start = min(transcript.start for transcript in (first, *structures))
    end = max(transcript.end for transcript in (first, *structures))
    window, direction = output.window(first.strand, start, end)
    own = FirstTranscript(direction.inward(first.exons), direction.inward(first.cds), *probabilities)
    other = [
        Isoform(direction.inward(t.exons), direction.inward(t.cds), math.log(max(t.score or 0.0, 1e-9)))
        for t in structures
    ]
    found = isoform_candidates(own, other, window, settings.minimum_intron, settings.minimum_cds)
    if not found:
        return None
    reads_of = None if reads is None else _in_direction(reads, direction)
    features = features_of(found, own, window, Prefixes.of(window), reads_of)
    support = [reads_of and least_support(isoform.exons, own.exons, reads_of) for isoform in found]
    return Candidates(found, features, direction, support)


def _in_direction(reads: ContigReads, direction: Direction) -> IntronReads:
    return lambda intron: reads.support(direction.strand, direction.outward([intron])[0])


def judged_isoforms(
    known: Known, contig: str, output: NetworkOutput, decoder: DecoderSettings, settings: IsoformSettings
) -> list[JudgedIsoform]:
    """Possible isoforms with their probabilities, by the ranker or the writer of the settings.

    Args:
        known, output: in the coordinates of the contig.
    """
    if settings.writer is not None:
        return settings.writer(*known, output, decoder)
    assert settings.ranker is not None
    reads = settings.junctions and settings.junctions.on(contig)
    found = candidates_of(known, output, decoder, reads)
    if found is None:
        return []
    probabilities = settings.ranker(found.features).tolist()
    outward = found.direction.outward
    return [
        JudgedIsoform(outward(isoform.exons), outward(isoform.cds), probability, support)
        for isoform, probability, support in zip(found.isoforms, probabilities, found.support, strict=True)
    ]


def with_likely_isoforms(
    gene: GeneModel, output: NetworkOutput, decoder: DecoderSettings, settings: IsoformSettings
) -> GeneModel:
    """A gene with its first transcript and those that are likely enough, the likeliest first.

    Args:
        gene: with other structures by the lattice behind its first transcript, their posteriors as scores.
    """
    known = predicted_first(gene)
    if "partial" in gene.attributes:
        return replace(gene, transcripts=(known.first,))
    by_cds = {transcript.cds: transcript for transcript in known.structures}
    judged = judged_isoforms(known, gene.contig, output, decoder, settings)
    return replace(gene, transcripts=(known.first, *likely_transcripts(gene, judged, by_cds, settings)))


def _support_attributes(support: Support | None) -> dict[str, str]:
    """``reads``, and ``usage`` where any read splices at the sites."""
    if support is None:
        return {}
    usage = {} if support.usage is None else {"usage": f"{support.usage:.2f}"}
    return {"reads": str(support.reads)} | usage


def likely_transcripts(
    gene: GeneModel,
    judged: Sequence[JudgedIsoform],
    by_cds: Mapping[Intervals, Transcript],
    settings: IsoformSettings,
) -> list[Transcript]:
    """Transcripts of the isoforms that are likely enough, the likeliest first.

    Args:
        by_cds: structures by the lattice, whose attributes are kept.
    """
    chosen = []
    for exons, cds, probability, support in judged:
        if probability < settings.minimum_probability:
            continue
        known = by_cds.get(cds)
        posterior = {} if known is None else {"posterior": f"{known.score or 0.0:.3f}"}
        attributes = posterior | (dict(known.attributes) if known else {}) | _support_attributes(support)
        chosen.append(
            Transcript("", exons, cds, attributes=attributes, score=probability, contig=gene.contig, strand=gene.strand)
        )
    return sorted(chosen, key=lambda transcript: (-(transcript.score or 0.0), transcript.cds))
