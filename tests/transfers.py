"""What the tests of downloads share: two files to fetch, and what came of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from phytoscribe.intake.transfer.transfer import Expected, TransferSettings, fetch

BODY = b">chr1\n" + b"ACGTACGTTTGA" * 5 * 20_000  # 1.2 MB
OTHER = b">chr1\n" + b"TTTTACGTTTGA" * 5 * 20_000
MD5 = hashlib.md5(BODY).hexdigest()
UNKNOWN = Expected()
QUICK = TransferSettings(attempts=3, timeout_seconds=5.0)
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign\n in</title></head><body>Please log in</body></html>"


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def get(server, folder, waits, expected=UNKNOWN, settings=QUICK, **more):
    fetch(server.url("a.fa"), folder / "a.fa", expected, settings, wait=waits.append, **more)
    return (folder / "a.fa").read_bytes()


def ranges(server) -> list[str | None]:
    return [request.headers.get("Range") for request in server.requests]
