"""Motifs compared with a collection of known ones, and with the peaks themselves.

They are compared by TOMTOM (Gupta et al. 2007, doi:10.1186/gb-2007-8-2-r24) and scanned for by FIMO (Grant et al. 2011,
doi:10.1093/bioinformatics/btr064), as memelite has them.  A faithful attribution says what the network looks at; only
the peaks say whether this is the label's own motif, or that of factors that bind nearby.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from memelite import fimo, tomtom

from phytoscribe.attribution.attribute import HeadAtSites
from phytoscribe.attribution.motifs import LEAST_SEQLETS, Motif, Profile, logo_figure
from phytoscribe.files import atomic_open
from phytoscribe.genome.sequence import Bases
from phytoscribe.prediction.regulatory import bases_around
from phytoscribe.regulatory.bins import blocks_of
from phytoscribe.regulatory.enriched import word_text
from phytoscribe.splits.blocks import BLOCK
from phytoscribe.splits.parts import TEST, VALIDATE

#: A match of a higher q value is none.
LARGEST_Q = 0.05
#: Probability of an instance by chance.
INSTANCE = 1e-4
#: Distance from a summit within which an instance belongs to it, bases.
NEAR = 15
#: How much commoner a motif must be at the summits of its own label than at those of others.
OWN = 2.0
#: Summits of a group that are looked at.
MOST_SUMMITS = 2000
NO_MATCH, NEIGHBOURS = "none", "belongs to neighbouring factors"


class Match(NamedTuple):
    """The profile of a collection that is most like a motif.

    Attributes:
        p: of its TOMTOM score; q: after Benjamini and Hochberg over all motifs and profiles.
    """

    motif: Motif
    p: float
    q: float

    @property
    def told(self) -> tuple[str, str, float, float]:
        """Columns ``match``, ``match_name``, ``p`` and ``q`` of a table; :data:`NO_MATCH` above :data:`LARGEST_Q`."""
        if self.q > LARGEST_Q:
            return NO_MATCH, "", float("nan"), float("nan")
        return self.motif.name, self.motif.alias, self.p, self.q


def best_matches(motifs: Sequence[Motif], collection: Sequence[Motif]) -> list[Match]:
    """The best match of each motif."""
    if not motifs:
        return []
    p = tomtom([m.profile.T for m in motifs], [c.profile.T for c in collection], n_jobs=1)[0]
    q = benjamini_hochberg(p.ravel()).reshape(p.shape)
    best = p.argmin(axis=1)
    return [Match(collection[place], float(p[row, place]), float(q[row, place])) for row, place in enumerate(best)]


def benjamini_hochberg(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """q values (n,) of p values (Benjamini and Hochberg 1995)."""
    order = np.argsort(-p, kind="stable")
    scaled = p[order] * p.size / np.arange(p.size, 0, -1)
    q = np.empty_like(p)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return q


def instances(motifs: Sequence[Motif], windows: Bases) -> list[pd.DataFrame]:
    """Instances of each motif on either strand of windows (n, bases): columns sequence_name (row), start, end, strand
    and p-value, 0-based half-open."""
    one_hot = (windows[:, None] == np.arange(4)[:, None]).astype(np.int8)
    return fimo({m.name: m.profile.T for m in motifs}, one_hot, threshold=INSTANCE) if motifs and len(windows) else []


@dataclass(frozen=True)
class HeldOut:
    """Summits of held-out blocks, and places that are none.

    Attributes:
        genome, contig, place: of each summit; label: column of the head, -1 for a random place.
    """

    genome: npt.NDArray[np.int64]
    contig: list[str]
    place: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]

    @classmethod
    def read(cls, at: HeadAtSites, seed: int) -> HeldOut:
        """Summits of all labels in the test blocks, or in those for validation if there are no others."""
        rows: list[tuple[int, str, int, int]] = []
        for part in (TEST, VALIDATE):
            generator = np.random.default_rng([seed, 7])
            for number, segments in enumerate(at.data.segments(part)):
                for contig, start, end in blocks_of(segments, BLOCK):
                    places, labels = at.data.genomes[number].labels.summits(contig, start, end)
                    found = zip(places.tolist(), labels.tolist(), strict=True)
                    rows += [(number, contig, place, label) for place, label in found]
                    drawn = generator.integers(start, end, max(1, (end - start) // 1000))
                    rows += [(number, contig, place, -1) for place in drawn.tolist()]
            if rows:
                break
        table = pd.DataFrame(rows, columns=["genome", "contig", "place", "label"])
        genome, place, label = (table[name].to_numpy(dtype=np.int64) for name in ("genome", "place", "label"))
        return cls(genome, table["contig"].tolist(), place, label)

    def drawn(self, chosen: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.int64]:
        """Rows of up to :data:`MOST_SUMMITS` of the chosen places."""
        rows = np.flatnonzero(chosen)
        if rows.size <= MOST_SUMMITS:
            return rows
        return np.sort(np.random.default_rng([seed, 8]).choice(rows, MOST_SUMMITS, replace=False))


def share_near(motif: Motif, at: HeadAtSites, held_out: HeldOut, rows: npt.NDArray[np.int64]) -> float:
    """Share of places with an instance of a motif that reaches within :data:`NEAR` bases; nan if there are none."""
    if not rows.size:
        return float("nan")
    beside = NEAR + len(motif.profile)
    windows = np.stack(
        [
            bases_around(
                at.data.genomes[held_out.genome[row]].genome,
                held_out.contig[row],
                int(held_out.place[row]) - beside,
                int(held_out.place[row]) + beside + 1,
            )
            for row in rows.tolist()
        ]
    )
    found = instances([motif], windows)[0]
    middle = (found["start"] + found["end"]) / 2
    near = found["sequence_name"][(middle - beside - 0.5).abs() <= NEAR]
    return float(near.nunique() / rows.size)


COLUMNS = (
    "motif", "label", "seqlets", "width", "consensus", "match", "match_name", "p", "q", "own_summits", "other_summits",
    "random", "verdict", "enriched_word",
)  # fmt: skip


def compare_motifs(
    at: HeadAtSites, motifs: Sequence[Motif], collection: Sequence[Motif], words: Mapping[str, str], seed: int
) -> pd.DataFrame:
    """A row for each motif, and one for each label without any.

    Args:
        collection: known profiles.
        words: the word that is most enriched at the summits of each label: what is to be expected.

    Returns:
        Table with :data:`COLUMNS`; the shares are of held-out places with an instance of the motif.
    """
    held_out, rows = HeldOut.read(at, seed), []
    random = held_out.drawn(held_out.label == -1, seed)
    for motif, match in zip(motifs, best_matches(motifs, collection), strict=True):
        column = at.column(motif.label)
        own = held_out.drawn(held_out.label == column, seed)
        others = held_out.drawn((held_out.label >= 0) & (held_out.label != column), seed)
        shares = [share_near(motif, at, held_out, places) for places in (own, others, random)]
        size = (motif.seqlets, len(motif.profile), motif.consensus)
        rows.append(
            (motif.name, motif.label, *size, *match.told, *shares, verdict(*shares), words.get(motif.label, ""))
        )
    for label in sorted(set(at.chosen) - {motif.label for motif in motifs}):
        nothing = f"no motif found: fewer than the {LEAST_SEQLETS} sites or seqlets needed"
        empty = (np.nan,) * 5
        rows.append(("", label, 0, 0, "", NO_MATCH, "", *empty, nothing, words.get(label, "")))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdict(own: float, others: float, random: float) -> str:
    """What the peaks say of a motif: whether it is :data:`OWN` times commoner at its label's summits than elsewhere."""
    if np.isnan(own):
        return "no held-out summit of this label"
    if own < OWN * random:
        return "not enriched at this label's summits"
    if own < OWN * (others if not np.isnan(others) else 0.0):
        return NEIGHBOURS
    return "own"


