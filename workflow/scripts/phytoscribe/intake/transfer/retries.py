"""When to retry a broken transfer, how long to wait, and when to give up.

Waits double with each failure and are not random: two runs with the same failures wait equally long.  A server's
``Retry-After`` replaces the computed wait.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

from phytoscribe.errors import DownloadError

log = logging.getLogger(__name__)

T = TypeVar("T")

#: An attempt that brings at least this many bytes more than all before it is not counted as failed.
WORTHWHILE_BYTES = 1 << 20
#: Wait after the first failure; each further one doubles it.
FIRST_WAIT_SECONDS = 2.0


@dataclass(frozen=True)
class TransferSettings:
    """How patient a transfer is.

    Attributes:
        attempts: consecutive attempts that may fail without real progress.
        timeout_seconds: time without a byte (or nearly without) after which a connection is broken.
        longest_wait_seconds: longest wait; a server that asks for more ends the transfer.
    """

    attempts: int = 5
    timeout_seconds: float = 60.0
    longest_wait_seconds: float = 300.0


class Interrupted(Exception):
    """A transfer broke in a way that another attempt can fix.

    Attributes:
        retry_after: seconds that the server asks to wait, if it does.
    """

    def __init__(self, reason: str, retry_after: float | None = None):
        super().__init__(reason)
        self.retry_after = retry_after


class Unusable(DownloadError):
    """The arrived bytes can never be used: the file is wrong, or the server no longer has it."""


def insist(
    attempt: Callable[[], T],
    shown: str,
    settings: TransferSettings,
    wait: Callable[[float], None],
    arrived: Callable[[], int] = lambda: 0,
) -> T:
    """Call ``attempt`` until it returns, with waits after each :class:`Interrupted`.

    A large file must arrive over a connection that breaks every few minutes, but a server that sends one byte per
    connection must not be asked for ever.  An attempt therefore counts as failed unless ``arrived()``, the bytes so
    far, exceeds its previous maximum by :data:`WORTHWHILE_BYTES`.  A server without range support that sends the same
    first half again and again makes no progress.

    Raises:
        DownloadError: too many failures in a row, or the server asks for a longer wait than the settings allow.
    """
    failures, most = 0, arrived()
    while True:
        try:
            return attempt()
        except Interrupted as failure:
            reason, retry_after = str(failure), failure.retry_after
        failures, at_hand = failures + 1, arrived()
        if at_hand - most >= WORTHWHILE_BYTES:
            failures, most = 0, at_hand
        kept = f" (the {at_hand:,} bytes that have arrived are kept and will not be fetched again)" if at_hand else ""
        if retry_after is not None and retry_after > settings.longest_wait_seconds:
            moment = datetime.now().astimezone() + timedelta(seconds=min(retry_after, 1e9))
            raise DownloadError(
                f"{shown}: {reason}, and asks to come back in {_duration(retry_after)}, "
                f"at {moment.isoformat(sep=' ', timespec='minutes')}; run the same command again then{kept}"
            )
        if failures >= settings.attempts:
            raise DownloadError(
                f"{shown}: could not be downloaded: {failures} attempt(s) in a row failed, the last one because "
                f"{reason}; check the address and the network, then run the same command again{kept}"
            )
        pause = retry_after or min(FIRST_WAIT_SECONDS * 2 ** max(failures - 1, 0), settings.longest_wait_seconds)
        said = " as the server asks" if retry_after else ""
        log.warning("%s: %s (%d bytes at hand); trying again in %s%s", shown, reason, at_hand, _duration(pause), said)
        wait(pause)


def retry_after_seconds(value: str | None, date: str | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for; None if it is missing or invalid.

    Args:
        value: the header: whole seconds, or an HTTP date.
        date: the answer's ``Date`` header: it makes the result independent of wrong clocks; if it is missing or
            invalid, this machine's clock is used.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    until = _http_date(text)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(date or "") or datetime.now(UTC))).total_seconds())


def _http_date(text: str) -> datetime | None:
    """The time in a header, taken as UTC if it has no zone; None if it is not a date."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
