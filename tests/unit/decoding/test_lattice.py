"""The decoder against brute force: best path and posteriors, on both strands, and with genes cut by the ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.sequences import splice
from phytoscribe.decoding import grammar, lattice
from phytoscribe.decoding.decoded_gene import DecodedGene, calibrated
from phytoscribe.decoding.graph import BACKWARD, Graph, Mode, Open, Paths, new_open, no_lengths
from phytoscribe.decoding.scoring import compose, edge_scores, parameters
from phytoscribe.decoding.settings import DecoderSettings, LengthScore
from phytoscribe.decoding.site_scanner import SiteScanner
from phytoscribe.decoding.streaming import StreamingDecoder, decode_coding_genes
from phytoscribe.genome.sequence import decode, encode, reverse_complement
from phytoscribe.labels.states import NON_CODING_STATES, STATE_COUNT, State

STOPS = {"TAA", "TAG", "TGA"}
OTHER = {"+": "-", "-": "+"}
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
    """Best and total score, and posteriors, from the list of all structures."""

    def __init__(self, bases, plus, minus, settings) -> None:
        self.all = structures(bases, plus, minus, settings)
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


def compare(bases, plus, minus, settings) -> list[DecodedGene]:
    genes = decode_coding_genes(bases, plus, minus, settings)
    brute = BruteForce(bases, plus, minus, settings)
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


def random_case(pieces: list[str], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bases = encode("".join(pieces)[:42])
    generator = np.random.default_rng(seed)
    plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
    return bases, plus, minus


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=24), st.integers(0, 2**32 - 1))
def test_best_path_and_posteriors_equal_brute_force(pieces, seed):
    compare(*random_case(pieces, seed), SMALL)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=6, max_size=16), st.integers(0, 2**32 - 1))
def test_genes_cut_by_the_contigs_ends_equal_brute_force(pieces, seed):
    compare(*random_case(pieces, seed), replace(SMALL, partial=True))


def test_brute_force_cases_hold_introns_on_both_strands():
    """The comparison above is worth something only if spliced genes win in it."""
    seen = set()
    for seed in range(150):
        generator = np.random.default_rng(seed)
        case = random_case(list(generator.choice(PIECES, 30)), seed)
        for gene in decode_coding_genes(*case, SMALL):
            seen.add((gene.strand, len(gene.first.cds) > 1))
    assert seen == {("+", True), ("-", True), ("+", False), ("-", False)}


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


@pytest.fixture(scope="module")
def contigs() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(7)
    return [
        (
            generator.integers(0, 4, length).astype(np.uint8),
            random_log_probabilities(generator, length),
            random_log_probabilities(generator, length),
        )
        for length in (0, 1, 2, 5, 900, 4000)
    ]


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
    return replace(gene, strand=OTHER[gene.strand], transcripts=transcripts)


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("piece", [1, 137, 1000])
def test_cutting_the_contig_changes_nothing(contigs, piece, partial):
    chosen = replace(LONG, partial=partial)
    for bases, plus, minus in contigs:
        if piece == 1:
            bases, plus, minus = bases[:900], plus[:900], minus[:900]
        whole = decode_coding_genes(bases, plus, minus, chosen)
        assert decode_coding_genes(bases, plus, minus, chosen, piece=piece) == whole
    assert len(whole) >= 2
    assert max(len(gene.first.cds) for gene in whole) > 2


@pytest.mark.parametrize("partial", [False, True])
def test_reverse_complement_mirrors_the_genes(contigs, partial):
    chosen = replace(LONG, partial=partial)
    for bases, plus, minus in contigs:
        genes = decode_coding_genes(bases, plus, minus, chosen)
        turned = decode_coding_genes(reverse_complement(bases), minus[::-1], plus[::-1], chosen)
        assert len(genes) == len(turned)
        assert all(alike(mirrored(b, bases.size), a) for a, b in zip(genes, turned[::-1], strict=True))


@pytest.mark.parametrize(("limit", "cutoff"), [("GIVEN_UP", -4.0), ("LONG_BLOCK", None)])
def test_blocks_decoded_by_themselves_change_nothing(contigs, monkeypatch, limit, cutoff):
    """Against one block for the whole contig: where all can be given up, and where sites are dense."""
    bases, plus, minus = contigs[-1]
    clear = np.full((1400, STATE_COUNT), -5.0, np.float32)
    clear[:, State.INTERGENIC] = -0.05
    plus, minus = (np.concatenate([table[:1300], clear, table[2700:]]) for table in (plus, minus))
    chosen = replace(LONG, site_cutoff=cutoff)
    with monkeypatch.context() as patch:
        patch.setattr(lattice, "GIVEN_UP", math.inf)
        whole = decode_coding_genes(bases, plus, minus, chosen)
    monkeypatch.setattr(lattice, limit, {"GIVEN_UP": 100.0, "LONG_BLOCK": 1024}[limit])
    decoder = StreamingDecoder(chosen)
    blocks = decoder.push(bases, plus, minus)
    assert decoder.decided > 1000
    assert blocks
    blocks += decoder.finish()
    assert len(blocks) == len(whole)
    assert all(alike(a, b) for a, b in zip(blocks, whole, strict=True))


def test_starts_and_stops_have_a_cutoff_of_their_own(contigs):
    """The sites are those of the lower cut-off for codons, and those of the higher one for splice sites."""
    bases, plus, minus = contigs[-1]

    def found(cutoff, margin=0.0):
        scanner = SiteScanner(cutoff, True, codon_margin=margin)
        rows = grammar.join([scanner.push(bases, plus, minus), scanner.finish()])
        codons = np.isin(rows["kind"], (grammar.BEGIN, grammar.END))
        return [
            set(zip(*(part[name].tolist() for name in ("position", "kind", "strand")), strict=True))
            for part in (rows[codons], rows[~codons])
        ]

    (few, sites), (many, _) = found(-3.0), found(-5.0)
    assert few < many
    assert found(-3.0, 2.0) == [many, sites]


def test_sums_from_left_and_right_agree(contigs):
    bases, plus, minus = contigs[-1]
    for chosen in (LONG, replace(LONG, partial=True)):
        problem = BlockOfSites(bases, plus, minus, chosen)
        forward, backward, crossing = problem.sums()
        assert forward == pytest.approx(backward, abs=1e-6)
        # At every site the non-coding path and all genes over it make up one.
        assert np.allclose(crossing, 1.0, atol=1e-6)


def test_no_list_of_what_is_open_outgrows_its_room(contigs):
    """The lattice writes without looking whether there is room."""
    bases, plus, minus = contigs[-1]
    for chosen in (LONG, replace(LONG, partial=True)):
        problem = BlockOfSites(bases, plus, minus, chosen)
        count = problem.rows.size
        opened, wide = problem.read(count)
        assert opened.used() <= lattice.most_open(problem.rows) < count / 2
        _, narrow = problem.read(lattice.most_open(problem.rows))
        assert all(np.array_equal(a, b) for a, b in zip(wide, narrow, strict=True))


class BlockOfSites:
    """A whole contig as one block of the lattice."""

    def __init__(self, bases, plus, minus, chosen) -> None:
        scanner = SiteScanner(chosen.site_cutoff, chosen.at_ac, chosen.partial, chosen.codon_margin)
        self.rows = grammar.join([scanner.push(bases, plus, minus), scanner.finish()])
        count = self.rows.size
        self.graph = Graph(self.rows, np.empty((count, 3)), np.empty((count, 3)), edge_scores(chosen))
        compose(0, count, self.rows, parameters(chosen), self.graph.site, self.graph.span)

    def read(self, room: int) -> tuple[Open, Paths]:
        """What is open at the end, and all paths, from lists with so much room."""
        count = self.rows.size
        opened, paths = new_open(room, 0), Paths.empty(count)
        lattice.read(0, count, 0, self.graph, opened, paths, Mode(), no_lengths())
        return opened, paths

    def sums(self) -> tuple[float, float, np.ndarray]:
        count = self.rows.size
        opened, paths = self.read(count)
        after = Paths.sums(count)
        total = lattice.backward(0, count, self.graph, after, Mode(BACKWARD), no_lengths())
        onward, free = after.total, after.free
        crossing, inside = [], 0.0
        before = 0.0
        for r in range(count):
            kind, edge = self.rows["kind"][r], self.rows["variant"][r] == grammar.EDGE
            node = np.exp(paths.total[r] + onward[r] - total)
            if kind == grammar.BEGIN or (kind == grammar.INTRON_BEGIN and edge):
                inside += node.sum()
            elif kind == grammar.END:
                inside -= node.sum()
                before = np.logaddexp.reduce([before, *paths.total[r]])
            elif kind == grammar.INTRON_END and edge:
                inside -= node.sum()
                before = np.logaddexp.reduce([before, *(paths.total[r] + self.graph.site[r])])
            # ``free`` holds what lies right of the row before a gene may begin at it.
            after = free[r]
            crossing.append(inside + np.exp(before + after - total))
        return float(opened.free[0]), float(total), np.array(crossing)


def test_every_decoded_gene_obeys_the_grammar():
    introns = 0
    for seed in range(6):
        generator = np.random.default_rng([3, seed])
        bases = generator.integers(0, 4, 6000).astype(np.uint8)
        bases[3000:3050] = 4
        plus, minus = (random_log_probabilities(generator, bases.size) for _ in range(2))
        for gene in decode_coding_genes(bases, plus, minus, replace(LONG, minimum_intron=10)):
            cds = splice(gene.first.cds, gene.strand, bases)
            codons = [cds[i : i + 3] for i in range(0, len(cds), 3)]
            assert len(cds) % 3 == 0
            assert len(cds) >= 30
            assert "N" not in cds
            assert codons[0] == "ATG"
            assert codons[-1] in STOPS
            assert not STOPS & set(codons[:-1])
            assert all(end - start >= 3 for start, end in gene.first.cds)
            for (_, left), (right, _) in zip(gene.first.cds, gene.first.cds[1:], strict=False):
                intron = splice([(left, right)], gene.strand, bases)
                assert len(intron) >= 10
                assert intron[:2] in ("GT", "GC")
                assert intron[-2:] == "AG"
                introns += 1
    assert introns > 20


def test_sensitivity_finds_more_genes_or_fewer(contigs):
    bases, plus, minus = contigs[-1]
    counts = []
    for sensitivity in (-20.0, 0.0, 10.0):
        chosen = replace(LONG, sensitivity=sensitivity)
        counts.append(len(decode_coding_genes(bases, plus, minus, chosen)))
    assert counts[0] < counts[1] < counts[2]


def test_sites_under_the_cut_off_are_no_candidates(contigs):
    bases, plus, minus = contigs[-1]
    chosen = replace(LONG, site_cutoff=-4.0)
    genes = decode_coding_genes(bases, plus, minus, chosen)
    assert genes
    for gene in genes:
        table = plus if gene.strand == "+" else minus
        for (_, left), (right, _) in zip(gene.first.cds, gene.first.cds[1:], strict=False):
            for base in (left - 1, right):
                assert table[base, State.FIRST0 : State.STOP].max() >= -4.0


def test_a_long_gap_does_not_hold_the_decoder_back():
    """An intron may cross a gap, but none stays open for ever: what is kept in memory does not grow with the gap."""
    generator = np.random.default_rng(5)
    decoder = StreamingDecoder(DecoderSettings())
    kept = []
    for step in range(20):
        gap = step >= 5
        bases = np.full(5_000, 4, np.uint8) if gap else generator.integers(0, 4, 5_000).astype(np.uint8)
        table = np.full((5_000, STATE_COUNT), -5.0, np.float32)
        table[:, 0] = -0.05
        decoder.push(bases, table, table)
        kept.append(5_000 * (step + 1) - decoder.decided)
    assert max(kept) <= 25_000
    assert max(kept[8:]) < 4_000
