"""A genome's junctions and aligned proteins as a prediction weighs them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import pandas as pd

from phytoscribe.decoding.evidence_weights import EvidenceWeights, calibrate_for
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.decoding.protein_evidence import ContigProteins, ProteinWeights
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.files import sha256_of
from phytoscribe.genome.aligned_proteins import AlignedProtein, read_aligned
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


def proteins_by_contig(proteins: Iterable[AlignedProtein]) -> Iterator[tuple[str, ContigProteins]]:
    """The aligned proteins of each contig that has any, from those of the whole genome."""
    found: dict[str, list[AlignedProtein]] = {}
    for protein in proteins:
        found.setdefault(protein.contig, []).append(protein)
    for contig, own in found.items():
        yield contig, ContigProteins(own)


#: A table and the file of its weights.
Weighed = tuple[str | Path, str | Path]


class WeighedEvidence:
    """The evidence on some contigs, and its weights.

    Args:
        reads: the table of junctions (:mod:`phytoscribe.genome.junction_table`), and the file of their weights.
        proteins: the table of proteins (:mod:`phytoscribe.genome.aligned_proteins`), and the file of their weights.
        model: hash of the model for which the weights must be.

    Raises:
        ModelError, PhytoScribeError: weights of another model; a damaged table.
    """

    def __init__(self, reads: Weighed | None, proteins: Weighed | None, model: str, contigs: Collection[str]) -> None:
        self._lines: dict[str, str] = {}
        files: list[object] = []
        self._junctions: dict[str, ContigJunctions] = {}
        self._proteins: dict[str, ContigProteins] = {}
        self.weights: EvidenceWeights | None = None
        self.protein_weights: ProteinWeights | None = None
        wanted = set(contigs)
        if reads:
            weights = EvidenceWeights.load(Path(reads[1]), model)
            self._lines["evidence weights"] = sha256_of(reads[1])[:16]
            its_files, table = read_table(reads[0])
            files += its_files
            self.weights = None if table.empty else weights
            self._junctions = {name: found for name, found in junctions_by_contig(table) if name in wanted}
        if proteins:
            protein_weights = ProteinWeights.load(Path(proteins[1]), model)
            self._lines["protein evidence weights"] = sha256_of(proteins[1])[:16]
            its_protein_files, aligned = read_aligned(proteins[0])
            files += its_protein_files
            self.protein_weights = protein_weights if aligned else None
            self._proteins = {name: found for name, found in proteins_by_contig(aligned) if name in wanted}
        self._lines |= {f"evidence {number}": str(file) for number, file in enumerate(files, start=1)}

    def of(self, contig: str) -> ContigEvidence | None:
        """None for a contig without evidence."""
        found = self._junctions.get(contig), self._proteins.get(contig)
        return ContigEvidence.of(found[0], self.weights, found[1], self.protein_weights)

    def calibrate(self, settings: DecoderSettings) -> DecoderSettings:
        """Decoder settings with the calibration that holds with this evidence."""
        return calibrate_for([each for each in (self.weights, self.protein_weights) if each], settings)

    def header(self) -> dict[str, str]:
        """Lines for the header of a prediction: the weights, and each file with its checksum and what it gave."""
        return dict(self._lines)
