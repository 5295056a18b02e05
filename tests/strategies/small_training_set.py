"""Training sets of one contig of the example, or of made sequence, in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.genome import Genome
from phytoscribe.training.data.build import TrainingContig, new_training_set
from phytoscribe.training.data.training_set import STRUCTURE, TrainingSet
from phytoscribe.training.data.validation import ValidationRegion

ANNOTATION = "resources/example/athaliana/annotation.gff3.gz"


def genes_of(*contigs: str) -> list[GeneModel]:
    """The example's genes on some contigs."""
    return [gene for gene in read_gff3(ANNOTATION) if gene.contig in contigs]


def contig_of(fasta: Path, name: str, **more) -> TrainingContig:
    """A contig of the example, of species ``athaliana``."""
    with Genome(fasta) as genome:
        bases = genome.bases(name)
    given = {"genes": genes_of(name), "use": STRUCTURE, "group": "athaliana", **more}
    return TrainingContig("athaliana", "athaliana", "Brassicales", name=name, bases=bases, **given)


def small_set(folder: Path, contigs: Sequence[TrainingContig], regions: Sequence[ValidationRegion] = ()) -> TrainingSet:
    """A training set of these contigs; without regions the first 60 kb of the first contig validate."""
    first = contigs[0]
    if not regions:
        genes = [gene for gene in first.genes if gene.end <= 60_000]
        name = f"{first.genome}:{first.name}:0-60000"
        regions = [ValidationRegion(name, first.species, first.lineage, np.array(first.bases[:60_000]), genes, [])]
    with new_training_set(folder, sum(contig.bases.size for contig in contigs)) as writer:
        for contig in contigs:
            writer.add_contig(contig)
        for region in regions:
            writer.add_region(region)
        writer.finish({})
    return TrainingSet.load(folder)
