"""Tables of a genome's scores, predictors side by side: levels, criteria, subsets, Iso-Seq reads.

``python -m phytoscribe.reporting.score_tables results/evaluation/*.genes.tsv`` prints the gene scores as text, as
``make demo`` does at its end.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.accuracy.changed_genes import FROM_DNA, WITH_EVIDENCE
from phytoscribe.evaluation.accuracy.counts import LEVELS
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.reporting.blocks import MISSING, Table, number, number_of, score, words
from phytoscribe.reporting.drawing import BASELINE, OURS, PREDICTORS, name_of
from phytoscribe.tables import OF_PREDICTIONS, SCORES, counts_near_loci, near_loci, read_table, shown_metrics

#: Predictors that are compared: what is made from the reference is no competitor.
RIVALS = (OURS, BASELINE, FROM_DNA, WITH_EVIDENCE)
SUBSET_TITLES = {"all": "all genes", NO_TRAIN_HOMOLOGUE: "no train homologue"}
NEAR_NOTE = "near loci: only predictions near scored loci count; false genes elsewhere on the contigs are not seen"

#: Criteria with a tolerance, and the others with the caption of their table.
WITHIN = {"within_3": "ends within 3 bp", "within_100": "ends within 100 bp"}
CRITERION_CAPTIONS = {
    "one_isoform": "One isoform a gene on both sides",
    "whole_transcript": "Whole transcripts with UTRs, for genes that have UTRs on both sides",
}
_RANGE = re.compile(r"(?<=\d) (?=\d)")
Key = tuple[str, str, str]
"""Level, criterion and subset of a row of scores."""
_KEYS = ["predictor", "level", "ruler", "subset", "metric"]

#: Rows of the table by minimap2; those that a file lacks are left out.
ISOSEQ_ROWS = (
    ("CDS intron chain found in a read", "transcript", "cds_chain", "expressed", "supported"),
    ("CDS intron chain is all of a read's", "transcript", "cds_chain", "expressed", "equal"),
    ("the same chains, of any isoform of a gene", "gene", "cds_chain", "expressed", "supported"),
    ("exon intron chain found in a read", "transcript", "exon_chain", "expressed", "supported"),
    ("introns reached by a read that it has", "intron", "cds_chain", "all", "precision"),
    ("introns of two reads or more found", "intron", "exon_chain", "all", "recall"),
    ("loci of two reads or more with a supported chain", "read_locus", "cds_chain", "all", "supported"),
    ("chains of two reads or more explained", "read_chain", "exon_chain", "all", "explained"),
    ("expressed loci with an exact CDS", "locus", "exact", "expressed", "recall"),
    ("the same, with introns", "locus", "exact", "multi_exon", "recall"),
)
BLAST_CAPTIONS = {
    ("blast", "transcript", "expressed"): "BLAST: transcripts with reads, against the reads",
    ("blast", "read", "all"): "BLAST: reads, against the transcripts (without UTRs few reads can be covered)",
    ("blast_cds", "transcript", "expressed"): "BLAST: coding sequences with reads, against the reads",
    ("blast_cds", "gene", "expressed"): "BLAST: genes with reads, by the best of their CDS, against the reads",
    ("blast_cds", "read", "all"): "BLAST: reads that hold a whole coding sequence",
}


def level_table(scores: pd.DataFrame, subset: str, caption: str) -> Table | None:
    """Precision, recall and F1 at all levels by exact CDS; None if the subset is empty."""
    chosen = _shown(scores[(scores["ruler"] == "exact") & (scores["subset"] == subset)])
    if not (chosen.loc[chosen["metric"] == "recall", "n"] > 0).any():
        return None
    rows = [(words(level), (level, "exact", subset)) for level in chosen["level"].unique()]
    return _score_rows(scores, rows, caption)


def criterion_tables(scores: pd.DataFrame) -> list[Table]:
    """Scores by criteria other than exact CDS, all genes: one table for tolerances, and one for each other."""
    chosen = _shown(scores[(scores["ruler"] != "exact") & (scores["subset"] == "all")])
    keys = _distinct(chosen, ["level", "ruler", "subset"])
    near = [(f"{words(key[0])}, {WITHIN[key[1]]}", key) for criterion in WITHIN for key in keys if key[1] == criterion]
    tables = [_score_rows(scores, near, "With a tolerance at the ends")] if near else []
    for criterion in dict.fromkeys(key[1] for key in keys if key[1] not in WITHIN):
        rows = [(words(key[0]), key) for key in keys if key[1] == criterion]
        tables.append(_score_rows(scores, rows, CRITERION_CAPTIONS.get(criterion, words(criterion))))
    return tables


def subset_table(scores: pd.DataFrame) -> Table | None:
    """Loci of each subset of the reference by exact CDS; None if there are none."""
    chosen = _shown(scores[(scores["ruler"] == "exact") & (scores["level"] == "locus")])
    subsets = [name for name in chosen["subset"].unique() if name not in ("all", NO_TRAIN_HOMOLOGUE)]
    rows = [(_RANGE.sub("–", words(name)), ("locus", "exact", name)) for name in subsets]
    return _score_rows(scores, rows, "Loci by kind, exact CDS") if rows else None


def count_table(scores: pd.DataFrame) -> Table | None:
    """Counts (correct, split, merged, missed, novel genes) over all genes; None if there are none."""
    usual = {*OF_PREDICTIONS, *map(near_loci, OF_PREDICTIONS), "recall", "tp", "fn"}
    chosen = scores[(scores["subset"] == "all") & ~scores["metric"].isin(usual)]
    if chosen.empty:
        return None
    predictors = predictors_of(chosen)
    value = _by_key(chosen, ["predictor", "level", "ruler", "metric"])
    rows = [
        [f"{words(key[0])}: {words(key[2])}", *(_count(*value.get((name, *key), ())) for name in predictors)]
        for key in _distinct(chosen, ["level", "ruler", "metric"])
    ]
    return Table(("", *map(name_of, predictors)), rows, "Counts, all genes")


def _score_rows(scores: pd.DataFrame, keyed: Sequence[tuple[str, Key]], caption: str) -> Table:
    """P, R and F1 of each (title, key) by predictor, and n, items in the reference; the best F1 of a row is strong."""
    predictors = predictors_of(scores)
    found = _by_key(scores, _KEYS)
    rows, strong, metrics = [], set(), shown_metrics(scores)
    for place, (title, key) in enumerate(keyed):
        sizes = [found[name, *key, "recall"][1] for name in predictors if (name, *key, "recall") in found]
        values = [found.get((name, *key, metric), (float("nan"), 0))[0] for name in predictors for metric in metrics]
        rows.append([title, number(int(sizes[0])) if sizes else MISSING, *map(score, values)])
        rivals = {4 + 3 * i: values[3 * i + 2] for i, name in enumerate(predictors) if name in RIVALS}
        best = max((f1 for f1 in rivals.values() if f1 == f1), default=None)
        strong |= {(place, column) for column, f1 in rivals.items() if f1 == best and len(rivals) > 1}
    titles = ["P near loci", "R", "F1 near loci"] if counts_near_loci(scores) else ["P", "R", "F1"]
    return replace(_beside(["", "n"], predictors, titles, rows, caption), strong=frozenset(strong))


def chain_table(scores: pd.DataFrame) -> Table:
    """Support of predicted introns and intron chains by Iso-Seq reads."""
    rows = [(title, tuple(key)) for title, *key in ISOSEQ_ROWS]
    return _shares(scores, rows, "By minimap2: intron chains and introns (share, and of how many)")


def blast_tables(scores: pd.DataFrame) -> list[Table]:
    """Tiers of BLAST hits, one table for each criterion and side in the scores."""
    tables: list[Table] = []
    for (criterion, level, subset), caption in BLAST_CAPTIONS.items():
        chosen = scores[(scores["ruler"] == criterion) & (scores["level"] == level) & (scores["subset"] == subset)]
        # Of many reads of one transcript one is the best, so that reciprocal hits of reads say nothing.
        rows = [
            (title, (level, criterion, subset, metric))
            for metric in chosen["metric"].unique()
            if (title := _tier(metric)) and not (level == "read" and metric.startswith("reciprocal"))
        ]
        tables += [_shares(chosen, rows, caption)] if rows else []
    return tables


def reads_table(counts: pd.DataFrame) -> Table:
    """Number of reads used as evidence, and the tests that the others fail."""
    rows = [
        [words(row["reads"]), number(int(row["count"])), score(float(row["share"]))]
        for row in counts.to_dict("records")
    ]
    return Table(("reads", "n", "share"), rows, "Reads, each at the first limit that it fails")


def noncoding_table(counts: pd.DataFrame) -> Table:
    """Genes without protein and mobile elements by type and program."""
    rows = [
        [row["type"], row["source"], number(int(row["count"])), number(int(row["bases"]))]
        for row in counts.to_dict("records")
    ]
    return Table(("type", "program", "n", "bases"), rows, "Genes and elements, and the bases that they cover")


def noncoding_scores(scores: pd.DataFrame) -> Table:
    """Precision and recall of RNA genes by type and ruler."""
    rows = []
    for (kind, ruler), found in scores.groupby(["level", "ruler"], sort=False):
        value, n = (dict(zip(found["metric"], found[column], strict=True)) for column in ("value", "n"))
        shown = [
            score(value["precision"]),
            score(value["recall"]),
            number(int(n["precision"])),
            number(int(n["recall"])),
        ]
        rows.append([f"{kind}, {ruler}", *shown])
    caption = "Against the reference: half of both on the same strand (place), and the same product (product)"
    return Table(("", "P", "R", "predicted", "in the reference"), rows, caption)


def class_table(transcripts: pd.DataFrame) -> Table:
    """Predicted transcripts by class, from the reads' support of their intron chain."""
    predictors = predictors_of(transcripts)
    counts = transcripts.groupby(["predictor", "class"], sort=False).size()
    totals = transcripts.groupby("predictor").size()
    rows = []
    for name in dict.fromkeys(transcripts["class"]):
        found = {predictor: int(counts.get((predictor, name), 0)) for predictor in predictors}
        cells = [(number(count), score(count / totals[predictor])) for predictor, count in found.items()]
        rows.append([words(name), *chain.from_iterable(cells)])
    caption = "Transcripts by class (SQANTI3's terms, with the reads as catalogue)"
    return _beside([""], predictors, ["n", "share"], rows, caption)


