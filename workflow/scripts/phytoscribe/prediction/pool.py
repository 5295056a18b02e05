"""Threads that compute windows and decode genes: each takes one core, and results do not depend on their number.

PyTorch divides a sum among the threads of one operation, so that its rounding follows their number.  Here every
operation runs on one thread and different windows on different ones; that is also faster on processors.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch

Task = TypeVar("Task")
Result = TypeVar("Result")


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
