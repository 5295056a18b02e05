"""Counts and lengths of a prediction, gathered gene by gene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from phytoscribe.annotation.model import GeneModel


class PredictionStatistics:
    """Counts genes as they are written; lengths in bp."""

    def __init__(self) -> None:
        self._genes: Counter[str] = Counter()  # by strand
        self._single_exon = 0
        self._covered = 0
        self._score = 0.0
        self._exons: Counter[int] = Counter()
        self._partial = 0
        self._untranslated = [0, 0]
        self._cds: Counter[int] = Counter()
        self._introns: Counter[int] = Counter()

    def add(self, gene: GeneModel) -> None:
        self._genes[gene.strand] += 1
        self._single_exon += len(gene.transcripts[0].exons) == 1
        self._covered += gene.end - gene.start
        self._score += gene.score or 0.0
        self._partial += gene.attributes.get("partial") == "true"
        for transcript in gene.transcripts:
            self._exons[len(transcript.exons)] += 1
            self._cds[transcript.cds_length] += 1
            self._introns.update(end - start for start, end in transcript.introns)
            for side, segments in enumerate(transcript.utrs()):
                self._untranslated[side] += bool(segments)

    def summary(self, contigs: Mapping[str, int]) -> dict[str, Any]:
        """What ``stats.json`` holds, over contigs of these lengths; lengths are None without genes."""
        genes, total = self._genes.total(), sum(contigs.values())
        cds_bases = sum(length * count for length, count in self._cds.items())
        return {
            "contigs": len(contigs),
            "bases": total,
            "genes": genes,
            "transcripts": self._cds.total(),
            "partial_genes": self._partial,
            "genes_by_strand": dict(sorted(self._genes.items())),
            "genes_per_megabase": round(1e6 * genes / total, 2) if total else None,
            "genic_share": round(self._covered / total, 4) if total else None,
            "single_exon_genes": self._single_exon,
            "exons_per_transcript": dict(sorted(self._exons.items())),
            "with_five_prime_utr": self._untranslated[0],
            "with_three_prime_utr": self._untranslated[1],
            "cds_length_mean": round(cds_bases / self._cds.total(), 1) if genes else None,
            "cds_length_median": median(self._cds),
            "intron_length_median": median(self._introns),
            "intron_length_maximum": max(self._introns, default=None),
            "score_mean": round(self._score / genes, 4) if genes else None,
        }


def median(counts: Mapping[int, int]) -> float | int | None:
    """Median of numbers given as ``{number: how often}``, None without any."""
    total = sum(counts.values())
    if not total:
        return None
    middle = []
    for rank in ((total - 1) // 2, total // 2):
        seen = 0
        for number in sorted(counts):
            seen += counts[number]
            if seen > rank:
                middle.append(number)
                break
    return middle[0] if total % 2 else sum(middle) / 2
