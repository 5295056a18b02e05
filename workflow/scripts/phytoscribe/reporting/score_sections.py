"""Sections on results: scores against the reference, prediction statistics, Iso-Seq."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from phytoscribe.evaluation.exact import LEVELS, RULER
from phytoscribe.reporting import figures
from phytoscribe.reporting.blocks import (
    MISSING,
    Block,
    Figures,
    Heading,
    Paragraph,
    Section,
    Table,
    flattened,
    number,
    score,
    words,
)
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.wording import ROLES, summary, value_of

NAMES = {"phytoscribe": "PhytoScribe", "augustus": "AUGUSTUS", "reference": "reference"}
SUBSETS = {"all": "All genes", "no_train_homologue": "Genes without a homologue in training"}
METRICS = ("precision", "recall", "f1")
RULER_NOTE = (
    "Exact CDS: both ends of every segment equal, stop codon inside. A transcript is right if its CDS chain is that of "
    "any reference isoform, a locus if one of its transcripts is. Masked intervals count on neither side. Predictions "
    "between loci count in full against the smaller set of genes too, so its precision is a lower bound. "
    "n: items in the reference."
)
ISOSEQ_ROWS = (
    ("CDS intron chain found in a read", "transcript", "cds_chain", "expressed", "supported"),
    ("CDS intron chain is all of a read's", "transcript", "cds_chain", "expressed", "equal"),
    ("exon intron chain found in a read", "transcript", "exon_chain", "expressed", "supported"),
    ("introns reached by a read that it has", "intron", "cds_chain", "all", "precision"),
    ("introns of two reads or more found", "intron", "exon_chain", "all", "recall"),
    ("expressed loci with an exact CDS", "locus", "exact", "expressed", "recall"),
    ("the same, with introns", "locus", "exact", "multi_exon", "recall"),
)
BLAST_ROWS = (
    ("any hit", "hit"),
    *((f"identity and coverage ≥ {tier}", f"identity_{tier}_coverage_{tier}") for tier in ("0.90", "0.95", "0.99")),
)


def summary_section(inputs: ReportInputs) -> Section:
    """What was done for each genome, in words."""
    blocks: list[Block] = []
    for info in inputs.genomes:
        blocks += [
            Heading(f"{info.name} — {info.lineage}, {ROLES[info.role]}"),
            Paragraph(summary(info, inputs)),
        ]
    return Section("summary", "Summary", blocks)


def scores_section(inputs: ReportInputs) -> Section:
    """Ours next to the baseline, all genes and homology-filtered."""
    blocks: list[Block] = [Paragraph(RULER_NOTE)] if inputs.genes else []
    for info in inputs.genomes:
        scores = inputs.genes.get(info.name)
        if scores is None:
            blocks.append(Paragraph(f"{info.name}: no held-out reference annotation, so no scores.", quiet=True))
            continue
        blocks.append(Heading(info.name))
        if not (scores["predictor"] == "augustus").any():
            blocks.append(Paragraph("AUGUSTUS was not run for this genome.", quiet=True))
        blocks += [score_table(scores, subset) for subset in SUBSETS if (scores["subset"] == subset).any()]
        blocks.append(Figures([figures.f1_by_level(info.name, scores)]))
    return Section("scores", "Scores against the reference", blocks)


def score_table(scores: pd.DataFrame, subset: str) -> Table:
    """Precision, recall and F1 by level, predictors side by side; the best F1 of a level is strong."""
    chosen = scores[(scores["subset"] == subset) & (scores["ruler"] == RULER)]
    predictors = list(chosen["predictor"].drop_duplicates())
    value = chosen.set_index(["predictor", "level", "metric"])["value"]
    size = chosen[chosen["metric"] == "recall"].drop_duplicates("level").set_index("level")["n"]
    rows, strong = [], set()
    for row, level in enumerate(LEVELS):
        cells = [words(level), number(int(size[level]))]
        cells += [score(value[predictor, level, metric]) for predictor in predictors for metric in METRICS]
        rows.append(cells)
        f1 = [value[predictor, level, "f1"] for predictor in predictors]
        strong |= {(row, 4 + 3 * index) for index, found in enumerate(f1) if found == max(f1) and len(f1) > 1}
    groups = [("", 2), *((NAMES.get(name, name), 3) for name in predictors)]
    columns = ["level", "n", *(["P", "R", "F1"] * len(predictors))]
    return Table(columns, rows, SUBSETS[subset], groups, frozenset(strong))


def predictions_section(inputs: ReportInputs) -> Section:
    """Counts and lengths of the predictions, genomes side by side, and how many exons the transcripts have."""
    stats = {info.name: inputs.stats[info.name] for info in inputs.genomes if info.name in inputs.stats}
    if not stats:
        return Section("predictions", "Predictions", [Paragraph("No predictions were made.", quiet=True)])
    skipped = ("header.", "exons_per_transcript.")
    flat = {
        name: {key: value for key, value in flattened(values).items() if not key.startswith(skipped)}
        for name, values in stats.items()
    }
    keys = list(dict.fromkeys(key for values in flat.values() for key in values))
    rows = [(words(key), *(number(values.get(key)) for values in flat.values())) for key in keys]  # type: ignore[arg-type]
    blocks: list[Block] = [Table(("", *flat), rows, "Lengths in base pairs")]
    exons = [_exon_figure(name, values["exons_per_transcript"]) for name, values in stats.items() if values["genes"]]
    if exons:
        blocks.append(Figures(exons))
    headers = {name: flattened(values["header"]) for name, values in stats.items() if "header" in values}
    settings = list(dict.fromkeys(key for header in headers.values() for key in header))
    if settings:
        rows = [(words(key), *(number(header.get(key)) for header in headers.values())) for key in settings]  # type: ignore[arg-type]
        blocks.append(Table(("", *headers), rows, "How they were made", plain=True))
    return Section("predictions", "Predictions", blocks)


def _exon_figure(name: str, counts: dict[str, int], longest: int = 12) -> figures.Item:
    binned = {str(exons): 0 for exons in range(1, longest)} | {f"{longest} or more": 0}
    for exons, count in counts.items():
        binned[str(exons) if int(exons) < longest else f"{longest} or more"] += count
    return figures.bars(binned, f"{name}: exons per transcript", "transcripts")


def isoseq_section(inputs: ReportInputs) -> Section:
    """Support by reads: intron chains and BLAST tiers."""
    blocks: list[Block] = []
    for info in inputs.genomes:
        chains, blast = inputs.isoseq.get(info.name), inputs.blast.get(info.name)
        if chains is None and blast is None:
            blocks.append(Paragraph(f"{info.name}: no Iso-Seq reads given.", quiet=True))
            continue
        blocks.append(Heading(info.name))
        if chains is not None:
            rows = [(title, dict(zip(("level", "ruler", "subset", "metric"), key))) for title, *key in ISOSEQ_ROWS]
            blocks.append(_shares(chains, rows, "Intron chains of transcripts with reads (share, and of how many)"))
        if blast is not None:
            for level, subset, title in (
                ("transcript", "expressed", "BLAST: transcripts with reads, against the reads"),
                ("read", "all", "BLAST: reads, against the transcripts (without UTRs few reads can be covered)"),
            ):
                keyed = [(name, {"level": level, "subset": subset, "metric": metric}) for name, metric in BLAST_ROWS]
                blocks.append(_shares(blast, keyed, title))
    return Section("isoseq", "Iso-Seq reads", blocks)


def _shares(scores: pd.DataFrame, rows: Sequence[tuple[str, dict[str, str]]], caption: str) -> Table:
    predictors = list(scores["predictor"].drop_duplicates())
    cells = []
    for title, key in rows:
        line = [title]
        for predictor in predictors:
            found = value_of(scores, predictor=predictor, **key)
            line += [score(found[0]), number(found[1])] if found else [MISSING, MISSING]
        cells.append(line)
    groups = [("", 1), *((NAMES.get(name, name), 2) for name in predictors)]
    return Table(("", *(["share", "of"] * len(predictors))), cells, caption, groups)
