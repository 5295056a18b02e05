"""Sections about the process: annotation check, split, training, costs, software, configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import yaml

from phytoscribe.annotation.checking.acceptance import Thresholds, judge
from phytoscribe.annotation.checking.tables import IN_WORDS, Reason
from phytoscribe.reporting.blocks import (
    MISSING,
    Block,
    Figures,
    Heading,
    Items,
    Links,
    Listing,
    Paragraph,
    Section,
    Table,
    figures_of,
    key_values,
    number,
    number_of,
    score,
    words,
)
from phytoscribe.reporting.citations import citations_of, versions
from phytoscribe.reporting.expression_panel import expression_section
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.learned import filter_blocks, promoter_sections
from phytoscribe.reporting.process_figures import COSTS, FINE_TUNING, LABELS, PRETRAINING

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
    heads = [*_regulatory_section(inputs), *expression_section(inputs), *promoter_sections(inputs)]
    return [*heads, *(section(inputs) for section in made)]


def _regulatory_section(inputs: ReportInputs) -> list[Section]:
    """Scores of the regulatory head, whether its attributions can be trusted, and its motifs; none without a head."""
    blocks: list[Block] = []
    if inputs.regulatory is not None:
        blocks += [Paragraph(_means(inputs.regulatory)), *figures_of(inputs.own_figures, LABELS)]
    if inputs.attribution is not None:
        blocks += _trust(inputs.attribution)
    if inputs.motifs is not None:
        blocks += _motifs(inputs)
    blocks += filter_blocks(inputs)
    return [Section("regulatory", "Binding sites and open chromatin", blocks)] if blocks else []


def _means(scores: pd.DataFrame) -> str:
    """Mean AUPRC of each model, in a sentence."""
    rows = scores[(scores["label"] == "mean") & (scores["measure"] == "auprc")]
    found = [
        # With a single block all draws are the same, which tells no interval.
        f"{row.model} {row.value:.3f}" + (f" (95 % {row.low:.3f} to {row.high:.3f})" if row.low < row.high else "")
        for row in rows.itertuples()
    ]
    return (
        f"Mean AUPRC over the labels, all bins of the test blocks: {'; '.join(found)}. A head that is not clearly "
        "above the 6-mer ridge, a regression on words of six bases, learned no more than words."
    )


def _trust(attribution: pd.DataFrame) -> list[Block]:
    """How attributions agree with mutagenesis, by label, and a warning for those that do not."""
    table = attribution.set_index(["label", "measure"])
    labels = list(dict.fromkeys(attribution["label"]))
    rows, doubtful = [], []
    for label in labels:
        own = table.loc[label]
        agreement, reliable = own.loc["mutagenesis_spearman"], bool(own.loc["reliable", "value"])
        if not reliable:
            doubtful.append(
                f"Attributions of {label} are not reliable: do not read its logos as what the head looks at."
            )
        rows.append(
            (
                label,
                # What decides stands first: on a narrow screen the rest is a scroll away.
                "yes" if reliable else "no",
                f"{agreement['value']:.2f} ({agreement['low']:.2f} to {agreement['high']:.2f})",
                *(f"{own.loc[name, 'value']:.2f}" for name in ("gradcam_spearman", "share_explained")),
                f"{own.loc['completeness_gap', 'value']:.3f}",
            )
        )
    blocks: list[Block] = [
        Heading("Can the attributions be trusted?"),
        Paragraph(
            "Mutagenesis of the whole model is the referee: the rank correlation of each attribution with it, median "
            "and quartiles over held-out sites."
        ),
    ]
    if doubtful:
        blocks.append(Items(f"{len(doubtful)} of {len(labels)} labels", doubtful, warns=True))
    columns = ("label", "reliable", "integrated gradients", "Grad-CAM", "share explained", "completeness gap")
    return [*blocks, Table(columns, rows)]


def _motifs(inputs: ReportInputs) -> list[Block]:
    """Motifs of each label beside known ones, and what the peaks say of them."""
    blocks: list[Block] = [
        Heading("Motifs"),
        Paragraph(
            "Each motif stands above the known one that it matches (q at most 0.05). The shares are those of held-out "
            "summits with the motif: of its own label, of other labels, and of random places. A motif that belongs to "
            "neighbouring factors is as common at theirs."
        ),
    ]
    reliable = {}
    if inputs.attribution is not None:
        own = inputs.attribution[inputs.attribution["measure"] == "reliable"]
        reliable = dict(zip(own["label"], own["value"].astype(bool), strict=True))
    assert inputs.motifs is not None
    logos = {figure.name: figure for figure in inputs.logos or []}
    for label, rows in inputs.motifs.groupby("label", sort=True):
        blocks.append(Heading(str(label)))
        if not reliable.get(str(label), True):
            doubt = "Mutagenesis disagrees with them, so these logos are not what the head looks at."
            blocks.append(Items("Attributions of this label are not reliable", [doubt], warns=True))
        shown = [logos[name] for name in rows["motif"] if name in logos]
        if shown:
            blocks.append(Figures([(figure.uri, figure.seen, figure.title) for figure in shown]))
        lines = [
            (row.motif or MISSING, f"{row.match_name or row.match}", row.verdict,
             *(number_of(str(value)) for value in (row.q, row.own_summits, row.other_summits, row.random,
             row.seqlets)), row.consensus or MISSING)
            for row in rows.itertuples()
        ]  # fmt: skip
        columns = ("motif", "match", "verdict", "q", "own summits", "others", "random", "seqlets", "consensus")
        blocks.append(Table(columns, lines, f"Most enriched word at its summits: {rows['enriched_word'].iloc[0]}"))
    return blocks


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
