"""Training of the decoder's parameters on decoded regions with known genes.

The lattice is a conditional random field.  Its parameters maximise the likelihood of the reference genes given the
network's scores, the sum over a gene's isoforms counting as right; the gradient is the difference of observed and
expected features, the latter from forward-backward.  A quadratic pull to the starting values keeps the few parameters
where the data say little.  Two scalars are then chosen on decoded exact F1, and the map from posterior to gene
probability is fitted last (J. Platt, *Probabilistic outputs for support vector machines*, 1999).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from phytoscribe.decoding import candidate_sites, lattice, scoring
from phytoscribe.decoding.decoded_gene import CodingGene
from phytoscribe.decoding.gene_regions import DecodedRegion, Stretch, stretches_of
from phytoscribe.decoding.lattice import SEGMENT_KINDS, Scores
from phytoscribe.decoding.posteriors import chain_score, sums_over_paths
from phytoscribe.decoding.settings import DecoderSettings, LengthScore
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.genome.intervals import Interval, merge_intervals

logger = logging.getLogger(__name__)

#: Lengths looked up one by one while fitting: the weights of length scores see no longer ones.
EXPLICIT_LENGTHS = 8000
#: Sites kept while fitting, besides those of the reference.
FITTING_CUTOFF = -8.0
ITERATIONS = 60
#: Strength of the pull to the starting values: standard deviation of the prior, by kind of parameter.  Weights are
#: fitted in logarithms.
WEIGHT_SPREAD = 1.0
BASE_SCORE_SPREAD = 0.2
SCORE_SPREAD = 3.0
PHASE_SCORE_SPREAD = 0.5
#: Typical distances, by which the optimiser sees the parameters: weights and scores of bases act on thousands of them.
BASE_SCALE = 0.02
SCALE = 0.3
#: Longest step of the optimiser in one parameter, in these units.
LONGEST_STEP = 4.0
#: Tried after fitting, one after the other, added to the fitted values.
STEPS = {
    "gene_score": (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0),
    "intron_score": (-2.0, -1.0, 1.0, 2.0),
    "coding_score": (-0.04, -0.02, 0.02, 0.04),
}
#: A step must better the mean of exact CDS-exon and locus F1 by this much: less is chance.
LEAST_GAIN = 0.002
#: Length scores that the fit scales, in the order of the lattice's kinds of segment, then introns.
LENGTHS = (*scoring.SEGMENT_LENGTHS, "intron_lengths")
_PARAMETERS = scoring.PARAMETER_COUNT + len(LENGTHS)
#: Scores that the data cannot tell (each gene has one start and one stop) or hold too few cases for.
_FIXED = ("start_score", "stop_score", "at_ac_score", "partial_score")


@njit(cache=True, nogil=True)
def add_node_features(rows, r, t, posterior, segment, intron, gradient):
    """Add ``posterior`` times the features of a node to ``gradient``.

    Args:
        segment, intron: whether the node's part in a segment and in an intron count.
    """
    kind, strand, variant, position = rows.kind[r], rows.strand[r], rows.variant[r], rows.position[r]
    opens = kind in (candidate_sites.BEGIN, candidate_sites.INTRON_END)
    if segment:
        sign = -posterior if opens else posterior
        gradient[scoring.CODING_WEIGHT] += sign * rows.features[r, candidate_sites.CODING_TOTAL]
        gradient[scoring.CODING_FRAME_WEIGHT] += sign * rows.features[r, candidate_sites.CODING_FRAME + t]
        gradient[scoring.CODING_SCORE] += sign * scoring.coding_reach(kind, variant, position)
        odds = rows.features[r, candidate_sites.ODDS + t]
        if kind == candidate_sites.BEGIN:
            gradient[scoring.GENE] += posterior
        if kind in (candidate_sites.BEGIN, candidate_sites.END):
            if (kind == candidate_sites.BEGIN) == (strand == candidate_sites.PLUS):
                gradient[scoring.START_WEIGHT] += posterior * odds
                gradient[scoring.START_SCORE] += posterior
            else:
                gradient[scoring.STOP_WEIGHT] += posterior * odds
                gradient[scoring.STOP_SCORE] += posterior
        elif scoring.is_donor(kind, strand):
            gradient[scoring.DONOR_WEIGHT] += posterior * odds
            gradient[scoring.DONORS + scoring.phase_of(strand, t)] += posterior
            if variant == candidate_sites.GC:
                gradient[scoring.GC_SCORE] += posterior
            elif variant == candidate_sites.AT_AC:
                gradient[scoring.AT_AC_SCORE] += posterior
        else:
            gradient[scoring.ACCEPTOR_WEIGHT] += posterior * odds
            gradient[scoring.ACCEPTORS + scoring.phase_of(strand, t)] += posterior
    if intron and kind in (candidate_sites.INTRON_BEGIN, candidate_sites.INTRON_END):
        sign = posterior if opens else -posterior
        gradient[scoring.INTRON_WEIGHT] += sign * rows.features[r, candidate_sites.INTRON_TOTAL]
        gradient[scoring.INTRON_PHASE_WEIGHT] += sign * rows.features[r, candidate_sites.INTRON_PHASE + t]
        gradient[scoring.INTRON_SCORE] += sign * position
        if kind == candidate_sites.INTRON_BEGIN:
            gradient[scoring.INTRON] += posterior


@njit(cache=True, nogil=True)
def expected_features(rows, site, span, scores, base_segment, base_intron, paths, onward, total, gradient):
    """Subtract the features that the lattice expects from ``gradient`` (PARAMETER_COUNT + kinds of lengths).

    Args:
        base_segment, base_intron: unscaled length scores, whose expected sums are the features of the lengths' weights;
            lengths beyond them are not counted.
        total: log sum over all paths.
    """
    n = rows.position.size
    room = n + 1
    count, start = np.zeros(8, np.int64), np.zeros(8, np.int64)
    opened = np.empty((8, room), np.int64)
    state = np.empty((8, room), np.int64)
    limit, intron_limit = base_segment.shape[1] - 1, base_intron.size - 1
    for r in range(n):
        kind, strand, position = rows.kind[r], rows.strand[r], rows.position[r]
        if kind == candidate_sites.CHECK:
            continue
        for t in range(3):
            posterior = paths.total[r, t] + onward[r, t] - total
            if posterior < -20.0:
                continue
            add_node_features(rows, r, t, -np.exp(posterior), True, True, gradient)
            if kind in (candidate_sites.BEGIN, candidate_sites.INTRON_END):
                held = 3 * strand + (position - t) % 3
                opened[held, count[held]], state[held, count[held]] = r, t
                count[held] += 1
                if kind == candidate_sites.INTRON_END:
                    while start[6 + strand] < count[6 + strand]:
                        if rows.position[opened[6 + strand, start[6 + strand]]] >= position - intron_limit:
                            break
                        start[6 + strand] += 1
                    for entry in range(start[6 + strand], count[6 + strand]):
                        row, left = opened[6 + strand, entry], state[6 + strand, entry]
                        length = position - rows.position[row]
                        fits = left == t and length >= scores.minimum_intron
                        if not fits or rows.context[r, t] >> rows.context[row, t] & 1:
                            continue
                        if not lattice._alike(rows.variant[row], rows.variant[r]):
                            continue
                        edge = paths.total[row, t] + span[row, t] + span[r, t] + onward[r, t] - total
                        edge += lattice.intron_length_score(scores, length)
                        if edge > -20.0:
                            gradient[-1] -= np.exp(edge) * base_intron[length]
            else:
                held = 3 * strand + (position - t) % 3
                while start[held] < count[held]:
                    if rows.position[opened[held, start[held]]] >= position - limit:
                        break
                    start[held] += 1
                for entry in range(count[held] - 1, start[held] - 1, -1):
                    row, left = opened[held, entry], state[held, entry]
                    opening = lattice._end_of(rows.kind[row], rows.variant[row])
                    if not lattice._may_open(rows.position[row], opening, rows.bound[r, t]):
                        break
                    length = position - rows.position[row]
                    if length < 3:
                        continue
                    closing = lattice._end_of(kind, rows.variant[r])
                    segment = lattice.segment_kind(strand, opening, closing)
                    edge = paths.total[row, left] + site[row, left] + site[r, t] + onward[r, t] - total
                    edge += lattice.segment_length_score(scores, segment, length)
                    if edge > -20.0:
                        gradient[scoring.PARAMETER_COUNT + segment] -= np.exp(edge) * base_segment[segment, length]
                if kind == candidate_sites.INTRON_BEGIN:
                    opened[6 + strand, count[6 + strand]], state[6 + strand, count[6 + strand]] = r, t
                    count[6 + strand] += 1


class Likelihood:
    """Log likelihood of the reference structures of some stretches, and its gradient.

    The vector has the scores' parameters and a weight for each length score of ``settings``.
    """

    def __init__(self, stretches: Sequence[Stretch], settings: DecoderSettings, threads: int = 1) -> None:
        self.stretches = stretches
        self.settings = settings
        self._map = ThreadPoolExecutor(threads).map if threads > 1 else map
        self.base = scoring.edge_scores(settings, EXPLICIT_LENGTHS)
        self.bases = max(1, sum(stretch.bases for stretch in stretches))

    def scores(self, vector: npt.NDArray) -> Scores:
        """Length scores under the vector's weights."""
        weights = np.append(vector[scoring.PARAMETER_COUNT : -1], 0.0)
        assert weights.size == SEGMENT_KINDS
        return self.base._replace(
            segment=self.base.segment * weights[:, None],
            segment_slope=self.base.segment_slope * weights,
            intron=self.base.intron * vector[-1],
            intron_slope=self.base.intron_slope * float(vector[-1]),
        )

    def __call__(self, vector: npt.NDArray) -> tuple[float, npt.NDArray]:
        """Log likelihood and gradient."""
        scores = self.scores(vector)
        value, gradient = 0.0, np.zeros(_PARAMETERS)
        # Added up in the order of the stretches, so that the number of threads changes nothing.
        parts = self._map(lambda stretch: self._of_stretch(stretch, vector, scores), self.stretches)
        for of_stretch, its_gradient in parts:
            value += of_stretch
            gradient += its_gradient
        return value, gradient

    def _of_stretch(self, stretch: Stretch, vector: npt.NDArray, scores: Scores) -> tuple[float, npt.NDArray]:
        rows, gradient = stretch.rows, np.zeros(_PARAMETERS)
        if not rows.position.size:
            return 0.0, gradient
        sums = sums_over_paths(rows, vector, scores)
        edges = (rows, sums.site, sums.span, scores)
        base = (self.base.segment, self.base.intron)
        expected_features(*edges, *base, sums.paths, sums.onward, sums.total, gradient)
        value = -sums.total
        for isoforms in stretch.loci:
            value += self._observed(*edges, isoforms, gradient)
        return value, gradient

    def _observed(self, rows, site, span, scores, isoforms, gradient) -> float:
        """Log sum of the isoforms' scores; adds their features, weighted by their share of it."""
        features = np.zeros((len(isoforms), _PARAMETERS))
        values = np.array([chain_score(nodes, rows, site, span, scores) for nodes in isoforms])
        for number, nodes in enumerate(isoforms):
            last = len(nodes) - 1
            for place, (row, t) in enumerate(nodes):
                inner = 0 < place < last
                add_node_features(rows, row, t, 1.0, True, inner, features[number])
                if place == last:
                    break
                following = nodes[place + 1][0]
                length = int(rows.position[following] - rows.position[row])
                if place % 2 == 0:
                    kind = lattice.kind_of_segment(rows, row, following)
                    if length < self.base.segment.shape[1]:
                        features[number, scoring.PARAMETER_COUNT + kind] += self.base.segment[kind, length]
                elif length < self.base.intron.size:
                    features[number, -1] += self.base.intron[length]
        total = float(np.logaddexp.reduce(values))
        gradient += np.exp(values - total) @ features
        return total

    def start(self) -> npt.NDArray:
        """The vector of the settings, all length scores at full weight."""
        return np.concatenate([scoring.parameters(self.settings), np.ones(len(LENGTHS))])

    def settings_of(self, vector: npt.NDArray) -> DecoderSettings:
        """The settings of a vector, the weights of the length scores worked in."""
        fitted = scoring.with_parameters(self.settings, vector[: scoring.PARAMETER_COUNT])
        weights = dict(zip(LENGTHS, vector[scoring.PARAMETER_COUNT :], strict=True))
        return replace(fitted, **{name: _scaled(getattr(fitted, name), weights[name]) for name in LENGTHS})


