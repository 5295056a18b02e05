"""Rankers of isoforms that nobody has trained."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from phytoscribe.decoding.isoform_features import DNA_FEATURES, FEATURES
from phytoscribe.decoding.isoform_ranker import RANKED, RANKED_WITH_READS, IsoformRanker, save_rankers
from phytoscribe.decoding.isoforms import CUTS_FILE


def random_ranker(seed: int = 3, features: int = DNA_FEATURES) -> IsoformRanker:
    """One whose probabilities differ from candidate to candidate."""
    generator = np.random.default_rng(seed)
    sizes = (features, 8, 8, 1)
    layers = tuple((generator.normal(0, 0.4, (b, a)), generator.normal(0, 0.4, b)) for a, b in pairwise(sizes))
    return IsoformRanker(np.zeros(features), np.full(features, 4.0), layers, slope=0.8, offset=-0.1)


def write_ranker(folder: Path, cut: float, **more: str) -> None:
    """The files of random rankers of both kinds, with this cut and whatever else ``isoforms.json`` shall say."""
    rankers = {RANKED: random_ranker(), RANKED_WITH_READS: random_ranker(features=FEATURES)}
    save_rankers(rankers, folder)
    (folder / CUTS_FILE).write_text(json.dumps({"minimum_probability": dict.fromkeys(rankers, cut), **more}))
