"""The tables under ``results/evaluation/``: one way to write and read them, and the columns of the score tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open

#: ``value`` is empty where it is not defined (a precision without predictions); ``n`` counts what it is taken over.
COLUMNS = ("predictor", "level", "ruler", "subset", "metric", "value", "n")
Row = tuple[str, str, str, str, str, float, int]
#: Ends the name of a metric that counts only predictions near scored loci, not those on the rest of the contig.
NEAR_LOCI = "_near_loci"
#: Metrics that false genes between the loci would change.
OF_PREDICTIONS = frozenset({"precision", "f1", "fp"})
#: Columns of names, which may look like numbers.
NAMES = dict.fromkeys(("predictor", "transcript", "gene", "locus", "contig", "read", "species", "lineage"), str)


def score_table(rows: list[Row]) -> pd.DataFrame:
    """Rows of :data:`COLUMNS` as a table."""
    return pd.DataFrame(rows, columns=list(COLUMNS))


def near_loci(metric: str) -> str:
    """Name of a metric where only predictions near scored loci count; that of recall and of right items is the same."""
    return metric + NEAR_LOCI if metric in OF_PREDICTIONS else metric


def counts_near_loci(scores: pd.DataFrame) -> bool:
    """Whether a score table counts only predictions near scored loci."""
    return bool(scores["metric"].isin([near_loci(metric) for metric in OF_PREDICTIONS]).any())


def shown_metrics(scores: pd.DataFrame) -> tuple[str, str, str]:
    """Names of precision, recall and F1 in a score table."""
    near = counts_near_loci(scores)
    return tuple(near_loci(metric) if near else metric for metric in ("precision", "recall", "f1"))


def write_scores(scores: pd.DataFrame, path: str | Path) -> None:
    """Write a score table with six decimals, by rename."""
    write_table(scores.loc[:, list(COLUMNS)], path)


def write_table(table: pd.DataFrame, path: str | Path, decimals: int = 6) -> None:
    """Write any table, tab-separated with a header, fractions with so many decimals, by rename."""
    with atomic_open(path) as handle:
        table.to_csv(handle, sep="\t", index=False, float_format=f"%.{decimals}f", lineterminator="\n")


def read_table(path: str | Path, what: str = "table") -> pd.DataFrame:
    """Read a table of :func:`write_table`; only an empty field is a missing value (a gene may be called NA).

    Args:
        path: the file.
        what: it is, for the message.

    Raises:
        PhytoScribeError: the file is missing or empty.
    """
    try:
        return pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], dtype=NAMES)
    except (OSError, pd.errors.EmptyDataError) as error:
        raise PhytoScribeError(f"{path}: no {what} ({error}); run its rule again") from error


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a score table.

    Raises:
        PhytoScribeError: the file is missing or has other columns.
    """
    return read_columns(path, COLUMNS, "score table")


def read_columns(path: str | Path, columns: tuple[str, ...], what: str) -> pd.DataFrame:
    """Read a table that must have exactly these columns; ``what`` it is, for the message.

    Raises:
        PhytoScribeError: the file is missing, empty or has other columns.
    """
    table = read_table(path, what)
    if tuple(table.columns) != columns:
        raise PhytoScribeError(f"{path}: columns {list(table.columns)} instead of {list(columns)}; run its rule again")
    return table