def _scaled(score: LengthScore, weight: float) -> LengthScore:
    return LengthScore(score.lengths, tuple(float(weight * s) for s in score.scores), float(weight * score.slope))


def spreads() -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """By parameter of :class:`Likelihood`: standard deviation of the pull to the start (0 for fixed parameters), scale
    for the optimiser, and whether it is a weight."""
    pull = np.full(_PARAMETERS, SCORE_SPREAD)
    scale = np.full(_PARAMETERS, SCALE)
    weight = np.zeros(_PARAMETERS, dtype=bool)
    for index, name in enumerate(scoring.SCALARS):
        of_bases = name.startswith("coding") or (name.startswith("intron_") and name != "intron_score")
        if name in _FIXED:
            pull[index] = 0.0
        elif name.endswith("_weight"):
            pull[index], weight[index] = WEIGHT_SPREAD, True
            scale[index] = 5 * BASE_SCALE if of_bases else SCALE
        elif of_bases:
            pull[index], scale[index] = BASE_SCORE_SPREAD, BASE_SCALE
    pull[scoring.DONORS : scoring.PARAMETER_COUNT] = PHASE_SCORE_SPREAD
    pull[scoring.PARAMETER_COUNT :], weight[scoring.PARAMETER_COUNT :] = WEIGHT_SPREAD, True
    return pull, scale, weight


