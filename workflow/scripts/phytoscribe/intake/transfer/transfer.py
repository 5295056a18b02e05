"""Downloads that survive broken lines, killed processes and changing servers, and never leave a half-fetched file.

A file arrives as ``.NAME.part`` beside its target and takes its name when it is complete and checked.  Whatever
interrupts a transfer (a broken line, Ctrl-C, ``kill -9``), the next call goes on where it ended; if the file has
changed on the server meanwhile, it begins anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.request import url2pathname

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden, shown_url, split_url
from phytoscribe.intake.transfer.ftp import download_ftp
from phytoscribe.intake.transfer.locking import alone
from phytoscribe.intake.transfer.partial import Expected, Partial
from phytoscribe.intake.transfer.retries import TransferSettings, Unusable, insist
from phytoscribe.intake.transfer.web import download_http

__all__ = ["Expected", "TransferSettings", "fetch"]

log = logging.getLogger(__name__)


def fetch(
    url: str,
    target: str | Path,
    expected: Expected = Expected(),  # noqa: B008 (frozen)
    settings: TransferSettings = TransferSettings(),  # noqa: B008 (frozen)
    token: Hidden | None = None,
    wait: Callable[[float], None] = time.sleep,
    name: str = "",
) -> None:
    """Download ``url`` to ``target``, which appears only when it is complete and checked.

    Two processes that fetch the same target take turns: the second finds the file, or goes on where the first died.

    After an error nothing is left but bytes that the next call can go on from: they stay after broken lines, refusals
    that a login can resolve, and full disks, and go if they are wrong or the server no longer has the file.

    Args:
        url: http, https, ftp or file; user and password in it are used and never shown.
        target: the file; its folder is made.
        expected: size and checksums of the file as it is served, where known.
        settings: patience.
        token: for http(s); sent to the URL's own server alone, not to one that it redirects to.
        wait: called with the seconds to wait between attempts.
        name: what messages call the file, where the address says little.

    Raises:
        DownloadError: the file cannot be had, or is not what is expected.
    """
    scheme = split_url(url).scheme
    target = Path(target)
    partial = Partial(url, target, expected, f"{name} ({shown_url(url)})" if name else "")
    before = _version(target)

    def attempt() -> None:
        if scheme == "ftp":
            download_ftp(url, partial, settings)
        else:
            download_http(url, partial, settings, token)

    def complete() -> None:
        if scheme == "file":
            _copy(url, partial)
        elif not partial.arrived or partial.arrived != partial.size:
            insist(attempt, partial.shown, settings, wait, lambda: partial.arrived)

    with alone(partial.lock_path, partial.shown):
        if _version(target) not in (None, before) and not partial.problem(target):
            log.info("%s: another process has just fetched %s", partial.shown, target)
            return
        partial.open_or_restart()
        try:
            _complete_and_check(complete, partial)
        except Unusable:
            partial.discard()
            raise
        finally:
            if not partial.arrived:
                partial.discard()


def _complete_and_check(complete: Callable[[], None], partial: Partial) -> None:
    """Complete, check and name the file; one that was fetched in pieces and turns out wrong is fetched once more."""
    complete()
    problem = partial.problem()
    if problem and partial.in_pieces:
        log.warning("%s; it was fetched in pieces: fetching it anew", problem)
        partial.discard()
        complete()
        problem = partial.problem()
    if problem:
        raise Unusable(problem)
    log.info("%s: fetched, %d bytes", partial.shown, partial.arrived)
    partial.finish()


def _copy(url: str, partial: Partial) -> None:
    """Fetch a ``file:`` URL; a local disk needs no second attempt and no resuming."""
    parts = split_url(url)
    if parts.netloc not in ("", "localhost"):
        raise DownloadError(f"{partial.shown}: a file address of another machine; use file:///path, or `path`")
    source = Path(url2pathname(parts.path))
    try:
        with source.open("rb") as handle:
            partial.replace(iter(lambda: handle.read(1 << 20), b""), source.stat().st_size, None)
    except OSError as error:
        raise DownloadError(f"{partial.shown}: cannot be read ({error.strerror}); check the address") from error


def _version(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever a file is replaced; None if there is none, or none can be."""
    with suppress(OSError):
        stat = path.stat()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
    return None
