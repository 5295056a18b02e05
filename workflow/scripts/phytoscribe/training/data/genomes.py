"""From the genomes of a configuration to a training set: accepted genes, split and masks laid onto the sequence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phytoscribe.annotation.checking.tables import ignored_loci, read_transcripts
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.genome import Genome
from phytoscribe.genome.intervals import read_bed
from phytoscribe.splits.parts import Parts, read_parts
from phytoscribe.training.data.build import TrainingContig, new_training_set
from phytoscribe.training.data.introns import intron_contigs
from phytoscribe.training.data.training_set import SEQUENCE, STRUCTURE, TrainingSet
from phytoscribe.training.data.validation import cut_regions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitGenome:
    """The files of one genome of the split.

    Attributes:
        name, species, lineage, group: from the configuration.
        fasta: indexed FASTA.
        parts: its parts.bed.
        accepted, rejected: accepted genes (GFF3) and the table of rejected transcripts.
        mask: BED file of intervals that count for nothing, if it has one.
        complete_utrs: see :class:`phytoscribe.training.data.build.TrainingContig`.
    """

    name: str
    fasta: str
    parts: str
    accepted: str
    rejected: str
    species: str = ""
    lineage: str = ""
    group: str = ""
    mask: str | None = None
    complete_utrs: bool = True

    @property
    def described(self) -> dict[str, str]:
        """The columns of a training set that say where a contig comes from."""
        species = self.species or self.name
        return {"genome": self.name, "species": species, "lineage": self.lineage, "group": self.group or species}


@dataclass(frozen=True)
class Additions:
    """What a training set holds beside the genomes of the split.

    Attributes:
        sequence: ``(name, lineage, FASTA)`` of genomes without annotation, for masked-token training alone.
        introns: items of the configuration's ``training_set.introns``: path, species, lineage.
        sets: folders of training sets that were made elsewhere.
    """

    sequence: Sequence[tuple[str, str, str]] = ()
    introns: Sequence[Mapping[str, str]] = ()
    sets: Sequence[str] = field(default_factory=list)


def build_training_set(genomes: Sequence[SplitGenome], additions: Additions, folder: Path) -> None:
    """Write the training set of these genomes.

    Raises:
        PhytoScribeError: no contig is left for training, or no gene on them.
    """
    parts = [read_parts(genome.parts) for genome in genomes]
    sets = [TrainingSet.load(path) for path in additions.sets]
    introns = [contig for item in additions.introns for contig in intron_contigs(**item)]
    total = sum(part.contigs[contig] for part in parts for contig in part.train_contigs())
    total += sum(length for *_, fasta in additions.sequence for length in Genome(fasta).contigs.values())
    total += sum(other.bases.size for other in sets) + sum(contig.bases.size for contig in introns)
    manifest: dict[str, Any] = {"genomes": []}
    with new_training_set(folder, total) as writer:
        for source, part in zip(genomes, parts, strict=True):
            manifest["genomes"].append(_add_genome(writer, source, part))
        for name, lineage, fasta in additions.sequence:
            with Genome(fasta) as genome:
                for contig in genome.contigs:
                    writer.add_contig(TrainingContig(name, name, lineage, name, SEQUENCE, contig, genome.bases(contig)))
        for contig in introns:
            writer.add_contig(contig)
        for other in sets:
            writer.add_set(other)
        manifest["sequence"] = [name for name, *_ in additions.sequence]
        manifest["introns"] = sum(len(contig.genes) for contig in introns)
        manifest["sets"] = [other.manifest for other in sets]
        writer.finish(manifest)


def _add_genome(writer, source: SplitGenome, parts: Parts) -> dict[str, Any]:
    """Add one genome's training contigs and validation regions; what the manifest says of it."""
    with Genome(source.fasta) as genome:
        genes = read_gff3(source.accepted, genome.contigs)
        ignored = _ignored(source, genome, genes)
        by_contig: dict[str, list[GeneModel]] = {}
        for gene in genes:
            by_contig.setdefault(gene.contig, []).append(gene)
        bases = 0
        for contig in parts.train_contigs():
            sequence = genome.bases(contig)
            bases += sequence.size
            writer.add_contig(
                TrainingContig(
                    **source.described,
                    use=STRUCTURE,
                    name=contig,
                    bases=sequence,
                    held_out=parts.held_out(contig),
                    ignored=ignored.get(contig, ()),
                    genes=by_contig.get(contig, ()),
                    complete_utrs=source.complete_utrs,
                )
            )
        described = source.described
        regions = cut_regions(genome, source.name, described["species"], source.lineage, parts, genes, ignored)
        for region in regions:
            writer.add_region(region)
    found = {**described, "accepted_genes": len(genes), "training_bases": bases}
    found["validation_genes"] = sum(len(region.genes) for region in regions)
    logger.info("%s", found)
    return found


def _ignored(source: SplitGenome, genome: Genome, genes: Sequence[GeneModel]) -> dict[str, list[Interval]]:
    """Intervals of one genome that count for nothing: its mask and its rejected loci."""
    ignored = read_bed(source.mask, genome.contigs) if source.mask else {}
    for contig, start, end in ignored_loci(read_transcripts(source.rejected), {gene.id for gene in genes}):
        ignored.setdefault(contig, []).append((start, end))
    return ignored
