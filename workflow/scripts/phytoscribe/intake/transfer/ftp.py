"""FTP: the same promises as for the web, with the older protocol's means (SIZE, MDTM, REST)."""

from __future__ import annotations

import logging
from http.client import parse_headers
from io import BytesIO
from urllib.parse import unquote

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import split_url
from phytoscribe.intake.transfer.curl import ask
from phytoscribe.intake.transfer.partial import Partial
from phytoscribe.intake.transfer.retries import CannotResume, Interrupted, TransferSettings

log = logging.getLogger(__name__)


def download_ftp(url: str, partial: Partial, settings: TransferSettings) -> None:
    """One attempt to complete ``partial``, from what has arrived where the server allows it.

    Raises:
        Interrupted: the line broke, or the server is busy.
        DownloadError: the server refuses.
    """
    path = unquote(split_url(url).path)
    if any(ord(letter) < 32 for letter in path) or path.endswith("/") or not path:
        raise DownloadError(f"{partial.shown}: the address names no file; correct it")
    with ask(url, settings, partial.shown, options=["--head"]) as got:
        about = parse_headers(BytesIO(b"".join(got.blocks)))
    size = int(about["Content-Length"]) if "Content-Length" in about else None
    _receive(url, partial, settings, size, about.get("Last-Modified"))
    whole = size if size is not None else partial.expected.size
    if whole is not None and partial.arrived < whole:
        raise Interrupted(f"the connection ended after {partial.arrived} of {whole} bytes")


def _receive(url: str, partial: Partial, settings: TransferSettings, size: int | None, changed: str | None) -> None:
    """Take in the rest of the file if it is the same one, else all of it."""
    if partial.can_resume() and size is not None and (size, changed) == (partial.size, partial.validator):
        try:
            with ask(url, settings, partial.shown, options=["--range", f"{partial.arrived}-"]) as got:
                partial.append(got.blocks)
            return
        except CannotResume:
            log.info("%s: the server sends whole files only; beginning anew", partial.shown)
    with ask(url, settings, partial.shown) as got:
        partial.replace(got.blocks, size, changed)