def maximise(likelihood: Likelihood, iterations: int = ITERATIONS) -> tuple[npt.NDArray, float]:
    """Parameters with the highest penalised likelihood (limited-memory BFGS), and its log a base."""
    pull, scale, weight = spreads()
    free = pull > 0
    origin = likelihood.start()
    origin[weight] = np.log(np.maximum(origin[weight], 1e-3))

    def vector_of(point: npt.NDArray) -> npt.NDArray:
        vector = origin.copy()
        vector[free] += point * scale[free]
        return np.where(weight, np.exp(np.minimum(np.where(weight, vector, 0.0), 5.0)), vector)

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        vector = vector_of(point)
        value, gradient = likelihood(vector)
        gradient = np.where(weight, gradient * vector, gradient)
        distance = point * scale[free] / pull[free]
        penalty = 0.5 * float(distance @ distance)
        return penalty - value, distance * scale[free] / pull[free] - gradient[free] * scale[free]

    point, value = minimise(loss, np.zeros(int(free.sum())), iterations)
    return vector_of(point), -value / likelihood.bases


def minimise(loss, point: npt.NDArray, iterations: int, memory: int = 10) -> tuple[npt.NDArray, float]:
    """Limited-memory BFGS with step halving (J. Nocedal and S. Wright, *Numerical Optimization*, algorithm 7.5)."""
    value, gradient = loss(point)
    steps: list[npt.NDArray] = []
    changes: list[npt.NDArray] = []
    for _ in range(iterations):
        direction = gradient.copy()
        kept = []
        for step, change in zip(reversed(steps), reversed(changes), strict=True):
            share = float(step @ direction) / float(step @ change)
            direction -= share * change
            kept.append(share)
        if steps:
            direction *= float(steps[-1] @ changes[-1]) / float(changes[-1] @ changes[-1])
        else:
            direction /= max(1.0, 2.0 * float(np.abs(gradient).max()))
        for step, change, share in zip(steps, changes, reversed(kept), strict=True):
            direction += (share - float(change @ direction) / float(step @ change)) * step
        slope, size = -float(gradient @ direction), 1.0
        if slope >= 0:
            direction = gradient / max(1.0, 2.0 * float(np.abs(gradient).max()))
        # The first steps know little of the curvature: none goes far in any direction.
        direction = direction * min(1.0, LONGEST_STEP / max(float(np.abs(direction).max()), 1e-12))
        slope = -float(gradient @ direction)
        for _ in range(25):
            following = point - size * direction
            new_value, new_gradient = loss(following)
            if math.isfinite(new_value) and new_value <= value + 1e-4 * size * slope:
                break
            size /= 2 if math.isfinite(new_value) else 8
        else:
            break
        step, change = following - point, new_gradient - gradient
        gain = value - new_value
        point, value, gradient = following, new_value, new_gradient
        if float(step @ change) > 1e-10:
            steps, changes = [*steps, step][-memory:], [*changes, change][-memory:]
        if gain < 1e-6 * (1 + abs(value)):
            break
    return point, value


