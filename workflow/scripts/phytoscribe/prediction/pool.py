"""Threads that compute windows and decode genes, and the memory that they share.

Each thread takes one core, and results do not depend on their number.  PyTorch divides a sum among the threads of one
operation, so that its rounding follows their number.  Here every operation runs on one thread and different windows on
different ones; that is also faster on processors.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch

Task = TypeVar("Task")
Result = TypeVar("Result")
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: More than any array of a window; glibc before 2.35 refuses a larger threshold.
_LARGE = 1 << 25


@contextmanager
def single_core_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of ``count`` threads on each of which PyTorch uses one core."""
    before = torch.get_num_threads()
    with ThreadPoolExecutor(count, "phytoscribe", initializer=lambda: torch.set_num_threads(1)) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
            # What a thread sets holds for some of PyTorch's libraries as a whole.
            torch.set_num_threads(before)


class InOrder(Generic[Task, Result]):
    """Runs tasks in a pool one after the other, in the order given, without occupying a thread in between."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[[Task], Result]) -> None:
        self._pool = pool
        self._function = function
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Task, Future[Result]]] = deque()
        self._running = False

    def submit(self, task: Task) -> Future[Result]:
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.append((task, future))
            start = not self._running
            self._running = True
        if start:
            self._pool.submit(self._work)
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return
                task, future = self._waiting.popleft()
            try:
                future.set_result(self._function(task))
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
                future.set_exception(error)


class FreedMemory:
    """Keeps freed memory for the next arrays, and gives it back now and then; for glibc, elsewhere nothing happens.

    By default every large tensor is fresh memory of the kernel, page by page and zeroed: a fifth of the time of the
    network on processors.  Without giving back, gaps between arrays would add up over a long genome.  And all threads
    share what has been freed: by default each has a heap of its own, and as contigs and windows move from one thread to
    another, every heap grows as large as the largest thing that ever was in it.

    To be made before the threads are: those that have begun to use a heap of their own keep it.
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
        """To be called after each batch of windows."""
        self._calls += 1
        if self._trim is not None and self._calls % self.INTERVAL == 0:
            self._trim(0)
