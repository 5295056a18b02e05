"""FTP: the same promises as for the web, with the older protocol's means (SIZE, MDTM, REST)."""

from __future__ import annotations

import ftplib
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain
from typing import TypeVar
from urllib.parse import unquote

from phytoscribe.errors import DownloadError
from phytoscribe.intake.addresses import Hidden, conceal, credentials, secrets_in, split_url
from phytoscribe.intake.transfer.content import HEAD_BYTES, one_line, refuse_pages
from phytoscribe.intake.transfer.partial import Partial, Unusable, wrong_size
from phytoscribe.intake.transfer.progress import watched
from phytoscribe.intake.transfer.retries import Interrupted, TransferSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

_BLOCK = 1 << 20


def download_ftp(url: str, partial: Partial, settings: TransferSettings) -> None:
    """One attempt to complete ``partial``, from what has arrived where the server allows it.

    Args:
        url: with user and password, or neither (anonymous).
        partial: what has arrived.
        settings: its time-out counts for each step.

    Raises:
        Interrupted: the line broke, or the server is busy.
        DownloadError: the server refuses.
    """
    parts = split_url(url)
    path = unquote(parts.path).removeprefix("/")
    if any(ord(letter) < 32 for letter in path) or not path:
        raise DownloadError(f"{partial.shown}: the address names no file; correct it")
    try:
        # Closed without a QUIT after an error: its answer may be that of the broken transfer, and would hide the error.
        with closing(ftplib.FTP(timeout=settings.timeout_seconds)) as server:
            server.connect(parts.hostname or "", parts.port or ftplib.FTP_PORT)
            server.login(*(credentials(parts) or ()))
            server.voidcmd("TYPE I")
            _transfer(server, path, partial, settings)
            with suppress(ftplib.Error, OSError, EOFError):
                server.quit()
        return
    except (ftplib.Error, OSError, EOFError, UnicodeError) as error:
        failure = _in_words(error, partial.shown, secrets_in(url, {}))
    # Raised outside the handler: the library's frames hold the password.
    raise failure


def _transfer(server: ftplib.FTP, path: str, partial: Partial, settings: TransferSettings) -> None:
    size, changed = _size(server, path), _changed(server, path)
    expected = partial.expected.size
    if size is not None and expected is not None and size != expected:
        raise Unusable(wrong_size(partial.shown, size, expected))
    same = (size, changed) == (partial.size, partial.validator) and size is not None
    start = partial.arrived if partial.can_resume() and same else 0
    try:
        connection = server.transfercmd(f"RETR {path}", rest=start or None)
    except ftplib.error_perm as error:
        # 501, 502, 504: the server cannot begin in the middle.
        if not start or str(error)[:3] not in ("501", "502", "504"):
            raise
        log.info("%s: the server sends whole files only; beginning anew", partial.shown)
        start = 0
        connection = server.transfercmd(f"RETR {path}")
    with connection:
        blocks = watched(_blocks(connection), settings.timeout_seconds)
        if start:
            partial.require_room((size or start) - start)
            log.info("%s: going on from byte %d", partial.shown, start)
        else:
            head = b""
            for block in blocks:
                head += block
                if len(head) >= HEAD_BYTES:
                    break
            refuse_pages(head, "", partial.shown)
            partial.begin(size, changed)
            blocks = chain([head], blocks)
        partial.append(blocks)
    whole = size if size is not None else expected
    if whole is not None and partial.arrived < whole:
        raise Interrupted(f"the connection ended after {partial.arrived} of {whole} bytes")
    server.voidresp()


def _blocks(connection: socket.socket) -> Iterator[bytes]:
    while block := connection.recv(_BLOCK):
        yield block


def _size(server: ftplib.FTP, path: str) -> int | None:
    """Bytes of the file; None where the server does not know the command."""
    return _asked(server.size, path)


def _changed(server: ftplib.FTP, path: str) -> str | None:
    """Time of the last change, as the server writes it; None where it does not know the command."""
    return _asked(lambda name: server.voidcmd(f"MDTM {name}").partition(" ")[2].strip() or None, path)


def _asked(question: Callable[[str], T | None], path: str) -> T | None:
    try:
        return question(path)
    except ftplib.error_perm as error:
        # 550: no such file, for RETR to say. 500, 502: a command that the server does not know.
        if str(error)[:3] in ("500", "501", "502", "504", "550"):
            return None
        raise


def _in_words(error: Exception, shown: str, secrets: Sequence[Hidden]) -> Exception:
    """A failure of the FTP library as an error of ours."""
    said = conceal(one_line(str(error)), secrets)
    if isinstance(error, ftplib.error_perm):
        if said.startswith("550"):
            return Unusable(f"{shown}: the server answered {said}: there is no such file; correct the address")
        return DownloadError(f"{shown}: the server answered {said}: check the address and the login")
    if isinstance(error, ftplib.error_temp):
        return Interrupted(f"the server answered {said}")
    if isinstance(error, socket.gaierror):
        return Interrupted("the host name cannot be resolved")
    if isinstance(error, TimeoutError):
        return Interrupted("the server sent nothing within the time-out")
    return Interrupted(f"the connection failed ({getattr(error, 'strerror', None) or 'closed by the server'})")