@dataclass
class Counts:
    """Exact agreement of decoded genes with a reference, CDS segments and loci, isoforms counting as right."""

    found_segments: int = 0
    segments: int = 0
    right_segments: int = 0
    found_loci: int = 0
    loci: int = 0
    right_loci: int = 0
    reference_segments: int = 0
    reference_loci: int = 0

    def add(self, region: DecodedRegion, genes: Sequence[CodingGene]) -> list[tuple[CodingGene, bool]]:
        """Count a region; returns the genes that count, and whether each is right."""
        masked = merge_intervals(region.mask)

        def hidden(cds: Sequence[Interval]) -> bool:
            return any(s < end and start < e for s, e in masked for start, end in cds)

        reference = []
        for gene in region.genes:
            chains = {(gene.strand, t.cds) for t in gene.coding_transcripts if not hidden(t.cds)}
            if chains:
                reference.append(chains)
        wanted = set().union(*reference) if reference else set()
        kept = [gene for gene in genes if not hidden(gene.cds)]
        decoded = {(gene.strand, gene.cds) for gene in kept}
        truth = {(strand, segment) for strand, cds in wanted for segment in cds}
        guess = {(strand, segment) for strand, cds in decoded for segment in cds}
        self.segments += len(guess)
        self.reference_segments += len(truth)
        self.right_segments += len(truth & guess)
        self.loci += len(kept)
        self.reference_loci += len(reference)
        self.found_loci += sum(not chains.isdisjoint(decoded) for chains in reference)
        flags = [(gene, (gene.strand, gene.cds) in wanted) for gene in kept]
        self.right_loci += sum(right for _, right in flags)
        return flags

    def figures(self) -> dict[str, float]:
        """Precision, recall and F1 of segments and loci; 0 where there is nothing to divide by."""
        segments = (
            self.right_segments / max(1, self.segments),
            self.right_segments / max(1, self.reference_segments),
        )
        loci = self.right_loci / max(1, self.loci), self.found_loci / max(1, self.reference_loci)
        values = {}
        for name, (precision, recall) in (("cds_exon", segments), ("locus", loci)):
            values[f"{name}_precision"], values[f"{name}_recall"] = precision, recall
            values[f"{name}_f1"] = 2 * precision * recall / max(precision + recall, 1e-12)
        return values

    @property
    def score(self) -> float:
        """Mean of exact CDS-exon and locus F1."""
        figures = self.figures()
        return 0.5 * (figures["cds_exon_f1"] + figures["locus_f1"])


