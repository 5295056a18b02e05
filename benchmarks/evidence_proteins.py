"""Aligned proteins for evidence.py: of a family's member, and of far relatives."""

from __future__ import annotations

from pathlib import Path

from evidence_sets import Setting

from phytoscribe.decoding.protein_evidence import ContigProteins
from phytoscribe.genome.aligned_proteins import AlignedProtein, read_miniprot
from phytoscribe.prediction.gathered_proteins import LEAST_QUALITY
from phytoscribe.prediction.weighed_evidence import proteins_by_contig
from phytoscribe.training.tasks.structure.evidence_fit import RegionWithJunctions

PROTEINS = "proteins"


def proteins_of(gff3: Path, contigs: dict[str, int]) -> list[AlignedProtein]:
    """The alignments of miniprot's GFF3 that a prediction would use."""
    return [protein for protein in read_miniprot(gff3, contigs) if protein.quality >= LEAST_QUALITY]


def taught_by_proteins(setting: Setting, gff3: Path) -> list[RegionWithJunctions]:
    """What the weights of proteins are fitted to, of one species."""
    aligned = dict(proteins_by_contig(proteins_of(gff3, setting.species.contigs)))
    return [
        RegionWithJunctions(region, aligned.get(contig, ContigProteins(())), setting.decoder)
        for contig, region in setting.regions()
    ]
