"""Scores for the terminal: what ``make demo`` prints at its end.

Run as ``python -m phytoscribe.reporting.terminal results/evaluation/*.genes.tsv``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.accuracy.counts import EXACT, LEVELS
from phytoscribe.tables import SCORES, counts_near_loci, read_table, shown_metrics

SUBSET_TITLES = {"all": "all genes", "no_train_homologue": "no train homologue"}
NEAR_NOTE = "near loci: only predictions near scored loci count; false genes elsewhere on the contigs are not seen"
SUFFIX = ".genes.tsv"


def score_table(paths: Iterable[str | Path]) -> str:
    """Precision, recall and F1 by predictor and level, one block per genome, as text without a final newline.

    Args:
        paths: ``{genome}.genes.tsv`` files.

    Raises:
        PhytoScribeError: a file is missing or is no score table.
    """
    blocks = [_block(Path(path).name.removesuffix(SUFFIX), read_table(path, SCORES)) for path in paths]
    return "\n\n".join(blocks)


def _block(genome: str, scores: pd.DataFrame) -> str:
    scores = scores[scores["ruler"] == EXACT]
    subsets = [subset for subset in SUBSET_TITLES if (scores["subset"] == subset).any()]
    value = scores.set_index(["predictor", "level", "subset", "metric"])["value"]
    near, metrics = counts_near_loci(scores), shown_metrics(scores)
    titles = ("precision near loci", "recall", "F1 near loci") if near else ("precision", "recall", "F1")
    head = ["predictor", "level", *(title for _ in subsets for title in titles)]
    rows = [head]
    for predictor in scores["predictor"].drop_duplicates():
        for level in (level for level in LEVELS if (predictor, level) in value.index.droplevel([2, 3])):
            cells = [_shown(value[predictor, level, subset, metric]) for subset in subsets for metric in metrics]
            rows.append([str(predictor), level, *cells])
    lines = _aligned(rows)
    above = _subset_line(rows, subsets, scores)
    rule = "-" * max(len(line) for line in lines)
    return "\n".join([f"{genome}: exact CDS", above, lines[0], rule, *lines[1:], *([NEAR_NOTE] if near else [])])


def _subset_line(rows: Sequence[Sequence[str]], subsets: Sequence[str], scores: pd.DataFrame) -> str:
    widths = _widths(rows)
    line = " " * (widths[0] + widths[1] + 2)
    loci = scores[(scores["level"] == "locus") & (scores["metric"] == "recall")].groupby("subset")["n"].first()
    for index, subset in enumerate(subsets):
        span = sum(widths[2 + 3 * index : 5 + 3 * index]) + 6
        line += f"{SUBSET_TITLES[subset]} ({loci[subset]} loci)".rjust(span)
    return line


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(9, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = _widths(rows)
    return [
        "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in ([*zip(row, widths, strict=True)] for row in rows)
    ]


def _shown(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3f}"


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code."""
    try:
        print(score_table(arguments))
    except PhytoScribeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
