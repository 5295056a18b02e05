"""Length scores of CDS segments and introns from the genes of an annotation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, introns_between
from phytoscribe.decoding.scoring import SEGMENT_LENGTHS
from phytoscribe.decoding.settings import MINIMUM_CDS_SEGMENT, LengthScore

#: Knots of a length score lie at these lengths, bp, as far as the annotation reaches.
KNOTS = (3, 6, 9, 12, 16, 20, 25, 30, 36, 43, 51, 60, 70, 80, 90, 100, 115, 130, 150, 175, 200, 250, 300, 400, 500, 650)
KNOTS += (800, 1000, 1300, 1700, 2200)
#: Share of lengths beyond the last knot, which a geometric tail describes.
TAIL_SHARE = 0.01
#: Standard deviation of the smoothing kernel, in natural log units of length.
SMOOTHING = 0.12
#: The density is never below this share of a log-uniform one over all lengths: a length not seen is not impossible.
FLOOR = 0.05
_LONGEST = 100_000


def length_scores(genes: Iterable[GeneModel], minimum_intron: int = 40) -> dict[str, LengthScore]:
    """Log density of lengths for each length field of the settings: ``replace(settings, **length_scores(genes))``.

    Lengths are taken from the representative transcript of each gene.  A density in the logarithm of the length is
    smoothed with a Gaussian kernel and turned back into one per bp; it is given at :data:`KNOTS`, and beyond them,
    where few lengths are left, falls geometrically with their mean excess.  A kind with fewer than ten lengths
    scores 0.
    """
    found: dict[str, list[int]] = {name: [] for name in (*SEGMENT_LENGTHS, "intron_lengths")}
    for gene in genes:
        if transcript := gene.representative:
            cds = transcript.cds if gene.strand == "+" else transcript.cds[::-1]
            lengths = [end - start for start, end in cds]
            if len(lengths) == 1:
                found["single_lengths"] += lengths
            else:
                found["initial_lengths"].append(lengths[0])
                found["internal_lengths"] += lengths[1:-1]
                found["terminal_lengths"].append(lengths[-1])
            found["intron_lengths"] += [end - start for start, end in introns_between(transcript.cds)]
    shortest = {"intron_lengths": minimum_intron}
    return {name: length_score(values, shortest.get(name, MINIMUM_CDS_SEGMENT)) for name, values in found.items()}


def length_score(lengths: Sequence[int], shortest: int) -> LengthScore:
    """Smoothed log density of lengths of at least ``shortest`` bp."""
    kept = np.array([length for length in lengths if length >= shortest], dtype=np.float64)
    if kept.size < 10:
        return LengthScore()
    last = float(np.quantile(kept, 1 - TAIL_SHARE))
    knots = np.array([shortest, *(k for k in KNOTS if k > shortest)])
    # One knot beyond the quantile, so that the tail begins where lengths have become rare.
    knots = knots[: max(2, int(np.searchsorted(knots, last)) + 1)]
    scores = np.log(_density(kept, knots.astype(np.float64), shortest))
    beyond = kept[kept > knots[-1]]
    excess = float(beyond.mean() - knots[-1]) if beyond.size >= 5 else float(knots[-1]) / 2
    return LengthScore(tuple(int(k) for k in knots), tuple(float(s) for s in scores), -1.0 / max(excess, 10.0))


def _density(lengths: npt.NDArray, at: npt.NDArray, shortest: int) -> npt.NDArray:
    """Density per bp at the lengths ``at``."""
    logs, points = np.log(lengths), np.log(at)
    kernel = np.exp(-0.5 * ((points[:, None] - logs[None, :]) / SMOOTHING) ** 2) / (SMOOTHING * np.sqrt(2 * np.pi))
    # Mass that the kernel puts under the shortest length is mirrored back.
    mirrored = 2 * np.log(shortest) - logs
    kernel += np.exp(-0.5 * ((points[:, None] - mirrored[None, :]) / SMOOTHING) ** 2) / (SMOOTHING * np.sqrt(2 * np.pi))
    uniform = 1.0 / (np.log(_LONGEST) - np.log(shortest))
    return ((1 - FLOOR) * kernel.mean(axis=1) + FLOOR * uniform) / at
