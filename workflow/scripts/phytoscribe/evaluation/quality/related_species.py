"""Gene shapes of the species that a prediction is compared with, and how far they may differ.

A prediction is compared with the annotated genomes of the configuration other than itself, and with the species that
ship (``related_species.tsv`` beside this module): with those of its lineage where there are any, else with all, and
then the ranges are wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

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


@dataclass(frozen=True, slots=True)
class Related:
    """Shapes of related species, with the columns of :mod:`.gene_shapes`, nearest species first.

    Attributes:
        same_lineage: whether they are of the lineage of the genome that is compared with them.
    """

    shapes: pd.DataFrame
    same_lineage: bool

    @classmethod
    def of(cls, shapes: pd.DataFrame, genome: str, lineage: str) -> Related:
        """The rows of ``shapes`` that a genome of this name and lineage is compared with, in their order.

        Of a species that is given twice (by the configuration, and by what ships) the first rows count.
        """
        others = shapes[shapes["species"] != genome].drop_duplicates(["species", "quantity"])
        alike = others[others["lineage"] == lineage]
        return cls(alike, True) if len(alike) else cls(others, False)

    @property
    def known(self) -> bool:
        """Whether there is any species to compare with."""
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
        """Values of a column in all these species."""
        found = self.shapes.loc[self.shapes["quantity"] == quantity, column]
        return found.dropna().astype(float).tolist()

    def tolerance(self, quantity: str) -> float:
        """Factor that a figure may differ by; squared between lineages."""
        return TOLERANCE[quantity] ** (1 if self.same_lineage else 2)

    def range_of(self, quantity: str, column: str) -> tuple[float | None, float | None]:
        """Lowest and highest value expected; (None, None) without related species."""
        found = self.quantile(quantity, column)
        if not found:
            return None, None
        factor = self.tolerance(quantity)
        return min(found) / factor, max(found) * factor
