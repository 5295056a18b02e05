"""Candidate sites of a contig that arrives in pieces."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from phytoscribe.decoding.grammar import (
    BEGIN,
    END,
    INTRON_BEGIN,
    INTRON_END,
    MINUS,
    PLUS,
    Sites,
    empty_sites,
    join,
)
from phytoscribe.decoding.site_scan import BEFORE, CONTEXT, ROWS_PER_CUT, scan, write_plain_row
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.labels.states import STATE_COUNT


class SiteScanner:
    """Candidate sites of a contig that arrives in consecutive pieces.

    Args:
        site_cutoff: lowest log probability of a site; None for all.
        at_ac: whether AT-AC introns are candidates.
        partial: whether genes may be cut by the ends of the contig.
    """

    def __init__(self, site_cutoff: float | None, at_ac: bool, partial: bool = False) -> None:
        self._cutoff = -math.inf if site_cutoff is None else site_cutoff
        self._at_ac = at_ac
        self._partial = partial
        self._bases = np.full(CONTEXT, N_CODE, np.uint8)
        self._tables = np.zeros((2, CONTEXT, STATE_COUNT), np.float32)
        self._keep = np.zeros(0, np.uint8)
        self._sums, self._bounds = np.zeros((2, 3, 8)), np.full((2, 3), -1, np.int64)
        self._buffer = empty_sites(0)
        self._begun = False
        self.position = 0  # the next cut to search

    def push(
        self,
        bases: npt.NDArray[np.uint8],
        plus: npt.NDArray,
        minus: npt.NDArray,
        keep: npt.NDArray[np.uint8] | None = None,
    ) -> Sites:
        """Return the sites at the cuts whose surroundings are now known.

        Args:
            keep: uint8 (n,), nonzero for bases whose left cut keeps its sites whatever the cutoff; given for all pieces
                or for none.
        """
        if keep is not None and not self._keep.size:
            self._keep = np.zeros(self._bases.size, np.uint8)
        return join([self._first_rows(), self._scan(bases, plus, minus, keep)])

    def finish(self) -> Sites:
        """Return the sites at the last cuts, including the contig's end."""
        first = self._first_rows()
        padding = np.full(CONTEXT + 1, N_CODE, np.uint8)
        nothing = np.zeros((CONTEXT + 1, STATE_COUNT), np.float32)
        keep = np.ones(CONTEXT + 1, np.uint8) if self._keep.size else None
        sites = self._scan(padding, nothing, nothing, keep)
        return join([first, sites, self._edge_rows((END, INTRON_END), self.position - 1)])

    def _first_rows(self) -> Sites:
        if self._begun:
            return empty_sites(0)
        self._begun = True
        return self._edge_rows((INTRON_BEGIN, BEGIN), 0)

    def _edge_rows(self, kinds: tuple[int, ...], position: int) -> Sites:
        """Rows for genes that an end of the contig cuts, if any may be: one for each kind and strand."""
        sites = empty_sites(2 * len(kinds) if self._partial else 0)
        count = 0
        for kind in kinds if self._partial else ():
            for strand in (PLUS, MINUS):
                sums, bounds = self._sums[strand, BEFORE], self._bounds[strand]
                count = write_plain_row(sites, count, kind, strand, position, sums, bounds)
        return sites

    def _scan(
        self,
        bases: npt.NDArray[np.uint8],
        plus: npt.NDArray,
        minus: npt.NDArray,
        keep: npt.NDArray[np.uint8] | None,
    ) -> Sites:
        held = self._bases.size
        tables = np.empty((2, held + bases.size, STATE_COUNT), np.float32)
        tables[:, :held] = self._tables
        tables[PLUS, held:], tables[MINUS, held:] = plus, minus
        self._bases, self._tables = np.concatenate([self._bases, bases]), tables
        if keep is not None:
            self._keep = np.concatenate([self._keep, keep])
        count = self._bases.size - 2 * CONTEXT
        if count <= 0:
            return empty_sites(0)
        if self._buffer.size < count * ROWS_PER_CUT:
            self._buffer = empty_sites(count * ROWS_PER_CUT)
        piece = (self._bases, self._tables, self._keep, self.position)
        found = scan(*piece, self._cutoff, self._at_ac, self._sums, self._bounds, self._buffer)
        self.position += count
        self._bases = self._bases[count:].copy()
        self._tables = self._tables[:, count:].copy()
        self._keep = self._keep[count:].copy()
        return self._buffer[:found].copy()
