"""What there is to know of single additions, for reading.

Usage: python benchmarks/isoforms_read.py --data DATA --cache CACHE

Printed are additions of the released model (`isoforms.method: ranked`, its own cut) on all validation contigs of
*A. thaliana*: 30 that are not annotated and 10 that are, evenly spread over their order on the contigs, so the program
picks them. Beside each stand its gene's first transcript, the annotated transcripts of the locus, and each intron that
the two of them do not share, with its sites, its RNA-seq reads, those of the strongest rival at either site, and the
long reads that splice it and that run through it (one contig has long reads). benchmarks/isoforms_read.md is what was
read from it. Positions are 1-based and closed, as in GFF3; 5' to 3'.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import torch
from accuracy_models import ROOT
from accuracy_sets import HELD_OUT, VALIDATION, read_species
from isoform_model import OURS, RANKED, Released
from isoforms import aligned

from phytoscribe.annotation.checking.check import splice_site
from phytoscribe.annotation.model import GeneModel, Interval, Transcript
from phytoscribe.annotation.sequences import spliced_codes, translate
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.evaluation.isoforms.additions import Isoform, scored_isoforms
from phytoscribe.evaluation.isoforms.support import OVERHANG
from phytoscribe.evaluation.long_reads.alignments import ReadFilter, ReadLimits
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junctions import Junction, read_junctions

WRONG, RIGHT = 30, 10
#: Attributes of an addition that are shown.
TOLD = ("isoform", "event", "frame", "posterior", "nmd")
#: PacBio and, with more errors, ONT: reads, and the lowest identity of their alignments.
LONG_READS = {"athaliana/isoseq_chr3.fastq.gz": 0.95, "athaliana/ont_chr3.fastq.gz": 0.85}


class Dossier:
    """Lines about one addition.

    Args:
        reference: all annotated genes of the contigs, with non-coding transcripts.
    """

    def __init__(
        self, reference: Sequence[GeneModel], genome: Genome, junctions: Mapping[Junction, int], reads: ReadEvidence
    ) -> None:
        self.reference, self.genome, self.junctions, self.reads = reference, genome, junctions, reads
        self.rivals: Counter[tuple[str, str, int]] = Counter()
        for (contig, strand, intron), count in junctions.items():
            for site in intron:
                self.rivals[contig, strand, site] = max(self.rivals[contig, strand, site], count)

    def lines(self, number: int, gene: GeneModel, isoform: Isoform) -> Iterator[str]:
        added, first, strand = isoform.transcript, gene.transcripts[0], gene.strand
        told = " ".join(f"{key}={added.attributes[key]}" for key in TOLD if key in added.attributes)
        yield f"## {number}: {added.id} {place(gene.contig, (added.start, added.end))} {strand} p={added.score} {told}"
        near = [g for g in self.reference if g.contig == gene.contig and g.strand == strand and overlaps(g, gene)]
        transcripts = [t for g in near for t in g.transcripts]
        names = [t.id for t in transcripts if t.cds == first.cds]
        yield f"   first: score {first.score}, {'equals ' + ', '.join(names) if names else 'not annotated'}"
        for side, ours in (("first", first), ("added", added)):
            protein = self._protein(ours)
            shown = f"{len(protein) - 1} aa {protein[:12]}...{protein[-12:]}"
            yield f"   {side} CDS {chain(ours.cds, strand)}: {shown}"
        for other in transcripts:
            yield f"   {other.id} {other.type} exons {chain(other.exons, strand)} CDS {chain(other.cds, strand)}"
        counts = [self.junctions.get((gene.contig, strand, intron), 0) for intron in first.introns]
        middle = f", median {median(counts):.0f}" if counts else ""
        yield f"   RNA-seq at the first transcript's introns: {counts if strand == '+' else counts[::-1]}{middle}"
        one, two = set(first.introns), set(added.introns)
        for sign, introns in (("-", one - two), ("+", two - one)):
            yield from (f"   {sign} {self._intron(gene, transcripts, intron)}" for intron in sorted(introns))

    def _protein(self, transcript: Transcript) -> str:
        bases = self.genome.bases(transcript.contig)
        return translate(spliced_codes(transcript.cds, transcript.strand, bases))

    def _intron(self, gene: GeneModel, transcripts: Sequence[Transcript], intron: Interval) -> str:
        contig, strand = gene.contig, gene.strand
        start, end = intron
        site = splice_site(intron, strand, self.genome.bases(contig))
        count = self.junctions.get((contig, strand, intron), 0)
        rival = max(self.rivals[contig, strand, start], self.rivals[contig, strand, end])
        holders = [t.id + ("" if intron in t.cds_introns else " (UTR)") for t in transcripts if intron in t.introns]
        within = [t.id for t in transcripts if any(s <= start and end <= e for s, e in t.exons)]
        spliced = self.reads.introns[contig, strand, intron]
        through = self.reads.count_over(contig, strand, (start - OVERHANG, end + OVERHANG))
        return (
            f"{place(contig, intron)} {end - start} bp, {(end - start) % 3} over a multiple of 3, {site}, "
            f"RNA-seq {count} (strongest at a site {rival}), in {', '.join(holders) or 'no transcript'}; "
            f"inside an exon of {', '.join(within) or 'none'}; "
            f"long reads splice {spliced}, run through {through}"
        )


def overlaps(one: GeneModel, other: GeneModel) -> bool:
    return one.start < other.end and other.start < one.end


def place(contig: str, interval: Interval) -> str:
    return f"{contig}:{interval[0] + 1}-{interval[1]}"


def chain(segments: Sequence[Interval], strand: str) -> str:
    """Segments from 5' to 3'."""
    shown = [f"{start + 1}-{end}" if strand == "+" else f"{end}-{start + 1}" for start, end in segments]
    return ",".join(shown if strand == "+" else shown[::-1])


def spread(isoforms: Sequence[Isoform], number: int) -> list[Isoform]:
    """So many, evenly spread."""
    return [isoforms[i] for i in np.linspace(0, len(isoforms) - 1, number).round().astype(int)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    given = parser.parse_args()
    torch.set_num_threads(1)
    chosen = {folder: list(HELD_OUT[folder][VALIDATION]) for folder in ("athaliana", "athaliana_chr5")}
    species = read_species(given.data, chosen, given.cache)
    schema = load_schema(ROOT / "workflow/schemas/config.schema.yaml")
    released = Released(species, None, given.cache, fill_defaults({"genomes": []}, schema)["predict"])
    genes = released.genes(OURS[RANKED])
    found = scored_isoforms(species.scope(list(species.contigs), None), genes)["all"]
    rank = {contig: number for number, contig in enumerate(species.contigs)}
    ordered = sorted(found.additions, key=lambda i: (rank[i.transcript.contig], i.transcript.start, i.transcript.id))
    wrong, right = ([i for i in ordered if i.matched is side] for side in (False, True))
    junctions: dict[Junction, int] = {}
    for folder in chosen:
        junctions |= read_junctions(given.data / folder / "rnaseq_splice_junctions.gff3.gz", species.contigs)
    reads = ReadEvidence(
        alignment
        for path, identity in LONG_READS.items()
        for bam in [aligned(given.data / path, species, given.cache)]
        for alignment in ReadFilter(bam, set(species.contigs), ReadLimits(identity=identity))
    )
    with Genome(species.fasta) as genome:
        dossier = Dossier(species.genes, genome, junctions, reads)
        print(f"# {len(wrong)} additions that are not annotated, {WRONG} of them shown")
        for number, isoform in enumerate(spread(wrong, WRONG), start=1):
            print("\n".join(dossier.lines(number, found.predicted[isoform.gene], isoform)))
        print(f"# {len(right)} additions that are annotated, {RIGHT} of them shown")
        for number, isoform in enumerate(spread(right, RIGHT), start=WRONG + 1):
            print("\n".join(dossier.lines(number, found.predicted[isoform.gene], isoform)))


if __name__ == "__main__":
    main()
