"""The tables of benchmarks/evidence.md, each between two comments; the text around them is written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from evidence_sets import COLUMNS

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open


def table_of(rows: Sequence[Sequence[str]], *more: str, columns: Sequence[str] = COLUMNS) -> list[str]:
    """Lines of a table; ``more``: names of columns behind the figures."""
    names = ("", *columns, *more)
    return [f"| {' | '.join(names)} |", len(names) * "|---" + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def put_tables(page: Path, tables: Mapping[str, Sequence[str]]) -> None:
    """Replace tables of a page, given by the name in the comment that begins each.

    Raises:
        PhytoScribeError: the page has no such table.
    """
    text = page.read_text(encoding="utf-8")
    for name, lines in tables.items():
        begin, end = f"<!-- table: {name} -->", "<!-- end of table -->"
        pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
        new = "\n".join([begin, "", *lines, "", end])
        text, count = pattern.subn(lambda _, new=new: new, text)
        if count != 1:
            raise PhytoScribeError(f"{page}: needs one table between {begin} and {end}, has {count}")
    with atomic_open(page) as handle:
        handle.write(text)
