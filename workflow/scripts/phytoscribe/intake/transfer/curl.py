"""Make one request with the program curl, which handles protocols, proxies, certificates, redirects and time-outs.

Headers and body come through a pipe.  If this process is killed, curl loses its reader and ends too, so a file never
has two writers.  curl gets the address, token and body through its standard input (``--config -``), so they are on no
command line and in no file.  After a redirect to another server, curl does not send ``Authorization`` or the address's
password.
"""

from __future__ import annotations

import logging
import math
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email.message import Message
from http.client import HTTPException, parse_headers
from io import BytesIO
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from phytoscribe import __version__
from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import VARIABLE, Hidden, conceal, secrets_in, shown_url, split_url
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings, Unusable
from phytoscribe.programs import require

log = logging.getLogger(__name__)

LONGEST_CONNECT_SECONDS = 30.0
#: A connection that brings less than this within the time-out is as good as broken.
LEAST_BYTES_PER_TIMEOUT = 1000

_BLOCK = 1 << 20
_MOST_REDIRECTS = 10

#: Exit codes of curl (man curl) that no repetition changes.
_FINAL = {
    1: "the server redirects to something that is no web address, or from https to http; check the address",
    3: "the request cannot be sent ({said}); correct the address",
    47: "the server redirects in a circle; check the address",
    60: "the server's certificate is not trusted ({said}); check the address; if your network has a certificate of its "
    "own, name its file in the environment variable CURL_CA_BUNDLE",
    77: "the certificates of your network are not where CURL_CA_BUNDLE (or REQUESTS_CA_BUNDLE, SSL_CERT_FILE) says; "
    "correct that environment variable, or unset it",
}
#: FTP: no folder, no file, no login, no such file.
_FTP_REFUSALS = frozenset({9, 19, 67, 78})
#: FTP: the server, which may know ``REST 0``, does not begin in the middle.
_REST_REFUSED = 31
_PASSING = {
    5: "the proxy of your network cannot be reached",
    6: "the host name cannot be resolved",
    18: "the connection ended too early",
    28: "the server sent nothing, or next to nothing, within the time-out",
    35: "the secure connection failed ({said})",
}


class Answer(NamedTuple):
    """A server's answer.

    Attributes:
        status: the HTTP status.
        headers: of the last answer, after all redirects.
        blocks: the body as it arrives; raises an error if the connection breaks.
    """

    status: int
    headers: Message
    blocks: Iterator[bytes]


@contextmanager
def ask(
    url: str,
    settings: TransferSettings,
    shown: str,
    headers: Mapping[str, str],
    token: Hidden | None = None,
    body: str | None = None,
) -> Iterator[Answer]:
    """Send a request and return the answer, with its body still to be read; redirects of a GET are followed.

    Args:
        url: http, https or ftp; user and password in it are used and never shown.
        settings: its time-out.
        shown: the address in messages.
        headers: further headers for http(s); for ftp, ``Range`` and ``If-Range`` mean the same.
        token: sent to the URL's own server as ``Authorization: Bearer``, over http(s).
        body: JSON to post.

    Raises:
        Interrupted: the connection broke, here or while the body is read.
        DownloadError: the request cannot be made.
        ToolError: curl is not installed.
    """
    parts = split_url(url)
    # A fragment is not sent; letters that no address has are written as curl wants them.
    path, query = (quote(part, safe="!#$%&'()*+,/:;=?@[]~") for part in (parts.path, parts.query))
    address = urlunsplit(parts._replace(fragment="", path=path, query=query))
    told = [("url", address), *(("header", f"{name}: {value}") for name, value in headers.items())]
    if token is not None:
        told.append(("header", Hidden("".join(("Authorization: Bearer ", token)))))
    if body is not None:
        told.append(("data-binary", body))
    command, follows = _command(settings), body is None
    try:
        if parts.scheme == "ftp":
            yield from _ask_ftp(command, address, shown, headers)
            return
        with _running([*command, *_web_options(parts.scheme, follows, token is None)], told) as running:
            yield Answer(*_head(running, shown, follows), _blocks(running, shown))
    except DownloadError as error:
        # Messages quote the server, and it may repeat what it was sent.
        secrets = secrets_in(url, token)
        error.args = tuple(conceal(str(part), secrets) for part in error.args)
        if said := getattr(error, "said", ""):
            error.said = conceal(said, secrets)
        raise


