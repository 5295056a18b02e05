"""The section of one genome: its files, scores, errors, structure, reads, and what is plausible without a reference."""

from __future__ import annotations

from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE
from phytoscribe.reporting.blocks import Block, Figures, Heading, Links, Paragraph, Section, Table, key_values
from phytoscribe.reporting.drawing import KeptFigure
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.reporting.score_tables import (
    agreement_table,
    blast_tables,
    chain_table,
    class_table,
    count_table,
    level_table,
    plausibility_tables,
    reads_table,
    ruler_tables,
    subset_table,
)
from phytoscribe.reporting.worst_loci import RULE
from phytoscribe.tables import counts_near_loci

ANCHOR = "genome-"
RULER_NOTE = (
    "Exact CDS: both ends of every segment equal, stop codon inside. A transcript is right if its CDS chain is that of "
    "any reference isoform, a locus if one of its transcripts is. Masked intervals count on neither side. "
    "P: precision, R: recall; n: items in the reference. docs/scores.md defines every row."
)

NEAR_NOTE = (
    "Training loci lie on the same contigs (split.mode: cluster), so only predictions near scored loci count. False "
    "genes elsewhere are not seen: precision and F1 near loci are higher than over whole contigs; do not compare them "
    "with precision and F1 of split.mode: contig. Recall is not affected."
)


def genome_section(info: GenomeInfo, inputs: ReportInputs) -> Section:
    """All on one genome; what matters most comes first, so that a page that is too small loses the least."""
    blocks: list[Block] = []
    if info.name in inputs.links:
        blocks.append(Links(inputs.links[info.name]))
    figures = inputs.figures.get(info.name, [])
    details = [
        *_scores(info.name, inputs, figures),
        *_plausibility(info.name, inputs),
        *_reads(info.name, inputs),
        *_structure(info.name, inputs, figures),
        *_atlas(info.name, figures),
    ]
    return Section(f"{ANCHOR}{info.name}", info.name, blocks, details)


def _scores(name: str, inputs: ReportInputs, figures: list[KeptFigure]) -> list[Block]:
    scores = inputs.genes.get(name)
    if scores is None:
        return [Paragraph(f"{name}: no held-out reference annotation, so no scores.", quiet=True)]
    blocks: list[Block] = [Heading("Scores against the reference"), Paragraph(RULER_NOTE)]
    if counts_near_loci(scores):
        blocks.append(Paragraph(NEAR_NOTE))
    if not (scores["predictor"] == "augustus").any():
        blocks.append(Paragraph("AUGUSTUS was not run for this genome.", quiet=True))
    found = (
        level_table(scores, "all", "All genes, exact CDS"),
        level_table(scores, NO_TRAIN_HOMOLOGUE, "Genes without a homologue in training, exact CDS"),
        *ruler_tables(scores),
        subset_table(scores),
        count_table(scores),
    )
    blocks += [table for table in found if table is not None]
    return [*blocks, *_figures(figures, "scores")]


def _plausibility(name: str, inputs: ReportInputs) -> list[Block]:
    checks = inputs.plausibility.get(name)
    return [] if checks is None else [Heading("Without a reference"), *plausibility_tables(checks)]


def _reads(name: str, inputs: ReportInputs) -> list[Block]:
    chains, blast = inputs.isoseq.get(name), inputs.blast.get(name)
    if chains is None and blast is None:
        return [Paragraph(f"{name}: no Iso-Seq reads given.", quiet=True)]
    blocks: list[Block] = [Heading("Iso-Seq reads")]
    if name in inputs.reads:
        blocks.append(reads_table(inputs.reads[name]))
    if chains is not None:
        blocks.append(chain_table(chains))
    if name in inputs.transcripts:
        blocks.append(class_table(inputs.transcripts[name]))
    if blast is not None:
        blocks += blast_tables(blast)
    if name in inputs.agreement:
        blocks.append(agreement_table(inputs.agreement[name]))
    return blocks


def _structure(name: str, inputs: ReportInputs, figures: list[KeptFigure]) -> list[Block]:
    stats = inputs.stats.get(name)
    if stats is None:
        return [Paragraph("No predictions were made.", quiet=True)]
    apart = ("header", "organelles", "exons_per_transcript")
    counted = {key: value for key, value in stats.items() if key not in apart}
    blocks: list[Block] = [
        Heading("Predicted genes"),
        *_figures(figures, "structure"),
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
    drawn = _figures(figures, "atlas")
    if not drawn:
        return []
    note = (
        f"{RULE} CDS are thick and UTRs thin boxes; other genes are pale. Reads of the locus's strand are blue, others "
        "grey."
    )
    return [Heading("The worst loci"), Paragraph(note), *drawn]


def _figures(figures: list[KeptFigure], group: str) -> list[Block]:
    items = [(figure.uri, figure.seen, figure.title) for figure in figures if figure.group == group]
    return [Figures(items)] if items else []
