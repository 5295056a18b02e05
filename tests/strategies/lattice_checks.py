"""Decoded genes beside what brute force finds, and beside one another."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from brute_force_lattice import BruteForce, Structure

from phytoscribe.annotation.model import COMPLEMENT_STRAND
from phytoscribe.decoding.decoded_gene import DecodedGene, calibrated
from phytoscribe.decoding.settings import DecoderSettings, LengthScore
from phytoscribe.decoding.streaming import decode_coding_genes

#: For longer random contigs: genes with many introns, blocks that are given up on, and length tails.
LONG = DecoderSettings(
    minimum_intron=12,
    minimum_cds=30,
    coding_weight=1.0,
    coding_frame_weight=1.0,
    coding_score=1.2,
    intron_weight=1.0,
    intron_phase_weight=1.0,
    intron_score=4.0,
    intron_lengths=LengthScore((12, 40, 60), (0.5, 0.0, -0.5), -0.01),
    internal_lengths=LengthScore((3, 90), (-1.0, 0.5), -0.004),
    site_cutoff=None,
)


def structure_of(gene: DecodedGene, brute: BruteForce) -> Structure:
    """The brute-force structure that a decoded gene stands for."""
    found = [
        s
        for s in brute.all
        if s.strand == gene.strand
        and s.cds == gene.first.cds
        and (s.chain.cut_start if s.strand == "+" else s.chain.cut_end) == gene.first.partial_left
        and (s.chain.cut_end if s.strand == "+" else s.chain.cut_start) == gene.first.partial_right
        and (-s.chain.first_position) % 3 == gene.first.start_phase
    ]
    assert len(found) == 1
    return found[0]


def compare(bases, plus, minus, settings, evidence=None, more=None) -> list[DecodedGene]:
    genes = decode_coding_genes(bases, plus, minus, settings, evidence=evidence)
    brute = BruteForce(bases, plus, minus, settings, more)
    chosen = [structure_of(gene, brute) for gene in genes]
    assert sum(s.score for s in chosen) == pytest.approx(brute.best[-1], abs=1e-3)
    for gene, structure in zip(genes, chosen, strict=True):
        close = {"abs": 1e-4}
        assert gene.first.structure_probability == pytest.approx(brute.posterior(structure), **close)
        log_posterior = math.log(brute.posterior(structure))
        assert gene.probability == pytest.approx(calibrated(log_posterior, settings), abs=1e-3)
        start, end = structure.span
        free = math.exp(brute.before[start] + brute.after[end] - brute.total)
        assert gene.locus_probability == pytest.approx(1 - free, **close)
        parts = list(zip(structure.cds, structure.frames, strict=True))
        for part, probability in zip(parts, gene.first.segment_probabilities, strict=True):
            same = brute.sum_over(
                lambda s, part=part, strand=gene.strand: (
                    s.strand == strand and part in list(zip(s.cds, s.frames, strict=True))
                )
            )
            # A first, inner or last segment of the same place and frame is another edge: at least this one.
            assert probability <= same + 1e-4
            assert probability >= gene.first.structure_probability - 1e-4
        for left, right, probability in zip(parts, parts[1:], gene.first.intron_probabilities, strict=False):
            assert gene.first.structure_probability - 1e-4 <= probability
            same = brute.sum_over(
                lambda s, gap=(left[0][1], right[0][0]), strand=gene.strand: (
                    s.strand == strand and gap in [(a[1], b[0]) for a, b in zip(s.cds, s.cds[1:], strict=False)]
                )
            )
            assert probability <= same + 1e-4
        left_codon = brute.sum_over(
            lambda s, cut=structure: (
                s.strand == cut.strand
                and s.span[0] == cut.span[0]
                and not (s.chain.cut_start if s.strand == "+" else s.chain.cut_end)
            )
        )
        shown = gene.first.start_probability if gene.strand == "+" else gene.first.stop_probability
        assert math.isnan(shown) if gene.first.partial_left else shown == pytest.approx(left_codon, **close)
        right_codon = brute.sum_over(
            lambda s, cut=structure: (
                s.strand == cut.strand
                and s.span[1] == cut.span[1]
                and not (s.chain.cut_end if s.strand == "+" else s.chain.cut_start)
            )
        )
        shown = gene.first.stop_probability if gene.strand == "+" else gene.first.start_probability
        assert math.isnan(shown) if gene.first.partial_right else shown == pytest.approx(right_codon, **close)
    return genes


def alike(found: DecodedGene, wanted: DecodedGene) -> bool:
    """Same structure and, but for rounding, the same probabilities."""
    numbers = []
    for gene in (found, wanted):
        parts = (*gene.first.segment_probabilities, *gene.first.intron_probabilities)
        ends = (gene.first.start_probability, gene.first.stop_probability)
        numbers.append((gene.probability, gene.first.structure_probability, gene.locus_probability, *ends, *parts))
    same = found.strand == wanted.strand
    same &= (found.first.cds, found.first.start_phase) == (wanted.first.cds, wanted.first.start_phase)
    return same and np.allclose(*numbers, atol=1e-5, equal_nan=True)


def mirrored(gene: DecodedGene, length: int) -> DecodedGene:
    transcripts = tuple(
        replace(
            transcript,
            cds=tuple((length - e, length - s) for s, e in transcript.cds[::-1]),
            segment_probabilities=transcript.segment_probabilities[::-1],
            intron_probabilities=transcript.intron_probabilities[::-1],
            partial_left=transcript.partial_right,
            partial_right=transcript.partial_left,
        )
        for transcript in gene.transcripts
    )
    return replace(gene, strand=COMPLEMENT_STRAND[gene.strand], transcripts=transcripts)
