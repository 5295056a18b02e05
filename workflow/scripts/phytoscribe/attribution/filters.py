"""What the filters of the regulatory head's motif stem look for, as motifs beside known ones.

The motif of a filter is counted where it matches more than half as well as at its best place of the validation blocks,
as Alipanahi et al. 2015 (doi:10.1038/nbt.3300) and Kelley et al. 2016 (doi:10.1101/gr.200535.115) make motifs of the
first layer of a network.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from phytoscribe.attribution.attribute import HeadAtSites
from phytoscribe.attribution.comparison import Logo, best_matches, logo
from phytoscribe.attribution.motifs import Motif, trimmed
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.prediction.regulatory import bases_around
from phytoscribe.regulatory.bins import blocks_of
from phytoscribe.splits.parts import VALIDATE

logger = logging.getLogger(__name__)

#: A filter that matches in fewer places makes no motif.
LEAST_PLACES = 20
TOO_FEW = "too few places"
#: A place counts from this share of the best match on.
SHARE = 0.5
#: Labels that the table names for a filter.
LABELS = 3
#: Logos that are drawn: each takes a second, and a reader looks at no more.
LOGOS = 12
#: Bases that are scanned at a time.
_AT_ONCE = 20_000

COLUMNS = ("filter", "places", "consensus", "match", "match_name", "p", "q", "weight", "labels")


class FilterPlaces(NamedTuple):
    """Where the filters of a stem match.

    Attributes:
        best: float64 (filters,), the best match; a filter with none above zero counts no place.
        counts: int64 (filters, width, 4), bases at the places, on the strand that matches.
    """

    best: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Number of places of each filter (filters,)."""
        return self.counts[:, 0].sum(axis=1)


def filter_places(at: HeadAtSites) -> FilterPlaces:
    """Scan the validation blocks twice: for the best match of each filter, and for its places.

    A place is a base around which the better strand matches; stretches with an N are none.
    """
    stem = at.head.stem
    with torch.inference_mode():
        best = torch.full((len(stem.bias),), -torch.inf, device=stem.bias.device)
        for windows in _windows(at, stem):
            best = torch.maximum(best, _matches(stem, windows).amax(dim=(0, 1)))
        least = torch.where(best > 0, SHARE * best, torch.inf)
        counts = torch.zeros(2, len(best), stem.width * N_CODE, dtype=torch.float64, device=best.device)
        for windows in _windows(at, stem):
            matches = _matches(stem, windows)
            forward = matches[:, 0] >= matches[:, 1]
            found = matches.amax(dim=1) > least
            for strand, chosen in enumerate((found & forward, found & ~forward)):
                counts[strand] += chosen.to(windows.dtype).t() @ windows
    if not counts.any():
        logger.warning("no filter matches anywhere in the validation blocks of these genomes, so none has a motif")
    whole = counts.unflatten(2, (stem.width, N_CODE))
    total = whole[0] + whole[1].flip(1, 2)
    return FilterPlaces(best.double().cpu().numpy(), total.round().long().cpu().numpy())


def _windows(at: HeadAtSites, stem: MotifStem) -> Iterator[Tensor]:
    """Stretches of the validation blocks that a filter reads (stretches, width * 4), without those with an N."""
    half = stem.width // 2
    for number, segments in enumerate(at.data.segments(VALIDATE)):
        for contig, start, end in blocks_of(segments, _AT_ONCE):
            bases = bases_around(at.data.genomes[number].genome, contig, start - half, end + half)
            codes = torch.from_numpy(bases.astype(np.int64)).to(stem.bias.device)
            windows = stem.windows(stem.one_hot(codes[None]))
            known = windows[windows.sum(dim=1) == stem.width]
            if len(known):
                yield known


def _matches(stem: MotifStem, windows: Tensor) -> Tensor:
    """Match of each filter on either strand (stretches, 2, filters)."""
    both = stem.both_strands()
    return (windows @ both.flatten(0, 1).t()).unflatten(1, both.shape[:2]) + stem.bias


def filter_motifs(places: FilterPlaces) -> list[Motif]:
    """The motif of each filter with enough places, named ``filter_001`` and so on."""
    return [
        Motif(_name(number), trimmed(counts / counts[0].sum()), int(count))
        for number, (counts, count) in enumerate(zip(places.counts, places.places, strict=True))
        if count >= LEAST_PLACES
    ]


def _name(number: int) -> str:
    return f"filter_{number + 1:03d}"


def compare_filters(
    at: HeadAtSites, places: FilterPlaces, motifs: Sequence[Motif], collection: Sequence[Motif]
) -> pd.DataFrame:
    """A row for each filter, columns :data:`COLUMNS`.

    ``weight`` is what its best match adds to the log odds of the first of ``labels``, by the direct way from motifs to
    labels; what the convolutions make of it is not counted.  These labels are those that get most, if they get any.

    Args:
        motifs: of :func:`filter_motifs`.
        collection: known profiles.
    """
    matches = {motif.name: match for motif, match in zip(motifs, best_matches(motifs, collection), strict=True)}
    consensus = {motif.name: motif.consensus for motif in motifs}
    direct = at.head.motifs.weight.detach().double().cpu().numpy()
    rows = []
    for number, (best, count) in enumerate(zip(places.best.tolist(), places.places.tolist(), strict=True)):
        name, added = _name(number), direct[:, number] * max(0.0, best)
        match = matches[name].told if name in matches else (TOO_FEW, "", np.nan, np.nan)
        most = [place for place in np.argsort(-added, kind="stable")[:LABELS] if added[place] > 0]
        labels = ",".join(at.head.config.labels[place] for place in most)
        rows.append((name, count, consensus.get(name, ""), *match, added.max(initial=0.0), labels))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def filter_logos(table: pd.DataFrame, motifs: Sequence[Motif], collection: Sequence[Motif]) -> Iterator[Logo]:
    """Logos of the :data:`LOGOS` filters of the largest weight that have a motif.

    Args:
        table: of :func:`compare_filters`.
    """
    by_name, known = {motif.name: motif for motif in motifs}, {motif.name: motif for motif in collection}
    whole = table[table["filter"].isin(list(by_name))].sort_values("weight", ascending=False, kind="stable")
    for row in whole.head(LOGOS).itertuples():
        heaviest = f"weighs most for {row.labels.replace(',', ', ')}" if row.labels else "weighs for no label by itself"
        yield logo(by_name[row.filter], known.get(row.match), row.q, f"{row.places:,} places", heaviest)
