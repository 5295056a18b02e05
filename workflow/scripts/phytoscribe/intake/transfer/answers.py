"""HTTP and HTTPS: requests, redirects, refusals, and errors in words.

Secrets (a user's token, a password in a URL) go to the server they are meant for and to no other, and appear in no
message: errors of the HTTP library, which quote addresses, are put into words here and not passed on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import requests
import urllib3

from phytoscribe import __version__
from phytoscribe.errors import DownloadError
from phytoscribe.intake.addresses import (
    Hidden,
    conceal,
    credentials,
    same_server,
    secrets_in,
    shown_url,
    split_url,
    without_credentials,
)
from phytoscribe.intake.transfer.content import HEAD_BYTES, error_text, refuse_pages
from phytoscribe.intake.transfer.failures import failure_of, interruption_of
from phytoscribe.intake.transfer.partial import Unusable
from phytoscribe.intake.transfer.progress import watched
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings, retry_after_seconds

log = logging.getLogger(__name__)


def _hide_queries(record: logging.LogRecord) -> bool:
    """Mask tokens in the addresses that the HTTP library logs while debugging."""
    if isinstance(record.args, tuple):
        record.args = tuple(shown_url(part) if isinstance(part, str) and "?" in part else part for part in record.args)
    return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_hide_queries)

LONGEST_CONNECT_SECONDS = 30.0

_BLOCK = 1 << 20
_MOST_REDIRECTS = 10
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


class _NoLogin(requests.auth.AuthBase):
    """Keeps the HTTP library from replacing the given ``Authorization`` by a login from a ``.netrc`` file."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def request_json(
    method: str,
    url: str,
    settings: TransferSettings,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Any:
    """One attempt at a JSON answer.

    Raises:
        Interrupted: the line broke, or the server asks to come again.
        DownloadError: the server refuses, or answers something else than JSON.
    """
    shown = shown_url(url)
    content = b""
    with answer(url, settings, {"Accept": "application/json", **(headers or {})}, shown, method, body) as got:
        raise_for(got, shown)
        for block in watched(blocks(got), settings.timeout_seconds):
            content += block
            if len(content) > _MOST_ANSWER_BYTES:
                raise DownloadError(f"{shown}: the answer is far too long for a list of files; check the address")
        with suppress(ValueError, RecursionError):
            return json.loads(content)
        refuse_pages(content[:HEAD_BYTES], got.headers.get("Content-Type", ""), shown)
        raise DownloadError(f"{shown}: the answer is no JSON; check the address, or try again later")


@contextmanager
def answer(
    url: str,
    settings: TransferSettings,
    headers: Mapping[str, str],
    shown: str,
    method: str = "GET",
    body: Mapping[str, Any] | None = None,
) -> Iterator[requests.Response]:
    """The server's answer with its body still to be read; redirects of a GET are followed.

    ``headers`` and the URL's user and password leave with the first server: another one that it redirects to gets
    neither, whatever it asks.
    """
    parts = split_url(url)
    login = credentials(parts)
    auth = login if login else (_NoLogin() if "Authorization" in headers else None)
    address, first = without_credentials(parts), without_credentials(parts)
    own = {"User-Agent": f"PhytoScribe/{__version__}", "Accept-Encoding": "identity"}
    ranges = {key: value for key, value in headers.items() if key in ("Range", "If-Range", "Accept")}
    private = headers
    with requests.Session() as session:
        for _ in range(_MOST_REDIRECTS + 1):
            got = _send(session, method, address, {**own, **ranges, **private}, auth, body, settings, shown)
            with got:
                if not got.is_redirect:
                    with _quoting_no(secrets_in(url, headers)):
                        yield got
                    return
            if method != "GET" or got.next is None:
                raise Refused(f"{shown}: the server sends the request elsewhere; check the address", got.status_code)
            parts = split_url(got.next.url)
            if parts.scheme not in ("http", "https"):
                raise DownloadError(
                    f"{shown}: the server redirects to a {parts.scheme} address, which is no web address"
                )
            address = without_credentials(parts)
            if not same_server(first, address):
                private, auth = {}, _NoLogin()
            # Object stores sign addresses: the query is a password for some hours.
            log.info("%s: redirected to %s", shown, address.partition("?")[0])
    raise DownloadError(f"{shown}: the server redirects in a circle; check the address")


@contextmanager
def _quoting_no(secrets: Sequence[Hidden]) -> Iterator[None]:
    """Mask secrets in errors raised in the block: they quote the server, and it may repeat what it was sent."""
    try:
        yield
    except DownloadError as error:
        error.args = tuple(conceal(str(part), secrets) for part in error.args)
        if isinstance(error, Refused):
            error.said = conceal(error.said, secrets)
        raise


def _send(
    session: requests.Session,
    method: str,
    address: str,
    headers: Mapping[str, str],
    auth: Any,
    body: Mapping[str, Any] | None,
    settings: TransferSettings,
    shown: str,
) -> requests.Response:
    connect = min(settings.timeout_seconds, LONGEST_CONNECT_SECONDS)
    try:
        return session.request(
            method,
            address,
            headers=dict(headers),
            json=body,
            auth=auth,
            stream=True,
            timeout=(connect, settings.timeout_seconds),
            allow_redirects=False,
        )
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        failure = failure_of(error, shown)
    # Raised outside the handler: the library's error, whose frames hold headers, is not chained to it.
    raise failure


def raise_for(got: requests.Response, shown: str) -> None:
    """Raise for every status that is no success."""
    status = got.status_code
    if status < 400:
        return
    if status in _PASSING or status >= 500:
        wait = retry_after_seconds(got.headers.get("Retry-After"), got.headers.get("Date"))
        raise Interrupted(f"the server answered {named(status)}", wait)
    advice = _ADVICE.get(status, "check the address")
    said = _reason(got)
    kind = Gone if status in (400, 404, 410) else Refused
    raise kind(f"{shown}: the server answered {named(status)}{f' ({said})' if said else ''}: {advice}", status, said)


def _reason(got: requests.Response) -> str:
    """What the refusal's body says, in one line."""
    body = b""
    try:
        for block in blocks(got):
            body += block
            if len(body) >= 10_000:
                break
    except Interrupted:
        return ""
    return error_text(body)


def named(status: int) -> str:
    """``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def blocks(got: requests.Response) -> Iterator[bytes]:
    """The body as the line brings it: nothing that has arrived waits for a full block and is lost with it."""
    failure = None
    while failure is None:
        block = b""
        try:
            block = got.raw.read1(_BLOCK, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            failure = interruption_of(error)
        if failure is None:
            if not block:
                return
            yield block
    raise failure
