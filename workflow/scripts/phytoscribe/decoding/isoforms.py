"""All structures of a gene that are likely enough, with their exact posterior probabilities.

The sums of the lattice say how much probability lies behind every beginning of a gene, so a search that drops what is
too unlikely lists all structures above a bound, and no other: nothing is drawn, so there is no seed, and what is found
does not depend on pieces or threads.  At most ``1 / bound`` beginnings are open at each step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import Transcript
from phytoscribe.compiled import njit
from phytoscribe.decoding import graph
from phytoscribe.decoding.edges import REACHED
from phytoscribe.decoding.grammar import (
    BEGIN,
    EDGE,
    END,
    INTRON_BEGIN,
    INTRON_END,
    end_of,
    intron_length_score,
    may_open,
    segment_kind,
    segment_length_score,
    variants_pair,
)
from phytoscribe.decoding.isoform_edits import NetworkOutput
from phytoscribe.decoding.isoform_features import RANKED_FROM
from phytoscribe.decoding.isoform_ranker import RANKED, RANKED_WITH_READS, IsoformRanker, RankerWithReads
from phytoscribe.decoding.settings import MINIMUM_CDS_SEGMENT, DecoderSettings
from phytoscribe.decoding.support import intron_gain
from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junctions import JunctionReads, Support
from phytoscribe.models import RANKER_CUTS, WRITER_FILES

#: How far (bp) before and behind a gene's CDS another structure of it may reach.
REACH = 3000
GENERATED = "generated"
#: What a method has learned from a structure model's output, and the rule that trains it.
_LEARNED = {RANKED: ("ranker", "train_isoforms"), GENERATED: ("writer", "train_isoform_writer")}
#: Least posterior that may be asked for: below it there are thousands of structures of a gene, nearly all wrong.
LEAST_PROBABILITY = 0.001
#: Log posterior below which a way is not counted.
_NOTHING = -45.0

Intervals = tuple[Interval, ...]


class JudgedIsoform(NamedTuple):
    """A possible isoform of a gene on its contig.

    Attributes:
        probability: that it exists.
        support: RNA-seq reads of its intron that fewest splice, of those that the first transcript has not, if known.
    """

    exons: Intervals
    cds: Intervals
    probability: float
    support: Support | None = None


class WritesIsoforms(Protocol):
    """Writes isoforms of a gene without a list of candidates (:mod:`phytoscribe.sentences.generated`)."""

    def __call__(
        self,
        first: Transcript,
        probabilities: tuple[float, float],
        structures: Sequence[Transcript],
        output: NetworkOutput,
        decoder: DecoderSettings,
    ) -> list[JudgedIsoform]:
        """Isoforms beside a first transcript; arguments as in :class:`phytoscribe.decoding.ranked_isoforms.Known`."""


@dataclass(frozen=True, slots=True)
class IsoformSettings:
    """Which structures of a gene beside its first are written, and what the ranker knows beside DNA.

    Attributes:
        minimum_probability: least probability by the ranker or the writer, or posterior without either; above 0.
        maximum: so many at most for each gene.
        nmd: whether those that look like targets of nonsense-mediated decay are among them.
        ranker, writer: at most one of them; a ranker with reads if there are ``junctions``.
        junctions: RNA-seq reads of the genome, which only a ranker uses.
    """

    minimum_probability: float
    maximum: int = 3
    nmd: bool = True
    ranker: IsoformRanker | RankerWithReads | None = None
    junctions: JunctionReads | None = None
    writer: WritesIsoforms | None = None

    def __post_init__(self) -> None:
        if not LEAST_PROBABILITY <= self.minimum_probability <= 1.0:
            raise ConfigError(
                f"isoforms.minimum_probability is {self.minimum_probability}; it must be from {LEAST_PROBABILITY} to 1"
            )

    @property
    def judges(self) -> bool:
        """Whether isoforms are judged by the network's output around the gene, and not by the lattice alone."""
        return self.ranker is not None or self.writer is not None

    @property
    def least_posterior(self) -> float:
        """Of structures that the lattice lists: all that may be looked at, or those that are written."""
        return RANKED_FROM if self.judges else self.minimum_probability

    @classmethod
    def of_config(
        cls,
        values: Mapping[str, Any],
        folder: Path,
        model: str = "",
        junctions: JunctionReads | None = None,
        writer: WritesIsoforms | None = None,
    ) -> IsoformSettings:
        """Settings of the configuration's ``isoforms``, whose method is not ``none``.

        Args:
            folder: with the files of the ranker or the writer, one of which has the cut for ``minimum_probability:
                auto``.
            model: hash of the structure model that predicts.
            junctions: RNA-seq reads of the genome, which only a ranker uses; it has a cut of its own with them.
            writer: for method ``generated``.

        Raises:
            ModelError: the folder has no cut, or its ranker or writer is of another structure model.
        """
        method, least = values["method"], values["minimum_probability"]
        path = folder / (WRITER_FILES[0] if method == GENERATED else RANKER_CUTS)
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if method in _LEARNED and model and known.get("model", model) != model:
            what, rule = _LEARNED[method]
            raise ModelError(
                f"{path}: the {what} has learned from the output of model {known['model']}, not of {model}, which "
                f"predicts here; train it again (rule {rule}), or set isoforms.method to lattice or none"
            )
        cuts = known.get("minimum_probability", {})
        kind = RANKED_WITH_READS if method == RANKED and junctions else method
        if kind == RANKED_WITH_READS and kind not in cuts:
            raise ModelError(
                f"{path}: the ranker has learned without RNA-seq reads, so it cannot use those of {junctions.source}; "
                "leave `junctions` out of this genome, or train the ranker with junctions of its training and "
                "validation genomes (rule train_isoforms)"
            )
        if least == "auto":
            if kind not in cuts:
                raise ModelError(
                    f"{path} has no cut for isoforms.method {method}; set isoforms.minimum_probability to a number, "
                    "for example 0.3"
                )
            least = cuts[kind]
        least, maximum, nmd = float(least), values["maximum"], values["nmd"]
        if method != RANKED:
            return cls(least, maximum, nmd, writer=writer)
        ranker = RankerWithReads.load(folder) if junctions else IsoformRanker.load(folder)
        return cls(least, maximum, nmd, ranker, junctions)

    def __str__(self) -> str:
        """As in the header of a prediction."""
        nmd = "" if self.nmd else ", none that decays"
        reads = f", with the reads of {self.junctions.source}" if self.junctions else ""
        return f"{self._by} from {self.minimum_probability:g} on, at most {self.maximum} a gene{nmd}{reads}"

    @property
    def _by(self) -> str:
        if self.ranker is not None:
            return "ranked, probability"
        return "lattice, posterior" if self.writer is None else f"{self.writer}, probability"


