"""Source files, local or remote, with checked content: nothing half-fetched is ever used.

A source is a mapping with exactly one of ``path`` and ``url`` and, optionally, ``sha256`` or ``md5`` of the file as it
is served.  URLs may be http, https, ftp and file.
"""

from __future__ import annotations

import hashlib
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from phytoscribe import __version__
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path, open_text

log = logging.getLogger(__name__)

Source = Mapping[str, str]

ATTEMPTS = 4
FIRST_WAIT_SECONDS = 2.0
TIMEOUT_SECONDS = 60.0
_BLOCK = 1 << 20
#: HTTP answers after which another attempt makes sense.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class Truncated(OSError):
    """A download ended before the length that the server had announced."""


@contextmanager
def local_copy(source: Source, beside: str | Path, wait: Callable[[float], None] = time.sleep) -> Iterator[Path]:
    """A local path with the checked content of a source, for the length of the block.

    A local file is used where it lies.  A URL is fetched to a temporary file in the folder of ``beside`` (the output to
    be: no full ``/tmp`` can break it), which is removed at the end.

    Raises:
        PhytoScribeError: the file is missing, cannot be fetched, or has another checksum.
    """
    if "path" in source:
        path = Path(source["path"])
        if not path.is_file():
            raise PhytoScribeError(f"{path}: no such file; correct the path in the configuration")
        verify(path, source, str(path))
        yield path
        return
    target = Path(beside)
    target.parent.mkdir(parents=True, exist_ok=True)
    fetched = target.with_name(f".{target.name}.fetched")
    try:
        fetch(source["url"], fetched, wait=wait)
        verify(fetched, source, source["url"])
        yield fetched
    finally:
        fetched.unlink(missing_ok=True)


def verify(path: Path, source: Source, shown: str) -> None:
    """Compare a file with the source's ``sha256`` and ``md5``, where given; any difference is an error."""
    for method in ("sha256", "md5"):
        expected = source.get(method, "").lower()
        if expected:
            with path.open("rb") as handle:
                found = hashlib.file_digest(handle, method).hexdigest()
            if found != expected:
                raise PhytoScribeError(
                    f"{shown}: the {method} is {found}, the configuration expects {expected}; "
                    "the file was changed or damaged: get it again, or correct the checksum"
                )
            log.info("%s: %s as expected", shown, method)


def fetch(url: str, target: Path, attempts: int = ATTEMPTS, wait: Callable[[float], None] = time.sleep) -> None:
    """Download ``url`` to ``target``, which appears only when all announced bytes have arrived.

    Broken connections, truncated bodies and passing server errors are tried again, with doubled waits.

    Raises:
        PhytoScribeError: the address does not exist or refuses, or every attempt failed.
    """
    for attempt in range(1, attempts + 1):
        try:
            with atomic_path(target) as temporary:
                size = _download(url, temporary)
            log.info("%s: fetched, %d bytes", url, size)
            return
        except (OSError, HTTPException) as error:  # URLError, timeouts and Truncated are OSErrors
            passing = not isinstance(error, urllib.error.HTTPError) or error.code in _PASSING
            if not passing or attempt == attempts or _is_final(error):
                raise PhytoScribeError(
                    f"{url}: could not be downloaded after {attempt} attempt(s): {error}; check the address and the "
                    "network, or download the file yourself and give its `path`"
                ) from error
            pause = FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
            log.warning("%s: attempt %d failed (%s); again in %.0f s", url, attempt, error, pause)
            wait(pause)


def _is_final(error: Exception) -> bool:
    """True where another attempt cannot help: a ``file:`` URL without its file, a full disk."""
    cause = getattr(error, "reason", error)
    return isinstance(cause, FileNotFoundError | PermissionError) or getattr(cause, "errno", None) == 28


def _download(url: str, target: Path) -> int:
    request = urllib.request.Request(url, headers={"User-Agent": f"PhytoScribe/{__version__}"})
    received = 0
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer, target.open("wb") as out:
        announced = answer.headers.get("Content-Length")
        while block := answer.read(_BLOCK):
            out.write(block)
            received += len(block)
    if announced is not None and announced.isdecimal() and received != int(announced):
        raise Truncated(f"{received} of {announced} bytes arrived")
    return received


def copy_text(source: Path, target: str | Path) -> int:
    """Copy a plain or gzipped text file to plain UTF-8 text; the number of lines.

    Raises:
        PhytoScribeError: the source is no text, or a truncated gzip file.
    """
    count = 0
    with atomic_path(target) as temporary, open_text(source) as lines, temporary.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(line)
            count += 1
    log.info("%s: %d lines", target, count)
    return count
