"""The report's opening: what was predicted for each genome, how good it is, what is odd, and what to do next."""

from __future__ import annotations

from phytoscribe.reporting.blocks import MISSING, Block, Heading, Items, Paragraph, Section, Table, number, score
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.reporting.wording import next_steps, place_of, summary, value_of, warnings
from phytoscribe.tables import counts_near_loci, shown_metrics


def summary_section(inputs: ReportInputs) -> Section:
    """In words, genome by genome."""
    blocks: list[Block] = []
    for info in inputs.genomes:
        blocks += [Heading(f"{info.name} — {info.lineage}, {place_of(info, inputs)}"), Paragraph(summary(info, inputs))]
        found = warnings(info, inputs)
        if found:
            blocks.append(Items(f"{len(found)} warning{'s' if len(found) > 1 else ''}", found, warns=True))
        blocks.append(Items("What to do next", next_steps(info, inputs)))
    return Section("summary", "Summary", blocks)


def overview_section(inputs: ReportInputs) -> list[Section]:
    """A line for each genome, where there are several."""
    if len(inputs.genomes) < 2:
        return []
    columns = (
        "", *_role("role", inputs), "genes", "genes per Mb", "mean score", "locus F1", "CDS exon F1", "AUGUSTUS",
        "in reads", "warnings",
    )  # fmt: skip
    note = "Exact CDS; AUGUSTUS: its locus F1; in reads: share of CDS intron chains with reads that a read has."
    if any(counts_near_loci(scores) for scores in inputs.genes.values()):
        note += " With split.mode: cluster F1 is that near scored loci: false genes elsewhere are not seen."
    lines = [_line(info, inputs) for info in inputs.genomes]
    return [Section("overview", "All genomes", [Paragraph(note), Table(columns, lines)])]


def _role(text: str, inputs: ReportInputs) -> list[str]:
    """The cell on a genome's role; none with a released model, to which the role says nothing."""
    return [text] if inputs.trains else []


def _line(info: GenomeInfo, inputs: ReportInputs) -> list[str]:
    stats = inputs.stats.get(info.name, {})
    genes, reads = inputs.genes.get(info.name), inputs.isoseq.get(info.name)

    def f1(predictor: str, level: str) -> str:
        where = {"predictor": predictor, "level": level, "ruler": "exact", "subset": "all"}
        found = None if genes is None else value_of(genes, **where | {"metric": shown_metrics(genes)[2]})
        return score(found[0]) if found else MISSING

    chains = None if reads is None else value_of(
        reads, predictor="phytoscribe", level="transcript", ruler="cds_chain", subset="expressed", metric="supported"
    )  # fmt: skip
    return [
        info.name,
        *_role(info.role, inputs),
        *(number(stats.get(key)) for key in ("genes", "genes_per_megabase", "score_mean")),
        f1("phytoscribe", "locus"),
        f1("phytoscribe", "cds_exon"),
        f1("augustus", "locus"),
        score(chains[0]) if chains else MISSING,
        number(len(warnings(info, inputs))),
    ]
