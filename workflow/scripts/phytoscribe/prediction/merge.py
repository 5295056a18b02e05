"""Numbered gene models of a genome and the files beside the GFF3, written gene by gene."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phytoscribe.annotation import sequences
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.files import atomic_open
from phytoscribe.genome import Genome
from phytoscribe.prediction.statistics import PredictionStatistics


@dataclass(frozen=True, slots=True)
class PredictionFiles:
    """Paths of a genome's prediction."""

    gff3: str | Path
    proteins: str | Path
    cds: str | Path
    transcripts: str | Path
    stats: str | Path


def write_prediction(
    genes: Iterable[GeneModel],
    genome: Genome,
    contigs: Mapping[str, int],
    header: Mapping[str, Any],
    organelles: Mapping[str, str],
    files: PredictionFiles,
) -> int:
    """Write GFF3, protein, CDS and transcript FASTA and statistics; each appears complete or not at all.

    Args:
        genes: with ids, in the order of ``contigs`` and of their places.
        contigs: name to length of all contigs that were predicted.
        organelles: kind of each of them that is an organelle.

    Returns:
        Number of genes.
    """
    lines = [f"{key}: {value}" for key, value in header.items()]
    lines += [f"organelle: {contig}, {kind}; read like a nuclear contig" for contig, kind in organelles.items()]
    statistics = PredictionStatistics()
    with ExitStack() as stack:
        gff3, proteins, cds, transcripts, stats = (
            stack.enter_context(atomic_open(path))
            for path in (files.gff3, files.proteins, files.cds, files.transcripts, files.stats)
        )

        def written() -> Iterator[GeneModel]:
            """The genes on their way into the GFF3, after all else about them."""
            for gene in genes:
                statistics.add(gene)
                bases, moved = genome.bases(gene.contig, gene.start, gene.end), gene.shifted(-gene.start)
                for t in moved.transcripts:
                    sequences.write_fasta(proteins, [(t.id, sequences.protein_of(t, bases))])
                    sequences.write_fasta(cds, [(t.id, sequences.cds_of(t, bases))])
                    sequences.write_fasta(transcripts, [(t.id, sequences.transcript_of(t, bases))])
                yield gene

        count = write_gff3(gff3, written(), contigs, lines)
        found = {"header": dict(header), "organelles": dict(organelles), **statistics.summary(contigs)}
        json.dump(found, stats, indent=2)
        stats.write("\n")
    return count