def _ask_ftp(command: Sequence[str], address: str, shown: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    """The answer of an FTP server in HTTP terms: the results of SIZE, MDTM and REST become its headers."""
    path = unquote(urlsplit(address).path)
    if any(ord(letter) < 32 for letter in path) or path.endswith("/") or not path:
        raise DownloadError(f"{shown}: the address names no file; correct it")
    command, told = [*command, "--proto", "=ftp", "--noproxy", "*"], [("url", address)]
    with _running([*command, "--head"], told) as running:
        about = parse_headers(BytesIO(b"".join(_blocks(running, shown))))
    size, changed = about["Content-Length"], about["Last-Modified"]
    if size and changed:
        about["ETag"] = f'"{size} {changed}"'
    begin = headers.get("Range", "").removeprefix("bytes=")
    is_same = size and headers.get("If-Range", about["ETag"]) == about["ETag"]
    if begin and is_same and about["Accept-Ranges"]:
        with _running([*command, "--range", begin], told) as running:
            if running.stdout.peek(1) or running.wait() != _REST_REFUSED:
                about["Content-Range"] = f"bytes {begin}{int(size) - 1}/{size}"
                yield Answer(206, about, _blocks(running, shown))
                return
        log.info("%s: the server sends whole files only; beginning anew", shown)
    with _running(command, told) as running:
        yield Answer(200, about, _blocks(running, shown))


@contextmanager
def _running(command: Sequence[str], told: Sequence[tuple[str, str]]) -> Iterator[subprocess.Popen]:
    """Run curl; it gets everything that other users must not see through its standard input."""
    pipe = subprocess.PIPE
    # curl needs no token, and finds certificates where users of Python's tools name them.
    variables = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if bundle := variables.get("REQUESTS_CA_BUNDLE"):
        variables["CURL_CA_BUNDLE"] = bundle
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=variables) as running:
        try:
            with suppress(BrokenPipeError), running.stdin:
                running.stdin.write("".join(_config_line(name, value) for name, value in told).encode())
            yield running
        finally:
            running.kill()


def _command(settings: TransferSettings) -> list[str]:
    """The curl command with the options of every request; its time-outs are whole seconds."""
    seconds = max(1, math.ceil(settings.timeout_seconds))
    return [
        require("curl", "a download"),
        "--disable",  # no .curlrc: options of the user's own may change what is written
        *("--silent", "--show-error", "--no-buffer", "--globoff", "--config", "-"),
        *("--write-out", r"%{stderr}\n%{response_code}"),
        *("--connect-timeout", str(min(settings.timeout_seconds, LONGEST_CONNECT_SECONDS))),
        *("--speed-time", str(seconds), "--speed-limit", str(max(1, LEAST_BYTES_PER_TIMEOUT // seconds))),
    ]


def _web_options(scheme: str, follows: bool, has_no_token: bool) -> list[str]:
    """Options for http(s): redirects, logins."""
    options = ["--include", "--suppress-connect-headers", "--http1.1", "--user-agent", f"PhytoScribe/{__version__}"]
    options += ["--proto", "=http,https", "--header", "Accept-Encoding: identity"]
    if follows:
        others = "=https" if scheme == "https" else "=http,https"
        options += ["--location", "--max-redirs", str(_MOST_REDIRECTS), "--proto-redir", others]
    if has_no_token:
        options.append("--netrc-optional")
        if login_file := os.environ.get("NETRC"):
            options += ["--netrc-file", login_file]
    return options


def _config_line(name: str, value: str) -> str:
    """One option of curl's configuration file (man curl, ``--config``).

    A line break, as in a folded ETag that is sent back, would let the server write options of its own.
    """
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", value)
    return "".join((name, ' = "', line.replace("\\", r"\\").replace('"', r"\""), '"\n'))


def _head(running: subprocess.Popen, shown: str, follows: bool) -> tuple[int, Message]:
    """Status and headers of the last answer: those of redirects go before it."""
    while first := running.stdout.readline(1 << 16):
        try:
            status, headers = int(first.split()[1]), parse_headers(running.stdout)
        except (HTTPException, ValueError, IndexError):
            raise DownloadError(f"{shown}: the server's answer cannot be read; check the address") from None
        location = headers.get("Location", "")
        if status >= 200 and not (follows and 300 <= status < 400 and location):
            return status, headers
        if location:
            # Object stores sign addresses: the query is a password for some hours.
            log.info("%s: redirected to %s", shown, re.split("[?#]", shown_url(location))[0])
    _raise_failure(running, shown)
    raise Interrupted("the server closed the connection")


def _blocks(running: subprocess.Popen, shown: str) -> Iterator[bytes]:
    """The body; nothing that has arrived waits for a full block and is lost with it."""
    while block := running.stdout.read1(_BLOCK):
        yield block
    _raise_failure(running, shown)


def _raise_failure(running: subprocess.Popen, shown: str) -> None:
    """Raise for every end of curl but a good one, in words and without its advice to programmers."""
    text, _, answered = running.stderr.read().decode("utf-8", "replace").rpartition("\n")
    code = running.wait()
    if code == 0:
        return
    found = re.search(r"^curl: \(\d+\) (.*)", text, re.MULTILINE)
    said = found[1].strip() if found else f"curl ended with code {code}"
    # Code 1 is also that of an answer that is no HTTP.
    if code in _FINAL and "HTTP/0.9" not in said:
        raise DownloadError(f"{shown}: {_FINAL[code].format(said=said)}")
    if answered.startswith("5") and code in _FTP_REFUSALS:
        refusal = f"{shown}: the server answered {answered} ({said})"
        if answered == "550":
            raise Unusable(f"{refusal}: there is no such file; correct the address")
        raise DownloadError(f"{refusal}: check the address and the login")
    if "CONNECT" in said:
        raise Interrupted(f"the proxy of your network refuses the connection ({said})")
    raise Interrupted(_PASSING.get(code, "the connection failed ({said})").format(said=said))
