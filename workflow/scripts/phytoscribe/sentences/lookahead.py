"""Whether an exon chain can be an isoform, or become one with one more intron: what the grammar asks for every site.

A chain is read once; what its longest reading frame is with another intron then follows from a few look-ups, because
frames that end before the intron or begin behind it stay as they are.  Positions named ``m`` count along the joined
exons.

Isoforms are compared by keys of their CDS, or of their exons in genes that code for no protein: 64-bit digests.  Two
chains with one key would only be taken for the same, and so the second would not be written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.compiled import njit
from phytoscribe.decoding.grammar import A, G, N, T, is_stop
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON

#: An isoform may end here, its CDS left out; no start codon helps either.
ENDS, NOTHING = -1, -2
#: As many bases as no chain has.
WHOLE = 1 << 40
_FACTOR = np.int64(0x1E3779B97F4A7C15)


class Spliced(NamedTuple):
    """An exon chain and its reading frames; positions along the joined exons, n bases.

    Attributes:
        starts, ends: int64 (exons,), in the window.
        codes: uint8 (n,).
        place: int64 (n,), where each base lies in the window.
        halt: int64 (n + 3,), where the codons from each base on come to a stop: end of the first stop codon; negative
            end of the first codon with an N if that comes first; 0 if neither comes.
        best: int64 (n + 1, 2), first base and end of the longest frame among the first m bases.
        open: int64 (n + 1, 3), first base of the frame that is open behind the first m bases, by its remainder
            modulo 3; -1 for none.
        later: int64 (n + 1, 2), the longest frame that begins at base m or behind it; 0, 0 for none.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int64]
    halt: npt.NDArray[np.int64]
    best: npt.NDArray[np.int64]
    open: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]


class Limits(NamedTuple):
    """What an isoform must be.

    Attributes:
        begins: int64, cuts of candidate start codons.
        known: int64, keys of the isoforms that there are.
        minimum: bases of a CDS at least, 3 or more.
        minimum_intron: bases of a new intron at least.
        coding: whether it must have a CDS.
    """

    begins: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    minimum: int
    minimum_intron: int
    coding: bool


@njit(cache=True, nogil=True)
def _mixed(key, value):
    key = (key ^ (value + 1)) * _FACTOR
    return key ^ ((key >> 31) & 0x1FFFFFFFF)


@njit(cache=True, nogil=True)
def chain_key(starts, ends, cut, length):
    """Key of the part of an exon chain that begins at a cut and has so many bases."""
    key = _mixed(np.int64(0), length)
    for k in range(starts.size):
        left = max(starts[k], cut)
        right = min(ends[k], left + length)
        if left < right:
            key = _mixed(_mixed(key, left), right)
            length -= right - left
    return key


@njit(cache=True, nogil=True)
def spliced(codes, starts, ends):
    """Read an exon chain of a window."""
    size = (ends - starts).sum()
    its, place = np.empty(size, np.uint8), np.empty(size, np.int64)
    at = 0
    for k in range(starts.size):
        for x in range(starts[k], ends[k]):
            its[at], place[at] = codes[x], x
            at += 1
    halt = np.zeros(size + 3, np.int64)
    later = np.zeros((size + 1, 2), np.int64)
    for m in range(size - 3, -1, -1):
        b0, b1, b2 = its[m], its[m + 1], its[m + 2]
        if b0 == N or b1 == N or b2 == N:
            halt[m] = -(m + 3)
        elif is_stop(b0, b1, b2):
            halt[m] = m + 3
        else:
            halt[m] = halt[m + 3]
        later[m] = later[m + 1]
        if b0 == A and b1 == T and b2 == G and halt[m] > 0 and halt[m] - m >= later[m, 1] - later[m, 0]:
            later[m, 0], later[m, 1] = m, halt[m]
    best, opened = np.zeros((size + 1, 2), np.int64), np.full((size + 1, 3), -1)
    for m in range(1, size + 1):
        best[m], opened[m] = best[m - 1], opened[m - 1]
        if m < 3:
            continue
        first, frame = m - 3, (m - 3) % 3
        b0, b1, b2 = its[m - 3], its[m - 2], its[m - 1]
        if opened[m, frame] < 0:
            if b0 == A and b1 == T and b2 == G:
                opened[m, frame] = first
        elif b0 == N or b1 == N or b2 == N:
            opened[m, frame] = -1
        elif is_stop(b0, b1, b2):
            if m - opened[m, frame] > best[m, 1] - best[m, 0]:
                best[m, 0], best[m, 1] = opened[m, frame], m
            opened[m, frame] = -1
    return Spliced(starts, ends, its, place, halt, best, opened, later)


