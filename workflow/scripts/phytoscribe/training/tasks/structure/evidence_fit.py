"""Fit the weights of junction evidence to regions with known genes on which the network was not trained.

The weights maximise the likelihood of the reference genes (:mod:`phytoscribe.decoding.evidence_likelihood`); network
and decoder stay as they are.  Each region is seen several times: with all its reads, and with fewer, as from a
shallower library, so the weights hold for libraries of any depth.  The gene probability is calibrated last, on all of
these.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phytoscribe.decoding.evidence_likelihood import EvidenceLikelihood, EvidenceRegion
from phytoscribe.decoding.gene_regions import DecodedRegion, gene_regions_of
from phytoscribe.decoding.grammar import PLUS
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
from phytoscribe.genome.junction_table import read_table
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.weighed_evidence import junctions_by_contig
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.tasks.structure.decoder_fit import FITTING_CUTOFF, Outcome, decode_regions, outcome_of
from phytoscribe.training.tasks.structure.lineage_fit import read_regions

logger = logging.getLogger(__name__)

#: Shares of the reads with which each region is seen.
DEPTHS = (1.0, 0.03, 0.001)
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


def thinned(
    given: Sequence[RegionWithJunctions], depth: float, generator: np.random.Generator
) -> list[RegionWithJunctions]:
    """The same regions with junctions of a library with this share of the reads, each read drawn by itself."""
    drawn = []
    for x in given:
        found = x.junctions
        reads = generator.binomial(found.reads, depth) if depth < 1 else found.reads
        columns = (column.tolist() for column in (found.strand, found.left, found.right, reads))
        drawn.append(
            [("+" if s == PLUS else "-", (left, right), n) for s, left, right, n in zip(*columns, strict=True)]
        )
    seen = [n for junctions in drawn for *_, n in junctions if n]
    average = float(np.mean(seen)) if seen else 1.0
    return [
        RegionWithJunctions(x.region, ContigJunctions(junctions, average))
        for x, junctions in zip(given, drawn, strict=True)
    ]


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
    """Weights, and a report: genes, log likelihood a base, and figures from DNA alone and with evidence by depth.

    Args:
        given: about 1.5 Mb with 300 genes or more.
        settings: the decoder's.
        threads: threads that share the regions; only the run time depends on their number.
    """
    generator = np.random.default_rng(seed)
    seen = {depth: thinned(given, depth, generator) for depth in DEPTHS}
    parts = [part for regions in seen.values() for x in regions for part in _parts(x, settings)]
    genes = sum(len(part.region.loci) for part in parts) // len(DEPTHS)
    vector, value = maximise(EvidenceLikelihood(parts, settings, threads))
    weights = EvidenceWeights(**dict(zip(WEIGHT_NAMES, vector.tolist(), strict=True)))
    outcomes = {d: decode_with(regions, settings, weights) for d, regions in seen.items()}
    together = Outcome(
        {},
        [gene for outcome in outcomes.values() for gene in outcome.genes],
        np.concatenate([outcome.right for outcome in outcomes.values()]),
    ).calibrated(settings)
    slope, offset = together.calibration_slope, together.calibration_offset
    weights = replace(weights, calibration_slope=slope, calibration_offset=offset)
    figures = {f"share_of_reads_{d:g}": decode_with(seen[d], settings, weights).report() for d in DEPTHS}
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
