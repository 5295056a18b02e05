"""Genes of a part of the split with their windows and measured levels.

What is learned of a level is log2(1 + TPM), as the mean of a gene's tissues and the deviation of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.annotation.gene_database import GeneDatabase
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.expression.features import Windows
from phytoscribe.expression.levels import GENE
from phytoscribe.expression.window_table import used
from phytoscribe.expression.windows import WindowSettings, window_bases, windows_of_genes
from phytoscribe.genome.fasta import Genome

BinFeatures = npt.NDArray[np.float16]
Levels = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GenomeFiles:
    """Files of a genome with measured expression.

    Attributes:
        measured: of :func:`phytoscribe.expression.levels.measured_levels`.
        names: species and lineage.
    """

    name: str
    database: Path
    gff3: Path
    fasta: Path
    measured: Path
    names: tuple[str, str] = ("unknown", "unknown")


def genome_files(genomes: Sequence[str], given: Any, names: Sequence[tuple[str, str]] = ()) -> list[GenomeFiles]:
    """Files of genomes from a rule's inputs ``databases``, ``accepted``, ``fasta`` and ``measured``, in one order."""
    columns = zip(given.databases, given.accepted, given.fasta, given.measured, strict=True)
    known = names or [("unknown", "unknown")] * len(genomes)
    return [
        GenomeFiles(name, *map(Path, paths), tuple(of_name))
        for name, paths, of_name in zip(genomes, columns, known, strict=True)
    ]


@dataclass(frozen=True)
class Examples:
    """Genes of one part.

    Attributes:
        bases: uint8 (genes, pieces, bases).
        log: float64 (genes, tissues), log2(1 + TPM); NaN where nothing was measured.
        tissues: names.
        table: their lines of gene_windows.tsv.
        genes: their models.
        trunk: float16 (genes, pieces, bins, channels), or None.
        matches: the same of motifs that do not change, or None.
    """

    bases: Windows
    log: Levels
    tissues: tuple[str, ...]
    table: pd.DataFrame
    genes: Sequence[GeneModel]
    trunk: BinFeatures | None = field(default=None)
    matches: BinFeatures | None = field(default=None)


def read_examples(table: pd.DataFrame, genomes: Sequence[GenomeFiles], settings: WindowSettings, part: str) -> Examples:
    """The genes of a part that have a window and a measured level, in the order of the table.

    Args:
        table: of all genomes (``results/splits/gene_windows.tsv``).
    """
    measured = {one.name: read_measured(one.measured) for one in genomes}
    tissues = list(dict.fromkeys(name for levels in measured.values() for name in levels.columns))
    bases, levels, rows, genes = [], [], [], []
    for one in genomes:
        known = measured[one.name].reindex(columns=tissues)
        own = used(table[table["genome"] == one.name], [part])
        own = own[own["gene"].isin(known.index)]
        wanted = set(own["gene"])
        windows = [w for w in windows_of_genes(GeneDatabase(one.database), settings) if w.span.id in wanted]
        with Genome(one.fasta) as genome:
            models = {gene.id: gene for gene in read_gff3(one.gff3, genome.contigs) if gene.id in wanted}
            bases.append(window_bases(windows, models, genome, settings))
        names = [window.span.id for window in windows]
        genes += [models[name] for name in names]
        levels.append(known.loc[names].to_numpy(dtype=np.float64))
        rows.append(own.set_index("gene").loc[names].reset_index())
    log = log_levels(np.concatenate(levels))
    return Examples(np.concatenate(bases), log, tuple(tissues), pd.concat(rows, ignore_index=True), genes)


def read_measured(path: str | Path) -> pd.DataFrame:
    """Measured levels, TPM by gene (index) and tissue, from ``results/expression/{genome}.measured.tsv``."""
    # A gene may be called NA.
    types = {GENE: str}
    table = pd.read_csv(path, sep="\t", dtype=types, keep_default_na=False, na_values=[""])
    return table.set_index(GENE).astype(np.float64)


def log_levels(tpm: Levels) -> Levels:
    """log2(1 + TPM); NaN stays."""
    return np.log2(1 + tpm)


def specificity(log: Levels) -> npt.NDArray[np.float64]:
    """Tau, how specific a gene is to few tissues, (genes,): 0 for the same level in all, 1 for a level in one alone.

    The mean over the tissues but one of ``1 - level / highest level`` (Yanai et al. 2005,
    doi:10.1093/bioinformatics/bti042), of log levels as in the comparison of Kryuchkova-Mostacci and Robinson-Rechavi
    2017 (doi:10.1093/bib/bbw008).  NaN for fewer than two measured tissues, and without any expression.

    Args:
        log: log2(1 + TPM), (genes, tissues); NaN where nothing was measured.
    """
    measured = np.isfinite(log)
    count = measured.sum(axis=1)
    highest = np.where(measured, log, 0.0).max(axis=1)
    able = (count > 1) & (highest > 0)
    below = np.where(measured, 1 - log / np.where(able, highest, 1.0)[:, None], 0.0).sum(axis=1)
    return np.where(able, below / np.maximum(count - 1, 1), np.nan)


class Targets(NamedTuple):
    """Log levels in two parts.

    Attributes:
        level: (genes,), mean over the tissues that were measured.
        deviation: (genes, tissues), what a tissue has above or below that; sums to zero over the tissues if all were
            measured.  NaN where nothing was measured.
    """

    level: Levels
    deviation: Levels


def level_and_deviation(log: Levels) -> Targets:
    """The two parts of log levels (genes, tissues); genes must have a measured tissue."""
    level = np.nanmean(log, axis=1)
    return Targets(level, log - level[:, None])