def decode_regions(
    regions: Sequence[DecodedRegion], settings: DecoderSettings
) -> tuple[Counts, list[tuple[CodingGene, bool]]]:
    """Decode regions and compare: the counts, and the genes that count with whether each is right."""
    counts = Counts()
    flags: list[tuple[CodingGene, bool]] = []
    for region in regions:
        flags += counts.add(region, decode_coding_genes(region.bases, region.plus, region.minus, settings))
    return counts, flags


def calibrate(flags: Sequence[tuple[CodingGene, bool]], settings: DecoderSettings) -> DecoderSettings:
    """Settings whose gene probability fits how often genes were right (Platt scaling).

    A weak pull to slope 1 and offset 0 decides where there are few genes.
    """
    odds = np.array([_log_odds(gene.structure_probability) for gene, _ in flags])
    right = np.array([float(is_right) for _, is_right in flags])

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        slope, offset = 1.0 + point[0], point[1]
        logits = slope * odds + offset
        residual = 0.5 + 0.5 * np.tanh(0.5 * logits) - right
        value = float(np.sum(np.logaddexp(0.0, logits) - right * logits)) + 0.5 * float(point @ point)
        return value, np.array([residual @ odds, residual.sum()]) + point

    point, _ = minimise(loss, np.zeros(2), 50)
    slope = max(0.0, 1.0 + float(point[0]))
    return replace(settings, calibration_slope=slope, calibration_offset=float(point[1]))


def _log_odds(probability: float) -> float:
    probability = min(max(probability, 1e-9), 1.0 - 1e-9)
    return math.log(probability / (1.0 - probability))


