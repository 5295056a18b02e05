"""Decode coding genes of a contig of any length piece by piece, in bounded memory.

The lattice is divided into independent blocks at places where everything open can be given up
(:data:`phytoscribe.decoding.lattice.GIVEN_UP`), or that hardly any path crosses.  Where they lie depends on all that
was read before, so a :class:`BlockReader` reads the whole contig from left to right.  What comes before, the search for
sites, and what comes after, the genes of a block, needs no order: several threads may work on stretches and blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding import grammar, graph, lattice
from phytoscribe.decoding.block_genes import Block, genes_of
from phytoscribe.decoding.decoded_gene import DecodedGene
from phytoscribe.decoding.grammar import Sites, empty_sites
from phytoscribe.decoding.graph import Open, clear, new_open, with_room
from phytoscribe.decoding.intron_evidence import ContigEvidence
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.scoring import compose, edge_scores, parameters
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.site_scanner import FoundSites, SiteScanner, Stretch
from phytoscribe.decoding.support import NO_SUPPORT

#: Bases that are decoded at once; bounds memory, changes nothing else.
STEP = 16_384


class BlockReader:
    """Reads the rows of a contig forwards, in any number of parts, and divides them into blocks."""

    def __init__(self, settings: DecoderSettings, evidence: ContigEvidence | None = None) -> None:
        self._evidence = evidence
        self._support = evidence.support if evidence else NO_SUPPORT
        self._theta = parameters(settings)
        self._scores = edge_scores(settings)
        self._rows = empty_sites(0)
        self._site = np.empty((0, 3))
        self._span = np.empty((0, 3))
        self._paths = graph.Paths.empty(0)
        self._open = new_open(0, lattice.LONG_BLOCK)
        self._done = 0  # rows that the forward pass has read
        #: Contig position at which the last complete block ended.
        self.decided = 0

    def finish(self) -> Block:
        """The block that is left at the end of the contig."""
        return self._block(0, self._rows.size, self._open.last[0])

    def read(self, new: Sites) -> list[Block]:
        """The blocks that the next rows complete; blocks without genes are left out."""
        self._add(new)
        blocks: list[Block] = []
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
            if code >= 0:
                blocks.append(self._block(block, end, code))
            self._done = block = end
            clear(self._open, self._rows["position"][end - 1])
        self.decided = int(self._rows["position"][block - 1]) if block else self.decided
        self._drop(block)
        return blocks

    def _block(self, first: int, last: int, code: int) -> Block:
        return Block(self._graph, self._paths, first, last, int(code))

    @property
    def _graph(self) -> graph.Graph:
        return graph.Graph(self._rows, self._site, self._span, self._scores, self._support)

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
        if self._evidence:
            self._evidence.add_to(new, self._site[old:], self._span[old:])
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
        # Copies: a block that has been given out keeps its arrays as they are.
        self._rows = grammar.join([self._rows[count:]])
        self._site, self._span = self._site[count:].copy(), self._span[count:].copy()
        self._paths = graph.Paths(*(array[count:].copy() for array in self._paths))
        self._done -= count
        graph.renumber(self._open, self._paths, self._done, count)


class StreamingDecoder:
    """Decodes a contig that arrives in consecutive pieces; the result does not depend on how it was cut.

    :meth:`push` is made of steps that may also be called one by one.  :meth:`take` and :meth:`read` must see the pieces
    in order; :meth:`search` and :meth:`genes` change nothing here and may run in several threads.
    """

    def __init__(
        self,
        settings: DecoderSettings,
        isoforms: IsoformSettings | None = None,
        evidence: ContigEvidence | None = None,
    ) -> None:
        """Args: the model's decoder settings; which isoforms are added; the contig's evidence, if there is any."""
        self.settings = settings
        self.isoforms = isoforms
        self._scanner = SiteScanner(settings.site_cutoff, settings.at_ac, settings.partial, settings.codon_margin)
        self._reader = BlockReader(settings, evidence)
        self._evidence = evidence
        self._taken = 0  # bases of the contig

    @property
    def decided(self) -> int:
        """Contig position up to which all blocks have been returned."""
        return self._reader.decided

    def push(self, bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray) -> list[DecodedGene]:
        """Take the next bases with both strands' log probabilities, shape (n, STATE_COUNT), contig orientation."""
        genes: list[DecodedGene] = []
        for start in range(0, bases.size, STEP):
            part = slice(start, start + STEP)
            found = self.search(self.take(bases[part], plus[part], minus[part]))
            genes += self.genes(self.read(found))
        return genes

    def finish(self) -> list[DecodedGene]:
        """The remaining genes at the end of the contig."""
        return self.genes(self.read_end())

    def take(self, bases: npt.NDArray[np.uint8], plus: npt.NDArray, minus: npt.NDArray) -> Stretch:
        """The next piece, as of :meth:`push`, for :meth:`search`."""
        # What evidence shows is a candidate, whatever the network says of it.
        keep = self._evidence.keep(self._taken, bases.size) if self._evidence else None
        self._taken += bases.size
        return self._scanner.take(bases, plus, minus, keep)

    def search(self, stretch: Stretch) -> FoundSites:
        """The candidate sites of a stretch, for :meth:`read`."""
        return self._scanner.search(stretch)

    def read(self, found: FoundSites) -> list[Block]:
        """The blocks that the next sites complete, for :meth:`genes`."""
        return self._reader.read(self._scanner.place(found))

    def read_end(self) -> list[Block]:
        """The blocks that are left at the end of the contig."""
        return [*self._reader.read(self._scanner.finish()), self._reader.finish()]

    def genes(self, blocks: Iterable[Block]) -> list[DecodedGene]:
        """The genes of blocks, in order of position."""
        return [gene for block in blocks for gene in genes_of(block, self.settings, self.isoforms)]


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
    isoforms: IsoformSettings | None = None,
    evidence: ContigEvidence | None = None,
) -> list[DecodedGene]:
    """Genes of a whole contig from its log probabilities, both of shape (length, STATE_COUNT) in contig orientation.

    ``piece`` only bounds memory.
    """
    return in_pieces(StreamingDecoder(settings, isoforms, evidence), bases, plus, minus, piece)
