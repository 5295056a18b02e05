"""The validation regions as the network reads and the decoder decodes them, and the figure that chooses by them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.decoding.gene_models import decode_contig
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.evaluation.accuracy.counts import exact_f1
from phytoscribe.evaluation.accuracy.splice_sites import annotated_sites, score_sites
from phytoscribe.labels.encode import label_contig
from phytoscribe.labels.states import NON_CODING_LABEL
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.training.data.validation import ValidationRegion

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decoded:
    """Validation log probabilities, computed once and decoded many times."""

    region: ValidationRegion
    plus: Any
    minus: Any


def selection_score(f1: dict[str, float]) -> float:
    """The figure that chooses checkpoints and decoder scalars: mean of exact CDS-exon and locus F1 (NaN counts 0)."""
    values = [f1["cds_exon"], f1["locus"]]
    return sum(0.0 if v != v else v for v in values) / len(values)


def validation_f1(decoded: Sequence[Decoded], settings: DecoderSettings) -> dict[str, float]:
    """Exact F1 by level over all validation regions."""
    reference: list[GeneModel] = []
    predicted: list[GeneModel] = []
    mask: dict[str, list[Interval]] = {}
    for item in decoded:
        name = item.region.name
        reference += item.region.genes
        predicted += decode_contig(name, item.region.bases, item.plus, item.minus, settings)
        mask[name] = list(item.region.mask)
    return exact_f1(reference, predicted, mask)


def predict_regions(predictor: StructurePredictor, regions: Sequence[ValidationRegion]) -> list[Decoded]:
    found = []
    for region in regions:
        predictor.set_species(region.species, region.lineage)
        found.append(Decoded(region, *predictor.log_probabilities(region.bases)))
    return found


def cross_entropy(decoded: Sequence[Decoded]) -> float:
    """Mean cross-entropy of the annotated states, nats a base of each strand, where one is known."""
    total, count = 0.0, 0
    for item in decoded:
        length = item.region.bases.size
        known = np.ones(length, dtype=bool)
        for start, end in item.region.mask:
            known[start:end] = False
        for strand, table in zip("+-", (item.plus, item.minus), strict=True):
            labels = label_contig(item.region.genes, strand, length)
            counted = np.setdiff1d(np.flatnonzero(known & (labels.states != NON_CODING_LABEL)), labels.disputed)
            total -= float(table[counted, labels.states[counted]].sum(dtype=np.float64))
            count += counted.size
    return total / max(1, count)


def site_precision(predictor: StructurePredictor, regions: Sequence[ValidationRegion]) -> dict[str, float]:
    """Average precision of donors and acceptors on the longest region, both strands."""
    region = max(regions, key=lambda region: region.bases.size)
    predictor.set_species(region.species, region.lineage)
    scores = np.stack(predictor.site_probabilities(region.bases))
    found = score_sites(scores, annotated_sites(region.genes, region.name, region.bases.size))
    return {kind: score.average_precision for kind, score in found.items()}


def decoded_regions(decoded: Sequence[Decoded]) -> list[DecodedRegion]:
    """The same for the decoder."""
    return [DecodedRegion(d.region.bases, d.plus, d.minus, d.region.genes, d.region.mask) for d in decoded]
