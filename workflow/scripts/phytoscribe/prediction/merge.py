"""Numbered gene models of a genome and the files beside the GFF3."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from phytoscribe.annotation import sequences
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, sort_genes
from phytoscribe.files import atomic_open
from phytoscribe.genome import Genome


@dataclass(frozen=True, slots=True)
class PredictionFiles:
    """Paths of a genome's prediction."""

    gff3: str | Path
    proteins: str | Path
    cds: str | Path
    transcripts: str | Path
    stats: str | Path


def number_genes(genes: Iterable[GeneModel], genome: str, contig_order: Iterable[str]) -> list[GeneModel]:
    """Genes with ids ``{genome}_g000001``, in order of contig, start, end, strand; transcripts ``.t1``, ``.t2``..."""
    numbered = []
    for number, gene in enumerate(sort_genes(genes, contig_order), start=1):
        name = f"{genome}_g{number:06d}"
        transcripts = tuple(replace(t, id=f"{name}.t{k}") for k, t in enumerate(gene.transcripts, start=1))
        numbered.append(replace(gene, id=name, transcripts=transcripts))
    return numbered


def write_prediction(
    genes: Sequence[GeneModel],
    genome: Genome,
    contigs: Mapping[str, int],
    header: Mapping[str, Any],
    files: PredictionFiles,
) -> None:
    """Write GFF3, protein, CDS and transcript FASTA and statistics; each appears complete or not at all."""
    lines = [f"{key}: {value}" for key, value in header.items()]
    with ExitStack() as stack:
        gff3, proteins, cds, transcripts, stats = (
            stack.enter_context(atomic_open(path))
            for path in (files.gff3, files.proteins, files.cds, files.transcripts, files.stats)
        )
        write_gff3(gff3, genes, contigs, lines)
        loaded, bases = "", genome.bases(next(iter(contigs)), 0, 0)
        for gene in genes:
            if gene.contig != loaded:
                loaded, bases = gene.contig, genome.bases(gene.contig)
            for t in gene.transcripts:
                sequences.write_fasta(proteins, [(t.id, sequences.protein_of(gene, t, bases))])
                sequences.write_fasta(cds, [(t.id, sequences.cds_of(gene, t, bases))])
                sequences.write_fasta(transcripts, [(t.id, sequences.transcript_of(gene, t, bases))])
        json.dump({"header": dict(header), **statistics_of(genes, contigs)}, stats, indent=2)
        stats.write("\n")


def statistics_of(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> dict[str, Any]:
    """Counts and lengths (bp) of a prediction, ready for JSON; lengths are None without genes."""
    transcripts = [t for gene in genes for t in gene.transcripts]
    introns = [end - start for t in transcripts for start, end in t.introns]
    cds_lengths = [t.cds_length for t in transcripts]
    covered = sum(gene.end - gene.start for gene in genes)
    total = sum(contigs.values())
    return {
        "contigs": len(contigs),
        "bases": total,
        "genes": len(genes),
        "transcripts": len(transcripts),
        "genes_by_strand": dict(sorted(Counter(gene.strand for gene in genes).items())),
        "genes_per_megabase": round(1e6 * len(genes) / total, 2) if total else None,
        "genic_share": round(covered / total, 4) if total else None,
        "single_exon_genes": sum(len(gene.transcripts[0].exons) == 1 for gene in genes),
        "exons_per_transcript": dict(sorted(Counter(len(t.exons) for t in transcripts).items())),
        "with_five_prime_utr": sum(bool(t.utrs(g.strand)[0]) for g in genes for t in g.transcripts),
        "with_three_prime_utr": sum(bool(t.utrs(g.strand)[1]) for g in genes for t in g.transcripts),
        "cds_length_mean": round(mean(cds_lengths), 1) if cds_lengths else None,
        "cds_length_median": median(cds_lengths) if cds_lengths else None,
        "intron_length_median": median(introns) if introns else None,
        "intron_length_maximum": max(introns, default=None),
        "score_mean": round(mean(gene.score for gene in genes), 4) if genes else None,
    }
