"""Text lines of a file of any size, with their numbers: every kind of line end, memory bounded whatever the lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phytoscribe.errors import GffError
from phytoscribe.files import blocks_with_plain_line_ends

#: Bytes of the longest line that is read: two hundred thousand parents of one exon fit.
LONGEST_LINE = 64 * 2**20


def numbered_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text without its line end) of a plain or gzipped UTF-8 file.

    Lines may end with LF, CRLF or CR, mixed too, and the last one with nothing.

    Raises:
        GffError: bytes that are no UTF-8 text, a NUL, or a line of more than :data:`LONGEST_LINE` bytes, each with its
            line number.
        PhytoScribeError: the file cannot be read, or is a truncated gzip file.
    """
    before = 0
    for block in _whole_lines(path):
        lines = _text_of(block, path, before)
        yield from enumerate(lines, start=before + 1)
        before += len(lines)


def _whole_lines(path: str | Path) -> Iterator[bytes]:
    """The file in blocks that end where a line ends, without that last line end; line ends are LF."""
    rest: list[bytes] = []
    waiting, lines = 0, 0
    for block in blocks_with_plain_line_ends(path):
        cut = block.rfind(b"\n")
        if cut < 0:
            rest.append(block)
            waiting += len(block)
            if waiting > LONGEST_LINE:
                raise GffError(
                    f"{path}, line {lines + 1}: longer than {LONGEST_LINE // 2**20} MiB; this is no GFF3 or GTF file"
                )
            continue
        whole = b"".join([*rest, block[:cut]])
        lines += whole.count(b"\n") + 1
        yield whole
        rest = [block[cut + 1 :]]
        waiting = len(rest[0])
    last = b"".join(rest)
    if last:
        yield last


def _text_of(block: bytes, path: str | Path, before: int) -> list[str]:
    """Lines of a block that ``before`` lines precede."""
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        line = before + block.count(b"\n", 0, error.start) + 1
        raise GffError(
            f"{path}, line {line}: the byte 0x{block[error.start]:02X} is not UTF-8 text; if the file is Latin-1, "
            "convert it with: iconv -f latin1 -t utf-8"
        ) from error
    if "\0" in text:
        line = before + text.count("\n", 0, text.index("\0")) + 1
        raise GffError(f"{path}, line {line}: a NUL byte; this is not a text file, or it is damaged: fetch it again")
    return text.split("\n")
