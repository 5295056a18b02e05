"""A figure with the numbers that are drawn in it, and the folder that figures are kept in.

A folder of figures holds ``{name}.svg``, ``{name}.pdf`` and ``{name}.tsv`` of each figure, and ``figures.tsv``, which
lists them in their order with their titles and what is seen in them.  The same numbers give the same bytes.
"""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.reporting.style import STYLE

LISTING = "figures.tsv"
_COLUMNS = ("name", "group", "title", "seen")


@dataclass(frozen=True)
class Drawing:
    """A figure and its numbers.

    Attributes:
        name: stem of its files.
        group: part of the report that it belongs to.
        title: caption.
        seen: what is seen in it, in words, for readers who cannot see it.
        data: the numbers drawn, one row per mark.
    """

    name: str
    group: str
    title: str
    seen: str
    figure: Figure
    data: pd.DataFrame


@dataclass(frozen=True)
class KeptFigure:
    """A figure as a folder of figures holds it; ``uri`` is its SVG as a data URI."""

    name: str
    group: str
    title: str
    seen: str
    uri: str


def write_drawings(drawings: Iterable[Drawing], folder: str | Path) -> None:
    """Write a folder of figures; it appears complete or not at all.  Drawings are taken one at a time."""
    with atomic_path(folder) as temporary:
        temporary.mkdir(parents=True)
        listed = []
        for drawing in drawings:
            _write(drawing, temporary)
            listed.append((drawing.name, drawing.group, drawing.title, drawing.seen))
        with (temporary / LISTING).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
            writer.writerows([_COLUMNS, *listed])


def read_figures(folder: str | Path) -> list[KeptFigure]:
    """The figures of a folder, in the order of its listing.

    Raises:
        PhytoScribeError: the listing or a figure is missing.
    """
    path = Path(folder) / LISTING
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t"))
        return [KeptFigure(**{key: row[key] for key in _COLUMNS}, uri=_data_uri(path, row["name"])) for row in rows]
    except (OSError, KeyError) as error:
        raise PhytoScribeError(
            f"{path}: figures cannot be read ({error}); run the rule that draws them again"
        ) from error


def _data_uri(listing: Path, name: str) -> str:
    content = listing.with_name(f"{name}.svg").read_bytes()
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"


def _write(drawing: Drawing, folder: Path) -> None:
    none = {"svg": ("Date", "Creator"), "pdf": ("CreationDate", "Creator", "Producer")}
    with mpl.rc_context(STYLE):
        for kind, keys in none.items():
            drawing.figure.savefig(
                folder / f"{drawing.name}.{kind}",
                transparent=True,
                bbox_inches="tight",
                metadata=dict.fromkeys(keys),
            )
    drawing.data.to_csv(folder / f"{drawing.name}.tsv", sep="\t", index=False, float_format="%.6g", lineterminator="\n")