class Sums(NamedTuple):
    """Log sums over the paths of a block.

    Attributes:
        before, after: float64 (rows, 3), :attr:`Paths.total` of the forward and of the backward pass.
        total: over all paths.
    """

    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    total: float


class Structure(NamedTuple):
    """The structure of a gene in the lattice.

    Attributes:
        nodes: ``(row, t)`` from left to right.
        log_posterior: of exactly this structure.
    """

    nodes: list[graph.Node]
    log_posterior: float


@njit(cache=True, inline="always")
def _segment_score(graph, left, t, right, u):
    """Score of the segment between two nodes, with both sites."""
    sites = graph.sites
    opening = end_of(sites.kind[left], sites.variant[left])
    closing = end_of(sites.kind[right], sites.variant[right])
    kind = segment_kind(sites.strand[left], opening, closing)
    length = sites.position[right] - sites.position[left]
    return graph.site[left, t] + graph.site[right, u] + segment_length_score(graph.scores, kind, length)


@njit(cache=True, nogil=True)
def _next_nodes(row, t, last, reached, graph, after, total, bound, found, scores):
    """Nodes to which a structure may go on from a node, so that enough probability lies behind it.

    Args:
        reached: log sum of all ways to the node, its own edge included.
        bound: log posterior that has to lie behind a node.
        found, scores: room for nodes (``3 * row + t``) and for the log sums of all ways to them.

    Returns:
        Their number.
    """
    sites = graph.sites
    kind, strand, position = sites.kind[row], sites.strand[row], sites.position[row]
    opens = kind in (BEGIN, INTRON_END)
    end = end_of(kind, sites.variant[row])
    left = np.exp(min(0.0, reached + after[row, t] - total))
    least = np.exp(bound)
    frame = (position - t) % 3
    count = 0
    for other in range(row + 1, last):
        if left < least:
            break
        if sites.strand[other] != strand:
            continue
        place, its_kind = sites.position[other], sites.kind[other]
        if opens:
            u = (place - frame) % 3
            if not may_open(position, end, sites.bound[other, u]):
                break
            if its_kind not in (INTRON_BEGIN, END) or place - position < MINIMUM_CDS_SEGMENT:
                continue
            if sites.variant[other] == EDGE or graph.site[other, u] <= REACHED:
                continue
            score = reached + _segment_score(graph, row, t, other, u)
        else:
            u = t
            if its_kind != INTRON_END or place - position < graph.scores.minimum_intron:
                continue
            if sites.variant[other] == EDGE or not variants_pair(sites.variant[row], sites.variant[other]):
                continue
            if graph.site[other, u] <= REACHED or sites.context[other, u] >> sites.context[row, t] & 1:
                continue
            length = intron_length_score(graph.scores, place - position)
            supported = intron_gain(graph.support, strand, position, place)
            score = reached + graph.span[row, t] + graph.span[other, u] + length + supported
        log_posterior = score + after[other, u] - total
        if log_posterior > _NOTHING:
            left -= np.exp(log_posterior)
        if log_posterior >= bound:
            found[count], scores[count] = 3 * other + u, score
            count += 1
    return count


