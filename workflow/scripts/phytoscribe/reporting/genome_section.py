"""The section of one genome: its files, scores, errors, structure, reads, and quality checks without a reference."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from phytoscribe.evaluation.accuracy.changed_genes import BROKEN, GAINED, LOST, MENDED
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE, RIGHT
from phytoscribe.evaluation.quality.gene_shapes import QUANTILES
from phytoscribe.reporting.blocks import (
    MISSING,
    Block,
    Heading,
    Links,
    Paragraph,
    Section,
    Table,
    figures_of,
    key_values,
    number,
    number_of,
    words,
)
from phytoscribe.reporting.drawing import KeptFigure
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.reporting.isoform_tables import isoform_blocks
from phytoscribe.reporting.score_tables import (
    agreement_table,
    blast_tables,
    chain_table,
    class_table,
    count_table,
    criterion_tables,
    level_table,
    noncoding_scores,
    noncoding_table,
    reads_table,
    subset_table,
)
from phytoscribe.reporting.worst_loci import RULE
from phytoscribe.tables import counts_near_loci

ANCHOR = "genome-"
#: Mean or quantile of a quantity, in the table of checks.
_QUANTILE = re.compile(r"^(.+)\.(mean|median|q\d\d)$")
CRITERION_NOTE = (
    "Exact CDS: both ends of every segment equal, stop codon inside. A transcript is right if its CDS chain is that of "
    "any reference isoform, a locus if one of its transcripts is. Masked intervals count on neither side. "
    "P: precision, R: recall; n: items in the reference. docs/scores.md defines every row."
)

EVIDENCE_NOTE = (
    "Both predictions are of one model and one reading of its network; that from DNA leaves the evidence out. They are "
    "scored against the annotation alone: to score a prediction by the reads or proteins that helped to make it would "
    "be circular. A gene is gained if no gene from DNA shares a coding base of its strand with it, and lost the other "
    "way round; right: its CDS is that of a reference isoform. The table {genome}.evidence_changes.tsv in "
    "results/evaluation lists all of these loci and genes."
)
#: What evidence changes, in the order of the table.
CHANGES = {
    MENDED: "loci mended: right only with evidence",
    BROKEN: "loci broken: right only from DNA",
    GAINED: "genes gained",
    LOST: "genes lost",
}

NEAR_NOTE = (
    "Training loci lie on the same contigs (split.mode: cluster), so only predictions near scored loci count. False "
    "genes elsewhere are not seen: precision and F1 near loci are higher than over whole contigs; do not compare them "
    "with precision and F1 of split.mode: contig. Recall is not affected."
)


def genome_section(info: GenomeInfo, inputs: ReportInputs) -> Section:
    """Everything on one genome, the most important first, so that a page that gets too large loses the least."""
    blocks: list[Block] = []
    if info.name in inputs.links:
        blocks.append(Links(inputs.links[info.name]))
    figures = inputs.figures.get(info.name, [])
    details = [
        *_scores(info.name, inputs, figures),
        *_evidence(info.name, inputs),
        *isoform_blocks(inputs.isoforms.get(info.name)),
        *_checks(info.name, inputs),
        *_reads(info.name, inputs),
        *_noncoding(info.name, inputs),
        *_structure(info.name, inputs, figures),
        *_atlas(info.name, figures),
    ]
    return Section(f"{ANCHOR}{info.name}", info.name, blocks, details)


def _scores(name: str, inputs: ReportInputs, figures: list[KeptFigure]) -> list[Block]:
    scores = inputs.genes.get(name)
    if scores is None:
        return [Paragraph(f"{name}: no held-out reference annotation, so no scores.", quiet=True)]
    blocks: list[Block] = [Heading("Scores against the reference"), Paragraph(CRITERION_NOTE)]
    if counts_near_loci(scores):
        blocks.append(Paragraph(NEAR_NOTE))
    if not (scores["predictor"] == "augustus").any():
        blocks.append(Paragraph("AUGUSTUS was not run for this genome.", quiet=True))
    found = (
        level_table(scores, "all", "All genes, exact CDS"),
        level_table(scores, NO_TRAIN_HOMOLOGUE, "Genes without a homologue in training, exact CDS"),
        *criterion_tables(scores),
        subset_table(scores),
        count_table(scores),
    )
    blocks += [table for table in found if table is not None]
    return [*blocks, *figures_of(figures, "scores")]


def _evidence(name: str, inputs: ReportInputs) -> list[Block]:
    scores, changed = inputs.evidence.get(name), inputs.changed.get(name)
    if scores is None or changed is None:
        return []
    table = level_table(scores, "all", "All genes, exact CDS")
    blocks: list[Block] = [Heading("What the evidence changed"), Paragraph(EVIDENCE_NOTE.format(genome=name))]
    return [*blocks, *([table] if table else []), change_table(changed)]


def _checks(name: str, inputs: ReportInputs) -> list[Block]:
    checks = inputs.plausibility.get(name)
    return [] if checks is None else [Heading("Without a reference"), *check_tables(checks)]


def _reads(name: str, inputs: ReportInputs) -> list[Block]:
    if name not in inputs.isoseq and name not in inputs.blast:
        return [Paragraph(f"{name}: no Iso-Seq reads given.", quiet=True)]
    tables = (
        (inputs.reads, reads_table),
        (inputs.isoseq, chain_table),
        (inputs.transcripts, class_table),
        (inputs.blast, blast_tables),
        (inputs.agreement, agreement_table),
    )
    blocks: list[Block] = [Heading("Iso-Seq reads")]
    for found, table in tables:
        made = table(found[name]) if name in found else []
        blocks += made if isinstance(made, list) else [made]
    return blocks


def _noncoding(name: str, inputs: ReportInputs) -> list[Block]:
    if name not in inputs.noncoding:
        return []
    blocks: list[Block] = [Heading("RNA genes and mobile elements"), noncoding_table(inputs.noncoding[name])]
    scores = inputs.noncoding_scores.get(name)
    if scores is not None and not scores.empty:
        blocks.append(noncoding_scores(scores))
    return blocks


def _structure(name: str, inputs: ReportInputs, figures: list[KeptFigure]) -> list[Block]:
    stats = inputs.stats.get(name)
    if stats is None:
        return [Paragraph("No predictions were made.", quiet=True)]
    apart = ("header", "organelles", "exons_per_transcript")
    counted = {key: value for key, value in stats.items() if key not in apart}
    blocks: list[Block] = [
        Heading("Predicted genes"),
        *figures_of(figures, "structure"),
        key_values(counted, "Counts; lengths in base pairs"),
    ]
    if stats.get("organelles"):
        # Not by key_values: keys of it are put into words, and contigs keep their names.
        rows = [(str(contig), str(kind)) for contig, kind in stats["organelles"].items()]
        blocks.append(Table(("contig", "organelle"), rows, "Organelles, read like nuclear contigs", plain=True))
    if "header" in stats:
        blocks.append(key_values(stats["header"], "How they were made"))
    return blocks


def _atlas(name: str, figures: list[KeptFigure]) -> list[Block]:
    drawn = figures_of(figures, "atlas")
    if not drawn:
        return []
    note = (
        f"{RULE} CDS are thick and UTRs thin boxes; other genes are pale. Reads of the locus's strand are blue, others "
        "grey."
    )
    return [Heading("The worst loci"), Paragraph(note), *drawn]


def change_table(changed: pd.DataFrame) -> Table:
    """Numbers of the loci and genes in a table of changed genes, and how many of the genes are right."""
    right = (changed["class"] == RIGHT) | (changed["class_from_dna"] == RIGHT)
    rows = []
    for change, title in CHANGES.items():
        found = changed["change"] == change
        of_genes = number(int((found & right).sum())) if change in (GAINED, LOST) else MISSING
        rows.append([title, number(int(found.sum())), of_genes])
    return Table(("", "n", "right"), rows, "Loci and genes that differ")


def check_tables(checks: pd.DataFrame) -> list[Table]:
    """Quality checks without a reference, warnings first, with the expected range; and distributions of lengths."""
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


def checked(checks: pd.DataFrame | None) -> str:
    """A sentence on how many checks without a reference warn, and whether enough of them could be judged."""
    if checks is None:
        return ""
    judged = int(checks["verdict"].isin(["ok", "warning"]).sum())
    odd = int((checks["verdict"] == "warning").sum())
    limited = (checks["low"].astype(str) != "") | (checks["high"].astype(str) != "")
    unjudged = int((limited & (checks["verdict"] == "info") & ~checks["name"].str.match(_QUANTILE)).sum())
    if unjudged > judged:
        found = "none of these warns" if not odd else f"{odd} of these warn{'s' if odd == 1 else ''}"
        return (
            f"Of {judged + unjudged} checks that need no reference, only {judged} had enough genes or bases to judge; "
            f"{found}. They say little here."
        )
    if not odd:
        return f"All {judged} checks that need no reference find what is usual."
    return f"Of {judged} checks that need no reference, {odd} warn."


def _limit(value: str) -> str:
    """A limit as text: those of lengths in whole bases."""
    return number_of(str(round(float(value))) if abs(float(value)) >= 100 else value)


def check_name(row: Mapping[str, str]) -> str:
    """Group and name of a row of the checks, since a name alone may not be clear."""
    return f"{words(row['group'])}: {words(row['name'])}"


def measured(row: Mapping[str, str]) -> str:
    """Value and unit of a row of the checks."""
    return number_of(row["value"]) + ("" if row["unit"] in ("", "share") else f" {row['unit']}")