def write_instances(
    at: HeadAtSites, motifs: Sequence[Motif], most: int, seed: int, outputs: Sequence[str | Path]
) -> list[int]:
    """Write instances of motifs in held-out windows of their labels as BED6, score -10 log10 of p; return how many.

    A window is a bin and what is near it, where a head seeks motifs.

    Args:
        outputs: a file for each genome.
    """
    held_out = {part: at.sites([part]) for part in (TEST, VALIDATE)}
    rows: list[set[tuple[str, int, int, str, int, str]]] = [set() for _ in outputs]
    for label in dict.fromkeys(motif.label for motif in motifs):
        sites = held_out[TEST][label] or held_out[VALIDATE][label]
        drawn = at.drawn(sites, most, seed)
        if not drawn:
            continue
        own = [motif for motif in motifs if motif.label == label]
        near = at.pieces(drawn, -at.head.config.far)
        for motif, found in zip(own, instances(own, near), strict=True):
            columns = (found[name].tolist() for name in ("sequence_name", "start", "end", "strand", "p-value"))
            for row, start, end, strand, p in zip(*columns, strict=True):
                site = drawn[row]
                left = site.start - at.head.config.near
                score = min(1000, round(-10 * float(np.log10(max(p, 1e-100)))))
                rows[site.genome].add((site.contig, left + start, left + end, motif.name, score, strand))
    for output, own_rows in zip(outputs, rows, strict=True):
        with atomic_open(output) as out:
            out.writelines("\t".join(map(str, row)) + "\n" for row in sorted(own_rows))
    return [len(own_rows) for own_rows in rows]


