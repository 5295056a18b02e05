"""Fit the weights of junction evidence to regions with known genes on which the network was not trained.

The weights maximise the likelihood of the reference genes (:mod:`phytoscribe.decoding.evidence_likelihood`); network
and decoder stay as they are.  Each region is seen several times (:data:`LIBRARIES`): with all its reads; with fewer, as
from a shallower library; and with junctions or numbers of reads that are wrong.  So the weights hold for libraries of
any depth, and believe no junction more than a file deserves that is partly wrong.  The gene probability is calibrated
last, on all of these.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.decoding.evidence_likelihood import EvidenceLikelihood, EvidenceRegion
from phytoscribe.decoding.gene_regions import DecodedRegion, gene_regions_of
from phytoscribe.decoding.grammar import PLUS, A, C, G, T
from phytoscribe.decoding.intron_evidence import (
    PAIR_FEATURES,
    WEIGHT_COUNT,
    WEIGHT_NAMES,
    ContigEvidence,
    ContigJunctions,
    EvidenceWeights,
)
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junction_table import read_table
from phytoscribe.genome.sequence import Bases
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.weighed_evidence import junctions_by_contig
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.tasks.structure.decoder_fit import FITTING_CUTOFF, Outcome, decode_regions, outcome_of
from phytoscribe.training.tasks.structure.lineage_fit import read_regions

logger = logging.getLogger(__name__)


class Library(NamedTuple):
    """How the regions are seen.

    Attributes:
        depth: share of the reads; each read is drawn by itself.
        misplaced: share of the junctions at wrong places (:func:`misplaced`).
        shuffled: whether the numbers of reads are dealt out anew among all junctions.
    """

    depth: float = 1.0
    misplaced: float = 0.0
    shuffled: bool = False

    def __str__(self) -> str:
        return f"reads_{self.depth:g}_misplaced_{self.misplaced:g}" + self.shuffled * "_shuffled"


LIBRARIES = (Library(), Library(0.03, misplaced=0.3), Library(0.001), Library(shuffled=True))
#: Where the fit begins: one read says little, many say much.
START = EvidenceWeights(0.0, 0.5, 0.5, 0.5, 0.5, -0.1, -0.1)
#: Standard deviation of the prior around the start, for each weight.
SPREAD = 2.0
ITERATIONS = 40


@dataclass(frozen=True)
class RegionWithJunctions:
    """A region with known genes and the junctions on it, in its coordinates."""

    region: DecodedRegion
    junctions: ContigJunctions


Junctions = list[tuple[str, Interval, int]]


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
    if library.shuffled:
        dealt = iter(generator.permutation(counts).tolist())
        drawn = [[(strand, intron, next(dealt)) for strand, intron, _ in junctions] for junctions in drawn]
    average = float(np.mean(counts)) if counts else 1.0
    return [
        RegionWithJunctions(x.region, ContigJunctions(junctions, average))
        for x, junctions in zip(given, drawn, strict=True)
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


def run_evidence_fit(
    training_set: Path,
    model_folder: Path,
    tables: Mapping[str, str | Path],
    seed: int,
    threads: int,
    output: Path,
) -> None:
    """Fit the weights for a model on the validation regions of genomes with evidence, and write them (rule
    fit_evidence).

    Args:
        tables: by genome, its table of junctions (:mod:`phytoscribe.genome.junction_table`).

    Raises:
        PhytoScribeError: none of these genomes has junctions where genes validate.
    """
    regions = [region for region in TrainingSet.load(training_set).regions if region.place[0] in tables]
    junctions = {genome: dict(junctions_by_contig(read_table(path)[1])) for genome, path in tables.items()}
    predictor = StructurePredictor.from_folder(
        model_folder, PredictionSettings(), choose_device("cpu"), threads=threads
    )
    given = []
    for region, read in zip(regions, read_regions(predictor, regions), strict=True):
        genome, contig, start = region.place
        found = junctions[genome].get(contig, ContigJunctions(()))
        given.append(RegionWithJunctions(read, found.within(start, start + region.bases.size)))
    if not any(len(x.junctions) for x in given):
        raise PhytoScribeError(
            f"no junction of {', '.join(tables)} lies where genes validate, so evidence cannot be weighed; give "
            "evidence for a genome with validation contigs, or use a model that brings evidence.json"
        )
    decoders = Decoders.load(model_folder / "decoder.json")
    first = regions[0]
    weights, report = fit_evidence(given, decoders.of(first.lineage, first.species), seed, threads)
    species = tuple(sorted({region.species for region in regions}))
    replace(weights, calibrated_on=species).save(output, model_hash(model_folder), report)


def fit_evidence(
    given: Sequence[RegionWithJunctions], settings: DecoderSettings, seed: int, threads: int = 1
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Weights, and a report: genes, log likelihood a base, and figures from DNA alone and with each library.

    Args:
        given: about 1.5 Mb with 300 genes or more.
        settings: the decoder's.
        threads: threads that share the regions; only the run time depends on their number.
    """
    generator = np.random.default_rng(seed)
    seen = {library: seen_as(given, library, generator) for library in LIBRARIES}
    parts = [part for regions in seen.values() for x in regions for part in _parts(x, settings)]
    genes = sum(len(part.region.loci) for part in parts) // len(LIBRARIES)
    vector, value = maximise(EvidenceLikelihood(parts, settings, threads))
    weights = EvidenceWeights(**dict(zip(WEIGHT_NAMES, vector.tolist(), strict=True)))
    outcomes = [decode_with(regions, settings, weights) for regions in seen.values()]
    together = Outcome(
        {},
        [gene for outcome in outcomes for gene in outcome.genes],
        np.concatenate([outcome.right for outcome in outcomes]),
    ).calibrated(settings)
    slope, offset = together.calibration_slope, together.calibration_offset
    weights = replace(weights, calibration_slope=slope, calibration_offset=offset)
    figures = {str(library): decode_with(regions, settings, weights).report() for library, regions in seen.items()}
    dna = decode_regions([x.region for x in given], settings).report()
    report = {"genes": genes, "log_likelihood_per_base": value, "dna": dna, **figures}
    logger.info("evidence weighed on %d genes: %s", genes, report)
    return weights, report


