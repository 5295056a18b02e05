"""Style of the report's figures, figures with the numbers behind them, and the folder that stores them.

Colours come from the Okabe-Ito palette, which colour-blind readers can distinguish; a marker, a position or a word
always carries the same meaning.  A folder of figures holds ``{name}.svg``, ``{name}.pdf`` and ``{name}.tsv`` for each
figure, and ``figures.tsv``, which lists them in order with their titles and descriptions.  The same numbers give the
same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path

OURS, BASELINE = "phytoscribe", "augustus"
LISTING = "figures.tsv"
_COLUMNS = ("name", "group", "title", "seen")
#: Fields of a file's metadata that would change its bytes from run to run.
_UNDATED = {"svg": ("Date", "Creator"), "pdf": ("CreationDate", "Creator", "Producer")}
INK, RULE, SOFT = "#26302b", "#d9ddd6", "#8a948e"
STYLE = {
    "svg.hashsalt": "phytoscribe",
    # Names of contigs and genes may hold dollar signs, and no figure has a formula.
    "text.parse_math": False,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    # Comes with matplotlib, so widths are the same everywhere; Verdana is as wide where a reader lacks it.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 10,
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 9,
}
#: A predictor as the report names it, in the order of its tables and figures.
PREDICTORS = {
    "phytoscribe": "PhytoScribe",
    "augustus": "AUGUSTUS",
    "longest_isoform": "longest isoform",
    "from_dna": "from DNA",
    "with_evidence": "with evidence",
    "reference": "reference",
}
_COLORS = {"phytoscribe": "#009E73", "augustus": "#D55E00", "longest_isoform": "#CC79A7", "reference": "#5c6670"}
_MARKERS = {"phytoscribe": "o", "augustus": "s", "longest_isoform": "^", "reference": "D"}
READS, READS_OTHER_STRAND = "#56B4E9", "#c9d6de"


def color_of(predictor: str) -> str:
    return _COLORS.get(predictor, INK)


def marker_of(predictor: str) -> str:
    return _MARKERS.get(predictor, "v")


def name_of(predictor: str) -> str:
    return PREDICTORS.get(predictor, predictor.replace("_", " "))


@contextmanager
def axes_of(size: tuple[float, float], grid: str = "", layout: str | None = None) -> Iterator[Axes]:
    """Yield the single panel of a new figure; afterwards grid lines of ``x``, ``y`` or ``both`` go behind the marks.

    Args:
        size: width and height in inches.
        layout: matplotlib's layout engine; None leaves the panel as it is.
    """
    with mpl.rc_context(STYLE):
        axes = Figure(figsize=size, layout=layout).subplots()
        yield axes
        if grid:
            draw_grid(axes, grid)


def draw_grid(axes: Axes, grid: str) -> None:
    axes.grid(axis=grid, color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)


@dataclass(frozen=True)
class Described:
    """Texts about a figure in the report.

    Attributes:
        name: stem of its files.
        group: part of the report to which it belongs.
        title: caption.
        seen: description in words, for readers who cannot see it.
    """

    name: str
    group: str
    title: str
    seen: str


@dataclass(frozen=True)
class Drawing(Described):
    """A figure and its numbers, one row per mark."""

    figure: Figure
    data: pd.DataFrame


@dataclass(frozen=True)
class KeptFigure(Described):
    """A figure read from a folder of figures; ``uri`` is its SVG as a data URI."""

    uri: str


def write_drawings(drawings: Iterable[Drawing], folder: str | Path) -> None:
    """Write a folder of figures, completely or not at all.  Drawings are taken one at a time."""
    with atomic_path(folder) as temporary:
        temporary.mkdir(parents=True)
        listed = []
        for drawing in drawings:
            with mpl.rc_context(STYLE):
                for kind, keys in _UNDATED.items():
                    path = temporary / f"{drawing.name}.{kind}"
                    metadata = dict.fromkeys(keys)
                    drawing.figure.savefig(path, transparent=True, bbox_inches="tight", metadata=metadata)
            _write_tsv(drawing.data, temporary / f"{drawing.name}.tsv")
            listed.append((drawing.name, drawing.group, drawing.title, drawing.seen))
        _write_tsv(pd.DataFrame(listed, columns=_COLUMNS), temporary / LISTING)


def read_figures(folder: str | Path) -> list[KeptFigure]:
    """The figures of a folder, in the order of its listing.

    Raises:
        PhytoScribeError: the listing or a figure is missing.
    """
    path = Path(folder) / LISTING
    try:
        rows = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)[list(_COLUMNS)]
        return [
            KeptFigure(*row, uri=_data_uri(path.with_name(f"{row.name}.svg"))) for row in rows.itertuples(index=False)
        ]
    except (OSError, KeyError, ValueError) as error:
        raise PhytoScribeError(
            f"{path}: figures cannot be read ({error}); run the rule that draws them again"
        ) from error


def _data_uri(svg: Path) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.read_bytes()).decode()}"


def _write_tsv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, float_format="%.6g", lineterminator="\n")
