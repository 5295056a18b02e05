"""The split as intervals: which bases of a genome are for training, validation or test, or hidden from all three.

``results/splits/{genome}.parts.bed`` is the only place where roles, split mode, contig lists and flanks become
coordinates; every later stage reads this file.  Its intervals (BED, 0-based half-open, the part in column 4) tile each
contig in the order of the FASTA.  ``hidden`` is the flank of a held-out locus (core promoter, terminator, splice
context); nothing is scored there.

The *windows* that a model reads around genes may still reach into each other: 92 % of the genes of *A. thaliana*
chromosome 1 share bases with the window of another gene.  :func:`guarded` keeps what is learned from away from what is
held out: no shared base, and no homologue.

The genome's role, then the split mode determine what is held out: whole genomes with role ``validate`` or ``test``;
whole contigs in mode ``contig``; loci with a flank on each side in mode ``cluster``.  Held-out bases are replaced by N
in the pretraining corpus, the tokenizer corpus and training windows, and have loss weight 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from phytoscribe.errors import ConfigError, PhytoScribeError
from phytoscribe.files import atomic_open
from phytoscribe.genome.intervals import Interval, IntervalIndex

TRAIN, VALIDATE, TEST = "train", "validate", "test"
PARTS = (TRAIN, VALIDATE, TEST)
HIDDEN = "hidden"
CLUSTER_MODE, CONTIG_MODE = "cluster", "contig"
#: What may see nothing of which: validation chooses what training has learned, and test judges both.
_APART = {TRAIN: (TEST, VALIDATE), VALIDATE: (TEST,)}
OVERLAPS, HOMOLOGUE_OF = "overlaps_", "homologue_of_"


class PartInterval(NamedTuple):
    """Bases ``start`` to ``end`` of a contig, all of one part."""

    start: int
    end: int
    part: str


@dataclass(frozen=True)
class Parts:
    """The parts of one genome.

    Attributes:
        intervals: of each contig, in order, without gaps.
    """

    intervals: Mapping[str, Sequence[PartInterval]]

    @property
    def contigs(self) -> dict[str, int]:
        """Contig lengths in bases."""
        return {contig: tiles[-1].end for contig, tiles in self.intervals.items()}

    def of(self, contig: str, *parts: str) -> list[Interval]:
        """Intervals of a contig that belong to any of these parts."""
        return [(tile.start, tile.end) for tile in self.intervals[contig] if tile.part in parts]

    def part_at(self, contig: str, base: int) -> str:
        """The part of a base, 0-based."""
        tiles = self.intervals[contig]
        return tiles[bisect_right(tiles, base, key=lambda tile: tile.end)].part

    def train_contigs(self) -> list[str]:
        """Contigs that hold training sequence."""
        return [contig for contig in self.intervals if self.of(contig, TRAIN)]

    def held_out(self, contig: str) -> list[Interval]:
        """Intervals of a contig that training must see as N."""
        return self.of(contig, VALIDATE, TEST, HIDDEN)


def complete_contig_parts(contigs: Iterable[str], named: Mapping[str, str], genome: str) -> dict[str, str]:
    """Part of every contig of a genome in mode ``contig``: contigs that the configuration does not name are ``train``.

    Args:
        contigs: names in the FASTA.
        named: ``{contig: part}`` of the contigs that the configuration names.
        genome: name, for messages.

    Raises:
        ConfigError: an unknown part, or a contig that the FASTA lacks.
    """
    parts = dict.fromkeys(contigs, TRAIN)
    for contig, part in named.items():
        if part not in PARTS:
            raise ConfigError(f"genomes: {genome}: contigs: {part!r} is no part; use one of {', '.join(PARTS)}")
        if contig not in parts:
            shown = ", ".join([*list(parts)[:5], *["..."][: len(parts) > 5]])
            raise ConfigError(
                f"genomes: {genome}: contigs: {part}: there is no contig {contig!r} in its FASTA, which has {shown}"
            )
        parts[contig] = part
    return parts


def parts_of_genome(
    splits: pd.DataFrame | None,
    genome: str,
    contigs: Mapping[str, int],
    role: str,
    mode: str,
    contig_parts: Mapping[str, str],
    flank: int,
) -> Parts:
    """The parts of one genome.

    Args:
        splits: the table of :func:`phytoscribe.splits.assign.assign_splits`; only mode ``cluster`` reads it.
        contigs: contig lengths in bases.
        role: the genome's role; a genome with role ``validate`` or ``test`` belongs to that part as a whole.
        mode: ``cluster`` or ``contig``.
        contig_parts: ``{contig: part}`` of this genome for mode ``contig``; contigs it lacks are ``train``.
        flank: bases beside a held-out locus that are hidden in mode ``cluster``.

    Raises:
        ConfigError: an unknown mode.
    """
    if mode not in (CLUSTER_MODE, CONTIG_MODE):
        raise ConfigError(f"split.mode: {mode!r} is unknown; use cluster or contig")
    if role != TRAIN or mode == CONTIG_MODE:
        part_of = contig_parts if role == TRAIN else dict.fromkeys(contigs, role)
        return Parts({name: [PartInterval(0, length, part_of.get(name, TRAIN))] for name, length in contigs.items()})
    loci: dict[str, list[PartInterval]] = {contig: [] for contig in contigs}
    for row in splits[(splits["genome"] == genome) & (splits["part"] != TRAIN)].itertuples():
        loci[row.contig].append(PartInterval(int(row.start), int(row.end), row.part))
    return Parts({contig: _tiles(length, loci[contig], flank) for contig, length in contigs.items()})


def _tiles(length: int, loci: Sequence[PartInterval], flank: int) -> list[PartInterval]:
    """A contig in tiles: held-out loci over their flanks over training sequence; tiles of one part are joined."""
    flanks = [PartInterval(max(0, start - flank), min(length, end + flank), HIDDEN) for start, end, _ in loci]
    edges = np.unique([0, length, *(edge for tile in (*flanks, *loci) for edge in tile[:2])])
    names = np.full(len(edges) - 1, TRAIN, dtype=object)
    for start, end, part in (*flanks, *loci):
        names[np.searchsorted(edges, start) : np.searchsorted(edges, end)] = part
    first = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
    ends = edges[np.append(first[1:], len(names))]
    return [PartInterval(int(edges[i]), int(end), names[i]) for i, end in zip(first, ends, strict=True)]


def write_parts(path: str | Path, parts: Parts) -> None:
    """Write a parts.bed, by rename."""
    with atomic_open(path) as handle:
        for contig, tiles in parts.intervals.items():
            handle.writelines(f"{contig}\t{tile.start}\t{tile.end}\t{tile.part}\n" for tile in tiles)


def read_parts(path: str | Path) -> Parts:
    """Read a parts.bed.

    Raises:
        PhytoScribeError: a line is not an interval of a known part, or the intervals of a contig leave a gap.
    """
    found: dict[str, list[PartInterval]] = {}
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                contig, start, end, part = line.rstrip("\n").split("\t")
                tile = PartInterval(int(start), int(end), part)
            except ValueError:
                raise PhytoScribeError(f"{path}, line {number}: not contig, start, end and part") from None
            tiles = found.setdefault(contig, [])
            if part not in (*PARTS, HIDDEN) or tile.end <= tile.start or tile.start != (tiles[-1].end if tiles else 0):
                raise PhytoScribeError(
                    f"{path}, line {number}: the intervals of {contig!r} do not follow each other, or {part!r} is no "
                    "part; remove the file and run again"
                )
            tiles.append(tile)
    return Parts(found)


def guarded(
    parts: Sequence[str],
    tracks: Sequence[Hashable],
    windows: Sequence[Sequence[Interval]],
    clusters: Sequence[Hashable | None],
    distance: int = 0,
) -> list[str]:
    """Why each item must be left out of its part; empty for those that stay.

    Args:
        parts: of each item: train, validate or test; items of any other part are nobody's, and neither leave nor guard.
        tracks: the axis of each item's windows, such as (genome, contig).
        windows: intervals of each item, 0-based half-open.
        clusters: the homologues of each item; None for an item without.
        distance: bases that windows must keep from each other.

    Returns:
        ``overlaps_test``, ``overlaps_validate``, ``homologue_of_test``, ``homologue_of_validate``, or an empty text.
    """
    near: dict[str, IntervalIndex] = {}
    homologues: dict[str, set[Hashable]] = {}
    for part in (TEST, VALIDATE):
        members = [item for item, of_item in enumerate(parts) if of_item == part]
        places: dict[Hashable, list[Interval]] = {}
        for item in members:
            places.setdefault(tracks[item], []).extend((s - distance, e + distance) for s, e in windows[item])
        near[part] = IntervalIndex(places)
        homologues[part] = {clusters[item] for item in members} - {None}
    reasons = []
    for part, track, places, cluster in zip(parts, tracks, windows, clusters, strict=True):
        held = _APART.get(part, ())
        found = [OVERLAPS + other for other in held if any(near[other].overlaps(track, s, e) for s, e in places)]
        found += [HOMOLOGUE_OF + other for other in held if cluster in homologues[other]]
        reasons.append(found[0] if found else "")
    return reasons
