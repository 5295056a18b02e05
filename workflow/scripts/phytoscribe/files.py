"""Reading and writing files so that no half-written file is ever seen."""

from __future__ import annotations

import codecs
import glob
import hashlib
import importlib
import io
import itertools
import logging
import os
import re
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from phytoscribe.errors import PhytoScribeError
from phytoscribe.file_kinds import HEAD_BYTES, foreign_kind

log = logging.getLogger(__name__)

#: Bytes of the longest line of a text; sequences, which :func:`read_blocks` reads, have no limit.
LONGEST_LINE = 64 * 2**20
#: First bytes of packed files: the name of the format, and the module of Python that unpacks it.
_PACKED = {b"\x1f\x8b": ("gzip", "gzip"), b"BZh": ("bzip2", "bz2"), b"\xfd7zXZ\x00": ("xz", "lzma")}
#: A temporary file of another machine, whose processes cannot be seen, is given up when it was not written for so long.
_DAY_SECONDS = 86400.0


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block ends without an error.

    After an error the temporary file or folder is removed and ``path`` is as it was.  What killed runs left of the same
    output is removed at the start: ``.NAME.MACHINE.PROCESS.tmp``.  A full disk is reported with the name of ``path``.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    machine = socket.gethostname().replace(".", "-")
    temporary = target.with_name(f".{target.name}.{machine}.{os.getpid()}.tmp")
    _remove_leftovers(target, machine)
    try:
        with _naming(target):
            yield temporary
        if temporary.is_dir() and target.is_dir():
            shutil.rmtree(target)
        os.replace(temporary, target)
    finally:
        _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_leftovers(target: Path, machine: str) -> None:
    """Remove the temporary files and folders of an output whose process is gone."""
    # Earlier versions wrote no machine into the name.
    name = re.compile(rf"\.{re.escape(target.name)}\.(?:([^.]+)\.)?(\d{{1,10}})\.tmp")
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        found = name.fullmatch(path.name)
        if found is None:
            continue
        try:
            here = found[1] == machine
            if not _is_running(int(found[2])) if here else time.time() - path.lstat().st_mtime > _DAY_SECONDS:
                _remove(path)
                log.info("%s: removed; a run that was killed had left it", path)
        except OSError as error:
            log.warning("%s: left by a run that was killed; it cannot be removed (%s)", path, error.strerror)


def _is_running(process: int) -> bool:
    """True for another process of this machine that lives."""
    if process == os.getpid():  # a number that was given again
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # another user's; no number of a process
    return True


@contextmanager
def _naming(place: Path) -> Iterator[None]:
    """Name a place in an error of the operating system that names none, as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(place)
        raise


@contextmanager
def atomic_open(path: str | Path) -> Iterator[IO[str]]:
    """Open ``path`` for writing UTF-8 text under a temporary name; it appears when the block ends without an error."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as handle:
        yield handle


@contextmanager
def open_text(path: str | Path, newline: str | None = None, errors: str = "strict") -> Iterator[IO[str]]:
    """Open a plain or packed text file for reading, as :func:`read_blocks` unpacks it; a byte order mark is dropped.

    Args:
        newline: that of :func:`open`: as it stands every line end is read as LF.
        errors: that of :func:`open`, for bytes that are not UTF-8.

    Raises:
        PhytoScribeError: the file is missing, truncated, corrupt, of another kind (a zip archive, a web page, ...), not
            UTF-8 text, or has a line of more than :data:`LONGEST_LINE` bytes.
    """
    blocks = _with_short_lines(read_blocks(path), path)
    begin = next(blocks, b"")  # a file that cannot be read is refused now
    stream = io.BufferedReader(_Stream(itertools.chain([begin], blocks)), 2**16)
    try:
        with io.TextIOWrapper(stream, encoding="utf-8-sig", errors=errors, newline=newline) as handle:
            yield handle
    except UnicodeDecodeError as error:
        raise PhytoScribeError(_what_is_not_utf8(path)) from error


class _Stream(io.RawIOBase):
    """Blocks of bytes as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _with_short_lines(blocks: Iterator[bytes], path: str | Path) -> Iterator[bytes]:
    """The blocks, until a line is so long that it would fill the memory."""
    waiting, line = 0, 1
    for block in blocks:
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        waiting = waiting + len(block) if end < 0 else len(block) - 1 - end
        line += block.count(b"\n") or block.count(b"\r")
        if waiting > LONGEST_LINE:
            raise PhytoScribeError(
                f"{path}, line {line}: longer than {LONGEST_LINE // 2**20} MiB; the file is damaged, or of another "
                "kind than is needed here"
            )
        yield block


def _what_is_not_utf8(path: str | Path) -> str:
    """The message about the first byte of a file that is not UTF-8 text."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    for block in blocks_with_plain_line_ends(path):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            place, byte = f"{path}, line {line}", error.object[error.start]
            if b"\0" in error.object:
                return f"{place}: not a text file (bytes 0x00 and 0x{byte:02X}); correct the path"
            advice = "if the file is Latin-1, convert it with: iconv -f latin1 -t utf-8"
            return f"{place}: the byte 0x{byte:02X} is not UTF-8 text; {advice}"
        line += block.count(b"\n")
    return f"{path}, line {line}: the last letter is cut off; the file is truncated: get it again"


def read_blocks(path: str | Path, size: int = 2**20) -> Iterator[bytes]:
    """The bytes of a plain or packed (gzip, bgzip, bzip2, xz) file, unpacked, in blocks of at most ``size``.

    The first bytes tell how a file is packed, not its name.

    Raises:
        PhytoScribeError: the file is missing, truncated, corrupt, or of a kind that is never read here.
    """
    source = Path(path)
    packed = ""
    try:
        with source.open("rb") as probe:
            begin = probe.read(6)
        packed, module = next((value for magic, value in _PACKED.items() if begin.startswith(magic)), ("", "io"))
        # Not every Python has all these modules.
        with importlib.import_module(module).open(source, "rb") as handle:
            head = handle.read(HEAD_BYTES)
            if kind := foreign_kind(head):
                where = f"{source}, line 1" if kind.startswith("UTF") else source
                raise PhytoScribeError(f"{where}: {kind}")
            while block := head[:size] or handle.read(size):
                yield block
                head = head[size:]
    except (EOFError, zlib.error) as error:
        raise _corrupt(source, packed, error) from error
    except OSError as error:
        if error.errno is None:  # as gzip and bz2 say that a file is none of theirs
            raise _corrupt(source, packed, error) from error
        raise PhytoScribeError(f"{source}: cannot be read ({error.strerror}); check the path") from error
    except Exception as error:
        if packed == "xz" and type(error).__name__ == "LZMAError":
            raise _corrupt(source, packed, error) from error
        raise


def _corrupt(source: Path, packed: str, error: Exception) -> PhytoScribeError:
    return PhytoScribeError(f"{source}: truncated or corrupt {packed} file ({error}); fetch it again")


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
            block = block.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in block:
            if block.endswith(b"\r"):  # its LF may be in the next block
                block, held = block[:-1], b"\r"
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield block
    if held:
        yield b"\n"


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
    with tempfile.TemporaryDirectory(prefix=prefix) as folder, _naming(Path(folder)):
        yield Path(folder)