def likely_structures(
    strand: int,
    span: tuple[int, int],
    lattice: graph.Graph,
    rows: tuple[int, int],
    sums: Sums,
    least: float,
) -> list[Structure]:
    """All structures in and near a gene, by falling posterior, then by position.

    Structures that an end of the contig cuts are left out.

    Args:
        strand: PLUS or MINUS.
        span: the gene's CDS on the contig, in cuts.
        rows: first row of the block, and the one behind its last.
        least: least posterior, above 0.
    """
    before, after, total = sums
    first, last = rows
    sites, bound = lattice.sites, math.log(least)
    begin, end = (int(np.searchsorted(sites["position"][first:last], x)) + first for x in (span[0] - REACH, span[1]))
    inside = np.arange(begin, end)
    inside = inside[
        (sites["kind"][inside] == BEGIN)
        & (sites["strand"][inside] == strand)
        & (sites["variant"][inside] != EDGE)
        & (before[inside, 0] + after[inside, 0] - total >= bound)
    ]
    room = np.empty(last - begin, np.int64), np.empty(last - begin)
    whole: list[Structure] = []
    for row in inside.tolist():
        # Depth first; a stack entry is a chain of nodes and the log sum of all ways to its last one.
        stack: list[tuple[list[graph.Node], float]] = [([(row, 0)], float(before[row, 0]))]
        while stack:
            chain, reached = stack.pop()
            node = chain[-1]
            if sites["kind"][node[0]] == END:
                if sites["position"][node[0]] <= span[1] + REACH:
                    whole.append(Structure(chain, reached + float(after[node]) - total))
                continue
            count = _next_nodes(*node, last, reached, lattice, after, total, bound, *room)
            codes, scores = (part[:count].tolist() for part in room)
            stack += [([*chain, divmod(code, 3)], score) for code, score in zip(codes, scores, strict=True)]
    return sorted(whole, key=lambda found: (-found.log_posterior, found.nodes))
