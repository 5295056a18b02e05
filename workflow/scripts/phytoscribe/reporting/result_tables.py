"""The tables of the evaluation that have one row per gene, transcript or check: read with their columns checked."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError

#: Columns that the report needs of each kind of table, and whether they hold text or numbers; others may be there too.
LOCI = {
    "predictor": str, "locus": str, "contig": str, "strand": str, "start": int, "end": int, "class": str,
    "predicted": str, "cds_exons": int, "predicted_cds_exons": float, "cds_length": int, "no_train_homologue": str,
}  # fmt: skip
PREDICTED_GENES = {
    "predictor": str, "gene": str, "contig": str, "strand": str, "start": int, "end": int, "probability": float,
    "right": str, "class": str, "cds_exons": int, "cds_length": int,
}  # fmt: skip
TRANSCRIPTS = {"predictor": str, "transcript": str, "gene": str, "class": str, "reads": float}
READS = {"reads": str, "count": int, "share": str}
AGREEMENT = {"predictor": str}
PLAUSIBILITY = {
    "group": str, "name": str, "value": str, "unit": str, "low": str, "high": str, "verdict": str, "note": str,
}  # fmt: skip


def read_table(path: str | Path, columns: dict[str, type]) -> pd.DataFrame:
    """A tab-separated table; an empty number is NaN where its column is float, and an error where it is int.

    Raises:
        PhytoScribeError: the file is missing, lacks a column, or a number is none; the text names column and line.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise PhytoScribeError(f"{path}: no table ({error}); run its rule again") from error
    lacking = [column for column in columns if column not in table.columns]
    if lacking:
        raise PhytoScribeError(f"{path}: column {', '.join(lacking)} is missing; run its rule again")
    for column, kind in columns.items():
        if kind is not str:
            table[column] = _numbers(path, table[column], kind)
    return table


def _numbers(path: str | Path, values: pd.Series, kind: type) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & ((values != "") | (kind is int))
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise PhytoScribeError(
            f"{path}, line {line + 2}: {values.name} is {values.iloc[line]!r} and not a number; run its rule again"
        )
    return numbers.astype(kind)
