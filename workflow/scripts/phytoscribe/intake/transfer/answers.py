"""Interpret server answers: JSON lists, refusals with their reasons, and web pages sent instead of files.

Servers send login pages, maintenance notes and error reports with status 200.  Nothing that PhytoScribe fetches
(FASTA, FASTQ, GFF3, GTF, plain or compressed) begins like HTML, XML or JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import responses
from typing import Any

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden, shown_url
from phytoscribe.intake.transfer.curl import Answer, ask
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings, Unusable, retry_after_seconds

#: So many bytes of a body are enough to tell what it is.
HEAD_BYTES = 512
#: A page of the listing has some 100 kB; a server that sends on and on must not fill the memory.
_MOST_ANSWER_BYTES = 64 << 20

_DATA = (b"\x1f\x8b", b"BZh", b">", b"@", b"##")
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<error")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
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
    """The server answered with a status that a retry cannot change.

    Attributes:
        status: the HTTP status.
        said: the reason that the server gives, one line; "" if it gives none.
    """

    def __init__(self, message: str, status: int, said: str = ""):
        super().__init__(message)
        self.status, self.said = status, said


def request_json(
    url: str,
    settings: TransferSettings,
    token: Hidden | None = None,
    body: Mapping[str, Any] | None = None,
    shown: str = "",
) -> Any:
    """One attempt at a JSON answer, to a GET or, with a body, to a POST.

    Args:
        shown: the address in messages; by default as :func:`shown_url` gives it.

    Raises:
        Interrupted: the connection broke, or the server asks for a retry.
        DownloadError: the server refuses, or the answer is not JSON or is too large for a list of files.
    """
    shown = shown or shown_url(url)
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body is not None else {})
    with ask(url, settings, shown, headers, token, None if body is None else json.dumps(body)) as got:
        require_success(got, shown)
        content = bytearray()
        for block in got.blocks:
            content += block
            if len(content) > _MOST_ANSWER_BYTES:
                raise DownloadError(f"{shown}: the answer is far too long for a list of files; check the address")
        with suppress(ValueError, RecursionError):
            return json.loads(content)
        refuse_pages(bytes(content[:HEAD_BYTES]), got.headers.get("Content-Type", ""), shown)
        raise DownloadError(f"{shown}: the answer is no JSON; check the address, or try again later")


def require_success(got: Answer, shown: str) -> None:
    """Raise an error for every status other than success.

    Raises:
        Interrupted: the server asks for a retry.
        Unusable: it does not have the file (any more).
        Refused: anything else.
    """
    status, named = got.status, f"{got.status} {responses.get(got.status, '')}".rstrip()
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    if status in _PASSING or status >= 500:
        wait = retry_after_seconds(got.headers.get("Retry-After"), got.headers.get("Date"))
        raise Interrupted(f"the server answered {named}", wait)
    if status < 400:
        what = f"unexpected answer {named}" if status < 300 else "the server sends the request elsewhere"
        raise Refused(f"{shown}: {what}; check the address", status)
    body = b""
    with suppress(Interrupted):
        while len(body) < 10_000 and (block := next(got.blocks, b"")):
            body += block
    said = error_text(body)
    reason = f" ({said})" if said else ""
    message = f"{shown}: the server answered {named}{reason}: {_ADVICE.get(status, 'check the address')}"
    raise Unusable(message) if status in (400, 404, 410) else Refused(message, status, said)


def refuse_pages(head: bytes, content_type: str, shown: str) -> None:
    """Raise if a body is a web page or an error report.

    Args:
        head: the body's first bytes, :data:`HEAD_BYTES` or the whole body.
        content_type: the answer's ``Content-Type``, or "".
        shown: the address as it may be shown.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = text[:HEAD_BYTES].lower()
    # A wrong Content-Type before true data is common; what the bytes say wins.
    if text.startswith(_DATA):
        return
    if lower.startswith(_PAGES) or "html" in content_type.lower():
        title = _TITLE.search(text.decode("utf-8", "replace"))
        titled = f' titled "{one_line(title[1])}"' if title else ""
        raise DownloadError(
            f"{shown}: the server sent a web page{titled} instead of the file: most likely a login or maintenance "
            "page, or the address of a page about the file; open the address in a browser and correct the URL"
        )
    if lower.startswith((b"{", b"[")) or "json" in content_type.lower():
        raise DownloadError(
            f"{shown}: the server sent a report instead of the file: {error_text(text) or 'no reason given'}; "
            "correct the address"
        )


def error_text(body: bytes) -> str:
    """The reason in a JSON (or plain text) error report, as one short line; "" if there is none.

    The text comes from the server: the caller hides secrets that it may repeat.
    """
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
        return "" if "<" in text else one_line(text)
    if isinstance(report, dict):
        for key in ("error", "message", "detail", "errors", "error_message"):
            if report.get(key):
                return one_line(str(report[key]))
    return one_line(str(report)) if isinstance(report, str) else ""


def one_line(text: str) -> str:
    """A server's text as one short printable line."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= 160 else f"{line[:157]}..."
