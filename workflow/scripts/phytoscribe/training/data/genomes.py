"""Build a training set from the configured genomes: accepted genes, split and masks are applied to the sequence.

It can also include genomes without annotation, training sets made elsewhere, and introns with some exon on each side,
for which only the splice sites are known.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from phytoscribe.annotation.checking.tables import ignored_loci, read_transcripts, without_rejected
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.gene_regions import loci_of
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text
from phytoscribe.genome import Genome
from phytoscribe.genome.intervals import as_places, overlapping_pairs, read_bed
from phytoscribe.genome.sequence import N_CODE, Bases, encode
from phytoscribe.splits.parts import TRAIN, Parts, read_parts
from phytoscribe.training.data.build import TrainingContig, TrainingSetWriter, new_training_set
from phytoscribe.training.data.training_set import SEQUENCE, SITES, STRUCTURE, TrainingSet
from phytoscribe.training.data.validation import cut_regions

logger = logging.getLogger(__name__)

#: N between two introns: more than the longest convolution of the stem reaches.
GAP = 30
INTRONS_PER_CONTIG = 5000


@dataclass(frozen=True)
class SplitGenome:
    """The files of one genome of the split.

    Attributes:
        name, species, lineage: from the configuration.
        fasta: indexed FASTA.
        parts: its parts.bed.
        annotation, rejected: its cleaned genes (GFF3) and the table of rejected transcripts.
        mask: BED file of intervals to ignore, if any.
        complete_utrs, complete_isoforms: see :class:`phytoscribe.training.data.build.TrainingContig`.
    """

    name: str
    fasta: str
    parts: str
    annotation: str
    rejected: str
    species: str = ""
    lineage: str = ""
    mask: str | None = None
    complete_utrs: bool = True
    complete_isoforms: bool = True


def build_training_set(
    genomes: Sequence[SplitGenome],
    folder: Path,
    sequence: Sequence[tuple[str, str, str]] = (),
    introns: Sequence[Mapping[str, str]] = (),
    sets: Sequence[str] = (),
) -> None:
    """Write the training set of these genomes.

    Args:
        sequence: ``(name, lineage, FASTA)`` of genomes without annotation, only for masked-token training.
        introns: items of the configuration's ``training_set.introns``: path, species, lineage, group.
        sets: folders of training sets that were made elsewhere.

    Raises:
        PhytoScribeError: no contig, or no gene, is left for training.
    """
    parts = [read_parts(genome.parts) for genome in genomes]
    others = [TrainingSet.load(path) for path in sets]
    cut_out = [contig for item in introns for contig in intron_contigs(**item)]
    total = sum(part.contigs[contig] for part in parts for contig in part.train_contigs())
    total += sum(length for *_, fasta in sequence for length in Genome(fasta).contigs.values())
    total += sum(part.bases.size for part in (*others, *cut_out))
    manifest: dict[str, Any] = {"genomes": []}
    with new_training_set(folder, total) as writer:
        for source, part in zip(genomes, parts, strict=True):
            manifest["genomes"].append(_add_genome(writer, source, part))
        for name, lineage, fasta in sequence:
            with Genome(fasta) as genome:
                for contig in genome.contigs:
                    writer.add_contig(TrainingContig(name, name, lineage, name, SEQUENCE, contig, genome.bases(contig)))
        for contig in cut_out:
            writer.add_contig(contig)
        for other in others:
            writer.add_set(other)
        manifest["sequence"] = [name for name, *_ in sequence]
        manifest["introns"] = sum(len(contig.genes) for contig in cut_out)
        manifest["sets"] = [other.manifest for other in others]
        writer.finish(manifest)


def _add_genome(writer: TrainingSetWriter, source: SplitGenome, parts: Parts) -> dict[str, Any]:
    """Add one genome's training contigs and validation regions; what the manifest says of it."""
    species = source.species or source.name
    with Genome(source.fasta) as genome:
        annotated = read_gff3(source.annotation, genome.contigs)
        rejected = read_transcripts(source.rejected)
        genes = without_rejected(annotated, rejected)
        ignored = defaultdict(list, read_bed(source.mask, genome.contigs) if source.mask else {})
        for contig, start, end in ignored_loci(rejected, {gene.id for gene in genes}):
            ignored[contig].append((start, end))
        genes_on, annotated_on = _by_contig(genes), _by_contig(annotated)
        bases = 0
        for contig in parts.contigs:
            trains = bool(parts.of(contig, TRAIN))
            if not trains and not genes_on[contig]:
                continue
            sequence = genome.bases(contig)
            writer.add_inexpressible(source.name, inexpressible_genes(genes_on[contig], sequence, DecoderSettings()))
            if not trains:
                continue
            bases += sequence.size
            writer.add_contig(
                TrainingContig(
                    source.name,
                    species,
                    source.lineage,
                    group=species,
                    use=STRUCTURE,
                    name=contig,
                    bases=sequence,
                    held_out=parts.held_out(contig),
                    ignored=ignored[contig],
                    genes=genes_on[contig],
                    annotated=annotated_on[contig],
                    complete_utrs=source.complete_utrs,
                    complete_isoforms=source.complete_isoforms,
                )
            )
        regions = cut_regions(genome, source.name, species, source.lineage, parts, genes_on, ignored)
        for region in regions:
            writer.add_region(region)
    found = {"genome": source.name, "species": species, "lineage": source.lineage, "group": species}
    found |= {"accepted_genes": len(genes), "training_bases": bases}
    found["validation_genes"] = sum(len(region.genes) for region in regions)
    logger.info("%s", found)
    return found


