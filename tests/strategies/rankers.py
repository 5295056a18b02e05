"""Rankers of isoforms that nobody has trained."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from phytoscribe.decoding.isoform_features import DNA_FEATURES
from phytoscribe.decoding.isoform_ranker import (
    RANKED,
    RANKED_WITH_READS,
    IsoformRanker,
    RankerWithReads,
    save_rankers,
)
from phytoscribe.decoding.isoform_reads import READ_FEATURES
from phytoscribe.models import RANKER_CUTS


def random_ranker(seed: int = 3, features: int = DNA_FEATURES) -> IsoformRanker:
    """One whose probabilities differ from candidate to candidate."""
    generator = np.random.default_rng(seed)
    sizes = (features, 8, 8, 1)
    layers = tuple((generator.normal(0, 0.4, (b, a)), generator.normal(0, 0.4, b)) for a, b in pairwise(sizes))
    return IsoformRanker(np.zeros(features), np.full(features, 4.0), layers, slope=0.8, offset=-0.1)


def random_ranker_with_reads() -> RankerWithReads:
    """The same for genomes with RNA-seq reads."""
    return RankerWithReads(random_ranker(), random_ranker(4, 1 + READ_FEATURES))


def write_ranker(folder: Path, cut: float, **more: str) -> None:
    """The files of random rankers of both kinds, with this cut and whatever else ``isoforms.json`` shall say."""
    rankers = {RANKED: random_ranker(), RANKED_WITH_READS: random_ranker(4, 1 + READ_FEATURES)}
    save_rankers(rankers, folder)
    (folder / RANKER_CUTS).write_text(json.dumps({"minimum_probability": dict.fromkeys(rankers, cut), **more}))
