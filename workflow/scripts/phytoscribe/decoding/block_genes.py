"""The genes of a block of the lattice that has been read forwards: those of its best path, and their isoforms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from phytoscribe.decoding import grammar, graph, lattice
from phytoscribe.decoding.decoded_gene import DecodedGene, DecodedTranscript, calibrated, probability_of
from phytoscribe.decoding.graph import BACKWARD
from phytoscribe.decoding.isoforms import IsoformSettings, Sums, likely_structures
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval


class Block(NamedTuple):
    """A block of the lattice that has been read forwards.

    Attributes:
        graph, paths: of rows ``first..last - 1``, perhaps of others too.
        code: the last node of the block's best path, -1 for none.
    """

    graph: graph.Graph
    paths: graph.Paths
    first: int
    last: int
    code: int


def genes_of(block: Block, settings: DecoderSettings, isoforms: IsoformSettings | None = None) -> list[DecodedGene]:
    """Genes of the block's best path that are long and certain enough, in order of position.

    Args:
        isoforms: which other structures of these genes are wanted; none if not given.  Genes and their first
            transcripts are the same with and without.
    """
    chains = graph.trace(block.code, block.graph.sites, block.paths)
    if not chains:
        return []
    after = graph.Paths.sums(block.last)
    mode = graph.Mode(BACKWARD)
    total = lattice.backward(block.first, block.last, block.graph, after, mode, graph.no_lengths())
    sums = Sums(block.paths.total, after.total, total)
    most_doubt = math.exp(min(0.0, settings.sensitivity))
    genes = []
    for chain in chains:
        transcript = _transcript(chain, block, sums, settings)
        if transcript.cds_length < settings.minimum_cds or 1.0 - transcript.probability > most_doubt:
            continue
        outside = (0.0 if transcript.partial_left else sums.before[chain[0]]) + after.free[chain[-1][0]] - total
        strand = "+" if block.graph.sites["strand"][chain[0][0]] == grammar.PLUS else "-"
        genes.append(DecodedGene(strand, (transcript,), transcript.probability, 1.0 - probability_of(outside)))
    if isoforms is None:
        return genes
    return [_with_isoforms(gene, genes, block, sums, settings, isoforms) for gene in genes]


def _transcript(chain: list[graph.Node], block: Block, sums: Sums, settings: DecoderSettings) -> DecodedTranscript:
    """The transcript of a chain of nodes in order of position."""
    rows, before, after, total = block.graph.sites, *sums
    places, states = np.array(chain, dtype=np.int64).T.copy()
    *parts, whole = (graph.chain_sums(places, states, block.graph, before, after) - total).tolist()
    variant = rows["variant"]
    # Segments and introns take turns.
    first = int(rows["kind"][places[0]] == grammar.INTRON_BEGIN)
    cds = _segments(chain, rows)
    # An intron that the contig's end cuts is no gap between two segments.
    segment_sums, intron_sums = parts[first::2], parts[first + 1 :: 2][: len(cds) - 1]
    cut_left, cut_right = (bool(variant[node[0]] == grammar.EDGE) for node in (chain[0], chain[-1]))
    ends = [
        math.nan if cut else probability_of(before[node] + after[node] - total)
        for node, cut in ((chain[0], cut_left), (chain[-1], cut_right))
    ]
    plus = rows["strand"][places[0]] == grammar.PLUS
    start, stop = ends if plus else ends[::-1]
    return DecodedTranscript(
        cds,
        probability=calibrated(whole, settings),
        structure_probability=probability_of(whole),
        segment_probabilities=tuple(map(probability_of, segment_sums)),
        intron_probabilities=tuple(map(probability_of, intron_sums)),
        start_probability=start,
        stop_probability=stop,
        partial_left=cut_left,
        partial_right=cut_right,
        start_phase=(3 - chain[0][1]) % 3 if plus else chain[-1][1],
    )


def _segments(chain: Sequence[graph.Node], rows: grammar.Sites) -> tuple[Interval, ...]:
    """CDS segments of a chain of nodes."""
    positions = rows["position"][[row for row, _ in chain]].tolist()
    first = int(rows["kind"][chain[0][0]] == grammar.INTRON_BEGIN)
    return tuple(zip(positions[first::2], positions[first + 1 :: 2], strict=False))


def _with_isoforms(
    gene: DecodedGene,
    genes: Sequence[DecodedGene],
    block: Block,
    sums: Sums,
    settings: DecoderSettings,
    isoforms: IsoformSettings,
) -> DecodedGene:
    """A gene with its other structures that are likely enough, the likeliest first.

    An isoform shares coding bases with the gene's first transcript, and none with another gene of its strand: what
    joins two genes is no isoform of either.

    Args:
        genes: all of the block.
    """
    strand = grammar.PLUS if gene.strand == "+" else grammar.MINUS
    others = [
        segment for other in genes if other is not gene and other.strand == gene.strand for segment in other.first.cds
    ]
    found = likely_structures(
        strand, gene.first.span, block.graph, (block.first, block.last), sums, isoforms.least_posterior
    )
    kept = []
    for structure in found:
        cds = _segments(structure.nodes, block.graph.sites)
        long_enough = sum(end - start for start, end in cds) >= settings.minimum_cds
        if cds != gene.first.cds and long_enough and overlap(cds, gene.first.cds) and not overlap(cds, others):
            transcript = _transcript(structure.nodes, block, sums, settings)
            kept.append(replace(transcript, probability=transcript.structure_probability))
    return replace(gene, transcripts=(gene.first, *kept))


def overlap(left: Sequence[Interval], right: Sequence[Interval]) -> bool:
    """Whether two sets of intervals share a base."""
    return any(start < other_end and other_start < end for start, end in left for other_start, other_end in right)
