"""Read a matrix of expression: a gene a line, a sample a column, as programs for RNA-seq and spreadsheets write it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text
from phytoscribe.genome.names import shown, some_names

#: Cells that mean "not measured".
NOT_MEASURED = frozenset({"", "NA", "NaN", "nan", "na", "N/A", "."})
#: A matrix without any value above this looks like one of logarithms: a gene of 2**25 TPM there is none.
LARGEST_LOG = 25.0
#: Genes of which some are expressed above that in every sample that was ever sequenced.
MANY_GENES = 1000


class Matrix(NamedTuple):
    """Values of some samples.

    Attributes:
        ids: of the genes, in the order of the file, each once.
        columns: names of the samples.
        values: float64 (genes, samples); NaN where nothing was measured.
    """

    ids: list[str]
    columns: list[str]
    values: npt.NDArray[np.float64]


def read_matrix(path: str | Path, wanted: Sequence[str] | None = None) -> Matrix:
    """Read a table with ids of genes in its first column, divided by tabs or, if its header has none, by commas.

    Lines that begin with ``#`` are left out, as featureCounts writes one.  A header without a name for the first
    column, as R writes it, is understood.

    Args:
        wanted: names of the columns that are read, in this order; None for all.  Others may hold any text.

    Raises:
        PhytoScribeError: the file cannot be read; a column is absent or its name is used twice; a line has another
            number of cells; an id is empty or used twice; a value is no number, infinite or below zero, or all look
            like logarithms.
    """
    with open_text(path) as handle:
        header, rows = _rows(path, handle)
        columns = list(header if wanted is None else wanted)
        places = [_place_of(path, header, name) for name in columns]
        ids: dict[str, int] = {}
        values: list[list[float]] = []
        negative: tuple[int, str, str] | None = None
        for number, (name, *cells) in rows:
            if len(cells) != len(header):
                raise PhytoScribeError(
                    f"{path}, line {number}: {len(cells) + 1} cells, but the header names {len(header)} samples behind "
                    "the id; every line needs as many"
                )
            if not name:
                raise PhytoScribeError(f"{path}, line {number}: the first column, which is the gene's id, is empty")
            if name in ids:
                raise PhytoScribeError(
                    f"{path}, line {number}: gene {shown(name)} stands in line {ids[name]} too; keep one of them, or "
                    "add up their values"
                )
            ids[name] = number
            values.append([_number(path, number, header[place], cells[place]) for place in places])
            if negative is None and min(values[-1], default=0.0) < 0:
                place = next(p for p, value in zip(places, values[-1], strict=True) if value < 0)
                negative = number, header[place], cells[place]
    found = np.array(values, dtype=np.float64).reshape(len(values), len(columns))
    if not np.isfinite(found).any():
        raise PhytoScribeError(f"{path}: holds no value; it needs a header, and below it a gene a line")
    _refuse_logarithms(path, found, negative)
    return Matrix(list(ids), columns, found)


def _rows(path: str | Path, handle: Iterable[str]) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Names of the samples, and number and cells of each further line."""
    lines = ((n, line) for n, line in enumerate(handle, start=1) if line.strip() and not line.startswith("#"))
    _, first = next(lines, (0, ""))
    divider = "\t" if "\t" in first else ","
    cut = ((n, [cell.strip() for cell in next(csv.reader([line], delimiter=divider))]) for n, line in lines)
    names = [cell.strip() for cell in next(csv.reader([first], delimiter=divider), [])]
    below = next(cut, None)
    rows = cut if below is None else chain([below], cut)
    header = names if below is not None and len(below[1]) == len(names) + 1 else names[1:]
    if not header:
        raise PhytoScribeError(
            f"{path}: no header with the names of samples; needed is a table, divided by tabs or commas, with ids of "
            "genes in its first column and a sample in each other one"
        )
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise PhytoScribeError(f"{path}: the header names {some_names(twice)} twice; give every sample its own name")
    return header, rows


def _place_of(path: str | Path, header: Sequence[str], name: str) -> int:
    if name not in header:
        near = get_close_matches(name, header, n=1, cutoff=0.0)
        raise PhytoScribeError(
            f"{path}: there is no column {shown(name)} (the nearest is {shown(near[0])}); its columns are "
            f"{some_names(header, 8)}"
        )
    return header.index(name)


def _number(path: str | Path, line: int, column: str, cell: str) -> float:
    if cell in NOT_MEASURED:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise PhytoScribeError(
            f"{path}, line {line}, column {shown(column)}: {shown(cell)} is no finite number; leave the cell empty "
            "where nothing was measured, or name the columns to read under `tissues`"
        )
    return value


def _refuse_logarithms(
    path: str | Path, values: npt.NDArray[np.float64], negative: tuple[int, str, str] | None
) -> None:
    """PhytoScribeError for a negative value, and for a whole genome without any large one."""
    small = 0 < float(np.nanmax(values)) <= LARGEST_LOG
    looks = f"no value is above {LARGEST_LOG:g}: looks like log2; give TPM"
    if negative is not None:
        line, column, cell = negative
        share = float(np.mean(values[np.isfinite(values)] < 0))
        advice = "expression is never negative: correct the table"
        advice = f"{100 * share:.0f} % of the values are, and {looks}" if small else advice
        raise PhytoScribeError(f"{path}, line {line}, column {shown(column)}: {cell} is negative; {advice}")
    if small and len(values) >= MANY_GENES:
        raise PhytoScribeError(f"{path}: in {len(values):,} genes {looks}")
