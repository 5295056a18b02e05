"""The decoder's likelihood as a loss for the network: it scores whole genes instead of single bases.

The lattice is a conditional random field over the network's log probabilities, so the log likelihood of the reference
genes has a gradient for each of them: how often a site or base is used in the reference, minus how often the lattice
expects it (J. Lafferty, A. McCallum and F. Pereira, *Conditional random fields*, 2001; for gene structures A. Bernal et
al., *Global discriminative learning for higher-accuracy computational gene prediction*, 2007).  The decoder's own
parameters stay fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.decoding import grammar, scoring
from phytoscribe.decoding.gene_regions import GeneRegion, Locus, gene_regions_between, loci_of
from phytoscribe.decoding.likelihood import chain_score, path_sums
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.genome.intervals import Interval, true_runs
from phytoscribe.labels.states import NON_CODING_STATES, STATE_COUNT, State
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.ranks import divisors

#: Sites kept beside those of the reference: least log probability.
CUTOFF = -9.0
_CODING = slice(int(State.CODING0), int(State.CODING0) + 3)
_INTRON = slice(int(State.INTRON0), int(State.INTRON0) + 3)
_NON_CODING = slice(0, len(NON_CODING_STATES))


class Evidence:
    """The gradient of the likelihood with respect to the evidence that the lattice reads from log probabilities.

    Arrays are float32, first axes the window, the strand and the base: ``site`` (windows, 2, length, STATE_COUNT) log
    odds of sites, ``coding`` and ``intron`` (windows, 2, length) against non-coding, ``frame`` and ``phase``
    (windows, 2, length, 3) within coding and intron, by state.
    """

    def __init__(self, windows: int, length: int) -> None:
        shape = (windows, 2, length)
        self.site = np.zeros((*shape, STATE_COUNT), np.float32)
        self.coding, self.intron = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.frame, self.phase = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 3), np.float32)

    def weigh(self, log_probabilities: Tensor) -> Tensor:
        """Sum of all evidence of log probabilities (windows, 2, length, STATE_COUNT), each weighted by its gradient."""
        bounded = log_probabilities.clamp(max=float(grammar.SUREST))
        coding = log_probabilities[..., _CODING].logsumexp(-1, keepdim=True)
        intron = log_probabilities[..., _INTRON].logsumexp(-1, keepdim=True)
        non_coding = log_probabilities[..., _NON_CODING].logsumexp(-1)
        parts = (
            (self.site, bounded - torch.log(-torch.expm1(bounded))),
            (self.coding, coding[..., 0] - non_coding),
            (self.intron, intron[..., 0] - non_coding),
            (self.frame, log_probabilities[..., _CODING] - coding),
            (self.phase, log_probabilities[..., _INTRON] - intron),
        )
        return sum((torch.from_numpy(g).to(log_probabilities.device) * value).sum() for g, value in parts)


class Lattice:
    """Log likelihood of regions under a decoder's settings."""

    def __init__(self, settings: DecoderSettings) -> None:
        self.settings = settings
        self._theta = scoring.parameters(settings)
        self._scores = scoring.edge_scores(settings)

    def add(self, region: GeneRegion, gradient: Evidence, window: int) -> float:
        """Log likelihood of a region's genes; adds its gradient to that of a window."""
        if not region.sites.size:
            return 0.0
        sums = path_sums(region.sites, self._theta, self._scores)
        use = -sums.posteriors()
        value = -sums.total
        for isoforms in region.loci:
            scores = np.array([chain_score(nodes, sums.graph) for nodes in isoforms])
            together = float(np.logaddexp.reduce(scores))
            value += together
            for nodes, share in zip(isoforms, np.exp(scores - together), strict=True):
                use[nodes[:, 0], nodes[:, 1]] += share
        _spread(region, use, self._theta, gradient, window)
        return value


def _spread(region: GeneRegion, use: npt.NDArray, theta: npt.NDArray, gradient: Evidence, window: int) -> None:
    """Add to ``gradient`` what the surplus of use (rows, 3) of each node means for sites and bases."""
    sites, size, start = region.sites, region.bases, region.start
    used = np.flatnonzero(np.abs(use).max(1) > 1e-7)
    strand, kind, position = sites["strand"][used].astype(int), sites["kind"][used], sites["position"][used]
    opens = (kind == grammar.BEGIN) | (kind == grammar.INTRON_END)
    whole = (kind == grammar.BEGIN) | (kind == grammar.END)
    plus = strand == grammar.PLUS
    donor = (kind == grammar.INTRON_BEGIN) == plus
    weight = np.where(
        whole,
        np.where((kind == grammar.BEGIN) == plus, theta[scoring.INDEX.start_weight], theta[scoring.INDEX.stop_weight]),
        np.where(donor, theta[scoring.INDEX.donor_weight], theta[scoring.INDEX.acceptor_weight]),
    )
    base = np.where(opens, position, position - 1)
    reach = np.where(opens, position + 1, position - 1)
    coding, intron = np.zeros((2, size + 2)), np.zeros((2, size + 2))
    frame, phase = np.zeros((2, 3, size + 2)), np.zeros((2, 3, size + 2))
    for t in range(3):
        surplus = use[used, t]
        index = np.where(opens, t, (t + 2) % 3)
        codon_base = np.where(plus, index, 2 - index)
        column = np.where(
            whole,
            np.where((kind == grammar.BEGIN) == plus, int(State.START), int(State.STOP)),
            np.where(donor, int(State.LAST0), int(State.FIRST0)) + codon_base,
        )
        np.add.at(gradient.site[window], (strand, start + base, column), weight * surplus)
        signed = np.where(opens, -surplus, surplus)
        np.add.at(coding, (strand, reach), signed)
        np.add.at(frame, (strand, (position - t) % 3, reach), signed)
        signed = np.where(whole, 0.0, np.where(opens, surplus, -surplus))
        np.add.at(intron, (strand, position), signed)
        np.add.at(phase, (strand, t, position), signed)
    # A prefix sum up to a row holds every base before it: each base counts for all rows behind it.
    coding, intron, frame, phase = (
        values[..., ::-1].cumsum(-1)[..., ::-1][..., 1 : size + 1] for values in (coding, intron, frame, phase)
    )
    inside = slice(start, start + size)
    gradient.coding[window, :, inside] += theta[scoring.INDEX.coding_weight] * coding
    gradient.intron[window, :, inside] += theta[scoring.INDEX.intron_weight] * intron
    places = np.arange(size)
    for k in range(3):
        index = (places + 3 - k) % 3
        by_frame = theta[scoring.INDEX.coding_frame_weight] * frame[:, k]
        gradient.frame[window, 0, start + places, index] += by_frame[0]
        gradient.frame[window, 1, start + places, 2 - index] += by_frame[1]
        by_phase = theta[scoring.INDEX.intron_phase_weight] * phase[:, k]
        gradient.phase[window, 0, inside, k] += by_phase[0]
        gradient.phase[window, 1, inside, (3 - k) % 3] += by_phase[1]


