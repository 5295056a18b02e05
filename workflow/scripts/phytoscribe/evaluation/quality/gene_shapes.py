"""Gene structure statistics of a species as a table, and the related species to compare it with.

A prediction is compared with the other annotated genomes in the configuration and with the bundled species
(``related_species.tsv``).  Only species of its lineage are used if there are any; else all, with wider ranges.

Each gene is represented by its :attr:`~phytoscribe.annotation.model.GeneModel.representative` transcript. All values
describe the CDS: many annotations lack UTRs, which would then describe the annotation, not the species.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.tables import QUANTILES, SHAPES, read_table

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
#: How far a figure may lie outside of the related species' own, as a factor.  From checked annotations: medians of
#: proteins lie 306 (B. napus), 346 (A. thaliana), 390 (rice), 479 (Volvox); of introns 94, 98, 142, 370; means of CDS
#: exons 5.0 to 5.5 but for Volvox (10).
TOLERANCE = {
    "protein_length": 1.3,
    "cds_length": 1.3,
    "gene_length": 1.6,
    "cds_exons": 1.4,
    "cds_exon_length": 1.3,
    "intron_length": 2.0,
}


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
    """Mean and quantiles of the values from :func:`measured`; NaN if there are none."""
    rows = []
    for quantity, found in values.items():
        known = found.size > 0
        quantiles = [float(np.quantile(found, part)) if known else np.nan for part in QUANTILES.values()]
        rows.append((species, lineage, quantity, found.size, float(found.mean()) if known else np.nan, *quantiles))
    exons = values["cds_exons"]
    single = float((exons == 1).mean()) if exons.size else np.nan
    rows.append((species, lineage, SINGLE_EXON, exons.size, single, *[np.nan] * len(QUANTILES)))
    return pd.DataFrame(rows, columns=list(SHAPES))


def read_shapes(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the tables of several species as one.

    Raises:
        PhytoScribeError: a file is missing or lacks a column.
    """
    tables = [pd.DataFrame(columns=list(SHAPES))]
    tables += [read_table(path, SHAPES) for path in paths]
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


@dataclass(frozen=True, slots=True)
class Related:
    """Gene structure statistics of related species, nearest species first.

    Attributes:
        same_lineage: whether they belong to the same lineage as the compared genome.
    """

    shapes: pd.DataFrame
    same_lineage: bool

    @classmethod
    def of(cls, shapes: pd.DataFrame, genome: str, lineage: str) -> Related:
        """The rows of ``shapes`` to compare with a genome of this name and lineage, in their order.

        If a species is given twice (in the configuration and bundled), the first rows count.
        """
        others = shapes[shapes["species"] != genome].drop_duplicates(["species", "quantity"])
        alike = others[others["lineage"] == lineage]
        return cls(alike, True) if len(alike) else cls(others, False)

    @property
    def known(self) -> bool:
        """True if there is any species to compare with."""
        return len(self.shapes) > 0

    @property
    def species(self) -> list[str]:
        return list(dict.fromkeys(self.shapes["species"]))

    @property
    def nearest_name(self) -> str:
        return self.species[0] if self.known else ""

    def nearest(self) -> pd.DataFrame | None:
        """Rows of the nearest species by quantity, None without any."""
        if not self.known:
            return None
        return self.shapes[self.shapes["species"] == self.nearest_name].set_index("quantity")

    def quantile(self, quantity: str, column: str) -> list[float]:
        """Values of a column for all these species."""
        found = self.shapes.loc[self.shapes["quantity"] == quantity, column]
        return found.dropna().astype(float).tolist()

    def tolerance(self, quantity: str) -> float:
        """Factor by which a figure may differ; squared between lineages."""
        return TOLERANCE[quantity] ** (1 if self.same_lineage else 2)

    def range_of(self, quantity: str, column: str) -> tuple[float | None, float | None]:
        """Lowest and highest value expected; (None, None) without related species."""
        found = self.quantile(quantity, column)
        if not found:
            return None, None
        factor = self.tolerance(quantity)
        return min(found) / factor, max(found) * factor
