"""Keep what is learned from away from what is held out: no shared base, and no homologue.

The parts of the split divide sequence or genes; the *windows* that a model reads around them may still reach into each
other, since 92 % of the genes of *A. thaliana* chromosome 1 share bases with the window of another gene.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from phytoscribe.genome.intervals import Interval, IntervalIndex
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE

#: What may see nothing of which: validation chooses what training has learned, and test judges both.
_APART = {TRAIN: (TEST, VALIDATE), VALIDATE: (TEST,)}
OVERLAPS, HOMOLOGUE_OF = "overlaps_", "homologue_of_"


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
