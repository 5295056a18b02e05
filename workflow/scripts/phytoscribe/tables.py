"""The tables under ``results/evaluation/``: the columns of each, and one way to write and to read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open

Columns = Mapping[str, type]
#: ``value`` is empty where it is not defined (a precision without predictions); ``n`` counts what it is taken over.
SCORES: Columns = {
    "predictor": str, "level": str, "ruler": str, "subset": str, "metric": str, "value": float, "n": int,
}  # fmt: skip
COLUMNS = tuple(SCORES)
ScoreRow = tuple[str, str, str, str, str, float, int]
LOCI: Columns = {
    "predictor": str, "locus": str, "contig": str, "strand": str, "start": int, "end": int, "class": str,
    "predicted": str, "cds_exons": int, "predicted_cds_exons": float, "cds_length": int, "no_train_homologue": str,
}  # fmt: skip
PREDICTED_GENES: Columns = {
    "predictor": str, "gene": str, "contig": str, "strand": str, "start": int, "end": int, "probability": float,
    "right": str, "class": str, "error": str, "cds_exons": int, "cds_length": int,
}  # fmt: skip
#: Genes that evidence changes; ``start`` counts from 1, and what a gene lacks is empty.
CHANGED_GENES: Columns = dict.fromkeys((
    "change", "contig", "strand", "start", "end", "locus", "gene", "class", "gene_from_dna", "class_from_dna",
), str)  # fmt: skip
#: Transcripts beside Iso-Seq reads; :data:`HITS` are BLAST's of the same transcripts.
TRANSCRIPTS: Columns = {
    "predictor": str, "transcript": str, "gene": str, "contig": str, "strand": str, "start": int, "end": int,
    "class": str, "exon_class": str, "cds_introns": int, "reads": int, "supporting_reads": int,
    "cds_chain_in_read": str, "cds_in_read": str,
}  # fmt: skip
HITS: Columns = {
    "predictor": str, "transcript": str, "sequence": str, "read": str, "identity": float, "coverage": float,
    "reciprocal": str,
}  # fmt: skip
AGREEMENT: Columns = dict.fromkeys((
    "predictor", "criterion", "blast_tier", "subset", "both", "minimap2_only", "blast_only", "neither", "n",
    "agreement", "kappa",
), str)  # fmt: skip
#: Genes without protein and mobile elements of a genome; ``bases`` are those that features of a kind cover.
NONCODING: Columns = {"type": str, "source": str, "count": int, "bases": int}
READS: Columns = {"reads": str, "count": int, "share": str}
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
SHAPES: Columns = {
    "species": str, "lineage": str, "quantity": str, "n": int, "mean": float, **dict.fromkeys(QUANTILES, float),
}  # fmt: skip
#: Without a reference; figures are text, as they are shown.
PLAUSIBILITY: Columns = dict.fromkeys(("group", "name", "value", "unit", "low", "high", "verdict", "note"), str)
#: How much shuffled words of a gene's window move a model (``attribution/expression.py``): ``end`` is TSS or TTS.
PROFILE: Columns = {
    "model": str, "end": str, "distance": int, "value": float, "low": float, "high": float, "n": int,
}  # fmt: skip
#: Promoters as points; ``level`` is log2(1 + TPM) of the first tissue, ``tau`` its specificity to tissues.
EMBEDDING: Columns = {
    "genome": str, "gene": str, "part": str,
    **dict.fromkeys(("level", "tau", "gc", "pca_1", "pca_2", "umap_1", "umap_2"), float),
}  # fmt: skip
#: Ends the name of a metric that counts only predictions near scored loci, not those on the rest of the contig.
NEAR_LOCI = "_near_loci"
#: Metrics that false genes between the loci would change.
OF_PREDICTIONS = frozenset({"precision", "f1", "fp"})


def score_table(rows: Iterable[ScoreRow]) -> pd.DataFrame:
    """Rows of :data:`SCORES` as a table."""
    return pd.DataFrame(rows, columns=list(SCORES))


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


def share(part: float, whole: float) -> float:
    """``part / whole``; NaN of nothing."""
    return part / whole if whole else float("nan")


def write_table(table: pd.DataFrame, path: str | Path, columns: Iterable[str] | None = None, decimals: int = 6) -> None:
    """Write a table, tab-separated with a header, fractions with so many decimals, by rename.

    Args:
        columns: those that are written; None for all.
    """
    chosen = table if columns is None else table.loc[:, list(columns)]
    with atomic_open(path) as handle:
        chosen.to_csv(handle, sep="\t", index=False, float_format=f"%.{decimals}f", lineterminator="\n")


def read_table(path: str | Path, columns: Columns) -> pd.DataFrame:
    """Read a table that has these columns; others, which it may have too, are text.

    An empty text stays one (a gene may be called NA); an empty number is NaN where its column is float, and an error
    where it is int.

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
