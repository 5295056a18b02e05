"""Reading and writing files so that no half-written file is ever seen."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from phytoscribe.errors import PhytoScribeError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block ends without an error.

    After an error the temporary file or folder is removed and ``path`` is as it was.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if temporary.is_dir() and target.is_dir():
            shutil.rmtree(target)
        os.replace(temporary, target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_open(path: str | Path) -> Iterator[IO[str]]:
    """Open ``path`` for writing UTF-8 text under a temporary name; it appears when the block ends without an error."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as handle:
        yield handle


@contextmanager
def open_text(path: str | Path, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a plain or gzip/bgzip-compressed text file for reading.

    Compression is told by the first two bytes, not by the name.  A byte order mark at the start is dropped.
    ``newline`` is that of :func:`open`: as it stands every line end is read as LF.

    Raises:
        PhytoScribeError: the file is missing, truncated, corrupt or not UTF-8 text.
    """
    source = Path(path)
    compressed = _is_gzip(source)
    opener = gzip.open if compressed else open
    try:
        with opener(source, "rt", encoding="utf-8-sig", newline=newline) as handle:
            yield handle  # type: ignore[misc]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PhytoScribeError(f"{source}: truncated or corrupt gzip file ({error}); fetch it again") from error
    except UnicodeDecodeError as error:
        raise PhytoScribeError(f"{source}: not a text file ({error.reason} at byte {error.start})") from error


def read_blocks(path: str | Path, size: int = 2**20) -> Iterator[bytes]:
    """The bytes of a plain or gzip/bgzip-compressed file, in blocks of at most ``size``; compression as above.

    Raises:
        PhytoScribeError: the file is missing, truncated or corrupt.
    """
    source = Path(path)
    opener = gzip.open if _is_gzip(source) else open
    try:
        with opener(source, "rb") as handle:
            while block := handle.read(size):
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PhytoScribeError(f"{source}: truncated or corrupt gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise PhytoScribeError(f"{source}: cannot be read ({error.strerror}); check the path") from error


def blocks_with_plain_line_ends(path: str | Path) -> Iterator[bytes]:
    """:func:`read_blocks` without a UTF-8 byte order mark, with LF in place of CRLF and CR.

    Raises:
        PhytoScribeError: also for UTF-16 text, as spreadsheets and editors on Windows write it.
    """
    held = b""
    first = True
    for data in read_blocks(path):
        block = held + data
        held = b""
        if first:
            first = False
            if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise PhytoScribeError(f"{path}, line 1: UTF-16 text; save the file as UTF-8")
            block = block.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in block:
            if block.endswith(b"\r"):  # its LF may be in the next block
                block, held = block[:-1], b"\r"
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield block
    if held:
        yield b"\n"


def _is_gzip(source: Path) -> bool:
    try:
        with source.open("rb") as probe:
            return probe.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise PhytoScribeError(f"{source}: cannot be read ({error.strerror}); check the path") from error


def digests_of(path: str | Path, *methods: str) -> dict[str, str]:
    """``{method: hex digest}`` of a file's bytes by ``sha256``, ``md5``, ...; the file is read once."""
    # Machines in FIPS mode have MD5 for other ends than security alone: here it is a provider's word against damage.
    digests = {method: hashlib.new(method, usedforsecurity=False) for method in methods}
    with Path(path).open("rb") as handle:
        while block := handle.read(2**20):
            for digest in digests.values():
                digest.update(block)
    return {method: digest.hexdigest() for method, digest in digests.items()}


def sha256_of(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    return digests_of(path, "sha256")["sha256"]


@contextmanager
def scratch_folder(prefix: str = "phytoscribe-") -> Iterator[Path]:
    """A temporary folder that is removed at the end; honours ``TMPDIR``."""
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        yield Path(folder)
