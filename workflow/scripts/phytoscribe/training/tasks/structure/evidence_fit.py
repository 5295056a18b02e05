"""Fit the weights of evidence to regions with known genes on which the network was not trained.

The weights maximise the likelihood of the reference genes (:mod:`phytoscribe.decoding.evidence_likelihood`); network
and decoder stay as they are.  Each region is seen several times (:data:`LIBRARIES`): with all its reads; with fewer, as
from a shallower library; and with junctions at wrong places.  So the weights hold for libraries of any depth, and
believe no junction more than a file deserves that is partly wrong.  Aligned proteins have weights of
their own (:data:`RELATIONS`).  The gene probability is calibrated last, on all of these, on top of what the decoder of
each species makes of it, on genes that the weights have not seen (:func:`folds_of`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.decoding.decoded_gene import calibrate
from phytoscribe.decoding.evidence_likelihood import EvidenceLikelihood, EvidenceRegion
from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.gene_regions import DecodedRegion, gene_regions_of
from phytoscribe.decoding.grammar import PLUS, A, C, G, T
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.decoding.protein_evidence import ContigProteins, ProteinWeights
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.aligned_proteins import read_aligned
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junction_table import read_table
from phytoscribe.genome.sequence import Bases
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.weighed_evidence import junctions_by_contig, proteins_by_contig
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.tasks.structure.decoder_fit import (
    FITTING_CUTOFF,
    Outcome,
    decode_each,
    outcome_of,
    two_halves,
)
from phytoscribe.training.tasks.structure.lineage_fit import read_regions

logger = logging.getLogger(__name__)


class Library(NamedTuple):
    """How the regions are seen.

    Attributes:
        depth: share of the reads; each read is drawn by itself.
        misplaced: share of the junctions at wrong places (:func:`misplaced`).
    """

    depth: float = 1.0
    misplaced: float = 0.0

    def __str__(self) -> str:
        return f"reads_{self.depth:g}_misplaced_{self.misplaced:g}"


LIBRARIES = (Library(), Library(0.03, misplaced=0.3), Library(0.001))
#: How close the proteins are: no alignment above this quality is seen.
RELATIONS = (1.0, 0.7)
#: Where the fit begins: one read says little, many say much.
START = EvidenceWeights(0.0, 0.5, 0.5, 0.5, 0.5, -0.1, -0.1)
PROTEIN_START = ProteinWeights(
    **{name: getattr(START, name) for name in EvidenceWeights.names()},
    frame_weight=0.5,
    other_frame_weight=-0.1,
    start_weight=0.5,
    stop_weight=0.5,
)
#: Standard deviation of the prior around the start, for each weight.
SPREAD = 2.0
ITERATIONS = 40


@dataclass(frozen=True)
class RegionWithJunctions:
    """A region with known genes and the junctions, or aligned proteins, on it, in its coordinates.

    Attributes:
        settings: the decoder of its species.
    """

    region: DecodedRegion
    junctions: ContigJunctions
    settings: DecoderSettings


Junctions = list[tuple[str, Interval, int]]
Weights = TypeVar("Weights", bound=EvidenceWeights)


def seen_as(
    given: Sequence[RegionWithJunctions], library: Library, generator: np.random.Generator
) -> list[RegionWithJunctions]:
    """The same regions with the junctions of another library."""
    drawn = []
    for x in given:
        found = x.junctions
        reads = generator.binomial(found.reads, library.depth) if library.depth < 1 else found.reads
        rows = zip(*(column.tolist() for column in (found.strand, found.left, found.right, reads)), strict=True)
        own = [("+" if s == PLUS else "-", (left, right), count) for s, left, right, count in rows if count]
        drawn.append(misplaced(own, x.region.bases, library.misplaced, generator) if library.misplaced else own)
    counts = [count for junctions in drawn for *_, count in junctions]
    average = float(np.mean(counts)) if counts else 1.0
    return [
        replace(x, junctions=ContigJunctions(junctions, average)) for x, junctions in zip(given, drawn, strict=True)
    ]


def misplaced(junctions: Junctions, bases: Bases, share: float, generator: np.random.Generator) -> Junctions:
    """Junctions of which a share is moved to another place with the ends of an intron, as far apart as before.

    Where there is no such place a junction is lost.
    """
    first, second = bases[:-1], bases[1:]
    found = []
    for strand, (start, end), reads in junctions:
        if generator.random() >= share:
            found.append((strand, (start, end), reads))
            continue
        (a, b), (c, d) = ((G, T), (A, G)) if strand == "+" else ((C, T), (A, C))
        length = end - start
        opens = (first[1 : first.size - length + 1] == a) & (second[1 : first.size - length + 1] == b)
        closes = (first[length - 1 : -1] == c) & (second[length - 1 : -1] == d)
        places = np.flatnonzero(opens & closes) + 1
        if places.size:
            left = int(places[generator.integers(places.size)])
            found.append((strand, (left, left + length), reads))
    return found


def related(given: Sequence[RegionWithJunctions], quality: float) -> list[RegionWithJunctions]:
    """The same regions with the aligned proteins (they hold such) up to a quality."""
    return [
        replace(x, junctions=ContigProteins(p for p in x.junctions.proteins if p.quality <= quality)) for x in given
    ]


def run_evidence_fit(
    training_set: Path,
    model_folder: Path,
    tables: Mapping[str, str | Path],
    seed: int,
    threads: int,
    output: Path,
    by_proteins: bool = False,
) -> None:
    """Fit the weights for a model on the validation regions of genomes with evidence, and write them (rule
    fit_evidence).

    Args:
        tables: by genome, its table of junctions (:mod:`phytoscribe.genome.junction_table`), or of proteins
            (:mod:`phytoscribe.genome.aligned_proteins`).
        by_proteins: whether the tables are of proteins.

    Raises:
        PhytoScribeError: none of these genomes has junctions, or proteins, where genes validate.
    """
    regions = [region for region in TrainingSet.load(training_set).regions if region.place[0] in tables]
    evidence: dict[str, dict[str, ContigJunctions]] = {}
    for genome, path in tables.items():
        found = proteins_by_contig(read_aligned(path)[1]) if by_proteins else junctions_by_contig(read_table(path)[1])
        evidence[genome] = dict(found)
    nothing = ContigProteins(()) if by_proteins else ContigJunctions(())
    predictor = StructurePredictor.from_folder(
        model_folder, PredictionSettings(), choose_device("cpu"), threads=threads
    )
    decoders, given = Decoders.load(model_folder / "decoder.json"), []
    for region, read in zip(regions, read_regions(predictor, regions), strict=True):
        genome, contig, start = region.place
        inside = evidence[genome].get(contig, nothing).within(start, start + region.bases.size)
        given.append(RegionWithJunctions(read, inside, decoders.of(region.lineage, region.species)))
    if not any(len(x.junctions) for x in given):
        kind = "aligned protein with introns" if by_proteins else "junction"
        raise PhytoScribeError(
            f"no {kind} of {', '.join(tables)} lies where genes validate, so evidence cannot be weighed; give "
            f"evidence for a genome with validation contigs, or use a model that brings {output.name}"
        )
    weights, report = fit_protein_evidence(given, threads) if by_proteins else fit_evidence(given, seed, threads)
    species = tuple(sorted({region.species for region in regions}))
    replace(weights, calibrated_on=species).save(output, model_hash(model_folder), report)


def fit_evidence(
    given: Sequence[RegionWithJunctions], seed: int, threads: int = 1
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Weights, and a report: genes, log likelihood a base, and figures from DNA alone and with each library.

    Args:
        given: about 1.5 Mb with 300 genes or more.
        threads: threads that share the regions; only the run time depends on their number.
    """
    generator = np.random.default_rng(seed)
    seen = {str(library): seen_as(given, library, generator) for library in LIBRARIES}
    return fit_weights(seen, START, threads)


