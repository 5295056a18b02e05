"""Text of GFF3 and GTF files: numbered lines, escapes, and the attributes of column 9 in either dialect.

Lines may be of any length, with every kind of line end.  The dialect of attributes is recognised line by line, as
AUGUSTUS' files mix them: ``key=value;key=value`` (GFF3), ``key "value"; key value;`` (GTF), or one bare name.  Real
files contain things that neither dialect allows: blanks around separators, a ``;`` inside quotes, unclosed quotes,
repeated keys.  Each is read in one defined way, in time linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from phytoscribe.errors import GffError
from phytoscribe.files import LONGEST_LINE, blocks_with_plain_line_ends

# A comma separates the values of one attribute, so an escaped comma inside a value stays escaped ("%2C").
_ESCAPES = re.compile(r"(?:%(?!2[Cc])[0-9A-Fa-f]{2})+")
# Blanks at either end and quotes around an id mean nothing to readers, this one included, unless they are escaped.
_VALUE_SPECIAL = re.compile(r"%(?!2[Cc])|[;=&\x00-\x1f\x7f\x85\u2028\u2029]|\A\s|\s\Z")
_ID_SPECIAL = re.compile(r"[%;=&,\"\x00-\x1f\x7f\x85\u2028\u2029]|\A\s|\s\Z")
# Sequence names stand as the FASTA has them, since few programs read escapes there (a pangenome's "sample#1#chr1").
_COLUMN_SPECIAL = re.compile(r"\A[#>]|[\s\x00-\x1f\x7f]|%(?=[0-9A-Fa-f]{2})")
# A quoted value ends at its closing quote only if the field ends there; else the quotes are part of the text.
_QUOTED_FIELD = re.compile(r'([^=;]*)=(\s*"[^"]*"(?=\s*(?:;|\Z))|[^;]*)|[^;]+')
_GTF_FIELD = re.compile(r'([^\s;]+)(?:\s+("[^"]*"(?=\s*(?:;|\Z))|[^;]*))?')
#: The rest of a value that was cut at a ";" inside its quotes.
_CUT_VALUE = re.compile(r'(?:^|;)[^=;]*"\s*(?:;|\Z)')
#: A column that a spreadsheet has put in quotes, not one of which a part is quoted.
_QUOTED_COLUMN = re.compile(r'\s*"\s*[^\s"=;]+(?:[=;\s].*)?"\s*', re.DOTALL)
#: A name without key in front of attributes with keys, as TSEBRA writes the id of a transcript.
_NAME_FIRST = re.compile(r"\s*([^\s=\";,]+)\s*;\s*[^\s=\";]+=")
_NAMES = frozenset({"ID", "gene_id", "transcript_id"})
_GTF_KEYS = ("gene_id ", "transcript_id ", "gene_id\t", "transcript_id\t")


def numbered_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text without its line end) of a plain or gzipped UTF-8 file.

    Lines may end with LF, CRLF or CR, mixed too, and the last one with nothing.

    Raises:
        GffError: the file holds bytes that are not UTF-8, a NUL, or a line of more than :data:`LONGEST_LINE` bytes; the
            message gives the line number.
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
    lines = text.split("\n")
    if '\t"' in text or '\n"' in text or text[:1] == '"':
        lines = list(map(_without_quotes, lines))
    return lines


def _without_quotes(line: str) -> str:
    """A line without the quotes that spreadsheets and R put around column 9, or around every column that is text."""
    if '\t"' not in line and line[:1] != '"':
        return line
    columns = line.split("\t")
    if line[:1] == '"':
        columns = [_unquoted(column) for column in columns]
    if len(columns) == 9 and _QUOTED_COLUMN.fullmatch(columns[8]):
        inside = columns[8].strip()[1:-1]
        # Such programs double the quotes inside; others quote each attribute.
        columns[8] = inside.replace('""', '"') if '""' in inside else re.sub(r'"\s*;\s*"', ";", inside)
    return "\t".join(columns)


class Attributes(NamedTuple):
    """Attributes of one line as written, without quotes; the values of a repeated key are joined with commas.

    ``escaped`` is True if values are percent-encoded, which they are in GFF3 and not in GTF.
    """

    values: dict[str, str]
    escaped: bool

    def name(self, key: str) -> str:
        """The decoded value of an attribute that is one name, such as ``ID``; "" if there is none."""
        value = self.values.get(key, "")
        return unquote(value) if "%" in value and self.escaped else value

    def names(self, key: str) -> tuple[str, ...]:
        """The decoded names of a list such as ``Parent``, each once."""
        text = self.values.get(key, "")
        if not self.escaped or "," not in text:
            name = self.name(key)
            return (name,) if name else ()
        found = (decode_id(part.strip()) for part in text.split(","))
        return tuple(dict.fromkeys(name for name in found if name))

    def decoded(self) -> dict[str, str]:
        """All attributes that have a value, decoded as by :func:`decode_value`."""
        if not self.escaped:
            return {key: value for key, value in self.values.items() if value}
        flat = {decode_id(key): decode_value(value) for key, value in self.values.items() if value}
        # An escaped blank behind a comma is none any more once it is written.
        return {key: value.replace(",", "%2C") if ", " in value else value for key, value in flat.items()}


def read_attributes(text: str) -> Attributes:
    """Read the attributes of a GFF3 or GTF line; a bare name is a key without value.

    In GFF3 a comma followed by a blank is text, not a separator (except in ``Parent``), and quotes are text unless the
    line also quotes its ``ID`` or ``Parent``.  In GTF, which has no lists, every comma is text.  Commas that are text
    become ``%2C``.  If ``ID``, ``gene_id`` or ``transcript_id`` is repeated, the first counts.  A bare name before GFF3
    attributes is their ``ID``.
    """
    end = text.find(";")
    first = text if end < 0 else text[:end]
    equals = first.find("=")
    if equals < 0 < end and '"' not in first and (bare := _NAME_FIRST.match(text)):
        named = read_attributes(text[end + 1 :])
        if named.escaped:
            return named._replace(values={"ID": bare[1], **named.values})
    if equals < 0 or '"' in first[:equals] or first.lstrip().startswith(_GTF_KEYS):
        return Attributes(_gtf_values(text), escaped=False)
    fields = text.split(";")
    if '"' in text and _CUT_VALUE.search(text):
        fields = [found.group() for found in _QUOTED_FIELD.finditer(text)]
    values = _collected((field.partition("=")[::2] for field in fields), ", ")
    if '"' in text and any(_unquoted(values.get(key, "")) != values.get(key, "") for key in ("ID", "Parent")):
        values = {key: _unquoted(value) for key, value in values.items()}
    return Attributes(values, escaped=True)


def _gtf_values(text: str) -> dict[str, str]:
    if text == ".":
        return {}
    pairs = (found.groups(default="") for found in _GTF_FIELD.finditer(text))
    return _collected(((key, _unquoted(value.strip())) for key, value in pairs), ",")


def _collected(pairs: Iterable[tuple[str, str]], no_list: str) -> dict[str, str]:
    """Values by key; commas are text in those that contain ``no_list``."""
    values: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for raw_key, raw_value in pairs:
        key, value = raw_key.strip(), raw_value.strip()
        if no_list in value and key not in _NAMES and key != "Parent":
            value = value.replace(",", "%2C")
        if not values.get(key):
            if key:
                values[key] = value
        elif value and key not in _NAMES:
            repeated.setdefault(key, [values[key]]).append(value)
    for key, several in repeated.items():
        values[key] = ",".join(several)
    return values


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def decode_value(text: str) -> str:
    """Attribute value without percent escapes, except ``%2C`` (an escaped comma stays apart from a list's comma)."""
    return _ESCAPES.sub(lambda match: unquote(match.group()), text) if "%" in text else text


def decode_id(text: str) -> str:
    """An identifier without percent escapes."""
    return unquote(text) if "%" in text else text


def encode_value(text: str) -> str:
    """The inverse of :func:`decode_value`."""
    return _VALUE_SPECIAL.sub(_escape, text)


def encode_id(text: str) -> str:
    """The inverse of :func:`decode_id`; a comma is escaped, since ``Parent`` is a list."""
    return _ID_SPECIAL.sub(_escape, text)


def encode_column(text: str) -> str:
    """Sequence name, source or type for columns 1 to 3.

    Only characters that would break a line are escaped: blanks, a first ``#`` or ``>``, and a ``%`` that would read as
    an escape.
    """
    return _COLUMN_SPECIAL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())


def parse_attributes(text: str, where: str) -> dict[str, str]:
    """Decoded attributes of a clean GFF3 line, in file order; a repeated key is joined with commas.

    Unlike :func:`read_attributes` it accepts only this dialect and keeps a comma followed by a blank unchanged, so that
    PhytoScribe's own files are read back exactly.  ``ID`` and ``Parent`` keep their escapes.

    Args:
        text: column 9.
        where: "file, line n" for the message.

    Raises:
        GffError: an attribute has no ``=`` (usually a GTF file).
    """
    attributes: dict[str, str] = {}
    for field in text.split(";") if text != "." else ():
        key, equals, value = field.partition("=")
        if not equals and key.strip():
            raise GffError(
                f"{where}: the attribute {key.strip()[:60]!r} is not of the form key=value; "
                "if this is a GTF file, let the cleaning step read it"
            )
        if value.strip():  # "Note=" says nothing, and validators refuse it
            name = decode_value(key.strip())
            value = value.strip() if name in ("ID", "Parent") else decode_value(value.rstrip())
            attributes[name] = f"{attributes[name]},{value}" if name in attributes else value
    return attributes
