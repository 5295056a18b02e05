"""Add isoforms to an annotation that is there, beside the longest CDS of each gene: the ranker's or the writer's."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from phytoscribe import __version__
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, sort_genes
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.gene_models import with_chosen_isoforms
from phytoscribe.decoding.isoform_edits import NetworkOutput
from phytoscribe.decoding.isoform_features import RANKED_FROM
from phytoscribe.decoding.isoforms import GENERATED, RANKED, IsoformSettings
from phytoscribe.decoding.ranked_isoforms import annotated_first, judged_isoforms, likely_transcripts
from phytoscribe.devices import choose_device
from phytoscribe.files import atomic_open
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.genome.intervals import Interval, as_places, merged
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import ProgressReport
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.sentences.generated import isoform_settings

logger = logging.getLogger(__name__)

#: Bases that are read at a time; stretches end between genes.
STRETCH = 1_000_000
#: All structures that a ranker looks at.
ALL_STRUCTURES = IsoformSettings(RANKED_FROM, maximum=10_000)
#: Sequence that is read on each side of a stretch, so that genes at its ends have their context.
MARGIN = 5_000


def stretches(length: int, genes: Sequence[GeneModel], size: int) -> Iterator[Interval]:
    """Parts of a contig of about this size that cut no gene."""
    covered = merged(as_places((gene.start, gene.end) for gene in genes))
    start = 0
    while length - start > 1.5 * size:
        end = start + size
        inside = covered[(covered[:, 0] < end) & (end < covered[:, 1])]
        if len(inside):
            end = int(inside[0, 1])
        yield start, min(end, length)
        start = end
    if start < length:
        yield start, length


def complete_annotation(
    fasta: str | Path,
    annotation: str | Path,
    accepted: str | Path,
    model_folder: Path,
    isoform_folder: Path,
    isoforms: Mapping[str, Any],
    predict: Mapping[str, Any],
    species: str,
    lineage: str,
    chosen: Sequence[str] | None,
    output: str | Path,
    threads: int,
    junctions: JunctionReads | None = None,
) -> None:
    """Write an annotation with the isoforms that the ranker, or the writer, adds to it.

    Genes and transcripts that are there stay as they are, non-coding ones too; a gene gets further transcripts with ids
    ``{gene}.added1``, ``.added2``, ..., and ``source_of_isoform=PhytoScribe``, whose CDS none of its own has.

    Args:
        annotation: cleaned GFF3.
        accepted: GFF3 of those of its transcripts that fit the sequence.  The longest CDS is one of these, and a gene
            without any gets no isoforms.
        isoforms: the configuration's ``isoforms``, with the seed; by the ranker unless the method is ``generated``.
        predict: the configuration's ``predict``: window, margin, batch_size, precision, device.
        chosen: contigs whose genes are completed; all if not given.  Genes on others are not written.
        junctions: RNA-seq reads of the genome, if there are any.
    """
    model = model_hash(model_folder)
    method = GENERATED if isoforms["method"] == GENERATED else RANKED
    settings = isoform_settings({**isoforms, "method": method}, isoform_folder, model, junctions)
    prediction = PredictionSettings(**{name: predict[name] for name in PredictionSettings.__slots__})
    device = choose_device(predict["device"])
    predictor = StructurePredictor.from_folder(model_folder, prediction, device, species, lineage, threads)
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        genes = [gene for gene in read_gff3(annotation, genome.contigs) if gene.contig in contigs]
        sound = {gene.id: gene for gene in read_gff3(accepted, genome.contigs) if gene.coding_transcripts}
        done = _completed(genome, contigs, genes, sound, predictor, settings)
        header = [
            f"PhytoScribe: {__version__}",
            f"model: {model}",
            f"device: {device.type}, precision: {predictor.precision}",
            f"isoforms: {settings}",
            "genes and transcripts are those of the annotation; those with source_of_isoform=PhytoScribe are added",
        ]
        with atomic_open(output) as handle:
            write_gff3(handle, sort_genes(done, contigs), contigs, header)
    broken = sum(bool(gene.coding_transcripts) and gene.id not in sound for gene in genes)
    if broken:
        logger.warning("%d coding genes do not fit the sequence (see check_annotation) and get no isoforms", broken)
    added = sum(len(a.transcripts) - len(b.transcripts) for a, b in zip(done, genes, strict=True))
    logger.info("%d transcripts added to %d genes: %s", added, len(genes), output)


def _completed(
    genome: Genome,
    contigs: Mapping[str, int],
    genes: Sequence[GeneModel],
    sound: Mapping[str, GeneModel],
    predictor: StructurePredictor,
    settings: IsoformSettings,
) -> list[GeneModel]:
    """The genes, in their order, with the isoforms that are added.

    Args:
        sound: genes by id, with those of their transcripts that fit the sequence.
    """
    taken = {gene.id for gene in genes} | {transcript.id for gene in genes for transcript in gene.transcripts}
    by_contig: dict[str, list[GeneModel]] = {name: [] for name in contigs}
    for gene in genes:
        by_contig[gene.contig].append(gene)
    found: dict[str, GeneModel] = {}
    # Both strands are read, as in a prediction.
    progress = ProgressReport(2 * sum(length for name, length in contigs.items() if by_contig[name]))
    for name, length in contigs.items():
        own = by_contig[name]
        for start, end in stretches(length, own, STRETCH) if own else ():
            inside = [gene for gene in own if start <= gene.start and gene.end <= end and gene.id in sound]
            if inside:
                first, last = max(0, start - MARGIN), min(length, end + MARGIN)
                bases = genome.bases(name, first, last)
                output = NetworkOutput(bases, *predictor.output(bases), first)
                decoded = decode_contig(name, bases, *output.states, predictor.decoder, isoforms=ALL_STRUCTURES)
                predicted = [gene.shifted(first) for gene in decoded]
                for gene in inside:
                    here = (gene, sound[gene.id])
                    found[gene.id] = with_additions(*here, predicted, output, predictor, settings, taken)
            progress.add(2 * (end - start))
    return [found.get(gene.id, gene) for gene in genes]


def with_additions(
    gene: GeneModel,
    sound: GeneModel,
    predicted: Sequence[GeneModel],
    output: NetworkOutput,
    predictor: StructurePredictor,
    settings: IsoformSettings,
    taken: set[str],
) -> GeneModel:
    """A gene with the isoforms that are added to it.

    Args:
        predicted: genes there with all structures by the lattice.
        sound: the gene with those of its transcripts that fit the sequence.
        taken: ids that are in use; those of the new transcripts are added.
    """
    known = annotated_first(sound, predicted)
    if known is None:
        return gene
    annotated = {transcript.cds for transcript in gene.coding_transcripts}
    judged = judged_isoforms(known, gene.contig, output, predictor.decoder, settings)
    likely = [t for t in likely_transcripts(gene, judged, {}, settings) if t.cds not in annotated]
    # What is annotated is no guess.
    beside = replace(gene, transcripts=(replace(known.first, score=1.0), *likely))
    added = []
    for transcript in with_chosen_isoforms(beside, settings).transcripts[1:]:
        number = len(added) + 1
        while (name := f"{gene.id}.added{number}") in taken:
            number += 1
        taken.add(name)
        attributes = {**transcript.attributes, "source_of_isoform": "PhytoScribe"}
        added.append(replace(transcript, id=name, attributes=attributes))
    return replace(gene, transcripts=(*gene.transcripts, *added))
