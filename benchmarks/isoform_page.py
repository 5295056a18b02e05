"""The page of isoforms.py, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from phytoscribe.annotation.isoform_events import EVENT_CLASSES
from phytoscribe.evaluation.accuracy.counts import ALL

#: Begins the names of predictions whose first transcripts are the reference's.
GIVEN = "given"
#: Ends the names of predictions that know RNA-seq reads.
WITH_READS = ", with reads"


class Figures:
    """Looks figures up in the table, as text; without one the text is empty."""

    def __init__(self, table: pd.DataFrame) -> None:
        keys = table[["predictor", "level", "ruler", "subset", "metric"]].itertuples(index=False, name=None)
        self._values: dict[tuple, tuple[float, int]] = dict(zip(keys, zip(table["value"], table["n"])))

    def n(self, *key: str) -> int:
        return self._values.get(key, (0.0, 0))[1]

    def share(self, *key: str) -> str:
        value = self._values.get(key, (float("nan"), 0))[0]
        return "" if value != value else f"{value:.3f}"

    def with_interval(self, *key: str) -> str:
        *place, metric = key
        low, high = (self.share(*place, f"{metric}_{end}") for end in ("low", "high"))
        return f"{self.share(*key)} ({low} to {high})" if low else self.share(*key)

    def lead(self, *key: str) -> str:
        """Where the first predictor's figure minus this one lies."""
        *place, metric = key
        low, high = (self.share(*place, f"{metric}_lead_{end}") for end in ("low", "high"))
        return f"{low} to {high}" if low else ""

    def with_number(self, *key: str) -> str:
        return f"{self.share(*key)} ({self.n(*key)})" if self.n(*key) else ""

    def right_of(self, *key: str) -> str:
        """Right additions and all; empty without any."""
        right, n = self._values.get((*key, "tp"), (0.0, 0))
        return f"{right:.0f} of {n}" if n else ""


Cell = Callable[[Figures, str], str]


def _at(level: str, ruler: str, metric: str, subset: str = ALL, shown: str = "share") -> Cell:
    """A cell of the column: one share, shown by the method of :class:`Figures` of this name."""
    return lambda figures, name: getattr(figures, shown)(name, level, ruler, subset, metric)


CONFIRMED = "or 5 RNA-seq reads"
DE_NOVO: dict[str, Cell] = {
    "right additions": lambda figures, name: figures.right_of(name, "addition", "exact", ALL),
    "P": _at("addition", "exact", "precision", shown="with_interval"),
    "first P minus this": _at("addition", "exact", "precision", shown="lead"),
    "R": _at("addition", "exact", "recall", shown="with_interval"),
    "P at right first transcripts": _at("addition", "exact", "precision", "primary_right", "with_number"),
    "P at R 0.05": _at("addition", "by_score", "precision_at_recall_0.05"),
    "at 0.10": _at("addition", "by_score", "precision_at_recall_0.10"),
    "at 0.20": _at("addition", "by_score", "precision_at_recall_0.20"),
    "new introns annotated": _at("new_intron", "annotated", "precision"),
    CONFIRMED: _at("new_intron", "annotated_or_reads", "precision"),
    "introns in a read": _at("addition", "reads", "supported", "expressed", "with_number"),
    "retained intron in a read": _at("addition", "reads", "supported", "expressed_IR", "with_number"),
    "events P": _at("event", "exact", "precision"),
    "events R": _at("event", "exact", "recall"),
    "CDS a gene": _at("gene", "exact", "isoforms_per_gene"),
    "transcript F1": _at("transcript", "exact", "f1"),
    "locus R": _at("locus", "exact", "recall"),
    "locus P, first transcripts": _at("locus", "first_transcript", "precision"),
}
COMPLETED: dict[str, Cell] = {
    "right additions": lambda figures, name: figures.right_of(name, "completion", "exact", ALL),
    "P": _at("completion", "exact", "precision", shown="with_interval"),
    "first P minus this": _at("completion", "exact", "precision", shown="lead"),
    "R": _at("completion", "exact", "recall", shown="with_interval"),
    "alternatives": lambda figures, name: str(figures.n(name, "completion", "exact", ALL, "recall")),
    "area": _at("completion", "by_score", "area"),
    "R at P 0.5": _at("completion", "by_score", "recall_at_precision_0.50"),
    "P at R 0.05": _at("completion", "by_score", "precision_at_recall_0.05"),
    "at 0.10": _at("completion", "by_score", "precision_at_recall_0.10"),
    "at 0.20": _at("completion", "by_score", "precision_at_recall_0.20"),
    "transcript F1": _at("transcript", "exact", "f1"),
}


