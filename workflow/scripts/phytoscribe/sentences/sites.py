"""Candidate sites of a locus: what a gene sentence can point at, and what the network says of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.grammar import A, C, G, T
from phytoscribe.decoding.isoform_edits import Chain, FirstTranscript, LocusWindow
from phytoscribe.labels.states import ACCEPTOR, DONOR, INTRON_STATES, State
from phytoscribe.sentences.tokens import KINDS, Reason, SentenceError, Site, SiteKind

#: Sites of a locus at most.
MOST_SITES = 768
#: A donor, acceptor or start codon is a candidate from this log probability on: at -12, 98 % of the annotated isoforms
#: of the validation loci have all their sites among the candidates (at -9, 78 %).
LEAST_LOG_PROBABILITY = -12.0
#: Peaks of transcript begins, and of transcript ends, beside the first transcript's own; and their least distance, bp.
ENDS, ENDS_APART = 5, 20
#: Numbers for each site (see :func:`site_table`).
SITE_FEATURES = 22
_LOWEST = -20.0
_INTRONS = [*map(int, INTRON_STATES), int(State.UTR5_INTRON), int(State.UTR3_INTRON)]
_LAST = slice(int(State.LAST0), int(State.LAST2) + 1)
_FIRST = slice(int(State.FIRST0), int(State.FIRST2) + 1)
_Cuts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SiteTable:
    """The candidate sites of a locus.

    Attributes:
        sites: ascending by cut, then by kind; each once.
        features: float32 (n, SITE_FEATURES).
        own: bool (n,): on the first transcript.
    """

    sites: tuple[Site, ...]
    features: npt.NDArray[np.float32]
    own: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sites)

    @cached_property
    def numbers(self) -> dict[Site, int]:
        return {site: number for number, site in enumerate(self.sites)}

    def number(self, site: Site) -> int:
        """The place of a site in the table.

        Raises:
            SentenceError: it is no candidate.
        """
        if site not in self.numbers:
            raise SentenceError(Reason.UNKNOWN_SITE, f"{site.kind}@{site.cut} is no candidate site of this locus")
        return self.numbers[site]


def sites_of_isoform(exons: Chain, cds: Chain) -> list[Site]:
    """The sites of an isoform: its ends, donors, acceptors and, if it codes, its start codon."""
    found = [Site(SiteKind.T, exons[0][0]), Site(SiteKind.P, exons[-1][1])]
    for donor, acceptor in introns_between(exons):
        found += [Site(SiteKind.D, donor), Site(SiteKind.A, acceptor)]
    return [*found, Site(SiteKind.S, cds[0][0])] if cds else found


def site_table(
    first: FirstTranscript, window: LocusWindow, wanted: Iterable[Site] = (), most: int = MOST_SITES
) -> SiteTable:
    """The candidates of a locus: the first transcript's own sites, those that are wanted, and others by probability.

    Donors are GT or GC, acceptors AG, start codons ATG; transcript ends are peaks of the change between intergenic and
    untranslated exon.  The features of a site are, in this order: its kind (5 numbers, one of which is 1); log
    probability of the state inside the exon at the site and of that outside; log odds by the head of splice sites;
    whether it is the first transcript's; log distance to the candidates before and behind; where it lies on the
    first transcript (before, untranslated exon, coding, intron, behind: 5 numbers); codon position there (3 numbers);
    place between its ends; log distance to its nearest site of that kind; whether a donor is GC.

    Args:
        wanted: sites that must be there, such as those of labels.
        most: sites at most.

    Raises:
        SentenceError: the own and the wanted sites are more than that, or one lies outside the window.
    """
    own = set(sites_of_isoform(first.exons, first.cds))
    needed = own | set(wanted)
    if len(needed) > most:
        raise SentenceError(Reason.TOO_MANY_SITES, f"{len(needed)} sites are on its isoforms; at most {most} are read")
    for site in needed:
        if not 0 <= site.cut <= window.codes.size:
            text = f"{site.kind}@{site.cut} is outside the window of {window.codes.size} bases"
            raise SentenceError(Reason.UNKNOWN_SITE, text)
    likely = [candidate for candidate in _likely(window) if candidate[1] not in needed]
    likely.sort(key=lambda candidate: (-candidate[0], candidate[1].order))
    chosen = sorted([*needed, *(site for _, site in likely[: most - len(needed)])], key=lambda site: site.order)
    is_own = np.array([site in own for site in chosen], dtype=bool)
    return SiteTable(tuple(chosen), _features(chosen, is_own, first, window), is_own)


def _likely(window: LocusWindow) -> list[tuple[float, Site]]:
    """Sites that the network does not rule out, with their log probabilities; of transcript ends 0: they are few."""
    codes, states = window.codes, window.states
    cuts = np.arange(2, max(2, codes.size - 2))
    donors = cuts[(codes[cuts] == G) & ((codes[cuts + 1] == T) | (codes[cuts + 1] == C))]
    acceptors = cuts[(codes[cuts - 2] == A) & (codes[cuts - 1] == G)]
    starts = cuts[(codes[cuts] == A) & (codes[cuts + 1] == T) & (codes[cuts + 2] == G)]
    with np.errstate(divide="ignore"):
        heads = np.log(window.sites)
    found: list[tuple[float, Site]] = []
    for kind, places, scores in (
        (SiteKind.D, donors, np.maximum(heads[donors, DONOR], states[donors - 1, _LAST].max(axis=1))),
        (SiteKind.A, acceptors, np.maximum(heads[acceptors - 1, ACCEPTOR], states[acceptors, _FIRST].max(axis=1))),
        (SiteKind.S, starts, states[starts, State.START]),
    ):
        enough = scores >= LEAST_LOG_PROBABILITY
        found += [
            (score, Site(kind, cut))
            for score, cut in zip(scores[enough].tolist(), places[enough].tolist(), strict=True)
        ]
    begins = states[cuts - 1, State.INTERGENIC] + states[cuts, State.UTR5_EXON]
    ends = states[cuts - 1, State.UTR3_EXON] + states[cuts, State.INTERGENIC]
    for kind, scores in ((SiteKind.T, begins), (SiteKind.P, ends)):
        found += [(0.0, Site(kind, cut)) for cut in _peaks(cuts, scores)]
    return found


def _peaks(cuts: _Cuts, scores: npt.NDArray[np.float32]) -> list[int]:
    """The highest places, each the highest within :data:`ENDS_APART`."""
    if not cuts.size:
        return []
    wide = np.pad(scores, ENDS_APART, constant_values=-np.inf)
    best = np.lib.stride_tricks.sliding_window_view(wide, 2 * ENDS_APART + 1)
    peaks = np.flatnonzero(best.argmax(axis=1) == ENDS_APART)
    highest = peaks[np.argsort(-scores[peaks], kind="stable")[:ENDS]]
    return cuts[highest].tolist()


def _features(
    sites: list[Site], own: npt.NDArray[np.bool_], first: FirstTranscript, window: LocusWindow
) -> npt.NDArray[np.float32]:
    """Features of the sites, float32 (n, SITE_FEATURES); see :func:`site_table`."""
    cuts = np.array([site.cut for site in sites], dtype=np.int64)
    kinds = np.array([KINDS.index(site.kind) for site in sites], dtype=np.int64)
    size = window.codes.size
    here, before = np.clip(cuts, 0, size - 1), np.clip(cuts - 1, 0, size - 1)
    states = window.states
    intron = np.logaddexp.reduce(states[:, _INTRONS], axis=1)
    out = np.zeros((len(sites), SITE_FEATURES), dtype=np.float32)
    out[np.arange(len(sites)), kinds] = 1.0
    inside = (
        states[here, State.UTR5_EXON], states[here, State.START], states[before, _LAST].max(axis=1),
        states[here, _FIRST].max(axis=1), states[before, State.UTR3_EXON],
    )  # fmt: skip
    untranslated = np.logaddexp(states[before, State.UTR5_EXON], states[before, State.UTR5_INTRON])
    outside = (
        states[before, State.INTERGENIC], untranslated, intron[here], intron[before], states[here, State.INTERGENIC],
    )  # fmt: skip
    out[:, 5], out[:, 6] = np.choose(kinds, inside), np.choose(kinds, outside)
    for kind, places, column in ((SiteKind.D, here, DONOR), (SiteKind.A, before, ACCEPTOR)):
        chosen = kinds == KINDS.index(kind)
        p = np.clip(window.sites[places[chosen], column], 1e-5, 1 - 1e-5)
        out[chosen, 7] = np.log(p / (1 - p))
    out[:, 8] = own
    gaps = np.log1p(np.diff(cuts))
    out[1:, 9], out[:-1, 10] = gaps, gaps
    start, end = first.exons[0][0], first.exons[-1][1]
    place, frame = _places(cuts, first)
    out[np.arange(len(sites)), 11 + place] = 1.0
    coding = frame >= 0
    out[coding, 16 + frame[coding]] = 1.0
    out[:, 19] = np.clip((cuts - start) / max(1, end - start), -1.0, 2.0)
    for kind in range(len(KINDS)):
        chosen = kinds == kind
        others = cuts[chosen & own]
        if chosen.any():
            distance = np.abs(cuts[chosen, None] - others).min(axis=1) if others.size else np.full(chosen.sum(), size)
            out[chosen, 20] = np.log1p(distance)
    out[:, 21] = (kinds == KINDS.index(SiteKind.D)) & (window.codes[np.clip(cuts + 1, 0, size - 1)] == C)
    np.maximum(out, _LOWEST, out=out)
    return out


def _places(cuts: _Cuts, first: FirstTranscript) -> tuple[_Cuts, _Cuts]:
    """Of the base behind each cut: its place on the first transcript (0 to 4), and codon position there or -1."""
    start, end = first.exons[0][0], first.exons[-1][1]
    place = np.where(cuts < start, 0, np.where(cuts >= end, 4, 3))
    frame = np.full(cuts.size, -1)
    for left, right in first.exons:
        place[(left <= cuts) & (cuts < right)] = 1
    done = 0
    for left, right in first.cds:
        inside = (left <= cuts) & (cuts < right)
        place[inside] = 2
        frame[inside] = (cuts[inside] - left + done) % 3
        done += right - left
    return place, frame
