"""All gene structures of a short contig, straight from the rules, with their scores and posteriors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from phytoscribe.decoding.settings import DecoderSettings, LengthScore
from phytoscribe.genome.sequence import decode, encode, reverse_complement
from phytoscribe.labels.states import NON_CODING_STATES, STATE_COUNT, State

STOPS = {"TAA", "TAG", "TGA"}
#: Small enough for brute force, with every kind of score in use and length limits that most edges exceed or reach.
SMALL = DecoderSettings(
    sensitivity=0.5,
    gene_score=5.0,
    intron_score=6.0,
    coding_weight=0.8,
    coding_frame_weight=0.6,
    coding_score=0.4,
    intron_weight=0.7,
    intron_phase_weight=0.5,
    intron_base_score=0.1,
    start_weight=1.1,
    stop_weight=0.9,
    donor_weight=1.2,
    acceptor_weight=0.7,
    start_score=0.3,
    stop_score=-0.2,
    donor_scores=(0.3, -0.1, 0.5),
    acceptor_scores=(0.1, 0.6, -0.2),
    gc_donor_score=-0.3,
    at_ac_score=0.8,
    initial_lengths=LengthScore((3, 5, 8), (0.2, 1.0, -0.3), -0.02),
    internal_lengths=LengthScore((3, 7), (-0.5, 0.8), -0.05),
    terminal_lengths=LengthScore((4, 6), (0.9, -0.4), -0.01),
    single_lengths=LengthScore((6, 9, 12), (-0.4, 0.5, 0.1), -0.03),
    intron_lengths=LengthScore((8, 10, 13), (0.4, -0.6, 0.7), -0.04),
    site_cutoff=None,
    at_ac=True,
    minimum_intron=8,
    minimum_cds=0,
    calibration_slope=0.7,
    calibration_offset=-0.2,
)
PIECES = ["ATG", "GT", "AG", "TAA", "CAT", "TTA", "AC", "CT", "GC", "A", "C", "G", "T", "TGA", "CTA", "GTA", "TAC", "N"]


def random_log_probabilities(generator: np.random.Generator, length: int) -> np.ndarray:
    values = generator.normal(0, 2, (length, STATE_COUNT))
    values[:, :5] -= 1.6  # so that genes and introns are about as likely as what lies between them
    return (values - np.logaddexp.reduce(values, axis=1)[:, None]).astype(np.float32)


@dataclass(frozen=True)
class Chain:
    """A gene structure on the plus strand: segments, whether the contig's ends cut it, codon position of base one."""

    segments: tuple[tuple[int, int], ...]
    cut_start: bool = False
    cut_end: bool = False
    first_position: int = 0
    #: the end of the contig lies in an intron
    intron_first: bool = False
    intron_last: bool = False

    def span(self, length: int) -> tuple[int, int]:
        return (0 if self.cut_start else self.segments[0][0]), (length if self.cut_end else self.segments[-1][1])


def all_chains(text: str, settings: DecoderSettings) -> list[Chain]:
    """Every structure on the plus strand that the grammar allows, straight from the rules."""
    chains: list[Chain] = []
    length = len(text)

    def extend(segments: list[tuple[int, int]], start: int, skipped: int, **flags: bool) -> None:
        """Structures whose next segment begins at ``start``; ``skipped`` bases of the first codon are missing."""
        for end in range(start + 3, length + 1):
            now = [*segments, (start, end)]
            spliced = "?" * skipped + "".join(text[s:e] for s, e in now)
            codons = [spliced[i : i + 3] for i in range(0, len(spliced) - len(spliced) % 3, 3)]
            if "N" in text[start:end] or any(codon in STOPS for codon in codons[:-1]):
                return
            if not flags and codons[0] != "ATG":
                return
            chain = Chain(tuple(now), flags.get("cut", False), False, skipped % 3, flags.get("intron_first", False))
            if codons and codons[-1] in STOPS:
                if len(spliced) % 3 == 0:
                    if len(now) > 1 or flags or end - start >= settings.minimum_cds:
                        chains.append(chain)
                    continue
                return
            if settings.partial and end == length:
                chains.append(replace(chain, cut_end=True))
            donor = text[end : end + 2]
            if donor not in ("GT", "GC") and not (settings.at_ac and donor == "AT"):
                continue
            if settings.partial and donor != "AT":  # an intron that the end cuts counts as GT-AG
                chains.append(replace(chain, cut_end=True, intron_last=True))
            for following in range(end + settings.minimum_intron, length - 2):
                if text[following - 2 : following] == ("AC" if donor == "AT" else "AG"):
                    extend(now, following, skipped, **flags)

    for start in range(length - 2):
        if text[start : start + 3] == "ATG":
            extend([], start, 0)
        if settings.partial:
            for skipped in range(3):
                if start >= 2 and text[start - 2 : start] == "AG":
                    extend([], start, skipped, cut=True, intron_first=True)
                if start == 0:
                    extend([], start, skipped, cut=True)
    return chains


def table_score(score: LengthScore, length: int) -> float:
    if not score.lengths:
        return score.slope * length
    inside = float(np.interp(length, score.lengths, score.scores))
    return inside + score.slope * max(0, length - score.lengths[-1])


