"""The decoder's settings that change its result: those for any species, and those of single lineages.

They are stored with the model as ``decoder.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_open
from phytoscribe.tokenizer.segments import UNKNOWN

#: No CDS segment and no exon is shorter: a shorter one cannot hold a codon, and splits start or stop codons.
MINIMUM_CDS_SEGMENT = 3
Triple = tuple[float, float, float]
#: Length scores, in the order of the lattice's kinds of segment, then introns.
SEGMENT_LENGTHS = ("initial_lengths", "internal_lengths", "terminal_lengths", "single_lengths")
LENGTHS = (*SEGMENT_LENGTHS, "intron_lengths")
#: What genomes of no known lineage have in its place.
UNKNOWN_LINEAGES = ("", UNKNOWN)

#: No score and no length in decoder.json is larger.
_LARGEST = 1e7
_AGAIN = "train or fetch the model again"
#: Values that models had before a setting was named.
_FORMER = {"codon_margin": 0.0}


def unseen_lineage(lineage: str, trained_on: Iterable[str]) -> str:
    """What a user must know of a genome of another lineage than a head was trained on; empty for the same."""
    if lineage in UNKNOWN_LINEAGES:
        return "the lineage of this genome is not given (genomes[...].lineage); take the values as ranks"
    if lineage in set(trained_on):
        return ""
    return f"no plant of lineage {lineage} was trained on; take the values as ranks"


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

    def scaled(self, weight: float) -> LengthScore:
        """All scores times a weight."""
        return LengthScore(self.lengths, tuple(float(weight * s) for s in self.scores), float(weight * self.slope))


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
        codon_margin: start and stop codons are candidates down to this much below ``site_cutoff``: a start that looks
            unlikely by itself may still be the best one of a gene.
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
    site_cutoff: float | None = -7.0
    codon_margin: float = 2.0
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
        if not self.codon_margin >= 0:
            raise ModelError(f"codon_margin is {self.codon_margin}; it must not be below 0")

    @classmethod
    def from_values(cls, values: Any, source: str) -> DecoderSettings:
        """Settings from what JSON has of them; raises ModelError, naming ``source``, if a key or value is wrong."""
        if not isinstance(values, dict):
            raise ModelError(f"{source}: no decoder settings (name: value); {_AGAIN}")
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ModelError(f"{source}: unknown decoder settings {sorted(unknown)}; the model is of another version")
        usual = cls()
        try:
            return cls(
                **{name: _from_json(name, value, getattr(usual, name)) for name, value in (_FORMER | values).items()}
            )
        except ModelError as error:
            raise ModelError(f"{source}: {error}; {_AGAIN}") from error

    @property
    def length_scores(self) -> dict[str, LengthScore]:
        """The length scores by name (:data:`LENGTHS`)."""
        return {name: getattr(self, name) for name in LENGTHS}


@dataclass(frozen=True, slots=True)
class Decoders:
    """The decoders of a model: one for any species, and those of lineages and species that have one of their own.

    All settings may differ between them: a genome is read by one decoder from end to end, and the header of the
    output gives its limits.

    Attributes:
        fallback: for species of all other lineages, and of unknown ones.
        lineages: by the name of the lineage in the configuration.
        species: by the name of the species in the configuration.
    """

    fallback: DecoderSettings
    lineages: Mapping[str, DecoderSettings] = field(default_factory=dict)
    species: Mapping[str, DecoderSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, own in (("lineages", self.lineages), ("species", self.species)):
            for name in UNKNOWN_LINEAGES:
                if name in own:
                    raise ModelError(f"{kind} has {name!r}, but all that are unknown share one decoder")

    def of(self, lineage: str, species: str = "") -> DecoderSettings:
        """The settings for a species of a lineage."""
        return self.species.get(species) or self.lineages.get(lineage, self.fallback)

    def name_of(self, lineage: str, species: str = "") -> str:
        """Which settings :meth:`of` gives, for a reader; empty if the model has only those for any species."""
        if not self.lineages and not self.species:
            return ""
        if species in self.species:
            return species
        if lineage in self.lineages:
            return lineage
        if lineage in UNKNOWN_LINEAGES:
            return "any lineage (that of the genome is not known)"
        return f"any lineage (the model has none for {lineage})"

    def uncalibrated(self) -> Decoders:
        """The same decoders for another network: the calibration of all but the fall-back names no species."""
        return replace(self, lineages=_uncalibrated(self.lineages), species=_uncalibrated(self.species))

    def save(self, path: str | Path) -> None:
        with atomic_open(path) as handle:
            handle.write(self.to_json() + "\n")

    def to_json(self) -> str:
        values = asdict(self.fallback)
        for kind, found in (("lineages", self.lineages), ("species", self.species)):
            if found:
                values[kind] = {name: asdict(own) for name, own in found.items()}
        return json.dumps(values, indent=2, sort_keys=True)

    @classmethod
    def load(cls, path: str | Path) -> Decoders:
        """Load decoders; raises ModelError if the file is missing or damaged, or a key or value is wrong."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{path}: cannot be read as decoder settings ({error}); {_AGAIN}") from error
        return cls.from_json(text, str(path))

    @classmethod
    def from_json(cls, text: str, source: str) -> Decoders:
        """Decoders from :meth:`to_json`; errors as of :meth:`load`, naming ``source``."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{source}: cannot be read as decoder settings ({error}); {_AGAIN}") from error
        parts = {kind: values.pop(kind, {}) if isinstance(values, dict) else {} for kind in ("lineages", "species")}
        for kind, found in parts.items():
            if not isinstance(found, dict):
                raise ModelError(f"{source}: {kind} is {found!r}, not settings by name; {_AGAIN}")
        fallback = DecoderSettings.from_values(values, source)
        own = {
            kind: {name: DecoderSettings.from_values(v, f"{source}, {kind}: {name}") for name, v in found.items()}
            for kind, found in parts.items()
        }
        try:
            return cls(fallback, **own)
        except ModelError as error:
            raise ModelError(f"{source}: {error}; {_AGAIN}") from error


def _uncalibrated(decoders: Mapping[str, DecoderSettings]) -> dict[str, DecoderSettings]:
    return {name: replace(own, calibrated_on=()) for name, own in decoders.items()}


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
