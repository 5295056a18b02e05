"""Sections about the process: annotation check, split, training, costs, software, configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from phytoscribe.annotation.checking.acceptance import Thresholds, judge
from phytoscribe.annotation.checking.tables import IN_WORDS, Reason
from phytoscribe.reporting.blocks import (
    MISSING,
    Block,
    Heading,
    Links,
    Listing,
    Paragraph,
    Section,
    Table,
    figures_of,
    key_values,
    number,
    score,
    words,
)
from phytoscribe.reporting.citations import citations_of, versions
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.process_figures import COSTS, FINE_TUNING, PRETRAINING

#: Figures of a decoder's fit, and in words what was decoded with.
_FIT_COLUMNS = ("cds_exon_f1", "locus_f1", "calibration_error")
_FITS = {
    "start": "before the fit",
    "fitted": "fitted to these regions",
    "fallback": "that of any lineage, or of its lineage",
    "held_out": "each half with the fit to the other",
    "used": "as it will predict",
}
#: With more genomes than this they are the rows of a table, and not its columns.
SIDE_BY_SIDE = 5


def process_sections(inputs: ReportInputs) -> list[Section]:
    """All sections, in the order of the workflow."""
    made = (_check_section, _split_section, _training_section, _costs_section, _software_section, _config_section)
    return [section(inputs) for section in made]


def _check_section(inputs: ReportInputs) -> Section:
    """Accepted and rejected transcripts by reason."""
    checks = {info.name: inputs.checks[info.name] for info in inputs.genomes if info.name in inputs.checks}
    blocks: list[Block] = [
        Paragraph("Only transcripts with an intact reading frame and allowed splice sites enter training.")
    ]
    without = [info.name for info in inputs.genomes if info.name not in checks]
    if checks:
        counts = ("genes", "genes_accepted", "transcripts", "transcripts_accepted")
        titles = {key: words(key) for key in counts} | {"share_rejected": "share of coding transcripts with a fault"}
        rows = [(title, *(number(check[key]) for check in checks.values())) for key, title in titles.items()]
        rejected = [check["rejected_by_reason"] for check in checks.values()]
        reasons = list(dict.fromkeys(reason for found in rejected for reason in found))
        if len(checks) > SIDE_BY_SIDE:
            head, *rows = zip(("", *checks), *rows, strict=True)
            blocks.append(Table(head, rows))
            if reasons:
                blocks.append(Paragraph("Transcripts that were left out by reason: results/clean/*.check.json."))
        else:
            for reason in reasons:
                shown = [number(found.get(reason, 0)) for found in rejected]
                rows.append((f"rejected: {IN_WORDS[Reason(reason)]}", *shown))
            blocks.append(Table(("", *checks), rows))
        limits = inputs.config.get("check", {})
        thresholds = Thresholds(**{key: limits[key] for key in ("warn_above", "stop_above") if key in limits})
        blocks += [Paragraph(text) for name, check in checks.items() if (text := judge(name, check, thresholds).text)]
    if without:
        blocks.append(Paragraph(f"Without reference annotation: {', '.join(without)}.", quiet=True))
    return Section("annotation", "Annotation check", blocks)


def _split_section(inputs: ReportInputs) -> Section:
    """Sizes of training, validation and test, and what lies on two sides of the split."""
    title = "Split and leakage"
    if inputs.splits is None or inputs.leakage is None:
        return Section("split", title, [Paragraph("A released model was used: nothing was split here.", quiet=True)])
    mode = inputs.config.get("split", {}).get("mode", MISSING)
    splits = inputs.splits.assign(known=inputs.splits["has_train_homologue"].astype(str).str.lower() == "true")
    parts = (
        splits.groupby(["genome", "part"], sort=False)
        .agg(loci=("locus", "size"), clusters=("cluster", "nunique"), known=("known", "sum"))
        .reset_index()
    )
    rows = [(*map(str, row[:2]), *(number(int(value)) for value in row[2:])) for row in parts.itertuples(index=False)]
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


def _training_section(inputs: ReportInputs) -> Section:
    """Tokenizer, pretraining against its baselines, training curves."""
    blocks: list[Block] = []
    if inputs.tokenizer is not None:
        blocks.append(key_values(inputs.tokenizer, "Tokenizer"))
    if inputs.pretrain is not None:
        blocks.append(key_values(inputs.pretrain, "Pretraining"))
    for stage, title in ((PRETRAINING, "Pretraining"), (FINE_TUNING, "Structure fine-tuning")):
        if curves := figures_of(inputs.own_figures, stage):
            blocks += [Heading(title), *curves]
    if inputs.load_report is not None:
        report = dict(inputs.load_report)
        fit = report.pop("decoder_fit", {})
        blocks.append(key_values(report, "Start of the training, and the chosen checkpoint"))
        if fit:
            blocks.append(decoder_fit_table(fit))
    if not blocks:
        blocks.append(Paragraph("A released model was used: nothing was trained here.", quiet=True))
    return Section("training", "Tokenizer and training", blocks)


def decoder_fit_table(fit: Mapping[str, Any]) -> Table:
    """Figures of the decoders on the validation regions, from ``decoder_fit`` of ``load_report.json``."""
    of_any, of_all = "any lineage", "all, each with the decoder of its species"
    found = [(of_any, name, fit.get(name)) for name in ("start", "fitted")]
    for name, own in [*fit.get("lineages", {}).items(), *fit.get("species", {}).items()]:
        kept = f"{name} ({own['decoder']})"
        found += [(kept, figures, own.get(figures)) for figures in ("fallback", "start", "fitted", "held_out")]
    found += [(of_all, name, fit.get(name)) for name in ("used", "held_out")]
    rows = [
        (decoder, _FITS[name], *(score(figures[column]) for column in _FIT_COLUMNS))
        for decoder, name, figures in found
        if figures
    ]
    return Table(("regions of", "decoder", *map(words, _FIT_COLUMNS)), rows, "Decoders on the validation regions")


def _costs_section(inputs: ReportInputs) -> Section:
    """Time and memory by rule, as far as they were measured."""
    title = "Time and memory"
    if inputs.costs is None or inputs.costs.empty:
        return Section("costs", title, [Paragraph("Nothing was measured: results/benchmarks/ is empty.", quiet=True)])
    rows = [
        (str(row.rule), number(int(row.jobs)), *(number(float(value), 1) for value in row[3:]))
        for row in inputs.costs.itertuples()
    ]
    columns = ("rule", "jobs", "seconds", "longest job, s", "CPU seconds", "largest memory, MB")
    note = "Of the last time that each rule ran; memory of jobs of a second or two is measured too early."
    return Section("costs", title, [Paragraph(note), *figures_of(inputs.own_figures, COSTS), Table(columns, rows)])


def _software_section(inputs: ReportInputs) -> Section:
    """Versions, and what to cite."""
    cited = [
        (citation.tool, citation.use, citation.text, citation.fields.get("doi", MISSING))
        for citation in citations_of(inputs.config)
    ]
    return Section(
        "software",
        "Software and citations",
        [
            Table(("program", "version"), versions(), "Found by the report's own job", plain=True),
            Table(("tool", "use", "please cite", "doi"), cited, "To cite for this run", plain=True),
            Links([("citations.bib", "the same as BibTeX")]),
        ],
    )


def _config_section(inputs: ReportInputs) -> Section:
    """The configuration with all defaults filled in."""
    text = yaml.safe_dump(inputs.config, sort_keys=False, allow_unicode=True, width=100)
    return Section("config", "Configuration", [Listing(text)])
