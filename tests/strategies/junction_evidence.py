"""Splice junctions for short contigs, and what they add to a structure's score, straight from the definitions."""

from __future__ import annotations

import math

import numpy as np
from brute_force_lattice import Structure

from phytoscribe.decoding import intron_evidence
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions, EvidenceWeights
from phytoscribe.genome.sequence import decode

#: All terms matter, and log odds lie on both sides of 0.
WEIGHTS = EvidenceWeights(4.0, 0.5, 0.7, 0.9, 0.3, -0.4, -0.3)


def random_junctions(bases: np.ndarray, seed: int, shortest: int, count: int = 20) -> ContigJunctions:
    """Junctions on places of both strands that look like introns, and some that do not."""
    generator = np.random.default_rng([seed, 5])
    text, found = decode(bases), []
    for strand, donors, acceptors in (("+", ("GT", "GC", "AT"), ("AG", "AC")), ("-", ("CT", "GT"), ("AC", "GC", "AT"))):
        lefts = [k for k in range(1, len(text) - 2) if text[k : k + 2] in donors]
        rights = [k for k in range(3, len(text)) if text[k - 2 : k] in acceptors]
        pairs = [(a, b) for a in lefts for b in rights if shortest - 2 <= b - a <= 80]
        generator.shuffle(pairs)
        found += [(strand, pair) for pair in pairs[: count // 2]]
    for _ in range(2):
        start, end = sorted(generator.choice(np.arange(1, len(text)), 2, replace=False).tolist())
        found.append((str(generator.choice(["+", "-"])), (start, end)))
    return ContigJunctions((*junction, int(10 ** generator.uniform(0, 4))) for junction in found)


def score_of(structure: Structure, evidence: ContigEvidence) -> float:
    """What junctions add to a structure."""
    found, weights = evidence.junctions, evidence.weights
    own = [
        (left, right, reads)
        for left, right, strand, reads in zip(
            *(part.tolist() for part in (found.left, found.right, found.strand, found.reads)), strict=True
        )
        if strand == "+-".index(structure.strand)
    ]
    everything = list(zip(found.left.tolist(), found.right.tolist(), found.reads.tolist(), strict=True))
    near, many = intron_evidence.NEARBY, intron_evidence.MANY_READS

    def around(base: int) -> int:
        return max((n for left, right, n in own if left - near <= base < right + near), default=0)

    def share_nearby(left: int, right: int, reads: int) -> float:
        return reads / max(around(left), around(right - 1), reads)

    average = sum(n for *_, n in everything) / max(len(everything), 1)
    total = 0.0
    introns = [(a[1], b[0]) for a, b in zip(structure.cds, structure.cds[1:], strict=False)]
    for left, right, reads in own:
        if (left, right) in introns:
            # The junction itself is among those that overlap it, once.
            overlapping = [n for a, b, n in everything if a < right and left < b]
            overlapping.remove(reads)
            rivals = max(overlapping, default=0)
            odds = (
                weights.junction_score
                + weights.reads_weight * math.log(min(reads, many))
                + weights.neighbour_weight * math.log(share_nearby(left, right, reads))
                + weights.rival_weight * math.log(reads / (reads + rivals))
                + weights.library_weight * min(0.0, math.log(reads / average))
            )
            total += math.log1p(math.exp(min(odds, intron_evidence.MOST_ODDS)))
    chain = structure.chain
    cuts = [(left, 0) for left, _ in introns] + [(right, 1) for _, right in introns]
    # The whole end of an intron that the contig's end cuts.
    cut_left, cut_right = (
        (chain.intron_first, chain.intron_last) if structure.strand == "+" else (chain.intron_last, chain.intron_first)
    )
    cuts += [(structure.cds[0][0], 1)] * cut_left + [(structure.cds[-1][1], 0)] * cut_right
    for cut, side in cuts:
        reads = max((n for *ends, n in own if ends[side] == cut), default=0)
        strongest = max(min(around(cut - side), many), reads)
        total += weights.missing_weight * math.log((1 + strongest) / (1 + reads))
    for start, end in structure.cds:
        for left, right, reads in own:
            inside = max(0, min(end, right) - max(start, left)) / (right - left)
            weight = math.log1p(min(reads, many)) * share_nearby(left, right, reads)
            total += weights.spliced_weight * weight * inside
    return total
