"""Whether a body is the sequence or annotation file that was asked for, or a page about something else.

Servers send login pages, maintenance notes and error reports with status 200.  Nothing that PhytoScribe fetches
(FASTA, FASTQ, GFF3, GTF, plain or compressed) begins like HTML, XML or JSON.
"""

from __future__ import annotations

import json
import re

from phytoscribe.errors import DownloadError

#: So many bytes of a body are enough to tell.
HEAD_BYTES = 512

_DATA = (b"\x1f\x8b", b"BZh", b">", b"@", b"##")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


def refuse_pages(head: bytes, content_type: str, shown: str) -> None:
    """Raise if a body is a web page or an error report.

    Args:
        head: the body's first bytes, :data:`HEAD_BYTES` or the whole body.
        content_type: the answer's ``Content-Type``, or "".
        shown: the address as it may be shown.

    Raises:
        DownloadError: the body is HTML, XML or JSON.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = text[:HEAD_BYTES].lower()
    # A wrong Content-Type before true data is common; what the bytes say wins.
    if text.startswith(_DATA):
        return
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<error")) or (
        "html" in content_type.lower()
    ):
        title = _TITLE.search(text.decode("utf-8", "replace"))
        named = f' titled "{one_line(title.group(1))}"' if title else ""
        raise DownloadError(
            f"{shown}: the server sent a web page{named} instead of the file: most likely a login or maintenance page, "
            "or the address of a page about the file; open the address in a browser and correct the URL"
        )
    if lower.startswith((b"{", b"[")) or "json" in content_type.lower():
        raise DownloadError(
            f"{shown}: the server sent a report instead of the file: {error_text(text) or 'no reason given'}; "
            "correct the address"
        )


def error_text(body: bytes) -> str:
    """The reason that a JSON (or plain text) error report gives, in one short line; "" if there is none.

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
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(plain.split())
    return line if len(line) <= 160 else f"{line[:157]}..."
