"""Lines about a running transfer in the log, and the watch for lines that have gone nearly dead."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator

from phytoscribe.intake.transfer.retries import Interrupted

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 5.0
#: A connection that brings less than this within the time-out is as good as broken.
LEAST_BYTES_PER_TIMEOUT = 1000

_MB = 1e6


class Progress:
    """Says now and then how much of a file has arrived, how fast, and how long the rest will take."""

    def __init__(self, shown: str, arrived: int, total: int | None, clock: Callable[[], float] = time.monotonic):
        self._shown, self._total, self._clock = shown, total, clock
        self._first, self._begin = arrived, clock()
        self._last_line = self._begin

    def update(self, arrived: int) -> None:
        """Tell that ``arrived`` bytes of the whole file are there; logs at most every few seconds."""
        now = self._clock()
        if now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        speed = (arrived - self._first) / (now - self._begin)
        of_total = f" of {self._total / _MB:,.1f}" if self._total else ""
        left = f", {_minutes((self._total - arrived) / speed)} left" if self._total and speed > 0 else ""
        log.info("%s: %.1f%s MB, %.2f MB/s%s", self._shown, arrived / _MB, of_total, speed / _MB, left)


def watched(
    blocks: Iterable[bytes], timeout_seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """Pass blocks on; raise where they trickle so slowly that the socket's own time-out never strikes.

    Raises:
        Interrupted: fewer than :data:`LEAST_BYTES_PER_TIMEOUT` bytes came within the time-out.
    """
    begin, received = clock(), 0
    for block in blocks:
        yield block
        received += len(block)
        now = clock()
        if now - begin >= timeout_seconds:
            if received < LEAST_BYTES_PER_TIMEOUT:
                raise Interrupted(f"only {received} bytes came in {now - begin:.0f} s")
            begin, received = now, 0


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