def page_of(table: pd.DataFrame, part: str, contigs: Sequence[str], loci: int) -> str:
    """The page of all figures, in Markdown."""
    figures, names = Figures(table), [name for name in dict.fromkeys(table["predictor"]) if name != "reference"]
    knowing = [name for name in names if name.endswith(WITH_READS)]
    free = [name for name in names if not name.startswith(f"{GIVEN}: ")]
    prompted = [name for name in names if name not in free]
    own = ("reference", "gene", "exact", ALL)
    held = [
        figures.with_number("reference", "addition", "reads", subset, "supported") or "none"
        for subset in ("expressed", "expressed_IR")
    ]
    return "\n".join(
        [
            "# Alternative isoforms",
            "",
            f"*A. thaliana*, {part} contigs {', '.join(contigs)}: {loci} loci, "
            f"{figures.share(*own, 'isoforms_per_gene')} coding sequences a gene, "
            f"{figures.share(*own, 'share_with_alternatives')} of the genes with more than one. Rebuilt by "
            "`benchmarks/isoforms.py`; `docs/isoforms.md` explains the measures. In brackets: the middle 95 % of 1,000 "
            "draws of loci, or what a share is taken over; `first P minus this`: the first row's precision minus "
            "this one, on the same draws.",
            "",
            "## De novo: additions to each program's own first transcripts",
            "",
            *_table(figures, DE_NOVO, [name for name in free if name not in knowing]),
            "",
            f"Of the reference's own alternatives at expressed loci, one Iso-Seq read holds the introns of {held[0]}, "
            f"and a retained intron of {held[1]}.",
            "",
            "## Completion: the reference's longest CDS of each gene is given",
            "",
            *_table(figures, COMPLETED, [name for name in prompted if name not in knowing]),
            "",
            *_with_reads(figures, knowing),
            "## By event: right additions of all",
            "",
            *_by_event(figures, names),
            "",
        ]
    )


def _with_reads(figures: Figures, knowing: Sequence[str]) -> list[str]:
    """Predictions that know the reads; that these reads hold their introns says nothing, and is left out."""
    if not knowing:
        return []
    free = {title: cell for title, cell in DE_NOVO.items() if title != CONFIRMED}
    return [
        "## With RNA-seq reads: the ranker knows the junctions of these contigs",
        "",
        *_table(figures, free, [name for name in knowing if not name.startswith(GIVEN)]),
        "",
        *_table(figures, COMPLETED, [name for name in knowing if name.startswith(GIVEN)]),
        "",
    ]


def _table(figures: Figures, columns: Mapping[str, Cell], names: Sequence[str]) -> list[str]:
    return _lines(columns, [[name, *(cell(figures, name) for cell in columns.values())] for name in names])


def _by_event(figures: Figures, names: Sequence[str]) -> list[str]:
    adding = [name for name in names if figures.n(name, "addition", "exact", ALL, "tp")]
    events = [e for e in EVENT_CLASSES if any(figures.n(name, "addition", "exact", e, "tp") for name in adding)]
    rows = [[name, *(figures.right_of(name, "addition", "exact", e) for e in events)] for name in adding]
    return _lines(events, rows)


def _lines(columns: Sequence[str] | Mapping[str, Cell], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown; columns without content are left out."""
    kept = [place for place in range(1 + len(columns)) if not place or any(row[place] for row in rows)]
    titles = ["", *columns]
    return ["| " + " | ".join(row[place] for place in kept) + " |" for row in (titles, ["---"] * len(titles), *rows)]