@njit(cache=True, nogil=True)
def _is_known(key, known):
    return (known == key).any()


@njit(cache=True, nogil=True)
def _is_new(starts, ends, cut, length, limits):
    """Whether a CDS is long enough, and none that is known."""
    return length >= limits.minimum and not _is_known(chain_key(starts, ends, cut, length), limits.known)


@njit(cache=True, nogil=True)
def _position(chain, cut):
    """Position along the joined exons of the base behind a cut; -1 in an intron or outside."""
    m = np.searchsorted(chain.place, cut)
    return m if m < chain.place.size and chain.place[m] == cut else -1


@njit(cache=True, nogil=True)
def _across(chain, begin, left, right):
    """End of a frame from ``begin`` that comes to an intron behind base ``left - 1`` and goes on at ``right``.

    Returns:
        Position of the end; 0 if there is none, or if the frame begins with no ATG that the intron splits.
    """
    codes, size = chain.codes, chain.codes.size
    over = (left - begin) % 3
    if over == 0:
        return max(chain.halt[right], 0)
    after = right + 3 - over
    if after > size:
        return 0
    b0 = codes[left - over]
    b1 = codes[left - 1] if over == 2 else codes[right]
    b2 = codes[after - 1]
    if b0 == N or b1 == N or b2 == N:
        return 0
    if begin + 3 > left and not (b0 == A and b1 == T and b2 == G):
        return 0
    if is_stop(b0, b1, b2):
        return after
    return max(chain.halt[after], 0)


@njit(cache=True, nogil=True)
def _usual(chain, left, right):
    """First base and length of the longest frame of a chain with an intron; 0, 0 without one.

    Of equally long ones it is that which ends first, as :func:`~phytoscribe.decoding.isoform_edits.longest_cds` says.
    """
    first, length = chain.best[left, 0], chain.best[left, 1] - chain.best[left, 0]
    end = chain.best[left, 1]
    for k in range(6):
        if k < 3:
            begin = chain.open[left, k]
        elif k < 5:
            begin = left - k + 2
        else:
            begin = chain.later[right, 0]
        if k < 5:
            if begin < 0:
                continue
            found = _across(chain, begin, left, right)
            its = left - begin + found - right
        else:
            found = chain.later[right, 1]
            its = found - begin
        if found <= 0:
            continue
        its_end = left + found - right
        if its > length or (its == length and its_end < end):
            first, length, end = begin, its, its_end
    return first, length


@njit(cache=True, nogil=True)
def _frame(chain, begin, left, right):
    """Length of the frame that begins at a base of a chain with an intron; 0 if none does."""
    codes = chain.codes
    if left <= begin < right:
        return 0
    if begin >= right or begin + 3 <= left:
        if begin + 3 > codes.size or not (codes[begin] == A and codes[begin + 1] == T and codes[begin + 2] == G):
            return 0
        halt = chain.halt[begin]
        if begin >= right or 0 < abs(halt) <= left:
            return max(halt - begin, 0)
    found = _across(chain, begin, left, right)
    return left - begin + found - right if found > 0 else 0


@njit(cache=True, nogil=True)
def _verdict(chain, begins, starts, ends, left, right, limits, changed):
    """As :func:`verdict` of a chain with an intron behind base ``left - 1``, up to base ``right``."""
    if not limits.coding:
        new = changed and not _is_known(chain_key(starts, ends, starts[0], WHOLE), limits.known)
        return ENDS if new else NOTHING
    usual, length = _usual(chain, left, right)
    cut = chain.place[usual]
    if changed and _is_new(starts, ends, cut, length, limits):
        return ENDS
    for k in range(begins.size):
        if begins[k] < 0 or (changed and length > 0 and begins[k] == usual):
            continue
        its = _frame(chain, begins[k], left, right)
        if its >= limits.minimum and _is_new(starts, ends, limits.begins[k], its, limits):
            return k
    return NOTHING


@njit(cache=True, nogil=True)
def _begins(chain, limits):
    found = np.empty(limits.begins.size, np.int64)
    for k in range(found.size):
        found[k] = _position(chain, limits.begins[k])
    return found


@njit(cache=True, nogil=True)
def verdict(chain, limits, changed):
    """How an exon chain can be an isoform that is none of the known ones.

    Args:
        changed: whether the isoform says anything yet; else its usual CDS cannot be left out.

    Returns:
        ENDS if it ends with its usual CDS, NOTHING, or the number of the first start codon whose CDS is new.
    """
    size = chain.codes.size
    return _verdict(chain, _begins(chain, limits), chain.starts, chain.ends, size, size, limits, changed)


