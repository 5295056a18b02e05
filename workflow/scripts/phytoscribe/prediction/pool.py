"""Threads that compute windows and decode genes, and their shared memory.

Each thread uses one core, and results do not depend on the number of threads.  PyTorch divides sums among the threads
of one operation, so its rounding depends on their number.  Here every operation runs on one thread, and different
windows on different threads, which is also faster on CPUs.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: More than any array of a window; glibc before 2.35 refuses a larger threshold.
_LARGE = 1 << 25


@contextmanager
def single_core_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of ``count`` threads, each of which gives PyTorch one core."""
    before = torch.get_num_threads()
    with ThreadPoolExecutor(count, "phytoscribe", initializer=lambda: torch.set_num_threads(1)) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
            # What a thread sets holds for some of PyTorch's libraries as a whole.
            torch.set_num_threads(before)


class _Step:
    """A call that waits for the results of others."""

    def __init__(
        self, pool: ThreadPoolExecutor, function: Callable[..., Any], needed: tuple[Future, ...], future: Future[Any]
    ) -> None:
        self._pool, self._function, self._needed, self._future = pool, function, needed, future
        self._lock = threading.Lock()
        self._missing = 1 + len(needed)
        for one in needed:
            one.add_done_callback(self._one_is_there)
        self._one_is_there()

    def _one_is_there(self, _: Future | None = None) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing:
                return
        try:
            self._pool.submit(self._run)
        except RuntimeError as error:  # the pool has been closed
            self._future.set_exception(error)

    def _run(self) -> None:
        function, needed, future = self._function, self._needed, self._future
        # The futures that were needed keep this step, and it must not keep what they hold.
        del self._function, self._needed, self._future
        try:
            future.set_result(function(*(one.result() for one in needed)))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)


def after(pool: ThreadPoolExecutor, function: Callable[..., Result], *needed: Future) -> Future[Result]:
    """Call a function in the pool once all futures it needs are done, with their results; no thread waits for them.

    An error of one of them is that of the returned future too.
    """
    future: Future[Result] = Future()
    _Step(pool, function, needed, future)
    return future


class FreedMemory:
    """Keeps freed memory for the next arrays and returns it from time to time (glibc only; elsewhere it does nothing).

    By default every large tensor gets fresh, zeroed pages from the kernel, which takes a fifth of the network's time on
    CPUs.  If memory were never returned, gaps between arrays would add up over a long genome.  All threads share the
    freed memory: by default each has its own heap, and as contigs and windows move between threads, every heap grows to
    the size of the largest object it ever held.

    Create it before the threads, because a thread that already uses its own heap keeps it.
    """

    #: Calls of :meth:`tidy` between two times that memory is given back.
    INTERVAL = 16

    def __init__(self) -> None:
        self._trim = None
        self._calls = 0
        if not sys.platform.startswith("linux"):
            return
        library = ctypes.CDLL(None)
        if not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
            return
        options = ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, 1 << 30), (_MMAP_THRESHOLD, _LARGE))
        if all(library.mallopt(option, value) for option, value in options):
            self._trim = library.malloc_trim

    def tidy(self) -> None:
        """Call this after each batch of windows."""
        self._calls += 1
        if self._trim is not None and self._calls % self.INTERVAL == 0:
            self._trim(0)