def agreement_table(agreement: pd.DataFrame) -> Table:
    """How far minimap2 and BLAST agree: the file's columns; values equal in all rows go into the caption."""
    others = [column for column in agreement.columns if column != "predictor"]
    text = [column for column in others if pd.to_numeric(agreement[column], errors="coerce").isna().all()]
    fixed = [column for column in text if agreement[column].nunique() == 1 and len(agreement) > 1]
    columns = [column for column in others if column not in fixed]
    caption = "".join(f"; {words(column)}: {agreement[column].iloc[0]}" for column in fixed)
    shown = {column: agreement[column].map(words if column in text else number_of) for column in columns}
    rows = list(zip(agreement["predictor"].map(name_of), *shown.values()))
    return Table(("", *map(words, columns)), rows, f"How far minimap2 and BLAST agree{caption}")


def predictors_of(table: pd.DataFrame) -> list[str]:
    """Predictors in the order of the report, others after them."""
    found = list(dict.fromkeys(table["predictor"]))
    return sorted(found, key=lambda name: list(PREDICTORS).index(name) if name in PREDICTORS else len(PREDICTORS))


def _beside(first: list[str], predictors: list[str], titles: list[str], rows: list[list[str]], caption: str) -> Table:
    """A table with the same columns for each predictor."""
    groups = [("", len(first)), *((name_of(name), len(titles)) for name in predictors)]
    return Table([*first, *titles * len(predictors)], rows, caption, groups)