def fit_protein_evidence(
    given: Sequence[RegionWithJunctions], threads: int = 1, held_out: Sequence[RegionWithJunctions] = ()
) -> tuple[ProteinWeights, dict[str, Any]]:
    """As :func:`fit_evidence`, for aligned proteins.

    Args:
        held_out: regions that only calibrate; without them parts of ``given`` are held out in turn.
    """
    seen, others = (
        {f"quality_up_to_{quality:g}": related(regions, quality) for quality in RELATIONS}
        for regions in (given, held_out)
    )
    return fit_weights(seen, PROTEIN_START, threads, others)


def fit_weights(
    seen: Mapping[str, Sequence[RegionWithJunctions]],
    start: Weights,
    threads: int,
    held_out: Mapping[str, Sequence[RegionWithJunctions]] | None = None,
) -> tuple[Weights, dict[str, Any]]:
    """Weights of the kind of ``start`` for the same regions seen in several ways, by name, and the report.

    Args:
        held_out: regions that only calibrate, seen in the same ways.
    """
    given = [x.region for x in next(iter(seen.values()))]
    weights, value, genes = weights_of(seen, start, threads)
    unseen = [(x, weights) for regions in (held_out or {}).values() for x in regions]
    for own in () if unseen else folds_of(given):
        other = [row for row in range(len(given)) if row not in own]
        found, _, _ = weights_of({name: [x[row] for row in other] for name, x in seen.items()}, start, threads)
        unseen += [(x[row], found) for x in seen.values() for row in own]
    weights = _calibrated(weights, unseen or [(x, weights) for regions in seen.values() for x in regions])
    figures = {name: decode_with(regions, weights).report() for name, regions in seen.items()}
    dna = outcome_of(given, decode_each(given, [x.settings for x in next(iter(seen.values()))]))
    report = {"genes": genes, "log_likelihood_per_base": value, "dna": dna.report(), **figures}
    logger.info("evidence weighed on %d genes: %s", genes, report)
    return weights, report


