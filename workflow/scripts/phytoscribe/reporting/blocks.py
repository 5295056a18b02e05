"""Building blocks of a report page: sections of paragraphs, tables, figures and lists."""

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
    """Text; ``quiet`` text, in smaller letters, reports that something is missing."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Table(Block):
    """A table of formatted text; the first column is left-aligned, the others right-aligned unless ``plain``.

    Attributes:
        groups: (title, columns it spans) above the header row; the spans add up to the number of columns.
        strong: (row, column) of cells in bold.
        plain: all columns hold text and are left-aligned.
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
    """Figures, side by side if there is room: (data URI, alternative text, caption)."""

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
        details: shown after them, as far as the page size allows.
        folded: opens with a click; always open in print.
    """

    name: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    details: list[Block] = field(default_factory=list)
    folded: bool = False


def number(value: float | int | str | bool | None, decimals: int = 3) -> str:
    """Format a value for the report: thousands separated, fractions with ``decimals``, en dash if missing."""
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
    """Format a number read from a file; other text is unchanged."""
    try:
        value = float(text)
    except ValueError:
        return text or MISSING
    return number(int(value)) if value.is_integer() else number(value)


def score(value: float) -> str:
    """Format a share or F1 with three decimals."""
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
    """The saved figures of one group, side by side; empty if there are none."""
    items = [(figure.uri, figure.seen, figure.title) for figure in kept if figure.group == group]
    return [Figures(items)] if items else []