def _by_contig(genes: Iterable[GeneModel]) -> dict[str, list[GeneModel]]:
    found: dict[str, list[GeneModel]] = defaultdict(list)
    for gene in genes:
        found[gene.contig].append(gene)
    return found


def intron_contigs(path: str, species: str, lineage: str = "", group: str = "introns") -> list[TrainingContig]:
    """Join the introns of a file end to end, with gaps of N.

    Args:
        path: text, gzipped or plain; each line holds exon, intron and exon in reading direction, separated by spaces;
            the rest is ignored.

    Raises:
        PhytoScribeError: a line holds fewer than three sequences.
    """
    pieces = list(_pieces(path))
    contigs = []
    for first in range(0, len(pieces), INTRONS_PER_CONTIG):
        parts: list[Bases] = [np.full(GAP, N_CODE, dtype=np.uint8)]
        genes, position = [], GAP
        name = f"{group}_{first // INTRONS_PER_CONTIG + 1}"
        for number, (left, intron, right) in enumerate(pieces[first : first + INTRONS_PER_CONTIG], start=first + 1):
            donor, acceptor = position + len(left), position + len(left) + len(intron)
            end = acceptor + len(right)
            transcript = Transcript(f"i{number}.1", ((position, donor), (acceptor, end)))
            genes.append(GeneModel(f"i{number}", name, "+", (transcript,)))
            parts += [encode(left + intron + right), parts[0]]
            position = end + GAP
        bases = np.concatenate(parts)
        contigs.append(TrainingContig(group, species, lineage, group, SITES, name, bases, genes=genes))
    return contigs


def _pieces(path: str) -> Iterator[list[str]]:
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if fields := line.split()[:3]:
                if len(fields) < 3:
                    raise PhytoScribeError(f"{path}, line {number}: needs exon, intron and exon, separated by spaces")
                yield fields


#: Limits of the grammar, by reason, each with a value that lets a gene pass.
_LIFTED = {
    "intron_too_short": {"minimum_intron": 8},
    "cds_too_short": {"minimum_cds": 0},
    "at_ac_splice_site": {"at_ac": True},
}
OTHER_STRUCTURE = "codons_splice_sites_or_segments"
SAME_STRAND, OTHER_STRAND = "overlaps_gene_of_same_strand", "overlaps_gene_of_other_strand"


def inexpressible_genes(
    genes: Sequence[GeneModel], bases: Bases, settings: DecoderSettings
) -> list[tuple[GeneModel, str]]:
    """Coding genes of a contig that the decoder cannot predict, in the order given, each with one reason.

    Either the grammar allows none of a gene's isoforms, and the reason is the last limit to lift for one of them; or
    the gene overlaps another one, from start to stop codon of any isoform, and at most one of the two is decoded.
    """
    found = [(gene, loci[0]) for gene in genes if (loci := loci_of([gene], bases, settings))]
    spans = as_places((locus.start, locus.end) for _, locus in found)
    reasons: dict[int, str] = {}
    for left, right in zip(*(rows.tolist() for rows in overlapping_pairs(spans, spans)), strict=True):
        if left != right and reasons.get(left) != SAME_STRAND:
            reasons[left] = SAME_STRAND if found[left][0].strand == found[right][0].strand else OTHER_STRAND
    for row, (gene, locus) in enumerate(found):
        if not locus.chains:
            reasons[row] = _structural_reason(gene, bases, settings)
    return [(found[row][0], reasons[row]) for row in sorted(reasons)]


def _structural_reason(gene: GeneModel, bases: Bases, settings: DecoderSettings) -> str:
    for reason, lifted in _LIFTED.items():
        settings = replace(settings, **lifted)
        if loci_of([gene], bases, settings)[0].chains:
            return reason
    return OTHER_STRUCTURE
