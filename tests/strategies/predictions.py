"""Hypothesis strategies of predictions beside a reference: right, nearly right, wrong and invented genes.

All that is drawn is a few lists of small numbers, as many pairs are wanted; oddities of annotations are in
``gene_models.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from hypothesis import strategies as st

from phytoscribe.annotation import GeneModel
from phytoscribe.annotation.model import COMPLEMENT_STRAND, Interval, Transcript

CONTIGS = ("c1", "c2")
ISOFORMS = ("one", "one", "shorter", "exon left out", "same again")
CHANGES = ("none", "none", "moved", "one isoform", "ends", "other strand", "exon lost", "utr")
Chain = tuple[Interval, ...]

#: Lengths of exons and introns in turn, contig, strand, place, what the second isoform is, lengths of the UTRs.
_genes = st.tuples(
    st.lists(st.integers(1, 40), min_size=1, max_size=7),
    st.sampled_from(CONTIGS),
    st.sampled_from("+-"),
    st.integers(2, 6),
    st.sampled_from(ISOFORMS),
    st.sampled_from([(0, 0), (0, 0), (5, 0), (7, 9)]),
)
_changes = st.tuples(st.integers(0, 3), st.sampled_from(CHANGES), st.sampled_from([-100, -3, -1, 0, 1, 3, 4]))


def references() -> st.SearchStrategy[list[GeneModel]]:
    """One to four coding genes on both strands of two contigs; they may overlap."""
    return st.lists(_genes, min_size=1, max_size=4).map(lambda drawn: _built(drawn, "r"))


def pairs() -> st.SearchStrategy[tuple[list[GeneModel], list[GeneModel]]]:
    """A reference, and predictions made of it by small changes and of nothing."""
    drawn = st.tuples(references(), st.lists(_changes, max_size=5), st.lists(_genes, max_size=1))
    return drawn.map(lambda parts: (parts[0], _predicted(*parts)))


def _built(drawn: Sequence[tuple], prefix: str) -> list[GeneModel]:
    found = []
    for number, (steps, contig, strand, place, isoform, utrs) in enumerate(drawn):
        edges = list(accumulate(steps, initial=100 * place))
        chain = tuple(zip(edges[0::2], edges[1::2]))
        chains = [chain]
        if isoform == "shorter" and chain[-1][1] - chain[-1][0] > 3:
            chains.append(_wider(chain, 0, -3))
        elif isoform == "exon left out" and len(chain) > 2:
            chains.append((chain[0], *chain[2:]))
        elif isoform == "same again":
            chains.append(chain)
        transcripts = (Transcript(f"{prefix}{number}.{i}", _wider(c, *utrs), c) for i, c in enumerate(chains))
        found.append(GeneModel(f"{prefix}{number}", contig, strand, tuple(transcripts)))
    return found


def _predicted(reference: list[GeneModel], changes: list[tuple], invented: list[tuple]) -> list[GeneModel]:
    changed = [_changed(reference[number % len(reference)], kind, step) for number, kind, step in changes]
    return [replace(gene, id=f"p{number}") for number, gene in enumerate([*changed, *_built(invented, "p")])]


def _changed(gene: GeneModel, kind: str, step: int) -> GeneModel:
    if kind == "moved":
        return gene.shifted(step)
    if kind == "other strand":
        strand = COMPLEMENT_STRAND[gene.strand]
        return replace(gene, strand=strand, transcripts=tuple(replace(t, strand=strand) for t in gene.transcripts))
    if kind == "one isoform":
        return replace(gene, transcripts=gene.transcripts[-1:])
    if kind == "none":
        return gene
    transcripts = []
    for transcript in gene.transcripts:
        exons, cds = transcript.exons, transcript.cds
        if kind == "utr":
            exons = _wider(exons, abs(step), 0)
        else:
            exons = cds = _wider(cds, abs(step), 0) if kind == "ends" else (cds[1:] or cds)
        transcripts.append(replace(transcript, exons=exons, cds=cds))
    return replace(gene, transcripts=tuple(transcripts))


def _wider(chain: Chain, left: int, right: int) -> Chain:
    edges = [edge for segment in chain for edge in segment]
    edges[0] -= left
    edges[-1] += right
    return tuple(zip(edges[0::2], edges[1::2]))
