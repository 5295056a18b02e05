"""A genome's junctions as a prediction weighs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions, EvidenceWeights
from phytoscribe.files import sha256_of
from phytoscribe.genome.junction_table import COLUMNS, read_table


def junctions_by_contig(table: pd.DataFrame) -> Iterator[tuple[str, ContigJunctions]]:
    """The junctions of each contig that has any, from those of the whole genome."""
    average = float(table["reads"].mean())
    for contig, rows in table.groupby("contig", sort=False):
        columns = (rows[name].tolist() for name in COLUMNS[1:])
        yield (
            contig,
            ContigJunctions(
                ((strand, (start, end), reads) for strand, start, end, reads in zip(*columns, strict=True)), average
            ),
        )


class WeighedEvidence:
    """The junctions of some contigs, and their weights.

    Args:
        table: of :mod:`phytoscribe.genome.junction_table`.
        weights: file with the weights, fitted for the model with the hash ``model``.

    Raises:
        ModelError, PhytoScribeError: weights of another model; a damaged table.
    """

    def __init__(self, table: str | Path, weights: str | Path, model: str, contigs: Collection[str]) -> None:
        self.weights = EvidenceWeights.load(Path(weights), model)
        self._digest = sha256_of(weights)[:16]
        self._files, junctions = read_table(table)
        #: Whether the genome has no junctions at all: then it is read from DNA alone.
        self.nothing = junctions.empty
        wanted = set(contigs)
        self._contigs = {contig: found for contig, found in junctions_by_contig(junctions) if contig in wanted}

    def of(self, contig: str) -> ContigEvidence | None:
        """None for a contig without junctions."""
        found = self._contigs.get(contig)
        return ContigEvidence.of(found, self.weights) if found else None

    def header(self) -> dict[str, str]:
        """Lines for the header of a prediction: the weights, and each file with its checksum and reads."""
        files = {f"evidence {number}": str(file) for number, file in enumerate(self._files, start=1)}
        return {"evidence weights": self._digest, **files}
