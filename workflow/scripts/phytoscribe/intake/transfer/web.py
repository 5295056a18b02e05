"""Files and lists from HTTP and HTTPS servers: whole, or the part of a file that is still missing."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden, shown_url
from phytoscribe.intake.transfer.content import HEAD_BYTES, error_text, refuse_pages
from phytoscribe.intake.transfer.curl import Answer, ask
from phytoscribe.intake.transfer.partial import Partial
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings, Unusable, retry_after_seconds

log = logging.getLogger(__name__)

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_MOST_ANSWER_BYTES = 64 << 20
_PASSING = frozenset({408, 425, 429})
_ADVICE = {
    400: "the server does not understand the request; correct the address",
    401: "it needs a login, or the login is wrong or has expired",
    403: "access is not allowed: a login is missing, or the terms of use have not been accepted",
    404: "there is no such file; correct the address",
    407: "the proxy of your network needs a login; correct the proxy settings",
    410: "the file is no longer there; look for its new address",
}


class Refused(DownloadError):
    """The server answered with a status that no repetition changes.

    Attributes:
        status: the HTTP status.
        said: the reason that the server gives, one line; "" if it gives none.
    """

    def __init__(self, message: str, status: int, said: str = ""):
        super().__init__(message)
        self.status, self.said = status, said


class Gone(Refused, Unusable):
    """The server does not have the file (any more): what has arrived of it cannot be completed."""


def request_json(
    url: str, settings: TransferSettings, token: Hidden | None = None, body: Mapping[str, Any] | None = None
) -> Any:
    """One attempt at a JSON answer, to a GET or, with a body, to a POST.

    Raises:
        Interrupted: the line broke, or the server asks to come again.
        DownloadError: the server refuses, or answers something else than JSON.
    """
    shown = shown_url(url)
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body is not None else {})
    content = b""
    with ask(url, settings, shown, headers, token, None if body is None else json.dumps(body)) as got:
        _require_success(got, shown)
        for block in got.blocks:
            content += block
            if len(content) > _MOST_ANSWER_BYTES:
                raise DownloadError(f"{shown}: the answer is far too long for a list of files; check the address")
        with suppress(ValueError, RecursionError):
            return json.loads(content)
        refuse_pages(content[:HEAD_BYTES], got.headers.get("Content-Type", ""), shown)
        raise DownloadError(f"{shown}: the answer is no JSON; check the address, or try again later")


def download_http(url: str, partial: Partial, settings: TransferSettings, token: Hidden | None) -> None:
    """One attempt to complete ``partial``, from what has arrived where the server allows it.

    Raises:
        Interrupted: the line broke, or the server asks to come again.
        DownloadError: the server refuses, or sends something else than the file.
    """
    arrived = partial.arrived
    if partial.can_resume():
        headers = {"Range": f"bytes={arrived}-"} | ({"If-Range": partial.validator} if partial.validator else {})
        with ask(url, settings, partial.shown, headers, token) as got:
            if got.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                # All of it had arrived already, if a checksum says so; or the file is shorter now.
                if got.headers.get("Content-Range") == f"bytes */{arrived}" and partial.expected.checksums():
                    return
            elif _receive(got, partial):
                return
        log.info("%s: the file has changed on the server; beginning anew", partial.shown)
    elif arrived:
        log.info("%s: nothing shows that what has arrived is of the same file; beginning anew", partial.shown)
    with ask(url, settings, partial.shown, {}, token) as got:
        if got.status == HTTPStatus.PARTIAL_CONTENT:
            raise Refused(f"{partial.shown}: unexpected answer {_named(got.status)}", got.status)
        _receive(got, partial)


def _receive(got: Answer, partial: Partial) -> bool:
    """Take in the rest of a file, or all of it; False if the rest is that of another file."""
    _require_success(got, partial.shown)
    if got.status == HTTPStatus.PARTIAL_CONTENT:
        place = _CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", ""))
        if place is None or int(place[1]) != partial.arrived:
            return False
        size = None if place[3] == "*" else int(place[3])
        if _differ(size, partial.size) or _differ(_validator(got.headers), partial.validator):
            return False
        partial.append(got.blocks, size)
    else:
        _receive_whole(got, partial)
    # A body in chunks says itself where it ends.
    whole = partial.size or (None if "Transfer-Encoding" in got.headers else partial.expected.size)
    if whole is not None and partial.arrived < whole:
        raise Interrupted(f"the connection ended after {partial.arrived} of {whole} bytes")
    return True


def _receive_whole(got: Answer, partial: Partial) -> None:
    """Take a whole file in; what had arrived before is given up only when the new bytes look right."""
    encoding = got.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise DownloadError(
            f"{partial.shown}: the server compresses the file by {encoding} on the way, though asked not to; "
            "download the file yourself and give its `path`"
        )
    if "gzip" in encoding:
        log.warning("%s: the server marks the file as compressed on the way; it is kept as it comes", partial.shown)
    known = re.fullmatch(r"\d{1,18}", got.headers.get("Content-Length", ""))
    size = int(known[0]) if known and "Transfer-Encoding" not in got.headers else None
    if size is None and partial.expected.size is None:
        log.warning("%s: the server does not say how long the file is", partial.shown)
    partial.replace(got.blocks, size, _validator(got.headers), got.headers.get("Content-Type", ""))


def _require_success(got: Answer, shown: str) -> None:
    """Raise for every status that is no success."""
    status = got.status
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    if status in _PASSING or status >= 500:
        wait = retry_after_seconds(got.headers.get("Retry-After"), got.headers.get("Date"))
        raise Interrupted(f"the server answered {_named(status)}", wait)
    if 300 <= status < 400:
        raise Refused(f"{shown}: the server sends the request elsewhere; check the address", status)
    if status < 400:
        raise Refused(f"{shown}: unexpected answer {_named(status)}", status)
    said = _reason(got)
    kind = Gone if status in (400, 404, 410) else Refused
    reason = f" ({said})" if said else ""
    advice = _ADVICE.get(status, "check the address")
    raise kind(f"{shown}: the server answered {_named(status)}{reason}: {advice}", status, said)


def _reason(got: Answer) -> str:
    """What the refusal's body says, in one line."""
    body = b""
    with suppress(Interrupted):
        for block in got.blocks:
            body += block
            if len(body) >= 10_000:
                break
    return error_text(body)


def _named(status: int) -> str:
    """``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _validator(headers: Mapping[str, str]) -> str | None:
    """The strongest name that the answer gives this version of the file; a weak ETag does not promise equal bytes."""
    etag = headers.get("ETag", "").strip()
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def _differ(one: object | None, other: object | None) -> bool:
    return one is not None and other is not None and one != other