def calibration_error(flags: Sequence[tuple[CodingGene, bool]], bins: int = 10) -> float:
    """Expected calibration error of the genes' probabilities: bins of equal width, weighted by their genes."""
    probability = np.array([gene.probability for gene, _ in flags])
    right = np.array([is_right for _, is_right in flags], dtype=np.float64)
    if not probability.size:
        return math.nan
    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs((probability - right)[bin_of == k].sum()) for k in range(bins)]
    return float(sum(gaps) / probability.size)


def fit_once(
    regions: Sequence[DecodedRegion], start: DecoderSettings, known: Sequence[DecodedRegion] = (), threads: int = 1
) -> tuple[DecoderSettings, dict[str, Any]]:
    """Fit likelihood, scalars and calibration on regions; no figures beyond those regions.

    Args:
        known: see :func:`fit_decoder`.
    """
    stretches = [s for region in (*regions, *known) for s in stretches_of(region, start, FITTING_CUTOFF)]
    genes = sum(len(stretch.loci) for stretch in stretches)
    if not genes:
        return start, {"genes": 0}
    likelihood = Likelihood(stretches, start, threads)
    vector, value = maximise(likelihood)
    best = likelihood.settings_of(vector)
    counts, _ = decode_regions(regions, best)
    steps: dict[str, float] = {}
    for name, offsets in STEPS.items():
        fitted = getattr(best, name)
        for offset in offsets:
            candidate = replace(best, **{name: fitted + offset})
            found, _ = decode_regions(regions, candidate)
            if found.score > counts.score + LEAST_GAIN:
                best, counts = candidate, found
                steps[name] = offset
    best = calibrate(decode_regions(regions, best)[1], best)
    return best, {"genes": genes, "log_likelihood_per_base": value, "steps": steps}


def fit_decoder(
    decoded: Sequence[DecodedRegion], start: DecoderSettings, known: Sequence[DecodedRegion] = (), threads: int = 1
) -> tuple[DecoderSettings, dict[str, Any]]:
    """Fit the decoder on regions that the network was not trained on.

    Give ``start`` the length scores of the training annotation (:func:`phytoscribe.decoding.lengths.length_scores`):
    the fit only weights them.

    Args:
        decoded: some 1.5 Mb with 300 genes or more, in at least two regions.
        start: starting values, to which parameters are pulled where the data say little.
        known: regions that the network was trained on.  They join the likelihood, whose many parameters want more genes
            than a validation part has; scalars and calibration, which must know what unseen sequence is like, are
            chosen without them.
        threads: that share the regions; they change nothing but the time.

    Returns:
        The settings, and a report: figures (precision, recall and F1 of exact CDS segments and loci, expected
        calibration error) of ``start``, ``fitted`` on the regions themselves, and ``held_out``, where each half of the
        regions is decoded with what was fitted on the other half and ``known``; the last is the honest one.
    """
    before, _ = decode_regions(decoded, start)
    settings, report = fit_once(decoded, start, known, threads)
    counts, flags = decode_regions(decoded, settings)
    fitted = {**counts.figures(), "calibration_error": calibration_error(flags)}
    held_out: dict[str, float] = {}
    halves = two_halves(decoded)
    if all(halves):
        counts, flags = Counts(), []
        for own, other in (halves, halves[::-1]):
            chosen, _ = fit_once(own, start, known, threads)
            for region in other:
                genes = decode_coding_genes(region.bases, region.plus, region.minus, chosen)
                flags += counts.add(region, genes)
        held_out = {**counts.figures(), "calibration_error": calibration_error(flags)}
    report = {**report, "start": before.figures(), "fitted": fitted, "held_out": held_out}
    logger.info("decoder fitted on %d genes: %s; held out: %s", report["genes"], fitted, held_out)
    return settings, report


def two_halves(regions: Sequence[DecodedRegion]) -> tuple[list[DecodedRegion], list[DecodedRegion]]:
    """Regions in two groups with about as many genes, the largest regions first."""
    halves: tuple[list[DecodedRegion], list[DecodedRegion]] = ([], [])
    sizes = [0, 0]
    for region in sorted(regions, key=lambda region: -len(region.genes)):
        smaller = int(sizes[1] < sizes[0])
        halves[smaller].append(region)
        sizes[smaller] += len(region.genes)
    return halves