def folds_of(regions: Sequence[DecodedRegion]) -> list[list[int]]:
    """Positions of the regions that are held out together: those of a species; of a single one, halves.

    Empty if nothing can be held out.
    """
    species = sorted({region.species for region in regions})
    if len(species) > 1:
        return [[row for row, region in enumerate(regions) if region.species == name] for name in species]
    halves = two_halves(regions)
    return list(halves) if all(halves) else []


def _calibrated(weights: Weights, unseen: Sequence[tuple[RegionWithJunctions, EvidenceWeights]]) -> Weights:
    """Weights with the calibration that fits regions, each decoded with weights that have none.

    Every species counts the same: most genes are of those that the decoder knows best.
    """
    outcomes = [decode_with([x], found) for x, found in unseen]
    species = np.repeat([x.region.species for x, _ in unseen], [len(outcome.genes) for outcome in outcomes])
    _, which, sizes = np.unique(species, return_inverse=True, return_counts=True)
    fitted = calibrate(
        [gene.probability for outcome in outcomes for gene in outcome.genes],
        np.concatenate([outcome.right for outcome in outcomes]),
        DecoderSettings(),
        species.size / (sizes.size * sizes[which]) if species.size else None,
    )
    slope, offset = fitted.calibration_slope, fitted.calibration_offset
    return replace(weights, calibration_slope=slope, calibration_offset=offset)


def weights_of(
    seen: Mapping[str, Sequence[RegionWithJunctions]], start: Weights, threads: int
) -> tuple[Weights, float, int]:
    """The likeliest weights, not calibrated, the log likelihood a base, and the number of genes."""
    parts = [part for regions in seen.values() for x in regions for part in _parts(x)]
    vector, value = maximise(EvidenceLikelihood(parts, threads), start)
    return type(start).of_vector(vector), value, sum(len(part.region.loci) for part in parts) // len(seen)


def maximise(likelihood: EvidenceLikelihood, start: EvidenceWeights) -> tuple[npt.NDArray, float]:
    """Weights with the highest penalised likelihood, and its log a base."""
    origin = start.vector()

    def loss(vector: npt.NDArray) -> tuple[float, npt.NDArray]:
        value, gradient = likelihood(vector)
        distance = (vector - origin) / SPREAD
        return 0.5 * float(distance @ distance) - value, distance / SPREAD - gradient

    options = {"maxiter": ITERATIONS, "ftol": 1e-7}
    found = minimize(loss, origin, jac=True, method="L-BFGS-B", bounds=start.bounds(), options=options)
    return found.x, -float(found.fun) / likelihood.bases


def evidence_by(found: ContigJunctions, weights: EvidenceWeights) -> ContigEvidence | None:
    """Junctions or aligned proteins as the only evidence."""
    if isinstance(found, ContigProteins):
        return ContigEvidence.of(None, None, found, weights)
    return ContigEvidence.of(found, weights)


def decode_with(given: Sequence[RegionWithJunctions], weights: EvidenceWeights) -> Outcome:
    """Decode regions with their junctions and compare with their reference genes."""
    decoded = [
        decode_coding_genes(
            x.region.bases,
            x.region.plus,
            x.region.minus,
            weights.calibrate(x.settings),
            evidence=evidence_by(x.junctions, weights),
        )
        for x in given
    ]
    return outcome_of([x.region for x in given], decoded)


def _parts(given: RegionWithJunctions) -> Iterator[EvidenceRegion]:
    """The parts of a region that the likelihood looks at."""
    for part in gene_regions_of(given.region, given.settings, FITTING_CUTOFF, given.junctions.cuts):
        inside = given.junctions.within(part.start, part.start + part.bases)
        yield EvidenceRegion(part, inside, given.settings)
