"""Downloads that survive broken connections, killed processes and changed files, and never leave an incomplete file.

A file is downloaded to ``.NAME.part`` beside its target and renamed when it is complete and checked.  Whatever
interrupts a transfer (a broken connection, Ctrl-C, ``kill -9``), the next call continues where it ended; if the file
has changed on the server, the download restarts.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.request import url2pathname

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden, shown_url, split_url
from phytoscribe.intake.transfer.answers import require_success
from phytoscribe.intake.transfer.curl import Answer, ask
from phytoscribe.intake.transfer.partial import Expected, Partial
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings, Unusable, insist

log = logging.getLogger(__name__)

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


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

    Only one process at a time may fetch a target; :func:`phytoscribe.intake.sources.local_copy` ensures this.

    After an error, only bytes that the next call can use are kept: after broken connections, full disks, and refusals
    that a login can resolve.  They are removed if they are wrong or the server no longer has the file.

    Args:
        url: http, https, ftp or file; user and password in it are used and never shown.
        target: the file; its folder is made.
        expected: size and checksums of the file as it is served, where known.
        settings: patience.
        token: for http(s); sent only to the URL's own server, not after a redirect to another.
        wait: called with the seconds to wait between attempts.
        name: name of the file in messages, if the address is not informative.

    Raises:
        DownloadError: the file cannot be fetched, or is not as expected.
    """
    scheme = split_url(url).scheme
    partial = Partial(url, Path(target), expected, f"{name} ({shown_url(url)})" if name else "")

    def complete() -> str:
        if scheme == "file":
            _copy(url, partial)
        elif not partial.arrived or partial.arrived != partial.size:
            attempt = lambda: _attempt(url, partial, settings, token)  # noqa: E731
            insist(attempt, partial.shown, settings, wait, lambda: partial.arrived)
        return partial.problem()

    partial.open_or_restart()
    try:
        problem = complete()
        if problem and partial.in_pieces:
            log.warning("%s; it was fetched in pieces: fetching it anew", problem)
            partial.discard()
            problem = complete()
        if problem:
            raise Unusable(problem)
        log.info("%s: fetched, %d bytes", partial.shown, partial.arrived)
        partial.finish()
    except Unusable:
        partial.discard()
        raise
    finally:
        if not partial.arrived:
            partial.discard()


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


def _attempt(url: str, partial: Partial, settings: TransferSettings, token: Hidden | None) -> None:
    """One attempt to complete ``partial``, from what has arrived where the server allows it.

    Raises:
        Interrupted: another attempt can help.
        DownloadError: none can.
    """
    arrived = partial.arrived
    # Without a validator or a checksum, a change of the file on the server could go unnoticed.
    if arrived and (partial.validator or partial.expected.checksums()):
        headers = {"Range": f"bytes={arrived}-"} | ({"If-Range": partial.validator} if partial.validator else {})
        with ask(url, settings, partial.shown, headers, token) as got:
            if got.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                is_done = _receive(got, partial)
            else:
                # There is no rest: all of it had arrived, if a checksum will say so, or the file is shorter now.
                is_whole = got.headers.get("Content-Range") == f"bytes */{arrived}"
                is_done = is_whole and bool(partial.expected.checksums())
            if is_done:
                return
    if arrived:
        log.info("%s: what has arrived may be of another version of the file; beginning anew", partial.shown)
    with ask(url, settings, partial.shown, {}, token) as got:
        if got.status == HTTPStatus.PARTIAL_CONTENT or not _receive(got, partial):
            raise DownloadError(f"{partial.shown}: the server sends a part when asked for all; check the address")


def _receive(got: Answer, partial: Partial) -> bool:
    """Receive the rest of a file, or all of it; False if the rest belongs to another file."""
    require_success(got, partial.shown)
    in_chunks = "Transfer-Encoding" in got.headers  # such a body says itself where it ends
    if got.status == HTTPStatus.PARTIAL_CONTENT:
        place = _CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", ""))
        if place is None or int(place[1]) != partial.arrived:
            return False
        size = None if place[3] == "*" else int(place[3])
        both = {size, partial.size}, {_validator(got.headers), partial.validator}
        if any(len(values - {None}) > 1 for values in both):
            return False
        partial.append(got.blocks, size)
    else:
        encoding = got.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise DownloadError(
                f"{partial.shown}: the server compresses the file by {encoding} on the way, though asked not to; "
                "download the file yourself and give its `path`"
            )
        if encoding.endswith("gzip"):
            log.warning("%s: the server marks the file as compressed on the way; it is kept as it comes", partial.shown)
        known = re.fullmatch(r"\d{1,18}", got.headers.get("Content-Length", ""))
        size = int(known[0]) if known and not in_chunks else None
        if size is None and partial.expected.size is None:
            log.warning("%s: the server does not say how long the file is", partial.shown)
        partial.replace(got.blocks, size, _validator(got.headers), got.headers.get("Content-Type", ""))
    whole = partial.size or (None if in_chunks else partial.expected.size)
    if whole is not None and partial.arrived < whole:
        raise Interrupted(f"the connection ended after {partial.arrived} of {whole} bytes")
    return True


def _validator(headers: Mapping[str, str]) -> str | None:
    """The strongest name that the answer gives this version of the file; a weak ETag does not promise equal bytes."""
    etag = headers.get("ETag", "").strip()
    return etag if etag.startswith('"') else headers.get("Last-Modified")
