"""Files from HTTP and HTTPS servers: whole, or the part that is still missing."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from itertools import chain

import requests

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.answers import Refused, answer, blocks, named, raise_for
from phytoscribe.intake.transfer.content import HEAD_BYTES, refuse_pages
from phytoscribe.intake.transfer.partial import Partial, Unusable, wrong_size
from phytoscribe.intake.transfer.progress import watched
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings

log = logging.getLogger(__name__)

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


def download_http(url: str, partial: Partial, settings: TransferSettings, headers: Mapping[str, str]) -> None:
    """One attempt to complete ``partial``, from what has arrived where the server allows it.

    Raises:
        Interrupted: the line broke, or the server asks to come again.
        DownloadError: the server refuses, or sends something else than the file.
    """
    if partial.can_resume():
        if _resume(url, partial, settings, headers):
            return
        log.info("%s: the file has changed on the server; beginning anew", partial.shown)
    elif partial.arrived:
        log.info("%s: what has arrived cannot be told from another version of the file; beginning anew", partial.shown)
    _from_zero(url, partial, settings, headers)


def _resume(url: str, partial: Partial, settings: TransferSettings, headers: Mapping[str, str]) -> bool:
    """Fetch the rest; False if the server has another file now."""
    arrived = partial.arrived
    wanted = {**headers, "Range": f"bytes={arrived}-"}
    if partial.validator:
        wanted["If-Range"] = partial.validator
    with answer(url, settings, wanted, partial.shown) as got:
        if got.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # All of it had arrived already, if a checksum says so; or the file is shorter now.
            return got.headers.get("Content-Range") == f"bytes */{arrived}" and bool(partial.expected.checksums())
        raise_for(got, partial.shown)
        if got.status_code != HTTPStatus.PARTIAL_CONTENT:
            log.info("%s: the server sends the whole file, not the rest", partial.shown)
            _receive_whole(got, partial, settings)
            return True
        place = _CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", ""))
        if place is None or int(place[1]) != arrived:
            return False
        size = None if place[3] == "*" else int(place[3])
        if _differ(size, partial.size) or _differ(_validator(got), partial.validator):
            return False
        partial.require_room((size or arrived) - arrived)
        log.info("%s: going on from byte %d", partial.shown, arrived)
        partial.learn_size(size)
        partial.append(watched(blocks(got), settings.timeout_seconds))
        _require_end(got, partial)
    return True


def _from_zero(url: str, partial: Partial, settings: TransferSettings, headers: Mapping[str, str]) -> None:
    with answer(url, settings, headers, partial.shown) as got:
        raise_for(got, partial.shown)
        if got.status_code != HTTPStatus.OK:
            raise Refused(f"{partial.shown}: unexpected answer {named(got.status_code)}", got.status_code)
        _receive_whole(got, partial, settings)


def _receive_whole(got: requests.Response, partial: Partial, settings: TransferSettings) -> None:
    """Take a whole file in; what had arrived before is given up only when the new bytes look right."""
    size, encoding = _announced(got), _encoded(got)
    if encoding not in ("", "gzip", "x-gzip"):
        raise DownloadError(
            f"{partial.shown}: the server compresses the file by {encoding} on the way, though asked not to; "
            "download the file yourself and give its `path`"
        )
    if encoding:
        log.warning("%s: the server marks the file as compressed on the way; it is kept as it comes", partial.shown)
    incoming = watched(blocks(got), settings.timeout_seconds)
    head = b""
    for block in incoming:
        head += block
        if len(head) >= HEAD_BYTES:
            break
    refuse_pages(head, got.headers.get("Content-Type", ""), partial.shown)
    expected = partial.expected.size
    if size is not None and expected is not None and size != expected:
        raise Unusable(wrong_size(partial.shown, size, expected))
    partial.begin(size, _validator(got))
    if size is None and expected is None:
        log.warning("%s: the server does not say how long the file is", partial.shown)
    partial.append(chain([head], incoming))
    _require_end(got, partial)


def _require_end(got: requests.Response, partial: Partial) -> None:
    """Raise if the body ended too early; one in chunks says itself where it ends."""
    whole = partial.size
    if whole is None and "Transfer-Encoding" not in got.headers:
        whole = partial.expected.size
    if whole is not None and partial.arrived < whole:
        raise Interrupted(f"the connection ended after {partial.arrived} of {whole} bytes")


def _announced(got: requests.Response) -> int | None:
    known = re.fullmatch(r"\d{1,18}", got.headers.get("Content-Length", ""))
    return int(known[0]) if known and "Transfer-Encoding" not in got.headers else None


def _encoded(got: requests.Response) -> str:
    encoding = got.headers.get("Content-Encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


def _validator(got: requests.Response) -> str | None:
    """The strongest name that the answer gives this version of the file; a weak ETag does not promise equal bytes."""
    etag = got.headers.get("ETag", "").strip()
    return etag if etag.startswith('"') else got.headers.get("Last-Modified")


def _differ(one: object | None, other: object | None) -> bool:
    return one is not None and other is not None and one != other
