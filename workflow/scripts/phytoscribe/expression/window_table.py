"""``results/splits/gene_windows.tsv``: the window and the part of every gene, and why a gene takes no part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.annotation.gene_database import GeneDatabase
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.expression.windows import WindowSettings, reason_without, window_bases, windows_of_genes
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval
from phytoscribe.splits.parts import Parts, guarded
from phytoscribe.tables import Columns, read_table

#: ``start`` to ``windows`` are 0-based; ``windows`` are half-open intervals (``100-1600,5000-6500``), that of the TSS
#: first.  ``part`` is that of the block which holds the TSS; with a ``reason`` the gene takes no part.
GENE_WINDOWS: Columns = {
    "genome": str, "gene": str, "contig": str, "strand": str, "start": int, "end": int, "tss": int, "tts": int,
    "windows": str, "cluster": float, "part": str, "reason": str,
}  # fmt: skip


def windows_of_genome(
    name: str, database: GeneDatabase, gff3: str | Path, fasta: str | Path, settings: WindowSettings
) -> pd.DataFrame:
    """Genes of a genome with their windows; columns of :data:`GENE_WINDOWS` up to ``windows``, and ``reason``."""
    rows = []
    with Genome(fasta) as genome:
        models = {gene.id: gene for gene in read_gff3(gff3, genome.contigs)}
        for window in windows_of_genes(database, settings):
            (bases,) = window_bases([window], models, genome, settings)
            span, places = window.span, ",".join(f"{start}-{end}" for start, end in window.pieces)
            place = (name, span.id, span.contig, span.strand, span.start, span.end, window.tss, window.tts)
            rows.append((*place, places, reason_without(window, bases, settings)))
    return pd.DataFrame(rows, columns=[*list(GENE_WINDOWS)[:9], "reason"])


def divided(windows: pd.DataFrame, parts: Mapping[str, Parts], clusters: Mapping[tuple[str, str], int]) -> pd.DataFrame:
    """The table with all columns: genes get the part of their block and leave it where the guard says so.

    Args:
        windows: of all genomes, from :func:`windows_of_genome`.
        parts: blocks of each genome.
        clusters: CD-HIT cluster by genome and gene; a gene without protein has none.
    """
    table = windows.reset_index(drop=True)
    table["cluster"] = [clusters.get(key, np.nan) for key in zip(table["genome"], table["gene"], strict=True)]
    table["part"] = [
        parts[genome].part_at(contig, tss)
        for genome, contig, tss in zip(table["genome"], table["contig"], table["tss"], strict=True)
    ]
    guards = guarded(
        table["part"].where(table["reason"] == "", "").tolist(),
        list(zip(table["genome"], table["contig"], strict=True)),
        [intervals_of(text) for text in table["windows"]],
        [None if np.isnan(cluster) else cluster for cluster in table["cluster"]],
    )
    table["reason"] = np.where(table["reason"] == "", guards, table["reason"])
    return table[list(GENE_WINDOWS)]


def intervals_of(text: str) -> list[Interval]:
    """The intervals of a cell of column ``windows``."""
    return [(int(start), int(end)) for start, _, end in (piece.partition("-") for piece in text.split(","))]


def read_gene_windows(path: str | Path) -> pd.DataFrame:
    """Read the table.

    Raises:
        PhytoScribeError: the file is missing or damaged.
    """
    return read_table(path, GENE_WINDOWS)


def used(table: pd.DataFrame, parts: Iterable[str]) -> pd.DataFrame:
    """Genes that take part in any of these parts."""
    return table[table["part"].isin(list(parts)) & (table["reason"] == "")]
