"""Tables of a genome's scores, predictors side by side: levels, criteria, subsets, Iso-Seq reads, plausibility."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.evaluation.quality.gene_shapes import QUANTILES
from phytoscribe.reporting.blocks import MISSING, Table, number, number_of, score, words
from phytoscribe.reporting.style import PREDICTORS, name_of
from phytoscribe.tables import OF_PREDICTIONS, counts_near_loci, near_loci, shown_metrics

#: Criteria with a tolerance, and the others with the caption of their table.
WITHIN = {"within_3": "ends within 3 bp", "within_100": "ends within 100 bp"}
RULER_CAPTIONS = {
    "one_isoform": "One isoform a gene on both sides",
    "whole_transcript": "Whole transcripts with UTRs, for genes that have UTRs on both sides",
}
#: Mean or quantile of a quantity, in the plausibility table.
_QUANTILE = re.compile(r"^(.+)\.(mean|median|q\d\d)$")
_RANGE = re.compile(r"(?<=\d) (?=\d)")
Key = tuple[str, str, str]
"""Level, criterion and subset of a row of scores."""

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
    (
        "blast_cds",
        "gene",
        "expressed",
    ): "BLAST: genes with reads, the best of their coding sequences, against the reads",
    ("blast_cds", "read", "all"): "BLAST: reads that hold a whole coding sequence",
}


def level_table(scores: pd.DataFrame, subset: str, caption: str) -> Table | None:
    """Precision, recall and F1 at all levels of the exact criterion; None where the subset holds nothing."""
    chosen = scores[
        (scores["ruler"] == "exact") & (scores["subset"] == subset) & scores["metric"].isin(shown_metrics(scores))
    ]
    if not (chosen.loc[chosen["metric"] == "recall", "n"] > 0).any():
        return None
    keys = [(level, "exact", subset) for level in dict.fromkeys(chosen["level"])]
    return score_rows(
        scores, [(words(level), key) for level, key in zip(dict.fromkeys(chosen["level"]), keys)], caption
    )


def ruler_tables(scores: pd.DataFrame) -> list[Table]:
    """Scores by the criteria other than the exact one, all genes: one table for tolerances, and one for each other."""
    chosen = scores[
        (scores["ruler"] != "exact") & (scores["subset"] == "all") & scores["metric"].isin(shown_metrics(scores))
    ]
    keys = list(dict.fromkeys(chosen[["level", "ruler", "subset"]].itertuples(index=False, name=None)))
    near = [(f"{words(key[0])}, {WITHIN[key[1]]}", key) for ruler in WITHIN for key in keys if key[1] == ruler]
    tables = [score_rows(scores, near, "With a tolerance at the ends")] if near else []
    for ruler in dict.fromkeys(key[1] for key in keys if key[1] not in WITHIN):
        rows = [(words(key[0]), key) for key in keys if key[1] == ruler]
        tables.append(score_rows(scores, rows, RULER_CAPTIONS.get(ruler, words(ruler))))
    return tables


def subset_table(scores: pd.DataFrame) -> Table | None:
    """Loci of each subset of the reference by the exact criterion; None where there are none."""
    chosen = scores[
        (scores["ruler"] == "exact") & (scores["level"] == "locus") & scores["metric"].isin(shown_metrics(scores))
    ]
    subsets = [name for name in dict.fromkeys(chosen["subset"]) if name not in ("all", NO_TRAIN_HOMOLOGUE)]
    rows = [(_RANGE.sub("–", words(name)), ("locus", "exact", name)) for name in subsets]
    return score_rows(scores, rows, "Loci by kind, exact CDS") if rows else None


def count_table(scores: pd.DataFrame) -> Table | None:
    """Counts (right, split, merged, missed, novel genes), all genes; None where there are none."""
    usual = {*OF_PREDICTIONS, *map(near_loci, OF_PREDICTIONS), "recall", "tp", "fn"}
    chosen = scores[(scores["subset"] == "all") & ~scores["metric"].isin(usual)]
    if chosen.empty:
        return None
    predictors = predictors_of(chosen)
    value = _by_key(chosen, ["predictor", "level", "ruler", "metric"])
    rows = [
        [
            f"{words(level)}: {words(metric)}",
            *(_count(value.get((name, level, ruler, metric))) for name in predictors),
        ]
        for level, ruler, metric in dict.fromkeys(
            chosen[["level", "ruler", "metric"]].itertuples(index=False, name=None)
        )
    ]
    return Table(("", *map(name_of, predictors)), rows, "Counts, all genes")


def score_rows(scores: pd.DataFrame, keyed: Sequence[tuple[str, Key]], caption: str) -> Table:
    """P, R and F1 of each (title, key) by predictor, and n, items in the reference; the best F1 of a row is strong."""
    predictors = predictors_of(scores)
    found = _by_key(scores, ["predictor", "level", "ruler", "subset", "metric"])
    rows, strong, metrics = [], set(), shown_metrics(scores)
    for place, (title, key) in enumerate(keyed):
        sizes = [found[name, *key, "recall"][1] for name in predictors if (name, *key, "recall") in found]
        values = [found.get((name, *key, metric), (float("nan"), 0))[0] for name in predictors for metric in metrics]
        rows.append([title, number(int(sizes[0])) if sizes else MISSING, *map(score, values)])
        # What is made from the reference is no competitor.
        rivals = [
            (values[3 * i + 2], 4 + 3 * i) for i, name in enumerate(predictors) if name in ("phytoscribe", "augustus")
        ]
        best = max((f1 for f1, _ in rivals if f1 == f1), default=None)
        strong |= {(place, column) for f1, column in rivals if f1 == best and len(rivals) > 1}
    groups = [("", 2), *((name_of(name), 3) for name in predictors)]
    titles = ["P near loci", "R", "F1 near loci"] if counts_near_loci(scores) else ["P", "R", "F1"]
    return Table(["", "n", *(titles * len(predictors))], rows, caption, groups, frozenset(strong))


def chain_table(scores: pd.DataFrame) -> Table:
    """Support of predicted introns and intron chains by Iso-Seq reads."""
    rows = [(title, tuple(key)) for title, *key in ISOSEQ_ROWS]
    return _shares(scores, rows, "By minimap2: intron chains and introns (share, and of how many)")


def blast_tables(scores: pd.DataFrame) -> list[Table]:
    """Tiers of BLAST hits, one table for each criterion and side that the scores have."""
    tables = []
    for (ruler, level, subset), caption in BLAST_CAPTIONS.items():
        chosen = scores[(scores["ruler"] == ruler) & (scores["level"] == level) & (scores["subset"] == subset)]
        # Of many reads of one transcript one is the best, so that reciprocal hits of reads say nothing.
        metrics = [
            metric
            for metric in dict.fromkeys(chosen["metric"])
            if _is_main(metric) and not (level == "read" and metric.startswith("reciprocal"))
        ]
        if metrics:
            rows = [(_tier(metric), (level, ruler, subset, metric)) for metric in metrics]
            tables.append(_shares(chosen, rows, caption))
    return tables


def reads_table(counts: pd.DataFrame) -> Table:
    """How many reads are evidence, and where the others fail."""
    rows = [
        [words(row["reads"]), number(int(row["count"])), score(float(row["share"]))]
        for row in counts.to_dict("records")
    ]
    return Table(("reads", "n", "share"), rows, "Reads, each at the first limit that it fails")


def class_table(transcripts: pd.DataFrame) -> Table:
    """Predicted transcripts by what the reads say of their intron chain."""
    predictors = predictors_of(transcripts)
    counts = transcripts.groupby(["predictor", "class"], sort=False).size()
    totals = transcripts.groupby("predictor").size()
    rows = []
    for name in dict.fromkeys(transcripts["class"]):
        row = [words(name)]
        for predictor in predictors:
            count = int(counts.get((predictor, name), 0))
            row += [number(count), score(count / totals[predictor])]
        rows.append(row)
    groups = [("", 1), *((name_of(name), 2) for name in predictors)]
    caption = "Transcripts by class (SQANTI3's terms, with the reads as catalogue)"
    return Table(("", *(["n", "share"] * len(predictors))), rows, caption, groups)


def agreement_table(agreement: pd.DataFrame) -> Table:
    """How far minimap2 and BLAST agree, as the file has it; what is the same in all rows goes into the caption."""
    others = [column for column in agreement.columns if column != "predictor"]
    text = [column for column in others if pd.to_numeric(agreement[column], errors="coerce").isna().all()]
    fixed = [column for column in text if agreement[column].nunique() == 1 and len(agreement) > 1]
    columns = [column for column in others if column not in fixed]
    caption = "".join(f"; {words(column)}: {agreement[column].iloc[0]}" for column in fixed)
    rows = [
        [
            name_of(row["predictor"]),
            *(words(row[column]) if column in text else number_of(row[column]) for column in columns),
        ]
        for _, row in agreement.iterrows()
    ]
    return Table(("", *map(words, columns)), rows, f"How far minimap2 and BLAST agree{caption}")


def plausibility_tables(checks: pd.DataFrame) -> list[Table]:
    """Checks that need no reference, warnings first, with the range that is expected; and distributions of lengths."""
    named = checks["name"].str.extract(_QUANTILE)
    is_quantile = named[0].notna() & (checks["verdict"] == "info")
    order = (checks["verdict"] != "warning").sort_values(kind="stable").index
    rows, strong = [], set()
    for row in checks.loc[order][~is_quantile.loc[order]].to_dict("records"):
        limits = [_limit(row[key]) if row[key] else "" for key in ("low", "high")]
        expected = " to ".join(limits) if all(limits) else (f"from {limits[0]}" if limits[0] else f"up to {limits[1]}")
        strong |= {(len(rows), 3)} if row["verdict"] == "warning" else set()
        rows.append([check_name(row), measured(row), expected if any(limits) else MISSING, row["verdict"], row["note"]])
    columns = ("", "value", "expected", "verdict", "note")
    tables = [Table(columns, rows, "Checks that need no reference", (), frozenset(strong), plain=True)] if rows else []
    if is_quantile.any():
        found = checks.assign(quantity=named[0], statistic=named[1])[named[0].notna()]
        statistics = [key for key in ("mean", *QUANTILES) if (found["statistic"] == key).any()]
        value = found.set_index(["quantity", "statistic"])["value"].to_dict()
        unit = found.set_index("quantity")["unit"].to_dict()
        rows = [
            [f"{words(name)} ({unit[name]})", *(number_of(value.get((name, key), "")) for key in statistics)]
            for name in dict.fromkeys(found["quantity"])
        ]
        titles = [f"{int(key[1:])}%" if key.startswith("q") else key for key in statistics]
        tables.append(Table(("", *titles), rows, "Lengths and counts: mean and quantiles"))
    return tables


def _limit(value: str) -> str:
    """A limit as text: those of lengths in whole bases."""
    return number_of(str(round(float(value))) if abs(float(value)) >= 100 else value)


def check_name(row: Mapping[str, str]) -> str:
    """Group and name of a row of the plausibility table: names alone are not unlike."""
    return f"{words(row['group'])}: {words(row['name'])}"


def measured(row: Mapping[str, str]) -> str:
    """Value and unit of a row of the plausibility table."""
    return number_of(row["value"]) + ("" if row["unit"] in ("", "share") else f" {row['unit']}")


def predictors_of(table: pd.DataFrame) -> list[str]:
    """Predictors in the order of the report, others after them."""
    found = list(dict.fromkeys(table["predictor"]))
    return sorted(found, key=lambda name: list(PREDICTORS).index(name) if name in PREDICTORS else len(PREDICTORS))


def _by_key(scores: pd.DataFrame, columns: list[str]) -> dict[tuple, tuple[float, int]]:
    keys = scores[columns].itertuples(index=False, name=None)
    return dict(zip(keys, zip(scores["value"], scores["n"])))


def _shares(scores: pd.DataFrame, rows: Sequence[tuple[str, tuple]], caption: str) -> Table:
    predictors = predictors_of(scores)
    found = _by_key(scores, ["predictor", "level", "ruler", "subset", "metric"])
    cells = []
    for title, key in rows:
        if not any((predictor, *key) in found for predictor in predictors):
            continue
        line = [title]
        for predictor in predictors:
            value = found.get((predictor, *key))
            line += [score(value[0]), number(int(value[1]))] if value else [MISSING, MISSING]
        cells.append(line)
    groups = [("", 1), *((name_of(name), 2) for name in predictors)]
    return Table(("", *(["share", "of"] * len(predictors))), cells, caption, groups)


def _is_main(metric: str) -> bool:
    """Tiers of which identity and coverage are the same; what is no tier is shown too."""
    parts = metric.removeprefix("reciprocal_").split("_")
    return parts[0] != "identity" or len(parts) < 4 or parts[1] == parts[3]


def _tier(metric: str) -> str:
    kind = "reciprocal best hit, " if metric.startswith("reciprocal_") else ""
    parts = metric.removeprefix("reciprocal_").split("_")
    if parts[0] == "identity" and len(parts) == 4:
        return f"{kind}identity and coverage ≥ {parts[1]}"
    return {"hit": "any hit", "reciprocal": "reciprocal best hit"}.get(metric, words(metric))


def _count(found: tuple[float, int] | None) -> str:
    if found is None or found[0] != found[0]:
        return MISSING
    return number(int(found[0])) if float(found[0]).is_integer() else score(found[0])