def write_comparison(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table of :func:`compare_motifs`; empty where there is nothing to say."""
    with atomic_open(path) as out:
        table.to_csv(out, sep="\t", index=False, float_format="%.4g", na_rep="", lineterminator="\n")


class Logo(NamedTuple):
    """A figure of a motif above the profile that it matches, with what a reader is told, and the profile as numbers."""

    name: str
    title: str
    seen: str
    figure: Figure
    profile: pd.DataFrame


def logos(table: pd.DataFrame, found: Sequence[Motif], collection: Sequence[Motif]) -> Iterator[Logo]:
    """Logos of the motifs of a table of :func:`compare_motifs`."""
    by_name, known = {motif.name: motif for motif in found}, {motif.name: motif for motif in collection}
    for row in table[table["motif"] != ""].itertuples():
        yield logo(by_name[row.motif], known.get(row.match), row.q, f"{row.seqlets} seqlets", row.verdict)


def logo(motif: Motif, match: Motif | None, q: float, counted: str, said: str) -> Logo:
    """The logo of a motif above that of its match.

    Args:
        match: the known motif, or None; ``q`` of the match.
        counted: what the motif was made of.
        said: the end of the description.
    """
    matched = f"{match.name} {match.alias}, q {q:.1g}" if match else "no known motif"
    drawn = [(f"{motif.name}: {counted}", motif.profile)]
    if match:
        drawn.append((matched, aligned(motif.profile, match.profile)))
    seen = f"Logo of {motif.consensus}; best match: {matched}; {said}."
    profile = pd.DataFrame(motif.profile, columns=list("ACGT"))
    return Logo(motif.name, f"{motif.name}: {matched}", seen, logo_figure(drawn), profile)


def aligned(motif: Profile, match: Profile) -> Profile:
    """A profile, on the strand and at the offset that agree best with a motif, cut and filled up to its columns."""
    best, found = -1.0, np.full_like(motif, 0.25)
    for strand in (match, match[::-1, ::-1]):
        for offset in range(1 - len(strand), len(motif)):
            shifted = np.full_like(motif, 0.25)
            left, right = max(0, offset), min(len(motif), offset + len(strand))
            shifted[left:right] = strand[left - offset : right - offset]
            score = float(((motif - 0.25) * (shifted - 0.25)).sum())
            if score > best:
                best, found = score, shifted
    return found


def enriched_words(at: HeadAtSites) -> dict[str, str]:
    """The word that is most enriched at the summits of each chosen label in the training blocks, if there is one."""
    ranked = at.data.enriched_words(at.head.config.motif).ranked()
    return {label: word_text(int(ranked[n][0])) for label in at.chosen for n in [at.column(label)] if ranked[n].size}
