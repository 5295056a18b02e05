"""Rankers of isoforms that nobody has trained."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from phytoscribe.decoding.isoform_features import FEATURES
from phytoscribe.decoding.isoform_ranker import IsoformRanker
from phytoscribe.decoding.isoforms import CUTS_FILE


def random_ranker(seed: int = 3) -> IsoformRanker:
    """One whose probabilities differ from candidate to candidate."""
    generator = np.random.default_rng(seed)
    sizes = (FEATURES, 8, 8, 1)
    layers = tuple((generator.normal(0, 0.4, (b, a)), generator.normal(0, 0.4, b)) for a, b in pairwise(sizes))
    return IsoformRanker(np.zeros(FEATURES), np.full(FEATURES, 4.0), layers, slope=0.8, offset=-0.1)


def write_ranker(folder: Path, cut: float, **more: str) -> None:
    """The files of a random ranker, with this cut and whatever else ``isoforms.json`` shall say."""
    random_ranker().save(folder)
    (folder / CUTS_FILE).write_text(json.dumps({"minimum_probability": {"ranked": cut}, **more}))
