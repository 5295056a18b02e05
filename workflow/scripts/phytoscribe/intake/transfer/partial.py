"""A partly downloaded file: the bytes so far, a description of the whole file, and the final rename.

Until ``NAME`` is complete and checked, two files stand beside it:

- ``.NAME.part``       the bytes that have arrived
- ``.NAME.part.json``  the file they belong to: address (as a hash: it may hold a password), validator, size, checksums
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from phytoscribe.errors import DownloadError
from phytoscribe.files import digests_of
from phytoscribe.intake.transfer.addresses import shown_url
from phytoscribe.intake.transfer.answers import HEAD_BYTES, refuse_pages
from phytoscribe.intake.transfer.retries import Unusable

log = logging.getLogger(__name__)

#: Left free on the disk beside the file itself.
MARGIN_BYTES = 64 << 20
SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Expected:
    """Size (bytes) and checksums (hex) of a file as it is served, where known."""

    size: int | None = None
    sha256: str | None = None
    md5: str | None = None

    def checksums(self) -> dict[str, str]:
        """``{method: lower-case hex digest}`` of what is known."""
        both = {"sha256": self.sha256, "md5": self.md5}
        return {method: digest.strip().lower() for method, digest in both.items() if digest}


class Partial:
    """The part of one file that has arrived.

    Attributes:
        size: bytes of the whole file as the server announced them; None if it did not.
        validator: the server's name of this version of the file: an ETag, a date; None if it gives none.
        in_pieces: True if the bytes come from more than one answer, so that a wrong checksum may come from joining
            them.
    """

    size: int | None = None
    validator: str | None = None
    in_pieces = False

    def __init__(self, url: str, target: Path, expected: Expected, shown: str = ""):
        self.target, self.expected, self.shown = target, expected, shown or shown_url(url)
        self.path, self.state_path = (target.with_name(f".{target.name}.part{end}") for end in ("", ".json"))
        self._identity = {"address": hashlib.sha256(url.encode()).hexdigest(), "url": shown_url(url)}

    @property
    def arrived(self) -> int:
        """Number of bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def open_or_restart(self) -> None:
        """Continue from an earlier run's bytes if they belong to the same file; else discard them."""
        with self._disk_errors():
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
            expected = asdict(self.expected)
            agree = all(state["expected"].get(key) in (None, value) for key, value in expected.items() if value)
            continues = agree and state["address"] == self._identity["address"]
            if continues and 0 < self.arrived <= (state["size"] or self.arrived):
                self.size, self.validator, self.in_pieces = state["size"], state["validator"], True
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # no state, or none of ours
        if self.in_pieces:
            log.info("%s: %d bytes have arrived before", self.shown, self.arrived)
        else:
            self.discard()

    def replace(self, blocks: Iterator[bytes], size: int | None, validator: str | None, content_type: str = "") -> None:
        """Write the whole file from ``blocks``; earlier bytes are discarded only when the new ones look right.

        Raises:
            DownloadError: a web page or an error report arrives; the disk is too full or cannot be written.
            Unusable: the file has another size than expected.
        """
        head = b""
        for block in blocks:
            head += block
            if len(head) >= HEAD_BYTES:
                break
        refuse_pages(head, content_type, self.shown)
        if None not in (size, self.expected.size) and size != self.expected.size:
            raise Unusable(self._wrong_size(size))
        self._require_room(size or self.expected.size or 0)
        state = {**self._identity, "size": size, "validator": validator, "expected": asdict(self.expected)}
        with self._disk_errors():
            self.path.write_bytes(b"")
            self.state_path.write_text(json.dumps(state, indent=1), encoding="utf-8")
        self.size, self.validator = size, validator
        self._write(chain([head], blocks))
        self.in_pieces = False

    def append(self, blocks: Iterable[bytes], size: int | None = None) -> None:
        """Append the missing bytes; ``size`` is that of the whole file, if only this answer gives it."""
        self.size, self.in_pieces = self.size or size, True
        self._require_room((self.size or self.arrived) - self.arrived)
        log.info("%s: going on from byte %d", self.shown, self.arrived)
        self._write(blocks)

    def _write(self, blocks: Iterable[bytes]) -> None:
        """Add blocks, with a line in the log every few seconds."""
        first = arrived = self.arrived
        begin = said = time.monotonic()
        most = self.size if self.size is not None else self.expected.size
        with self._disk_errors():
            out = self.path.open("ab", buffering=0)
        with out:
            for block in blocks:
                arrived += len(block)
                if most is not None and arrived > most:
                    raise Unusable(
                        f"{self.shown}: wrong size: more than the expected {most} bytes arrive; "
                        "correct the address or the expected size"
                    )
                with self._disk_errors():
                    _write_all(out, block)
                now = time.monotonic()
                if now - said >= SECONDS_BETWEEN_LINES:
                    said, speed = now, (arrived - first) / (now - begin)
                    of_total = f" of {most / 1e6:,.1f}" if most else ""
                    left = f", {(most - arrived) / speed / 60:,.0f} min left" if most and speed else ""
                    log.info("%s: %.1f%s MB, %.2f MB/s%s", self.shown, arrived / 1e6, of_total, speed / 1e6, left)

    def _require_room(self, needed: int) -> None:
        """Stop before the disk fills up."""
        free = shutil.disk_usage(self.target.parent).free
        if free < needed + MARGIN_BYTES:
            raise DownloadError(
                f"{self.shown}: {needed:,} bytes are still to come (and {MARGIN_BYTES:,} are kept in reserve), but "
                f"only {free:,} bytes are free in {self.target.parent}; make room, or run in a folder on a larger disk"
            )

    def problem(self) -> str:
        """Describe how the bytes differ from what is expected, or ""; values that could not be compared are logged."""
        arrived, checksums = self.arrived, self.expected.checksums()
        if not arrived:
            return f"{self.shown}: the file is empty; check the address"
        if self.expected.size not in (None, arrived):
            return self._wrong_size(arrived)
        for method, found in digests_of(self.path, *checksums).items():
            if found != checksums[method]:
                return (
                    f"{self.shown}: wrong {method}: {found} arrived, {checksums[method]} is expected; the file on the "
                    "server was changed or is damaged, or the expected checksum is wrong"
                )
            log.info("%s: %s as expected", self.shown, method)
        if not checksums:
            how = "nothing" if self.size is self.expected.size is None else "its size alone"
            log.info("%s: no checksum is known; that the file is right is shown by %s", self.shown, how)
        return ""

    def finish(self) -> None:
        """Rename the complete file to its final name."""
        with self._disk_errors():
            with self.path.open("rb") as handle:
                os.fsync(handle.fileno())
            os.replace(self.path, self.target)

    def discard(self) -> None:
        """Remove what has arrived, if anything."""
        for path in (self.path, self.state_path):
            path.unlink(missing_ok=True)
        self.size, self.validator, self.in_pieces = None, None, False

    def _wrong_size(self, found: int) -> str:
        return (
            f"{self.shown}: wrong size: {found} bytes arrived or are announced, {self.expected.size} bytes are "
            "expected; the file on the server was changed, or the expected size is wrong"
        )

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DownloadError(
                    f"{self.shown}: the disk (or your quota) of {self.target.parent} is full after {self.arrived:,} "
                    f"bytes, which are kept in {self.path}; make room and run the same command again, or remove them"
                ) from error
            raise DownloadError(
                f"{self.shown}: nothing can be written into {self.target.parent} ({error.strerror}); check the folder"
            ) from error


def _write_all(out, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[out.write(view) :]