def chain_score(chain: Chain, text: str, table: np.ndarray, settings: DecoderSettings) -> float:
    """Score of a plus strand structure, term by term."""
    table = np.asarray(table, dtype=np.float64)
    non_coding = np.logaddexp.reduce(table[:, list(NON_CODING_STATES)], axis=1)

    def group(state: State, at: int, own: float, inside: float) -> float:
        base = State.CODING0 if state in (State.CODING0, State.CODING1, State.CODING2) else State.INTRON0
        total = np.logaddexp.reduce(table[at, base : base + 3])
        return own * (total - non_coding[at]) + inside * (table[at, state] - total)

    def coding(at: int, position: int) -> float:
        return group(State(State.CODING0 + position), at, settings.coding_weight, settings.coding_frame_weight) + (
            settings.coding_score
        )

    def intron(start: int, end: int, phase: int) -> float:
        state = State(State.INTRON0 + phase)
        weights = settings.intron_weight, settings.intron_phase_weight
        bases = sum(group(state, at, *weights) + settings.intron_base_score for at in range(start, end))
        length = max(end - start, settings.minimum_intron)
        return settings.intron_score + bases + table_score(settings.intron_lengths, length)

    def odds(at: int, state: int) -> float:
        bounded = min(table[at, state], -1e-4)
        return float(bounded - np.log(-np.expm1(bounded)))

    score = settings.gene_score + max(0.0, settings.sensitivity)
    score += settings.partial_score * (chain.cut_start + chain.cut_end)
    position = chain.first_position
    count = len(chain.segments)
    if chain.intron_first:
        score += intron(0, chain.segments[0][0], position % 3)
    for index, (start, end) in enumerate(chain.segments):
        first, last = index == 0, index == count - 1
        for at in range(start, end):
            if at == start and first and not chain.cut_start:
                score += settings.start_weight * odds(at, State.START) + settings.start_score
            elif at == start and not (first and not chain.intron_first):
                score += settings.acceptor_weight * odds(at, State.FIRST0 + position % 3)
                score += settings.acceptor_scores[position % 3]
            elif at == end - 1 and last and not chain.cut_end:
                score += settings.stop_weight * odds(at, State.STOP) + settings.stop_score
            elif at == end - 1 and not (last and chain.cut_end and not chain.intron_last):
                score += settings.donor_weight * odds(at, State.LAST0 + position % 3)
                score += settings.donor_scores[(position + 1) % 3]
                donor = text[end : end + 2]
                score += settings.gc_donor_score * (donor == "GC") + settings.at_ac_score * (donor == "AT")
            else:
                score += coding(at, position % 3)
            position += 1
        cut_here = (first and chain.cut_start and not chain.intron_first) or (
            last and chain.cut_end and not chain.intron_last
        )
        gene_begin, gene_end = first and not chain.cut_start, last and not chain.cut_end
        if not cut_here:
            lengths = {
                (True, True): settings.single_lengths,
                (True, False): settings.initial_lengths,
                (False, True): settings.terminal_lengths,
                (False, False): settings.internal_lengths,
            }[gene_begin, gene_end]
            score += table_score(lengths, end - start)
        if not last:
            score += intron(end, chain.segments[index + 1][0], position % 3)
        elif chain.intron_last:
            score += intron(end, len(text), position % 3)
    return score


@dataclass
class Structure:
    """A scored structure in contig orientation."""

    strand: str
    cds: tuple[tuple[int, int], ...]
    frames: tuple[int, ...]
    span: tuple[int, int]
    score: float
    chain: Chain

    @property
    def key(self):
        return self.strand, self.cds, self.frames, self.span


def structures(bases, plus, minus, settings) -> list[Structure]:
    length = bases.size
    found = []
    for strand, seen, table in (("+", bases, plus), ("-", reverse_complement(bases), minus[::-1])):
        text = decode(seen)
        for chain in all_chains(text, settings):
            cds, span = chain.segments, chain.span(length)
            frames, position = [], chain.first_position
            for start, end in cds:
                frames.append(position % 3)
                position += end - start
            score = chain_score(chain, text, table, settings)
            if strand == "-":
                cds = tuple((length - e, length - s) for s, e in reversed(cds))
                frames, span = frames[::-1], (length - span[1], length - span[0])
            found.append(Structure(strand, cds, tuple(frames), span, score, chain))
    return found


class BruteForce:
    """Best and total score, and posteriors, from the list of all structures.

    Args:
        more: what a structure's score has beyond the network's and the decoder's terms.
    """

    def __init__(self, bases, plus, minus, settings, more: Callable[[Structure], float] | None = None) -> None:
        self.all = structures(bases, plus, minus, settings)
        for structure in self.all if more else ():
            structure.score += more(structure)
        length = bases.size
        self.best = np.zeros(length + 1)
        before, after = np.zeros(length + 1), np.zeros(length + 1)
        for end in range(1, length + 1):
            ending = [s for s in self.all if s.span[1] == end]
            scores = [before[s.span[0]] + s.score for s in ending]
            before[end] = np.logaddexp.reduce([before[end - 1], *scores])
            self.best[end] = max([self.best[end - 1], *(self.best[s.span[0]] + s.score for s in ending)])
        for start in range(length - 1, -1, -1):
            beginning = [after[s.span[1]] + s.score for s in self.all if s.span[0] == start]
            after[start] = np.logaddexp.reduce([after[start + 1], *beginning])
        assert before[length] == pytest.approx(after[0])
        self.total = before[length]
        self.before, self.after = before, after

    def posterior(self, structure: Structure) -> float:
        start, end = structure.span
        return math.exp(self.before[start] + structure.score + self.after[end] - self.total)

    def sum_over(self, wanted) -> float:
        return sum(self.posterior(s) for s in self.all if wanted(s))


def random_case(pieces: list[str], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bases = encode("".join(pieces)[:42])
    generator = np.random.default_rng(seed)
    plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
    return bases, plus, minus