def loci_within(loci: Sequence[Locus], start: int, length: int) -> list[Locus]:
    """Loci that overlap ``start..start + length``, in coordinates from ``start``."""
    return [locus.shifted(-start) for locus in loci if locus.start < start + length and start < locus.end]


class KnownWindow(NamedTuple):
    """The known genes and masked intervals of a window.

    Attributes:
        bases: uint8 (length,), contig orientation.
        loci: reference genes in the window's coordinates, in order of position, including those that it cuts.
        mask: intervals where nothing is known.
        lattice: that of its species.
    """

    bases: npt.NDArray[np.uint8]
    loci: Sequence[Locus]
    mask: Sequence[Interval]
    lattice: Lattice


def sequence_loss(
    states: Tensor, windows: Sequence[KnownWindow], workers: Executor | None = None
) -> tuple[Tensor, float]:
    """Negative log likelihood of the genes of some windows, with a gradient for the logits.

    Args:
        states: logits (2 * windows, length, STATE_COUNT): of each window the plus strand and the minus strand, each in
            reading direction.
        workers: number of threads for the windows.

    Returns:
        A scalar with the right gradient (its own value means nothing), and the likelihood's value, in nats.
    """
    log_probabilities = F.log_softmax(states.float(), dim=-1)
    log_probabilities = log_probabilities.view(len(windows), 2, *states.shape[1:])
    log_probabilities = torch.stack([log_probabilities[:, 0], log_probabilities[:, 1].flip(1)], dim=1)
    tables = log_probabilities.detach().cpu().numpy()
    gradient = Evidence(len(windows), states.shape[1])

    def value_of(number: int) -> float:
        bases, loci, mask, lattice = windows[number]
        regions = gene_regions_between((bases, *tables[number]), loci, mask, lattice.settings.at_ac, CUTOFF)
        return sum(lattice.add(region, gradient, number) for region in regions)

    values = (workers.map if workers else map)(value_of, range(len(windows)))
    return -gradient.weigh(log_probabilities), -sum(values)


class SequenceLoss:
    """Mean loss of batches whose windows come in pairs, the plus strand first (:class:`BothStrands`).

    Args:
        data: the training sequence with its reference genes.
        decoders: a window has the one of its contig's species.
        threads: number of threads for the windows of a batch.
    """

    def __init__(self, data: TrainingSet, decoders: Decoders, threads: int = 1) -> None:
        self.data = data
        names = zip(data.contigs["lineage"], data.contigs["species"], strict=True)
        settings = [decoders.of(*name) for name in names]
        lattices = {decoder: Lattice(decoder) for decoder in set(settings)}
        self.lattices = [lattices[decoder] for decoder in settings]
        self.loci = {row: loci_of(genes, data.contig_bases(row), settings[row]) for row, genes in data.genes.items()}
        self._workers = ThreadPoolExecutor(threads) if threads > 1 else None

    def __call__(self, states: Tensor, bases: Tensor, weights: Tensor, places: Tensor) -> tuple[Tensor, float]:
        """The loss, of which only the gradient is meaningful, and its value in nats per kb of known sequence.

        Args:
            states: logits (2 * pairs, window, STATE_COUNT).
            bases: int64 (2 * pairs, window), what the network read: mutated windows differ from the contig.
            weights: (2 * pairs, window), 0 where nothing is known.
            places: (2 * pairs, 3), row of the contig, start, strand.
        """
        assert places[0::2, 2].eq(0).all(), "windows come in pairs, the plus strand first"
        assert torch.equal(places[0::2, :2], places[1::2, :2])
        windows = []
        counted = (weights[0::2] > 0).cpu().numpy()
        read = bases[0::2].to(torch.uint8).cpu().numpy()
        for letters, known, (row, start, _) in zip(read, counted, places[0::2].tolist(), strict=True):
            loci = loci_within(self.loci.get(row, ()), start, known.size)
            windows.append(KnownWindow(letters, loci, true_runs(~known), self.lattices[row]))
        loss, nats = sequence_loss(states, windows, self._workers)
        known = torch.tensor([float(counted.sum())], device=states.device)
        return loss * 1000 / divisors(known)[0], nats * 1000 / max(1.0, float(known))
