"""A contig in pieces, and a pool that takes the steps of its decoding in any order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise

import numpy as np

Contig = tuple[np.ndarray, np.ndarray, np.ndarray]
#: So that short contigs have several blocks.
CUT_OFTEN = {"LONG_BLOCK": 600, "IGNORED": ((0, -1.0),), "STILL_OPEN": 0.0}


def parts_of(contig: Contig, cuts: list[int]) -> list[Contig]:
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < contig[0].size}), contig[0].size]
    return [tuple(values[a:b] for values in contig) for a, b in pairwise(edges)]


class AnyOrder:
    """Stands for a pool of threads: of all steps that could be taken, one is drawn."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._steps: list[tuple[Future, Callable, tuple[Future, ...]]] = []

    def after(self, function: Callable, *needed: Future) -> Future:
        future: Future = Future()
        self._steps.append((future, function, needed))
        return future

    def run(self) -> None:
        while ready := [step for step in self._steps if all(future.done() for future in step[2])]:
            step = ready[self._generator.integers(len(ready))]
            self._steps.remove(step)
            future, function, needed = step
            future.set_result(function(*(one.result() for one in needed)))
        assert not self._steps
