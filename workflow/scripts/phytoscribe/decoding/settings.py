"""The decoder's settings that change its result, and length scores from an annotation.

The settings are stored with the model as ``decoder.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, introns_between
from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_open

#: No CDS segment and no exon is shorter: a shorter one cannot hold a codon, and splits start or stop codons.
MINIMUM_CDS_SEGMENT = 3
Triple = tuple[float, float, float]
#: Length scores, in the order of the lattice's kinds of segment, then introns.
SEGMENT_LENGTHS = ("initial_lengths", "internal_lengths", "terminal_lengths", "single_lengths")
LENGTHS = (*SEGMENT_LENGTHS, "intron_lengths")
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
#: No score and no length in decoder.json is larger.
_LARGEST = 1e7


@dataclass(frozen=True, slots=True)
class LengthScore:
    """Score of a length in natural log units: linear between knots, falling by ``slope`` a base beyond the last one.

    Attributes:
        lengths: ascending, bp; below the first one its score holds.
        scores: one per length.  Without knots every length scores 0.
        slope: per base beyond the last knot, not above 0.
    """

    lengths: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    slope: float = 0.0

    def __post_init__(self) -> None:
        ascending = all(a < b for a, b in zip(self.lengths, self.lengths[1:], strict=False))
        if len(self.lengths) != len(self.scores) or not ascending or self.slope > 0:
            raise ModelError("a length score needs ascending lengths, as many scores, and a slope not above 0")

    @property
    def limit(self) -> int:
        """Longest length with a score of its own, bp."""
        return self.lengths[-1] if self.lengths else 0


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """Parameters of the gene grammar.  All scores are in natural log units and relative to non-coding sequence.

    Attributes:
        sensitivity: 0 as trained.  A positive value finds more genes: it is added to ``gene_score``. A negative value
            finds only more certain ones: genes whose probability of being wrong is above exp(sensitivity) are left out.
            (Subtracted from ``gene_score``, it would merge neighbouring genes instead of leaving out doubtful ones.)
        gene_score: added once for each gene.
        intron_score: added once for each intron inside a CDS.
        coding_weight: of the log odds, per base, of being coding in any frame.
        coding_frame_weight: of the log probability, per base, of the frame among the three.
        coding_score: added for each coding base; shifts the balance between coding and non-coding.
        intron_weight, intron_phase_weight, intron_base_score: the same three for bases of introns.
        start_weight, stop_weight, donor_weight, acceptor_weight: of the log odds of the site's own state.
        start_score, stop_score: added for each start and stop codon.
        donor_scores, acceptor_scores: added for each site, by phase of the intron.
        gc_donor_score, at_ac_score: added for each GC donor, and for each AT-AC intron.
        initial_lengths, internal_lengths, terminal_lengths, single_lengths: of CDS segments.
        intron_lengths: of introns inside a CDS.
        site_cutoff: sites with a lower log probability are not candidates; None for all.
        at_ac: whether AT-AC introns are allowed.
        partial: whether genes may be cut by the ends of the contig.
        partial_score: added for each cut end of a gene.
        calibration_slope, calibration_offset: map of the log odds of a structure's posterior probability to those of
            the gene's probability.
        calibrated_on: species whose genes were used for this calibration; for others the probability may be too high.
        minimum_intron: shortest intron, bp.
        minimum_cds: shortest CDS of a gene, bp, stop codon included.
        maximum_utr: how far a UTR may reach from the CDS, bp.
    """

    sensitivity: float = 0.0
    gene_score: float = 0.0
    intron_score: float = 0.0
    coding_weight: float = 0.15
    coding_frame_weight: float = 0.3
    coding_score: float = 0.0
    intron_weight: float = 0.15
    intron_phase_weight: float = 0.15
    intron_base_score: float = 0.0
    start_weight: float = 1.0
    stop_weight: float = 1.0
    donor_weight: float = 1.0
    acceptor_weight: float = 1.0
    start_score: float = 0.0
    stop_score: float = 0.0
    donor_scores: Triple = (0.0, 0.0, 0.0)
    acceptor_scores: Triple = (0.0, 0.0, 0.0)
    gc_donor_score: float = 0.0
    at_ac_score: float = 0.0
    initial_lengths: LengthScore = field(default_factory=LengthScore)
    internal_lengths: LengthScore = field(default_factory=LengthScore)
    terminal_lengths: LengthScore = field(default_factory=LengthScore)
    single_lengths: LengthScore = field(default_factory=LengthScore)
    intron_lengths: LengthScore = field(default_factory=LengthScore)
    site_cutoff: float | None = -8.0
    at_ac: bool = False
    partial: bool = False
    partial_score: float = -3.0
    calibration_slope: float = 1.0
    calibration_offset: float = 0.0
    calibrated_on: tuple[str, ...] = ()
    minimum_intron: int = 40
    minimum_cds: int = 90
    maximum_utr: int = 3000

    def __post_init__(self) -> None:
        if self.minimum_intron < 8:
            raise ModelError(f"minimum_intron is {self.minimum_intron}; an intron needs at least 8 bp")
        if not math.isfinite(self.sensitivity):
            raise ModelError(f"sensitivity is {self.sensitivity}; it must be a number")

    def save(self, path: str | Path) -> None:
        with atomic_open(path) as handle:
            handle.write(self.to_json() + "\n")

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    @classmethod
    def load(cls, path: str | Path) -> DecoderSettings:
        """Load settings; raises ModelError if the file is missing or damaged, or a key or value is wrong."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{path}: cannot be read as decoder settings ({error}); train or fetch the model again"
            ) from error
        return cls.from_json(text, str(path))

    @classmethod
    def from_json(cls, text: str, source: str) -> DecoderSettings:
        """Settings from :meth:`to_json`; errors as of :meth:`load`, naming ``source``."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"{source}: cannot be read as decoder settings ({error}); train or fetch the model again"
            ) from error
        if not isinstance(values, dict):
            raise ModelError(f"{source}: no decoder settings (name: value); train or fetch the model again")
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ModelError(f"{source}: unknown decoder settings {sorted(unknown)}; the model is of another version")
        usual = cls()
        try:
            return cls(**{name: _from_json(name, value, getattr(usual, name)) for name, value in values.items()})
        except ModelError as error:
            raise ModelError(f"{source}: {error}; train or fetch the model again") from error


def _from_json(name: str, value: Any, usual: Any) -> Any:
    """A setting from what JSON has of it; ModelError if that is not of the kind of the usual value."""
    if name == "site_cutoff" and value is None:
        return None
    if isinstance(usual, LengthScore):
        if not isinstance(value, dict) or value.keys() != {"lengths", "scores", "slope"}:
            raise ModelError(f"{name} must have lengths, scores and slope")
        lengths, scores = (_numbers(name, value[part]) for part in ("lengths", "scores"))
        return LengthScore(lengths, scores, *_numbers(name, [value["slope"]]))
    if name == "calibrated_on":
        if not isinstance(value, list) or not all(isinstance(species, str) for species in value):
            raise ModelError(f"{name} is {value!r}, not a list of names")
        return tuple(value)
    if isinstance(usual, tuple):
        if len(numbers := _numbers(name, value)) != len(usual):
            raise ModelError(f"{name} has {len(numbers)} numbers, not {len(usual)}")
        return numbers
    if isinstance(usual, bool):
        if not isinstance(value, bool):
            raise ModelError(f"{name} is {value!r}, not true or false")
        return value
    (number,) = _numbers(name, [value])
    if isinstance(usual, int) and (not isinstance(number, int) or number < 0):
        raise ModelError(f"{name} is {value!r}, not a whole number from 0 on")
    return number


def _numbers(name: str, values: Any) -> tuple[Any, ...]:
    """Finite numbers of a list; ModelError for anything else."""
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise ModelError(f"{name} holds {value!r}, not a number between -{_LARGEST:g} and {_LARGEST:g}")
    if not isinstance(values, list):
        raise ModelError(f"{name} is {values!r}, not a list of numbers")
    return tuple(values)


def length_scores(genes: Iterable[GeneModel], minimum_intron: int = 40) -> dict[str, LengthScore]:
    """Log density of lengths for each length field of the settings: ``replace(settings, **length_scores(genes))``.

    Lengths are taken from the representative transcript of each gene.  A density in the logarithm of the length is
    smoothed with a Gaussian kernel and turned back into one per bp; it is given at :data:`KNOTS`, and beyond them,
    where few lengths are left, falls geometrically with their mean excess.  A kind with fewer than ten lengths
    scores 0.
    """
    found: dict[str, list[int]] = {name: [] for name in LENGTHS}
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