def _shown(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of precision, recall and F1."""
    return scores[scores["metric"].isin(shown_metrics(scores))]


def _distinct(scores: pd.DataFrame, columns: list[str]) -> list[tuple]:
    return list(dict.fromkeys(scores[columns].itertuples(index=False, name=None)))


def _by_key(scores: pd.DataFrame, columns: list[str]) -> dict[tuple, tuple[float, int]]:
    keys = scores[columns].itertuples(index=False, name=None)
    return dict(zip(keys, zip(scores["value"], scores["n"])))


def _shares(scores: pd.DataFrame, rows: Sequence[tuple[str, tuple]], caption: str) -> Table:
    predictors = predictors_of(scores)
    found = _by_key(scores, _KEYS)
    cells = []
    for title, key in rows:
        values = [found.get((predictor, *key)) for predictor in predictors]
        if any(values):
            shown = [(score(value[0]), number(int(value[1]))) if value else (MISSING, MISSING) for value in values]
            cells.append([title, *chain.from_iterable(shown)])
    return _beside([""], predictors, ["share", "of"], cells, caption)


def _tier(metric: str) -> str | None:
    """Title of a tier of BLAST hits; None for tiers of different identity and coverage, which are not shown."""
    kind = "reciprocal best hit, " if metric.startswith("reciprocal_") else ""
    parts = metric.removeprefix("reciprocal_").split("_")
    if parts[0] == "identity" and len(parts) == 4:
        return f"{kind}identity and coverage ≥ {parts[1]}" if parts[1] == parts[3] else None
    return {"hit": "any hit", "reciprocal": "reciprocal best hit"}.get(metric, words(metric))


def _count(value: float = float("nan"), n: int = 0) -> str:
    return number(int(value)) if float(value).is_integer() else score(value)


def terminal_table(paths: Iterable[str | Path]) -> str:
    """Precision, recall and F1 by predictor and level, one block per genome, as text without a final newline.

    Args:
        paths: ``{genome}.genes.tsv`` files.

    Raises:
        PhytoScribeError: a file is missing or is not a score table.
    """
    return "\n\n".join(
        _text_block(Path(path).name.removesuffix(".genes.tsv"), read_table(path, SCORES)) for path in paths
    )


def _text_block(genome: str, scores: pd.DataFrame) -> str:
    scores = scores[scores["ruler"] == "exact"]
    subsets = [subset for subset in SUBSET_TITLES if (scores["subset"] == subset).any()]
    value = scores.set_index(["predictor", "level", "subset", "metric"])["value"]
    near = counts_near_loci(scores)
    titles = ["precision near loci", "recall", "F1 near loci"] if near else ["precision", "recall", "F1"]
    rows = [["predictor", "level", *titles * len(subsets)]]
    for predictor in scores["predictor"].unique():
        for level in (level for level in LEVELS if (predictor, level) in value.index.droplevel([2, 3])):
            found = [value[predictor, level, subset, name] for subset in subsets for name in shown_metrics(scores)]
            rows.append([predictor, level, *("-" if pd.isna(cell) else score(cell) for cell in found)])
    widths = [max(9, *map(len, column)) for column in zip(*rows)]
    lines = [
        "  ".join(cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(row, widths) for row in rows)
    ]
    loci = scores[(scores["level"] == "locus") & (scores["metric"] == "recall")].groupby("subset")["n"].first()
    above = " " * (widths[0] + widths[1] + 2)
    for place, subset in enumerate(subsets):
        above += f"{SUBSET_TITLES[subset]} ({loci[subset]} loci)".rjust(sum(widths[2 + 3 * place :][:3]) + 6)
    line = "-" * max(map(len, lines))
    return "\n".join([f"{genome}: exact CDS", above, lines[0], line, *lines[1:], *([NEAR_NOTE] if near else [])])


def main(paths: Sequence[str]) -> int:
    """Print the scores in these files and return the exit code."""
    try:
        print(terminal_table(paths))
    except PhytoScribeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
