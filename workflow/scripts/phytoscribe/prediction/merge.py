"""Write a genome's numbered gene models, the files beside the GFF3, and gene counts, gene by gene."""

from __future__ import annotations

import itertools
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phytoscribe.annotation import sequences
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.gtf_writer import gtf_lines
from phytoscribe.annotation.model import GeneModel
from phytoscribe.files import atomic_open
from phytoscribe.genome import Genome
from phytoscribe.prediction.intact import check_gene


@dataclass(frozen=True, slots=True)
class PredictionFiles:
    """Paths of a genome's prediction."""

    gff3: str | Path
    gtf: str | Path
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
    """Write GFF3, GTF, protein, CDS and transcript FASTA and statistics, each completely or not at all.

    Proteins and CDS are those of coding transcripts.  CDS include the stop codon; proteins have no ``*`` for it,
    because InterProScan rejects it.

    Args:
        genes: with ids, in the order of ``contigs`` and position.
        contigs: name to length of all predicted contigs.
        organelles: kind of organelle, for organelle contigs.

    Returns:
        Number of genes.

    Raises:
        PhytoScribeError: a gene is not intact on this genome.
    """
    lines = [f"{key}: {value}" for key, value in header.items()]
    lines += [f"organelle: {contig}, {kind}; read like a nuclear contig" for contig, kind in organelles.items()]
    statistics = PredictionStatistics()
    with ExitStack() as stack:
        gff3, gtf, proteins, cds, transcripts, stats = (
            stack.enter_context(atomic_open(path))
            for path in (files.gff3, files.gtf, files.proteins, files.cds, files.transcripts, files.stats)
        )
        gtf.writelines(f"# {line}\n" for line in lines)

        def written() -> Iterator[GeneModel]:
            """Write everything else about each gene, then pass it on to the GFF3."""
            for gene in genes:
                bases, moved = check_gene(gene, genome), gene.shifted(-gene.start)
                statistics.add(gene)
                gtf.writelines(f"{line}\n" for line in gtf_lines(gene))
                for t in moved.transcripts:
                    if t.cds:
                        sequences.write_fasta(proteins, [(t.id, sequences.protein_of(t, bases).removesuffix("*"))])
                        sequences.write_fasta(cds, [(t.id, sequences.cds_of(t, bases))])
                    sequences.write_fasta(transcripts, [(t.id, sequences.transcript_of(t, bases))])
                yield gene

        count = write_gff3(gff3, written(), contigs, lines, for_counting=True)
        found = {"header": dict(header), "organelles": dict(organelles), **statistics.summary(contigs)}
        json.dump(found, stats, indent=2)
        stats.write("\n")
    return count


class PredictionStatistics:
    """Counts genes as they are written; lengths in bp, those of CDS over coding transcripts."""

    def __init__(self) -> None:
        self._number: Counter[str] = Counter()  # of genes and transcripts with some feature
        self._strands: Counter[str] = Counter()
        self._exons, self._cds, self._introns = Counter[int](), Counter[int](), Counter[int]()
        self._covered, self._score = 0, 0.0

    def add(self, gene: GeneModel) -> None:
        self._strands[gene.strand] += 1
        self._number["single exon"] += all(len(transcript.exons) == 1 for transcript in gene.transcripts)
        self._number["partial"] += gene.attributes.get("partial") == "true"
        self._covered += gene.end - gene.start
        self._score += gene.score or 0.0
        for transcript in gene.transcripts:
            self._exons[len(transcript.exons)] += 1
            self._introns.update(end - start for start, end in transcript.introns)
            for side, segments in zip(("five prime", "three prime"), transcript.utrs(), strict=True):
                self._number[side] += bool(segments)
        self._cds.update(transcript.cds_length for transcript in gene.coding_transcripts)

    def summary(self, contigs: Mapping[str, int]) -> dict[str, Any]:
        """The content of ``stats.json``, for contigs of these lengths; lengths are None without genes."""
        genes, total = self._strands.total(), sum(contigs.values())
        coding, cds_bases = self._cds.total(), sum(length * count for length, count in self._cds.items())
        return {
            "contigs": len(contigs),
            "bases": total,
            "genes": genes,
            "transcripts": self._exons.total(),
            "partial_genes": self._number["partial"],
            "genes_by_strand": dict(sorted(self._strands.items())),
            "genes_per_megabase": round(1e6 * genes / total, 2) if total else None,
            "genic_share": round(self._covered / total, 4) if total else None,
            "single_exon_genes": self._number["single exon"],
            "exons_per_transcript": dict(sorted(self._exons.items())),
            "with_five_prime_utr": self._number["five prime"],
            "with_three_prime_utr": self._number["three prime"],
            "cds_length_mean": round(cds_bases / coding, 1) if coding else None,
            "cds_length_median": median(self._cds),
            "intron_length_median": median(self._introns),
            "intron_length_maximum": max(self._introns, default=None),
            "score_mean": round(self._score / genes, 4) if genes else None,
        }


def median(counts: Mapping[int, int]) -> float | int | None:
    """Median of numbers given as ``{number: how often}``, None without any."""
    numbers = sorted(counts)
    ends = list(itertools.accumulate(counts[number] for number in numbers))
    if not ends or not ends[-1]:
        return None
    low, high = (numbers[bisect_right(ends, rank)] for rank in ((ends[-1] - 1) // 2, ends[-1] // 2))
    return low if ends[-1] % 2 else (low + high) / 2