def maximise(likelihood: EvidenceLikelihood) -> tuple[npt.NDArray, float]:
    """Weights with the highest penalised likelihood, and its log a base."""
    origin = START.vector()

    def loss(vector: npt.NDArray) -> tuple[float, npt.NDArray]:
        value, gradient = likelihood(vector)
        distance = (vector - origin) / SPREAD
        return 0.5 * float(distance @ distance) - value, distance / SPREAD - gradient

    bounds = [(None, None)] * PAIR_FEATURES + [(None, 0.0)] * (WEIGHT_COUNT - PAIR_FEATURES)
    options = {"maxiter": ITERATIONS, "ftol": 1e-7}
    found = minimize(loss, origin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.x, -float(found.fun) / likelihood.bases


def decode_with(given: Sequence[RegionWithJunctions], settings: DecoderSettings, weights: EvidenceWeights) -> Outcome:
    """Decode regions with their junctions and compare with their reference genes."""
    chosen = weights.calibrate(settings)
    decoded = [
        decode_coding_genes(
            x.region.bases, x.region.plus, x.region.minus, chosen, evidence=ContigEvidence.of(x.junctions, weights)
        )
        for x in given
    ]
    return outcome_of([x.region for x in given], decoded)


def _parts(given: RegionWithJunctions, settings: DecoderSettings) -> Iterator[EvidenceRegion]:
    """The parts of a region that the likelihood looks at."""
    for part in gene_regions_of(given.region, settings, FITTING_CUTOFF, given.junctions.cuts):
        yield EvidenceRegion(part, given.junctions.within(part.start, part.start + part.bases))
