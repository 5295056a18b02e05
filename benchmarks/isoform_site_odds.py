"""Baseline of isoforms.py: all single events of a gene's first transcript, ranked by the odds of their sites alone.

The events, and the longest open reading frame of each, are those that the ranker judges. Here an event is as likely as
the product of its sites' odds by the network's head of splice sites: those of each site that it gains, and one over
those of each that it loses. Nothing else counts: no frame, no length, no kind of event.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from phytoscribe.annotation.model import GeneModel, Transcript, introns_between
from phytoscribe.decoding.isoform_edits import Chain, FirstTranscript, LocusWindow, NetworkOutput, isoform_candidates
from phytoscribe.genome.fasta import Genome
from phytoscribe.prediction.completion import MARGIN, STRETCH, stretches
from phytoscribe.prediction.predictor import StructurePredictor

#: Probabilities of sites are held between this and one minus it.
LEAST_PROBABILITY = 1e-6


def with_site_odds(
    sets: Sequence[Sequence[GeneModel]], genome: Genome, contigs: Sequence[str], predictor: StructurePredictor
) -> list[list[GeneModel]]:
    """Genes with one coding transcript each, and behind it one for each event, its score p of odds p / (1 - p).

    Args:
        sets: several annotations of the same contigs, so that these are read once.
    """
    changed: list[list[GeneModel]] = [[] for _ in sets]
    for contig in contigs:
        own = [[gene for gene in genes if gene.contig == contig] for genes in sets]
        for start, end in stretches(genome.contigs[contig], list(chain.from_iterable(own)), STRETCH):
            first = max(0, start - MARGIN)
            bases = genome.bases(contig, first, min(genome.contigs[contig], end + MARGIN))
            output = NetworkOutput(bases, *predictor.output(bases), first)
            for genes, done in zip(own, changed):
                inside = [gene for gene in genes if start <= gene.start and gene.end <= end]
                done += [_with_events(gene, output, predictor) for gene in inside]
    return changed


def _with_events(gene: GeneModel, output: NetworkOutput, predictor: StructurePredictor) -> GeneModel:
    (first,) = gene.transcripts
    window, direction = output.window(gene.strand, first.start, first.end)
    own = FirstTranscript(direction.inward(first.exons), direction.inward(first.cds), 1.0, 1.0)
    lengths = (predictor.decoder.minimum_intron, predictor.decoder.minimum_cds)
    others = [
        Transcript(
            f"{first.id}.{number}",
            direction.outward(isoform.exons),
            direction.outward(isoform.cds),
            score=1.0 / (1.0 + math.exp(-log_odds(own.exons, isoform.exons, window))),
            contig=gene.contig,
            strand=gene.strand,
        )
        for number, isoform in enumerate(isoform_candidates(own, (), window, *lengths))
    ]
    return replace(gene, transcripts=(first, *others))


def log_odds(first: Chain, other: Chain, window: LocusWindow) -> float:
    """Sum of the log odds of the sites that an exon chain has and the first one has not, minus that of the reverse.

    Args:
        first, other: exons in the direction of transcription.
    """
    here, there = (set(_sites(exons, window)) for exons in (first, other))
    # Sorted: a sum of floats depends on its order.
    return math.fsum([odds for *_, odds in sorted(there - here)] + [-odds for *_, odds in sorted(here - there)])


def _sites(exons: Chain, window: LocusWindow) -> Iterator[tuple[str, int, float]]:
    for donor, acceptor in introns_between(exons):
        yield "donor", donor, _log_odds_of(window.donor(donor)[0])
        yield "acceptor", acceptor, _log_odds_of(window.acceptor(acceptor)[0])


def _log_odds_of(p: float) -> float:
    held = min(max(p, LEAST_PROBABILITY), 1.0 - LEAST_PROBABILITY)
    return math.log(held / (1.0 - held))


def strongest(genes: Sequence[GeneModel], number: int) -> list[GeneModel]:
    """Genes with their first transcripts and, over all genes, so many others of the highest scores; equal ones too."""
    scores = heapq.nlargest(number, (t.score or 0.0 for gene in genes for t in gene.transcripts[1:]))
    least = scores[-1] if scores else 1.0
    kept = [[t for t in gene.transcripts[1:] if (t.score or 0.0) >= least] for gene in genes]
    return [replace(gene, transcripts=(gene.transcripts[0], *own)) for gene, own in zip(genes, kept)]
