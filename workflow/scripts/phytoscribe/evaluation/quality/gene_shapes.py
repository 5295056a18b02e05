"""Lengths and counts of the genes of a species, as a table that others can be compared with.

One transcript stands for a gene, its :attr:`~phytoscribe.annotation.model.GeneModel.representative`.
Everything is of the CDS: untranslated regions are left out of many annotations, and would tell of these and not of the
species.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.tables import read_columns, write_table

#: What is measured, with its unit.  ``gene_length`` goes from the start to the stop codon, introns included.
QUANTITIES = {
    "protein_length": "aa",
    "cds_length": "bp",
    "gene_length": "bp",
    "cds_exons": "per gene",
    "cds_exon_length": "bp",
    "intron_length": "bp",
}
#: Besides these: the share of genes whose CDS is one segment, in the column of the mean.
SINGLE_EXON = "single_exon_genes"
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
COLUMNS = ("species", "lineage", "quantity", "n", "mean", *QUANTILES)


def measured(genes: Iterable[GeneModel]) -> dict[str, np.ndarray]:
    """Values of each of :data:`QUANTITIES`: one per gene, CDS exon or intron; int64 (n,)."""
    chosen = [transcript for gene in genes if (transcript := gene.representative)]
    values = {
        "protein_length": [t.cds_length // 3 - 1 for t in chosen],
        "cds_length": [t.cds_length for t in chosen],
        "gene_length": [t.cds[-1][1] - t.cds[0][0] for t in chosen],
        "cds_exons": [len(t.cds) for t in chosen],
        "cds_exon_length": [end - start for t in chosen for start, end in t.cds],
        "intron_length": [end - start for t in chosen for start, end in t.cds_introns],
    }
    return {name: np.asarray(found, dtype=np.int64) for name, found in values.items()}


def shape_table(values: dict[str, np.ndarray], species: str, lineage: str) -> pd.DataFrame:
    """Mean and quantiles of what :func:`measured` found, with :data:`COLUMNS`; empty cells where there is nothing."""
    rows = []
    for quantity, found in values.items():
        known = found.size > 0
        quantiles = [float(np.quantile(found, share)) if known else np.nan for share in QUANTILES.values()]
        rows.append((species, lineage, quantity, found.size, float(found.mean()) if known else np.nan, *quantiles))
    exons = values["cds_exons"]
    share = float((exons == 1).mean()) if exons.size else np.nan
    rows.append((species, lineage, SINGLE_EXON, exons.size, share, *[np.nan] * len(QUANTILES)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_shapes(shapes: pd.DataFrame, path: str | Path) -> None:
    """Write a table with four decimals, by rename."""
    write_table(shapes.loc[:, list(COLUMNS)], path, decimals=4)


def read_shapes(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Tables of several species as one.

    Raises:
        PhytoScribeError: a file is missing or has other columns.
    """
    tables = [pd.DataFrame(columns=list(COLUMNS))]
    tables += [read_columns(path, COLUMNS, "table of gene shapes") for path in paths]
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
