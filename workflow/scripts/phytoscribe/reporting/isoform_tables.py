"""The panel on alternative isoforms in a genome's section, for predictions that have any."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.evaluation.isoforms.additions import NMD, PRIMARY_RIGHT, PRIMARY_WRONG
from phytoscribe.reporting.blocks import MISSING, Block, Heading, Paragraph, Table, number, score
from phytoscribe.reporting.drawing import OURS, name_of
from phytoscribe.reporting.score_tables import predictors_of
from phytoscribe.tables import shown_metrics

NOTE = (
    "An addition is a coding sequence beside the first transcript of a gene. It is right if it equals that of any "
    "reference isoform, every base. Recall counts the reference's coding sequences that no first transcript has "
    "(alternatives). The event compares it with the first transcript of its gene. No annotation has all isoforms, so "
    "precision is a lower bound. Intervals: 1,000 draws of loci. docs/isoforms.md explains every row."
)
#: Subsets of the additions, and how the table calls them.
SUBSETS = {
    "all": "all",
    NO_TRAIN_HOMOLOGUE: "no train homologue",
    PRIMARY_RIGHT: "first transcript right",
    PRIMARY_WRONG: "first transcript wrong",
    "A3SS": "another acceptor (A3SS)",
    "A5SS": "another donor (A5SS)",
    "both_ends": "both ends of an intron",
    "IR": "intron retained (IR)",
    "intron_spliced": "intron spliced out of an exon",
    "ES": "exon skipped (ES)",
    "exon_included": "exon included",
    "first_exon": "other first exons",
    "last_exon": "other last exons",
    "start": "another start codon",
    "stop": "another stop codon",
    "complex": "complex",
    "several": "several events",
    NMD: "likely target of NMD",
}
#: Level, ruler, subset and metric of single figures, and their names.
FIGURES = {
    ("addition", "by_score", "all", "recall_at_precision_0.50"): "R at P of 0.5 or more",
    ("addition", "by_score", "all", "precision_at_recall_0.05"): "P at R 0.05",
    ("addition", "by_score", "all", "precision_at_recall_0.10"): "P at R 0.10",
    ("addition", "by_score", "all", "precision_at_recall_0.20"): "P at R 0.20",
    ("event", "exact", "all", "precision"): "events: P",
    ("event", "exact", "all", "recall"): "events: R",
    ("new_intron", "annotated", "all", "precision"): "new introns: annotated",
    ("new_intron", "annotated_or_reads", "all", "precision"): "new introns: annotated, or RNA-seq",
    ("new_intron", "annotated", "all", "recall"): "new introns: R",
    ("addition", "reads", "expressed", "supported"): "introns in a read",
    ("addition", "reads", "expressed_IR", "supported"): "retained introns in a read",
    ("gene", "exact", "all", "isoforms_per_gene"): "CDS per gene",
    ("gene", "exact", "all", "share_with_alternatives"): "genes with several CDS",
}


def isoform_blocks(scores: pd.DataFrame | None) -> list[Block]:
    """Tables of ``{genome}.isoforms.tsv``; nothing without the file, or if no prediction adds anything."""
    if scores is None:
        return []
    counted = scores[(scores["level"] == "addition") & (scores["ruler"] == "exact") & (scores["subset"] == "all")]
    adding = predictors_of(counted[(counted["metric"] == shown_metrics(scores)[0]) & (counted["n"] > 0)])
    if not adding:
        return []
    tables = [_additions(scores, adding), _figures(scores)]
    if OURS in adding:
        tables += _reliability(scores[scores["predictor"] == OURS])
    return [Heading("Alternative isoforms"), Paragraph(NOTE), *tables]


def _additions(scores: pd.DataFrame, predictors: Sequence[str]) -> Table:
    """Precision and recall of each subset, with what they are taken over."""
    value, (precision, recall, _) = _by_key(scores), shown_metrics(scores)
    rows = []
    for subset, title in SUBSETS.items():
        cells, some = [], False
        for predictor in predictors:
            for metric in (precision, recall):
                share, n = value.get((predictor, "addition", "exact", subset, metric), (float("nan"), 0))
                cells += [number(n), score(share)]
                some = some or n > 0
        rows += [[title, *cells]] if some else []
    titles = ["additions", "P near loci" if precision != "precision" else "P", "alternatives", "R"]
    groups = [("", 1), *((name_of(name), len(titles)) for name in predictors)]
    return Table(["", *titles * len(predictors)], rows, "Additions, exact CDS", groups)


def _figures(scores: pd.DataFrame) -> Table:
    """Single figures of each predictor, and of the reference's own isoforms beside its longest."""
    value, predictors = _by_key(scores), predictors_of(scores)
    rows = []
    for metric, name in zip(shown_metrics(scores), ("precision", "recall")):
        rows.append(
            [f"{name[0].upper()} of additions", *(_share(value, predictor, metric) for predictor in predictors)]
        )
        ends = [[_share(value, predictor, f"{name}_{end}") for end in ("low", "high")] for predictor in predictors]
        rows.append(["95 % interval", *(MISSING if MISSING in of else "–".join(of) for of in ends)])
    for key, title in FIGURES.items():
        found = [value.get((predictor, *key), (float("nan"), 0))[0] for predictor in predictors]
        rows += [[title, *map(score, found)]] if any(share == share for share in found) else []
    return Table(["", *map(name_of, predictors)], rows, "Beside the reference's own isoforms")


def _share(value: dict[tuple, tuple[float, int]], predictor: str, metric: str) -> str:
    """A figure of all additions of a predictor."""
    return score(value.get((predictor, "addition", "exact", "all", metric), (float("nan"), 0))[0])


def _reliability(scores: pd.DataFrame) -> list[Table]:
    """Bins of equally many additions: their mean probability, and the share that is right."""
    bins = scores[(scores["ruler"] == "equal_mass") & scores["subset"].str.startswith("bin_")]
    if bins.empty:
        return []
    errors = scores[(scores["ruler"] == "equal_mass") & (scores["subset"] == "all")].set_index("metric")["value"]
    rows = []
    for _, found in bins.groupby("subset", sort=False):
        of = found.set_index("metric")["value"]
        shown = [score(of[name]) for name in ("mean_probability", "share_right")]
        rows.append([f"{score(of['low'])}–{score(of['high'])}", number(int(found["n"].iloc[0])), *shown])
    caption = (
        f"Probability of additions and share that is right: calibration error {score(errors['expected_error'])}, of "
        f"perfect probabilities {score(errors['chance_error'])} by chance"
    )
    return [Table(["probability", "n", "mean", "right"], rows, caption)]


def _by_key(scores: pd.DataFrame) -> dict[tuple, tuple[float, int]]:
    keys = scores[["predictor", "level", "ruler", "subset", "metric"]].itertuples(index=False, name=None)
    return dict(zip(keys, zip(scores["value"], scores["n"])))
