"""Real files, damaged: what editors, disks, transfers and scripts do to FASTA, index and annotation files.

A damage is a list of steps, each with a number that drives its choices, so that hypothesis can leave steps out and
find the smallest damage that still breaks a reader.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st
from odd_values import COLUMN9, FRAGMENTS, NUMBERS, STRANDS, TYPES

Step = tuple[str, int]
#: Bytes of the largest damaged file: large enough to show time that grows with the square of a length.
LARGEST = 1_000_000


def damaged(seeds: Sequence[bytes], own_steps: Sequence[str] = ()) -> st.SearchStrategy[bytes]:
    """One of the files after one to five steps; ``own_steps`` are names of :data:`STEPS` that fit the format."""
    names = [*_ANY_FORMAT, *own_steps, *own_steps]
    steps = st.lists(st.tuples(st.sampled_from(names), st.integers(0, 2**20)), min_size=1, max_size=5)
    return st.builds(apply_steps, st.sampled_from(list(seeds)), steps)


def apply_steps(data: bytes, steps: Sequence[Step]) -> bytes:
    """The file after each step in turn, cut to :data:`LARGEST`."""
    for name, number in steps:
        data = STEPS[name](data, random.Random(number))[:LARGEST]
    return data


def _times(part: bytes, count: int) -> bytes:
    return part * min(count, 1 + LARGEST // max(1, len(part)))


def _at(data: bytes, chance: random.Random) -> int:
    return chance.randint(0, max(0, len(data) - 1))


def flip(data: bytes, chance: random.Random) -> bytes:
    at = _at(data, chance)
    return data[:at] + bytes(byte ^ (1 << chance.randrange(8)) for byte in data[at : at + 1]) + data[at + 1 :]


def insert(data: bytes, chance: random.Random) -> bytes:
    at = _at(data, chance)
    return data[:at] + chance.choice(FRAGMENTS) * chance.choice([1, 1, 1, 3]) + data[at:]


def overwrite(data: bytes, chance: random.Random) -> bytes:
    at = _at(data, chance)
    new = chance.choice(FRAGMENTS)
    return data[:at] + new + data[at + len(new) :]


def cut_out(data: bytes, chance: random.Random) -> bytes:
    at = _at(data, chance)
    return data[:at] + data[at + chance.choice([1, 1, 5, 60, 600]) :]


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def repeat_part(data: bytes, chance: random.Random) -> bytes:
    at = _at(data, chance)
    part = data[at : at + chance.choice([1, 7, 80])]
    return data[:at] + _times(part, chance.choice([2, 3, 50, 5000])) + data[at:]


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")


def swap_lines(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def repeat_line(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    lines.insert(chance.randint(0, len(lines)), chance.choice(lines))
    return b"\n".join(lines)


def drop_line(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    del lines[chance.randrange(len(lines))]
    return b"\n".join(lines)


def splice_lines(data: bytes, chance: random.Random) -> bytes:
    """The first half of one line and the second half of another."""
    lines = _lines(data)
    one, other = chance.choice(lines), chance.choice(lines)
    lines[chance.randrange(len(lines))] = one[: _at(one, chance)] + other[_at(other, chance) :]
    return b"\n".join(lines)


def join_lines(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], b"".join(lines[at : at + 2]), *lines[at + 2 :]])


def reverse_lines(data: bytes, chance: random.Random) -> bytes:
    return b"\n".join(_lines(data)[::-1])


def long_line(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = chance.randrange(len(lines))
    part = chance.choice([lines[at], b"A", b";a=b", b",x", b"%2C", b'"', b" ", b"\t", b"("])
    lines[at] += _times(part, 20_000)
    return b"\n".join(lines)


def carriage_returns(data: bytes, chance: random.Random) -> bytes:
    return data.replace(b"\n", chance.choice([b"\r\n", b"\r", b"\r\r\n", b"\n\r"]))


def other_encoding(data: bytes, chance: random.Random) -> bytes:
    text = data.decode("utf-8", errors="replace")
    return text.encode(chance.choice(["utf-16", "utf-16-le", "utf-8-sig", "latin-1"]), errors="replace")


def pack(data: bytes, chance: random.Random) -> bytes:
    packed = gzip.compress(data, mtime=0)
    kind = chance.choice(["whole", "whole", "cut", "flipped", "tail", "zeros", "twice", "members"])
    if kind == "cut":
        return packed[: chance.randint(2, len(packed))]
    if kind == "flipped":
        return flip(packed, chance)
    if kind == "tail":
        return packed + chance.choice([b"\n", b"garbage", b"\x1f\x8b", data[:50]])
    if kind == "zeros":
        return packed + bytes(512)
    if kind == "twice":
        return gzip.compress(packed, mtime=0)
    if kind == "members":
        return packed + gzip.compress(data[len(data) // 2 :], mtime=0)
    return packed


def _with_column(data: bytes, chance: random.Random, change: Callable[[list[bytes]], None]) -> bytes:
    """Change the columns of one line that has some."""
    lines = _lines(data)
    candidates = [at for at, line in enumerate(lines) if b"\t" in line]
    if candidates:
        at = chance.choice(candidates)
        columns = lines[at].split(b"\t")
        change(columns)
        lines[at] = b"\t".join(columns)
    return b"\n".join(lines)


def swap_columns(data: bytes, chance: random.Random) -> bytes:
    def change(columns: list[bytes]) -> None:
        one, other = chance.randrange(len(columns)), chance.randrange(len(columns))
        columns[one], columns[other] = columns[other], columns[one]

    return _with_column(data, chance, change)


def set_column(data: bytes, chance: random.Random) -> bytes:
    """One column of a feature line gets a text that fits it badly."""
    choices = {2: TYPES, 3: NUMBERS, 4: NUMBERS, 5: NUMBERS, 6: STRANDS, 7: [*NUMBERS, *STRANDS], 8: COLUMN9}

    def change(columns: list[bytes]) -> None:
        at = chance.randrange(len(columns))
        columns[at] = chance.choice(choices.get(at, NUMBERS + COLUMN9)).encode()

    return _with_column(data, chance, change)


def set_number(data: bytes, chance: random.Random) -> bytes:
    """One column of an index gets another number."""

    def change(columns: list[bytes]) -> None:
        columns[chance.randrange(len(columns))] = chance.choice(NUMBERS).encode()

    return _with_column(data, chance, change)


def copy_column(data: bytes, chance: random.Random) -> bytes:
    """A column of one line into the same column of another: ids twice, foreign parents, circles."""
    lines = [line.split(b"\t") for line in _lines(data)]
    full = [columns for columns in lines if len(columns) > 1]
    if full:
        one, other = chance.choice(full), chance.choice(full)
        at = chance.randrange(min(len(one), len(other)))
        one[at] = other[at]
    return b"\n".join(map(b"\t".join, lines))


def relink(data: bytes, chance: random.Random) -> bytes:
    """The value of one attribute becomes that of another: a feature its own parent, two features of one id."""
    lines = _lines(data)
    fields = [
        (at, field) for at, line in enumerate(lines) if b"\t" in line for field in line.split(b"\t")[-1].split(b";")
    ]
    pairs = [(at, field) for at, field in fields if b"=" in field]
    if pairs:
        (at, old), (_, new) = chance.choice(pairs), chance.choice(pairs)
        key = old.partition(b"=")[0]
        lines[at] = lines[at].replace(old, key + b"=" + new.partition(b"=")[2], 1)
    return b"\n".join(lines)


def many_parents(data: bytes, chance: random.Random) -> bytes:
    names = ",".join(f"t{number}" for number in range(3000))
    return data.replace(b"Parent=", f"Parent={names},".encode(), 1)


_ANY_FORMAT = (flip, insert, overwrite, cut_out, truncate, repeat_part, swap_lines, repeat_line, drop_line)
_ANY_FORMAT = tuple(
    step.__name__
    for step in (
        *_ANY_FORMAT,
        splice_lines,
        join_lines,
        reverse_lines,
        long_line,
        carriage_returns,
        other_encoding,
        pack,
    )
)
OF_ANNOTATIONS = ("swap_columns", "set_column", "copy_column", "relink", "many_parents")
OF_INDEXES = ("swap_columns", "set_number", "copy_column")
STEPS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    name: globals()[name] for name in {*_ANY_FORMAT, *OF_ANNOTATIONS, *OF_INDEXES}
}
