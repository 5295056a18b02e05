"""What a report page is made of: sections of paragraphs, tables, figures and listings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from phytoscribe.reporting.drawing import KeptFigure

MISSING = "–"
#: A longer list in a JSON file is shown by its length alone.
LISTED = 6
_ABBREVIATION = re.compile(r"\b(cds|utr|f1|gff3|orf|blast|busco)\b")
_SPLICE_SITE = re.compile(r"(?<![a-z])(gt_ag|gc_ag|at_ac)(?![a-z])")


class Block:
    """A part of the page; the templates choose its HTML by ``kind``."""

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Heading(Block):
    text: str


@dataclass(frozen=True)
class Paragraph(Block):
    """Text; ``quiet`` text says that something is missing, in smaller letters."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Table(Block):
    """A table of formatted text; the first column is set left, the others right unless ``plain``.

    Attributes:
        groups: (title, columns it spans) above the header row; the spans add up to the columns.
        strong: (row, column) of cells in bold.
        plain: all columns hold text and are set left.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    groups: Sequence[tuple[str, int]] = ()
    strong: frozenset[tuple[int, int]] = frozenset()
    plain: bool = False


@dataclass(frozen=True)
class Items(Block):
    """A list of sentences under a title; ``warns`` sets it off."""

    title: str
    items: Sequence[str]
    warns: bool = False


@dataclass(frozen=True)
class Links(Block):
    """Files beside the page: (path from the page, what it is)."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Figures(Block):
    """Figures side by side where there is room: (data URI, alternative text, caption)."""

    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Listing(Block):
    text: str


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        name: its anchor.
        blocks: always shown.
        details: shown after them, as far as the page has room.
        folded: opened by a click; in print it is open.
    """

    name: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    details: list[Block] = field(default_factory=list)
    folded: bool = False


def number(value: float | int | str | bool | None, decimals: int = 3) -> str:
    """A value as the report shows it: thousands apart, fractions with ``decimals``, en dash for what is missing."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if float(value).is_integer() and not isinstance(value, float):
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.{decimals}g}"


def number_of(text: str) -> str:
    """A number of a file as the report shows it; other text as it is."""
    try:
        value = float(text)
    except ValueError:
        return text or MISSING
    return number(int(value)) if value.is_integer() else number(value)


def score(value: float) -> str:
    """A share or F1 with three decimals."""
    return MISSING if pd.isna(value) else f"{value:.3f}"


def words(key: str) -> str:
    """A key of a JSON file as a phrase: ``exons_per_gene`` becomes ``exons per gene``."""
    phrase = _SPLICE_SITE.sub(lambda found: found.group().upper().replace("_", "-"), key.replace(".", ": "))
    return _ABBREVIATION.sub(lambda found: found.group().upper(), phrase.replace("_", " "))


def flattened(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested mappings as one level, keys joined by a dot; lists as text."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{name}."))
        elif isinstance(value, list | tuple):
            shown = ", ".join(number(item) for item in value) or MISSING
            flat[name] = shown if len(value) <= LISTED else f"{len(value)} values"
        else:
            flat[name] = value
    return flat


def key_values(values: Mapping[str, object], caption: str = "") -> Table:
    """A two-column table of a JSON object."""
    rows = [(words(key), number(value)) for key, value in flattened(values).items()]  # type: ignore[arg-type]
    return Table(("", "value"), rows, caption)


def figures_of(kept: Iterable[KeptFigure], group: str) -> list[Figures]:
    """The kept figures of one group side by side; empty without any."""
    items = [(figure.uri, figure.seen, figure.title) for figure in kept if figure.group == group]
    return [Figures(items)] if items else []