@njit(cache=True, nogil=True)
def new_starts(chain, limits, changed):
    """Whether a CDS that may be written begins at each candidate start codon, bool (begins,); see :func:`verdict`."""
    begins, size = _begins(chain, limits), chain.codes.size
    found = np.zeros(begins.size, np.bool_)
    usual, length = _usual(chain, size, size)
    for k in range(begins.size):
        if begins[k] >= 0 and not (changed and length > 0 and begins[k] == usual):
            its = _frame(chain, begins[k], size, size)
            found[k] = _is_new(chain.starts, chain.ends, limits.begins[k], its, limits)
    return found


@njit(cache=True, nogil=True)
def hopeful(chain, cuts, limits):
    """Whether introns behind each cut could still give a new CDS: False only where none can, bool (cuts,).

    Introns take bases away.  So no frame that is complete before the cut changes, and no other becomes longer than all
    the bases from its beginning on.  To be asked only of a chain that gives no new CDS with one more intron or none.
    """
    found = np.ones(cuts.size, np.bool_)
    if not limits.coding:
        return found
    begins, size = _begins(chain, limits), chain.codes.size
    for k in range(cuts.size):
        at = _position(chain, cuts[k])
        longest = chain.best[at, 1] - chain.best[at, 0]
        first = at - 2
        for frame in range(3):
            if chain.open[at, frame] >= 0:
                first = min(first, chain.open[at, frame])
        found[k] = size - first >= max(limits.minimum, longest)
        if not found[k]:
            for begin in begins:
                over = chain.halt[begin] == 0 or abs(chain.halt[begin]) > at
                if begin >= 0 and over and size - begin >= limits.minimum:
                    found[k] = True
    return found


@njit(cache=True, nogil=True)
def acceptor_range(starts, ends, donor, acceptors, minimum_intron):
    """Acceptors of an intron that begins at a donor: first, the one behind the last, and the exon; empty if none."""
    for k in range(starts.size):
        if starts[k] + MINIMUM_EXON <= donor <= ends[k] - MINIMUM_EXON:
            first = np.searchsorted(acceptors, donor + minimum_intron)
            last = np.searchsorted(acceptors, ends[k] - MINIMUM_EXON + 1)
            return first, max(first, last), k
    return 0, 0, 0


@njit(cache=True, nogil=True)
def _partners(chain, begins, donor, acceptors, lost, limits, room, found):
    """Fill in which acceptors of a donor make an isoform that can end; only the first if ``found`` has one place.

    Returns:
        Number of the first acceptor that does, or -1; and how many chains were looked at.
    """
    starts, ends = chain.starts, chain.ends
    first, last, k = acceptor_range(starts, ends, donor, acceptors, limits.minimum_intron)
    if first == last:
        return -1, 0
    its_starts, its_ends = np.empty(starts.size + 1, np.int64), np.empty(starts.size + 1, np.int64)
    its_starts[: k + 1], its_ends[:k] = starts[: k + 1], ends[:k]
    its_starts[k + 2 :], its_ends[k + 1 :] = starts[k + 1 :], ends[k:]
    its_ends[k] = donor
    left = _position(chain, donor)
    chosen = -1
    for a in range(first, last):
        back = False
        for j in range(lost.shape[0]):
            back = back or (lost[j, 0] == donor and lost[j, 1] == acceptors[a])
        if back:
            continue
        its_starts[k + 1] = acceptors[a]
        right = left + acceptors[a] - donor
        how = _verdict(chain, begins, its_starts, its_ends, left, right, limits, True)
        if how == ENDS or (how >= 0 and room):
            if chosen < 0:
                chosen = a
            if found.size == 0:
                return chosen, a - first + 1
            found[a] = True
    return chosen, last - first


@njit(cache=True, nogil=True)
def partners(chain, donor, acceptors, lost, limits, room):
    """With which acceptors an intron from a donor makes an isoform that can end, bool (acceptors,).

    Args:
        lost: int64 (k, 2), introns that must not come back.
        room: whether two more words, a CDS, may follow.
    """
    found = np.zeros(acceptors.size, np.bool_)
    _partners(chain, _begins(chain, limits), donor, acceptors, lost, limits, room, found)
    return found


@njit(cache=True, nogil=True)
def first_partners(chain, donors, acceptors, lost, limits, room, most):
    """Of each donor the first acceptor with which an isoform can end: its number, or -1; int64 (donors,).

    Args:
        most: chains that are looked at; donors that are not reached have -1.
    """
    chosen, nothing, begins = np.full(donors.size, -1), np.zeros(0, np.bool_), _begins(chain, limits)
    for d in range(donors.size):
        chosen[d], tries = _partners(chain, begins, donors[d], acceptors, lost, limits, room, nothing)
        most -= tries
        if most <= 0:
            break
    return chosen
