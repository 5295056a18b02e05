"""A prediction with its genome, read for the scores that need no reference."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.quality.gene_sequences import SequenceFacts, sequence_facts
from phytoscribe.evaluation.quality.genome_content import Content, Repeats, genome_content
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.genome.intervals import read_bed
from phytoscribe.genome.names import organelle_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction and what was found out about it.

    Attributes:
        genome_bases: of all contigs, also those that genes were not looked for on.
        organelles: kind of organelle of each predicted contig that is one.
    """

    genes: Sequence[GeneModel]
    facts: SequenceFacts
    content: Content
    genome_bases: int
    organelles: Mapping[str, str]


def read_prediction(
    gff3: str | Path,
    fasta: str | Path,
    chosen: Sequence[str] | None,
    declared: Collection[str],
    repeats: str | Path | None = None,
) -> Prediction:
    """Read a prediction and look its sequence up; the bases are read gene by gene and piece by piece.

    Args:
        chosen: contigs that were predicted, or None for all.
        declared: contigs that the configuration calls organelles, besides those told by their names.
        repeats: BED file of repeats, besides those that are soft-masked.
    """
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        genes = read_gff3(gff3, genome.contigs)
        known = Repeats(read_bed(repeats, genome.contigs) if repeats else None)
        kinds = {contig: organelle_of(contig) or ("organelle" if contig in declared else "") for contig in contigs}
        prediction = Prediction(
            genes,
            sequence_facts(genes, genome, known),
            genome_content(genes, genome, list(contigs), known),
            sum(genome.contigs.values()),
            {contig: kind for contig, kind in kinds.items() if kind},
        )
    log.info("%d genes on %d contigs", len(genes), len(contigs))
    return prediction
