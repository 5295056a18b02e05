"""Splice junctions and proteins for short contigs, and what they add to a structure's score, straight from the
definitions.
"""

from __future__ import annotations

import math

import numpy as np
from brute_force_lattice import Structure

from phytoscribe.decoding import intron_evidence
from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.decoding.protein_evidence import ContigProteins, ProteinWeights
from phytoscribe.genome.aligned_proteins import AlignedProtein
from phytoscribe.genome.sequence import decode

#: All terms matter, and log odds lie on both sides of 0.
WEIGHTS = EvidenceWeights(4.0, 0.5, 0.7, 0.9, 0.3, -0.4, -0.3)
PROTEIN_WEIGHTS = ProteinWeights(
    *(3.0, 0.4, 0.6, 0.8, 0.2, -0.3, -0.2),
    frame_weight=30.0,
    other_frame_weight=-9.0,
    start_weight=1.5,
    stop_weight=0.7,
)


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


def random_proteins(bases: np.ndarray, seed: int, shortest: int, count: int = 8) -> ContigProteins:
    """Alignments of up to three segments around introns of :func:`random_junctions`, in any frame."""
    generator, found = np.random.default_rng([seed, 6]), []
    introns = random_junctions(bases, seed, shortest, count)
    for strand, left, right in zip(introns.strand.tolist(), introns.left.tolist(), introns.right.tolist(), strict=True):
        outer = sorted({max(0, left - int(generator.integers(1, 15))), left, right})
        end = min(bases.size, right + int(generator.integers(1, 15)))
        segments = ((outer[0], left), (right, end)) if outer[0] < left and right < end else ((left, right),)
        phases = tuple(generator.integers(0, 3, len(segments)).tolist())
        flags = (generator.random(3) < (0.5, 0.5, 0.8)).tolist()
        quality = round(float(generator.uniform(0.2, 1)), 3)
        found.append(AlignedProtein("c", "+-"[strand], segments, phases, quality, *flags))
    return ContigProteins(found)


def protein_score_of(structure: Structure, proteins: ContigProteins, weights: ProteinWeights) -> float:
    """What proteins add to a structure."""
    total = score_of(structure, ContigEvidence(proteins, weights))
    chain, done, coding = structure.chain, 0, {}
    for start, end in structure.cds if structure.strand == "+" else structure.cds[::-1]:
        for k in range(end - start):
            base = start + k if structure.strand == "+" else end - 1 - k
            place = (chain.first_position + done + k) % 3
            # The left end of the base's codon, modulo 3.
            coding[base] = (base - place if structure.strand == "+" else base + place - 2) % 3
        done += end - start
    for base, frame in coding.items():
        best: dict[tuple[str, int], float] = {}
        for p in proteins.proteins:
            for number, (start, end) in enumerate(p.segments):
                if p.coding and start <= base < end:
                    key = p.strand, p.frame(number)
                    best[key] = max(best.get(key, 0.0), p.quality)
        own = best.pop((structure.strand, frame), 0.0)
        total += (weights.frame_weight * own + weights.other_frame_weight * sum(best.values())) / 100
    left, right = structure.cds[0][0], structure.cds[-1][1]
    first, last = (left, right) if structure.strand == "+" else (right, left)
    same = [p for p in proteins.proteins if p.strand == structure.strand]
    if not chain.cut_start:
        total += weights.start_weight * max((p.quality for p in same if p.begins and p.start_codon == first), default=0)
    if not chain.cut_end:
        total += weights.stop_weight * max((p.quality for p in same if p.ends and p.stop_codon == last), default=0)
    return total


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
