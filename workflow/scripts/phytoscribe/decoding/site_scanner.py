"""Candidate sites of a contig that arrives in pieces."""

from __future__ import annotations

import math
from typing import NamedTuple

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
from phytoscribe.decoding.site_scan import (
    BEFORE,
    CONTEXT,
    HERE,
    ROWS_PER_CUT,
    add_what_lies_before,
    begin_sums,
    scan,
    write_plain_row,
)
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.labels.states import STATE_COUNT


class Stretch(NamedTuple):
    """A part of a contig that is searched for sites by itself.

    Attributes:
        bases: uint8 (n,), with ``CONTEXT`` bases at either side of the cuts that are searched.
        plus, minus: consecutive parts of the log probabilities, together (n, STATE_COUNT).
        keep: uint8 (n,), as of :meth:`SiteScanner.push`, or of size 0.
        position: the first cut.
    """

    bases: npt.NDArray[np.uint8]
    plus: tuple[npt.NDArray, ...]
    minus: tuple[npt.NDArray, ...]
    keep: npt.NDArray[np.uint8]
    position: int


class FoundSites(NamedTuple):
    """Sites of a stretch, as if the contig began with it.

    Attributes:
        sums: float64 (2 strands, 3, 8), bounds: int64 (2, 3): behind its last cut, as of
            :func:`phytoscribe.decoding.site_scan.scan`.
    """

    sites: Sites
    sums: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.int64]


class SiteScanner:
    """Candidate sites of a contig that arrives in consecutive pieces.

    :meth:`push` does three things: :meth:`take` and :meth:`place` must be called in order of the pieces and are quick;
    :meth:`search` changes nothing here, so threads may search several stretches at the same time.

    Args:
        site_cutoff: lowest log probability of a site; None for all.
        at_ac: whether AT-AC introns are candidates.
        partial: whether genes may be cut by the ends of the contig.
        codon_margin: start and stop codons may have a log probability this much lower.
    """

    def __init__(
        self, site_cutoff: float | None, at_ac: bool, partial: bool = False, codon_margin: float = 0.0
    ) -> None:
        lowest = -math.inf if site_cutoff is None else site_cutoff
        self._cutoffs = (lowest, lowest - codon_margin)
        self._at_ac = at_ac
        self._partial = partial
        nothing = (np.zeros((CONTEXT, STATE_COUNT), np.float32),)
        #: The bases that the next stretch begins with.
        self._held = Stretch(np.full(CONTEXT, N_CODE, np.uint8), nothing, nothing, np.zeros(0, np.uint8), 0)
        self._sums, self._bounds = np.zeros((2, 3, 8)), np.full((2, 3), -1, np.int64)
        self._begun = False

    @property
    def position(self) -> int:
        """The first cut of the next stretch."""
        return self._held.position

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
        return self.place(self.search(self.take(bases, plus, minus, keep)))

    def finish(self) -> Sites:
        """Return the sites at the last cuts, including the contig's end."""
        padding = np.full(CONTEXT + 1, N_CODE, np.uint8)
        nothing = np.zeros((CONTEXT + 1, STATE_COUNT), np.float32)
        keep = np.ones(CONTEXT + 1, np.uint8) if self._held.keep.size else None
        sites = self.push(padding, nothing, nothing, keep)
        return join([sites, self._edge_rows((END, INTRON_END), self.position - 1)])

    def take(
        self,
        bases: npt.NDArray[np.uint8],
        plus: npt.NDArray,
        minus: npt.NDArray,
        keep: npt.NDArray[np.uint8] | None = None,
    ) -> Stretch:
        """The next piece, as of :meth:`push`, with the bases before it that its cuts need."""
        held = self._held
        if keep is not None and not held.keep.size:
            held = held._replace(keep=np.zeros(held.bases.size, np.uint8))
        stretch = Stretch(
            np.concatenate([held.bases, bases]),
            (*held.plus, plus),
            (*held.minus, minus),
            held.keep if keep is None else np.concatenate([held.keep, keep]),
            held.position,
        )
        cuts = max(0, stretch.bases.size - 2 * CONTEXT)
        self._held = Stretch(
            stretch.bases[cuts:].copy(),
            _last(stretch.plus, 2 * CONTEXT),
            _last(stretch.minus, 2 * CONTEXT),
            stretch.keep[cuts:].copy(),
            held.position + cuts,
        )
        return stretch

    def search(self, stretch: Stretch) -> FoundSites:
        """Sites at the cuts of a stretch."""
        sums, bounds = np.zeros((2, 3, 8)), np.full((2, 3), -1, np.int64)
        count = stretch.bases.size - 2 * CONTEXT
        if count <= 0:
            return FoundSites(empty_sites(0), sums, bounds)
        tables = np.empty((2, stretch.bases.size, STATE_COUNT), np.float32)
        for table, parts in ((tables[PLUS], stretch.plus), (tables[MINUS], stretch.minus)):
            end = 0
            for part in parts:
                table[end : end + len(part)] = part
                end += len(part)
        if stretch.position:
            begin_sums(tables, CONTEXT, stretch.position, sums)
        room = empty_sites(count * ROWS_PER_CUT)
        piece = (stretch.bases, tables, stretch.keep, stretch.position)
        found = scan(*piece, self._cutoffs, self._at_ac, sums, bounds, room)
        return FoundSites(join([room[:found]]), sums, bounds)

    def place(self, found: FoundSites) -> Sites:
        """The sites of the next stretch as they are in the contig; changes and returns ``found.sites``."""
        first = empty_sites(0) if self._begun else self._edge_rows((INTRON_BEGIN, BEGIN), 0)
        self._begun = True
        before = self._sums[:, HERE].copy()
        add_what_lies_before(found.sites, before, self._bounds)
        self._sums = found.sums + before[:, None]
        self._bounds = np.maximum(self._bounds, found.bounds)
        return join([first, found.sites]) if first.size else found.sites

    def _edge_rows(self, kinds: tuple[int, ...], position: int) -> Sites:
        """Rows for genes that an end of the contig cuts, if any may be: one for each kind and strand."""
        sites = empty_sites(2 * len(kinds) if self._partial else 0)
        count = 0
        for kind in kinds if self._partial else ():
            for strand in (PLUS, MINUS):
                sums, bounds = self._sums[strand, BEFORE], self._bounds[strand]
                count = write_plain_row(sites, count, kind, strand, position, sums, bounds)
        return sites


def _last(parts: tuple[npt.NDArray, ...], count: int) -> tuple[npt.NDArray, ...]:
    """A copy of the last rows of consecutive arrays, as one; of all if there are no more."""
    found: list[npt.NDArray] = []
    for part in reversed(parts):
        if count <= 0:
            break
        found.insert(0, np.asarray(part[-count:], np.float32))
        count -= len(part)
    return (np.concatenate(found),)
