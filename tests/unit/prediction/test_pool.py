"""Steps that wait for others without holding a thread."""

from __future__ import annotations

import gc
import time
import weakref
from concurrent.futures import Future

import numpy as np
import pytest

from phytoscribe.prediction.pool import after, single_core_threads


def test_a_step_begins_once_all_it_needs_is_there():
    with single_core_threads(1) as pool:
        first: Future = Future()
        second = after(pool, lambda: 2)
        total = after(pool, lambda *values: sum(values), first, second, first)
        # The one thread is free for other work meanwhile.
        assert after(pool, lambda: "free").result(10) == "free"
        assert not total.done()
        first.set_result(20)
        assert total.result(10) == 42


def test_the_error_of_one_step_is_that_of_all_behind_it():
    def fail() -> None:
        raise ValueError("no")

    with single_core_threads(2) as pool:
        last = after(pool, lambda *_: 1, after(pool, lambda _: 1, after(pool, fail)), after(pool, lambda: 1))
        with pytest.raises(ValueError, match="no"):
            last.result(10)


def test_a_step_whose_pool_has_closed_says_so():
    first: Future = Future()
    with single_core_threads(1) as pool:
        second = after(pool, lambda _: 1, first)
    first.set_result(1)
    with pytest.raises(RuntimeError, match="shutdown"):
        second.result(10)


def test_what_has_been_used_is_freed_at_once():
    """A chain of steps over a genome would otherwise keep every table until Python looks for cycles."""
    gc.disable()
    try:
        with single_core_threads(1) as pool:
            made = after(pool, lambda: np.zeros(10))
            kept = weakref.ref(made.result(10))
            chain = after(pool, lambda array, *_: array.sum(), made)
            for _ in range(5):
                chain = after(pool, lambda *_: 0, chain)
            assert chain.result(10) == 0
            del made
            for _ in range(100):
                if kept() is None:
                    break
                time.sleep(0.01)
            assert kept() is None
    finally:
        gc.enable()
