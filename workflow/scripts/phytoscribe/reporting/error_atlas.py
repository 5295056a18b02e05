"""Draw the worst loci as gene models: the reference above the prediction, reads below."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from phytoscribe.annotation.model import GeneModel, Interval, Transcript
from phytoscribe.reporting.drawing import INK, READS, READS_OTHER_STRAND, RULE, STYLE, Drawing, color_of, name_of
from phytoscribe.reporting.worst_loci import AlignedReads, GenesByPlace, WorstLocus

GROUP = "atlas"
#: Isoforms of the locus that are drawn, those with the longest CDS; of other genes one.
ISOFORMS = 4
MOST_ROWS = 6
#: Steps of a coverage curve; each shows the highest coverage in it.
STEPS = 300
_CDS, _UTR = 0.62, 0.26
_COLUMNS = ("track", "gene", "transcript", "strand", "part", "start", "end", "reads")


class _Window(NamedTuple):
    contig: str
    start: int
    end: int


def draw_locus(rank: int, locus: WorstLocus, tracks: Mapping[str, GenesByPlace], reads: AlignedReads | None) -> Drawing:
    """Draw the gene models at one of the worst loci.

    Args:
        rank: of the locus, from 1.
        tracks: genes by predictor, drawn from top to bottom; ``reference`` is the first.
        reads: drawn below the genes, if given.
    """
    gene = locus.gene
    window = _window(gene, tracks)
    rows = {name: _packed(list(_isoforms(genes.over(*window), gene, name)), window) for name, genes in tracks.items()}
    data: list[tuple] = []
    heights = [0.26 * max(1, len(found)) + 0.1 for found in rows.values()] + ([0.75] if reads else [])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.55 + sum(heights)))
        panels = figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, height_ratios=heights, gridspec_kw={"hspace": 0.04}
        )[:, 0]
        for axes, (name, packed) in zip(panels, rows.items()):
            _draw_genes(axes, name, packed, gene, window, data)
        if reads:
            _draw_reads(panels[-1], reads, gene, window, data)
        last = panels[-1]
        last.set_xlim(window.start, window.end)
        last.xaxis.set_major_locator(MaxNLocator(4))
        last.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        last.set_xlabel(f"{window.contig} (bp)", fontsize=9)
        for axes in panels[:-1]:
            axes.tick_params(axis="x", bottom=False, labelbottom=False)
            axes.spines["bottom"].set_visible(False)
    title = (
        f"{rank}. {gene.id} ({window.contig}, {gene.strand}): {locus.error.replace('_', ' ')}; "
        f"{locus.wrong_bases:,} coding bases wrong{f', {locus.reads:,} reads' if reads else ''}"
    )
    seen = f"Gene models at {window.contig}:{window.start + 1}-{window.end}, {', '.join(map(name_of, tracks))}"
    seen += ", with the coverage by Iso-Seq reads." if reads else "."
    stem = f"locus_{rank:02d}_{re.sub(r'[^A-Za-z0-9.-]+', '_', gene.id)[:60]}"
    return Drawing(stem, GROUP, title, seen, figure, pd.DataFrame(data, columns=list(_COLUMNS)))


def _window(gene: GeneModel, tracks: Mapping[str, GenesByPlace]) -> _Window:
    """The locus with all genes of its strand that overlap it, and a margin."""
    over = [other for genes in tracks.values() for other in genes.over(gene.contig, gene.start, gene.end, gene.strand)]
    low, high = min([gene.start, *(g.start for g in over)]), max([gene.end, *(g.end for g in over)])
    margin = max(50, (high - low) // 20)
    return _Window(gene.contig, max(0, low - margin), high + margin)


def _isoforms(genes: Sequence[GeneModel], locus: GeneModel, track: str) -> Iterator[tuple[GeneModel, Transcript]]:
    """Transcripts to draw of each gene, the locus itself first."""
    own = track == "reference"
    for gene in sorted(genes, key=lambda gene: not (own and gene.id == locus.id)):
        ordered = sorted(gene.transcripts, key=lambda transcript: -transcript.cds_length)
        yield from ((gene, transcript) for transcript in ordered[: ISOFORMS if own and gene.id == locus.id else 1])


def _packed(items: Sequence[tuple[GeneModel, Transcript]], window: _Window) -> list[list[tuple[GeneModel, Transcript]]]:
    """Transcripts in as few rows as hold them without overlap; at most :data:`MOST_ROWS`."""
    gap = (window.end - window.start) // 40
    rows: list[list[tuple[GeneModel, Transcript]]] = []
    for gene, transcript in items:
        for row in rows:
            if all(transcript.start > other.end + gap or transcript.end + gap < other.start for _, other in row):
                row.append((gene, transcript))
                break
        else:
            if len(rows) < MOST_ROWS:
                rows.append([(gene, transcript)])
    return rows


def _draw_genes(axes: Axes, track: str, rows, locus: GeneModel, window: _Window, data: list[tuple]) -> None:
    for height, row in enumerate(rows):
        for gene, transcript in row:
            # What is not on the locus's strand, and other loci of the reference, is context.
            context = gene.strand != locus.strand or (track == "reference" and gene.id != locus.id)
            _draw_transcript(axes, gene, transcript, -height, color_of(track), 0.35 if context else 1.0, window)
            for part, segments in (("exon", transcript.exons), ("CDS", transcript.cds)):
                data += [
                    (track, gene.id, transcript.id, gene.strand, part, start + 1, end, "") for start, end in segments
                ]
    axes.set_ylim(-max(1, len(rows)) + 0.4, 0.6)
    axes.set_yticks([-(max(1, len(rows)) - 1) / 2], [name_of(track)])
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.spines["left"].set_visible(False)
    if not rows:
        axes.text(0.5, 0.5, "no gene here", transform=axes.transAxes, ha="center", va="center", fontsize=8.5)


def _draw_transcript(
    axes: Axes, gene: GeneModel, transcript: Transcript, height: int, color: str, alpha: float, window: _Window
) -> None:
    start, end = transcript.start, transcript.end
    axes.plot([start, end], [height, height], color=color, alpha=alpha, linewidth=1, zorder=1)
    for segments, thickness in ((transcript.exons, _UTR), (transcript.cds, _CDS)):
        for left, right in segments:
            corner = (left, height - thickness / 2)
            axes.add_patch(Rectangle(corner, right - left, thickness, color=color, alpha=alpha, linewidth=0))
    width = (window.end - window.start) / 70
    tip, point = (end, end + width) if gene.strand == "+" else (start, start - width)
    axes.plot([tip, point, tip], [height + 0.2, height, height - 0.2], color=INK, alpha=alpha, linewidth=1)


def _draw_reads(axes: Axes, reads: AlignedReads, gene: GeneModel, window: _Window, data: list[tuple]) -> None:
    found = list(reads.blocks(*window))
    for strand, color in (("other", READS_OTHER_STRAND), ("same", READS)):
        chosen = [blocks for of_read, blocks in found if (of_read == gene.strand) is (strand == "same")]
        edges, depth = coverage(chosen, window.start, window.end)
        axes.stairs(depth, edges, fill=True, color=color)
        shown = gene.strand if strand == "same" else {"+": "-", "-": "+"}[gene.strand]
        data += [
            ("reads", "", "", shown, "coverage", int(left) + 1, int(right), int(value))
            for left, right, value in zip(edges, edges[1:], depth)
            if value
        ]
    axes.set_ylim(0, max(1, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.tick_params(axis="y", labelsize=8)
    axes.set_ylabel("reads", fontsize=9)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def coverage(reads: Sequence[Sequence[Interval]], start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Read coverage of an interval, in at most :data:`STEPS` steps, each with the coverage of its highest base.

    Args:
        reads: aligned blocks of each read, 0-based half-open.

    Returns:
        Edges int64 (n + 1,) and coverage int64 (n,).
    """
    change = np.zeros(end - start + 1, dtype=np.int64)
    for blocks in reads:
        for left, right in blocks:
            if left < end and right > start:
                change[max(left, start) - start] += 1
                change[min(right, end) - start] -= 1
    depth = np.cumsum(change)[:-1]
    edges = np.unique(np.linspace(0, end - start, min(STEPS, end - start) + 1).round().astype(np.int64))
    return edges + start, np.maximum.reduceat(depth, edges[:-1])
