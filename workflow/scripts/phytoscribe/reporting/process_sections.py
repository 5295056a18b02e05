"""Sections on the way there: annotation check, split, tokenizer and training, software, configuration."""

from __future__ import annotations

import yaml

from phytoscribe.annotation.acceptance import Thresholds, judge
from phytoscribe.annotation.reasons import IN_WORDS, Reason
from phytoscribe.reporting import figures
from phytoscribe.reporting.blocks import (
    MISSING,
    Block,
    Figures,
    Heading,
    Listing,
    Paragraph,
    Section,
    Table,
    key_values,
    number,
    words,
)
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.software import CITATIONS, versions


def check_section(inputs: ReportInputs) -> Section:
    """Accepted and rejected transcripts by reason."""
    checks = {info.name: inputs.checks[info.name] for info in inputs.genomes if info.name in inputs.checks}
    blocks: list[Block] = [
        Paragraph("Only transcripts with an intact reading frame and allowed splice sites enter training.")
    ]
    without = [info.name for info in inputs.genomes if info.name not in checks]
    if checks:
        counts = ("genes", "genes_accepted", "transcripts", "transcripts_accepted")
        rows = [(words(key), *(number(check[key]) for check in checks.values())) for key in counts]
        rows.append(
            ("share of coding transcripts with a fault", *(number(c["share_rejected"]) for c in checks.values()))
        )
        reasons = list(dict.fromkeys(reason for check in checks.values() for reason in check["rejected_by_reason"]))
        rows += [
            (
                f"rejected: {IN_WORDS[Reason(reason)]}",
                *(number(check["rejected_by_reason"].get(reason, 0)) for check in checks.values()),
            )
            for reason in reasons
        ]
        blocks.append(Table(("", *checks), rows))
        limits = inputs.config.get("check", {})
        thresholds = Thresholds(**{key: limits[key] for key in ("warn_above", "stop_above") if key in limits})
        blocks += [Paragraph(text) for name, check in checks.items() if (text := judge(name, check, thresholds).text)]
    if without:
        blocks.append(Paragraph(f"Without reference annotation: {', '.join(without)}.", quiet=True))
    return Section("annotation", "Annotation check", blocks)


def split_section(inputs: ReportInputs) -> Section:
    """Sizes of the parts, and what lies on two sides of the split."""
    title = "Split and leakage"
    if inputs.splits is None or inputs.leakage is None:
        return Section("split", title, [Paragraph("A released model was used: nothing was split here.", quiet=True)])
    mode = inputs.config.get("split", {}).get("mode", MISSING)
    splits = inputs.splits.assign(known=inputs.splits["has_train_homologue"].astype(str).str.lower() == "true")
    parts = splits.groupby(["genome", "part"], sort=False).agg(
        loci=("locus", "size"), clusters=("cluster", "nunique"), known=("known", "sum")
    )
    rows = [
        (str(genome), str(part), number(int(row["loci"])), number(int(row["clusters"])), number(int(row["known"])))
        for (genome, part), row in parts.iterrows()
    ]
    leaks = [
        (words(str(row.check)), str(row.part_a), str(row.part_b).replace("-", MISSING), number(int(row.value)))
        for row in inputs.leakage.itertuples()
    ]
    return Section(
        "split",
        title,
        [
            Paragraph(f"The split is by {mode}. Homologous: in one CD-HIT cluster over all species together."),
            Table(("genome", "part", "loci", "clusters", "loci with train homologue"), rows, "Parts"),
            Table(("check", "part", "against", "value"), leaks, "What lies on two sides"),
        ],
    )


def training_section(inputs: ReportInputs) -> Section:
    """Tokenizer, pretraining against its baselines, training curves."""
    blocks: list[Block] = []
    if inputs.tokenizer is not None:
        blocks.append(key_values(inputs.tokenizer, "Tokenizer"))
    if inputs.pretrain is not None:
        blocks.append(key_values(inputs.pretrain, "Pretraining"))
    if inputs.pretrain_metrics is not None:
        blocks += [Heading("Pretraining"), Figures(figures.training_curves("pretraining", inputs.pretrain_metrics))]
    if inputs.structure_metrics is not None:
        curves = figures.training_curves("fine-tuning", inputs.structure_metrics)
        blocks += [Heading("Structure fine-tuning"), Figures(curves)]
    if inputs.load_report is not None:
        blocks.append(key_values(inputs.load_report, "Start from the pretrained encoder, and the chosen checkpoint"))
    if not blocks:
        blocks.append(Paragraph("A released model was used: nothing was trained here.", quiet=True))
    return Section("training", "Tokenizer and training", blocks)


def software_section() -> Section:
    """Versions, and what to cite."""
    return Section(
        "software",
        "Software",
        [
            Table(("program", "version"), versions(), "Found by the report's own job", plain=True),
            Table(
                ("tool", "please cite", "doi"), [(a, b, c or MISSING) for a, b, c in CITATIONS], "Citations", plain=True
            ),
        ],
    )


def config_section(inputs: ReportInputs) -> Section:
    """The configuration with all defaults filled in."""
    text = yaml.safe_dump(inputs.config, sort_keys=False, allow_unicode=True, width=100)
    return Section("config", "Configuration", [Listing(text)])
