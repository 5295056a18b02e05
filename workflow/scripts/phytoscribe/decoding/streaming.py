"""Decode coding genes of a contig of any length piece by piece, in bounded memory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import grammar, graph, lattice
from phytoscribe.decoding.decoded_gene import DecodedGene, DecodedTranscript, calibrated, probability_of
from phytoscribe.decoding.grammar import Sites, empty_sites, intron_length_score, kind_of_segment, segment_length_score
from phytoscribe.decoding.graph import BACKWARD, Open, clear, new_open, with_room
from phytoscribe.decoding.scoring import compose, edge_scores, parameters
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.site_scanner import SiteScanner

#: Bases that are decoded at once; bounds memory, changes nothing else.
STEP = 16_384


class StreamingDecoder:
    """Decodes a contig that arrives in consecutive pieces; the result does not depend on how it was cut.

    The lattice is divided into independent blocks at places where everything open can be given up
    (:data:`phytoscribe.decoding.lattice.GIVEN_UP`), or that hardly any path crosses; each block is decoded as soon as
    it is complete.
    """

    def __init__(self, settings: DecoderSettings) -> None:
        self.settings = settings
        self._scanner = SiteScanner(settings.site_cutoff, settings.at_ac, settings.partial)
        self._theta = parameters(settings)
        self._scores = edge_scores(settings)
        self._rows = empty_sites(0)
        self._site = np.empty((0, 3))
        self._span = np.empty((0, 3))
        self._paths = graph.Paths.empty(0)
        self._open = new_open(0, lattice.LONG_BLOCK)
        self._done = 0  # rows that the forward pass has read
        self._decided = 0

    @property
    def decided(self) -> int:
        """Contig position up to which all genes have been returned."""
        return self._decided

    def push(self, bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray) -> list[DecodedGene]:
        """Take the next bases with both strands' log probabilities, shape (n, STATE_COUNT), contig orientation."""
        genes: list[DecodedGene] = []
        for start in range(0, bases.size, STEP):
            part = slice(start, start + STEP)
            genes += self._read(self._scanner.push(bases[part], plus[part], minus[part]))
        return genes

    def finish(self) -> list[DecodedGene]:
        """The remaining genes at the end of the contig."""
        genes = self._read(self._scanner.finish())
        genes += self._genes(0, self._rows.size, self._open.last[0])
        self._decided = self._scanner.position
        return genes

    def _read(self, new: Sites) -> list[DecodedGene]:
        self._add(new)
        genes: list[DecodedGene] = []
        block, last = 0, self._rows.size
        while True:
            mode = graph.Mode(threshold=lattice.GIVEN_UP)
            self._done, block, status = self._forward(self._done, last, block, self._open, self._paths, mode)
            if status == lattice.MORE:
                break
            end, code = self._done, self._open.last[0]
            if status == lattice.LONG:
                end, code = self._cut(block)
                if not end:
                    self._open.extent[1] *= 2
                    continue
            genes += self._genes(block, end, code)
            self._done = block = end
            clear(self._open, self._rows["position"][end - 1])
        self._decided = int(self._rows["position"][block - 1]) if block else self._decided
        self._drop(block)
        return genes

    @property
    def _graph(self) -> graph.Graph:
        return graph.Graph(self._rows, self._site, self._span, self._scores)

    def _forward(
        self, first: int, last: int, block: int, opened: Open, paths: graph.Paths, mode: graph.Mode
    ) -> tuple[int, int, int]:
        return lattice.read(first, last, block, self._graph, opened, paths, mode, graph.no_lengths())

    def _cut(self, block: int) -> tuple[int, int]:
        """Cut the long block of rows ``block..done - 1`` where hardly any path crosses.

        Returns:
            First row behind the cut, and code of the best path's last node before it; (0, -1) where there is none.
        """
        rows = self._rows
        begin, end = self._open.extent[0], rows["position"][self._done - 1]
        quarter = (end - begin) // 4
        inside = np.arange(block, self._done)
        inside = inside[
            (rows["kind"][inside] == grammar.CHECK)
            & (rows["strand"][inside] == grammar.MINUS)
            & (rows["position"][inside] >= begin + quarter)
            & (rows["position"][inside] <= end - quarter)
        ]
        if not inside.size:
            return 0, -1
        cut = int(inside[np.argmin(self._paths.best[inside, 0])]) + 1
        crossing = new_open(lattice.most_open(rows), lattice.LONG_BLOCK)
        paths = graph.Paths.empty(self._done)
        mode = graph.Mode()
        self._forward(block, cut, block, crossing, paths, mode)
        code = int(crossing.last[0])
        # From here on only what was open at the cut.
        crossing.free[:] = grammar.FORBIDDEN
        self._forward(cut, self._done, block, crossing, paths, mode._replace(begins=False))
        back = np.maximum(paths.total[cut : self._done], paths.best[cut : self._done])
        back[rows["kind"][cut : self._done] != grammar.END] = grammar.FORBIDDEN
        posterior = (back.max(axis=1) - self._paths.free[cut : self._done]).max()
        pending = lattice.pending_score(crossing, self._graph, self._done - 1)
        behind = pending - self._paths.free[self._done - 1]
        ignored = max(least for size, least in lattice.IGNORED if self._open.extent[1] >= size)
        return (cut, code) if posterior < ignored and behind < ignored - lattice.STILL_OPEN else (0, -1)

    def _add(self, new: Sites) -> None:
        """Append rows; the forward pass has room for them."""
        old, added = self._rows.size, new.size
        self._rows = grammar.join([self._rows, new])
        room = np.empty((added, 3))
        self._site, self._span = np.concatenate([self._site, room]), np.concatenate([self._span, room])
        compose(old, old + added, self._rows, self._theta, self._site, self._span)
        self._paths = graph.Paths(
            *(np.concatenate([a, b]) for a, b in zip(self._paths, graph.Paths.empty(added), strict=True))
        )
        needed = lattice.most_open(self._rows)
        if self._open.room() < needed:
            self._open = with_room(self._open, 2 * needed)

    def _drop(self, count: int) -> None:
        """Forget the first rows: their blocks are complete."""
        if not count:
            return
        self._rows = self._rows[count:].copy()
        self._site, self._span = self._site[count:].copy(), self._span[count:].copy()
        self._paths = graph.Paths(*(array[count:].copy() for array in self._paths))
        self._done -= count
        graph.renumber(self._open, self._paths, self._done, count)

    def _genes(self, first: int, last: int, code: int) -> list[DecodedGene]:
        """Genes of the best path, which ends in node ``code``, through a block's rows, in order of position."""
        chains = graph.trace(code, self._rows, self._paths)
        if not chains:
            return []
        after = graph.Paths.sums(last)
        total = lattice.backward(first, last, self._graph, after, graph.Mode(BACKWARD), graph.no_lengths())
        genes = [self._gene(chain, after.total, after.free, total) for chain in chains]
        most_doubt = math.exp(min(0.0, self.settings.sensitivity))
        return [
            gene
            for gene in genes
            if gene.first.cds_length >= self.settings.minimum_cds and 1.0 - gene.probability <= most_doubt
        ]

    def _gene(self, chain: list[graph.Node], after: npt.NDArray, free: npt.NDArray, total: float) -> DecodedGene:
        """The gene of a chain of nodes in order of position."""
        rows, paths, scores = self._rows, self._paths, self._scores
        position, variant = rows["position"], rows["variant"]
        strand = int(rows["strand"][chain[0][0]])
        cds, segment_sums, intron_sums = [], [], []
        whole = float(paths.total[chain[0]] + after[chain[-1]])
        for left, right in itertools.pairwise(chain):
            length = int(position[right[0]] - position[left[0]])
            if rows["kind"][left[0]] in (grammar.BEGIN, grammar.INTRON_END):
                kind = kind_of_segment(rows, left[0], right[0])
                score = self._site[left] + self._site[right] + segment_length_score(scores, kind, length)
                cds.append((int(position[left[0]]), int(position[right[0]])))
                sums = segment_sums
            else:
                score = self._span[left] + self._span[right] + intron_length_score(scores, length)
                sums = intron_sums
            sums.append(paths.total[left] + score + after[right] - total)
            whole += score
        cut_left, cut_right = (bool(variant[node[0]] == grammar.EDGE) for node in (chain[0], chain[-1]))
        # An intron that the contig's end cuts is no gap between two segments.
        intron_sums = intron_sums[int(rows["kind"][chain[0][0]] == grammar.INTRON_BEGIN) :][: len(cds) - 1]
        ends = [
            math.nan if cut else probability_of(paths.total[node] + after[node] - total)
            for node, cut in ((chain[0], cut_left), (chain[-1], cut_right))
        ]
        plus = strand == grammar.PLUS
        start, stop = ends if plus else ends[::-1]
        transcript = DecodedTranscript(
            tuple(cds),
            probability=calibrated(whole - total, self.settings),
            structure_probability=probability_of(whole - total),
            segment_probabilities=tuple(map(probability_of, segment_sums)),
            intron_probabilities=tuple(map(probability_of, intron_sums)),
            start_probability=start,
            stop_probability=stop,
            partial_left=cut_left,
            partial_right=cut_right,
            start_phase=(3 - chain[0][1]) % 3 if plus else chain[-1][1],
        )
        outside = (0.0 if cut_left else paths.total[chain[0]]) + free[chain[-1][0]] - total
        locus_probability = 1.0 - probability_of(outside)
        return DecodedGene("+" if plus else "-", (transcript,), transcript.probability, locus_probability)


def in_pieces(decoder: Any, bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray, piece: int) -> list:
    """All genes that a streaming decoder finds on a contig in memory."""
    genes: list = []
    for start in range(0, bases.size, piece):
        stop = start + piece
        genes += decoder.push(bases[start:stop], plus[start:stop], minus[start:stop])
    return genes + decoder.finish()


def decode_coding_genes(
    bases: npt.NDArray[np.uint8],
    plus: npt.NDArray,
    minus: npt.NDArray,
    settings: DecoderSettings,
    piece: int = 200_000,
) -> list[DecodedGene]:
    """Genes of a whole contig from its log probabilities, both of shape (length, STATE_COUNT) in contig orientation.

    ``piece`` only bounds memory.
    """
    return in_pieces(StreamingDecoder(settings), bases, plus, minus, piece)
