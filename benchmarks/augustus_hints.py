"""AUGUSTUS with hints of the same RNA-seq junctions and aligned proteins that evidence.py weighs.

Usage: python benchmarks/augustus_hints.py DATA --cache CACHE --proteins GFF3 [--contigs NAME ...]

Hints are those that BRAKER makes: introns of junctions (source E, with their reads), and introns, start and stop codons
and the inner parts of coding segments of proteins (source P). Their configurations are those that come with AUGUSTUS.
Junctions of fewer than ten reads are no hints: AUGUSTUS believes every one of them, and half of all are noise.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from accuracy_sets import TEST, read_set
from augustus_cache import AugustusCache
from evidence import ENTRY, LEAST_QUALITY, junctions_of

from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.files import atomic_open, sha256_of
from phytoscribe.genome.aligned_proteins import AlignedProtein, read_miniprot
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junctions import Junction

#: Kind of hints, and the configuration of AUGUSTUS for it.
CONFIGURATIONS = {
    "RNA-seq": "extrinsic.M.RM.E.W.cfg",
    "proteins": "extrinsic.MP.cfg",
    "RNA-seq and proteins": "extrinsic.M.RM.E.W.P.cfg",
}
LEAST_READS = 10
#: Bases at both ends of a coding segment that a hint leaves open, as exonerate2hints.pl does.
OPEN = 15


def hints_by_reads(junctions: Iterable[tuple[Junction, int]]) -> Iterator[str]:
    for (contig, strand, (start, end)), reads in junctions:
        if reads >= LEAST_READS:
            yield f"{contig}\tb2h\tintron\t{start + 1}\t{end}\t0\t{strand}\t.\tmult={reads};pri=4;src=E\n"


def hints_by_proteins(proteins: Sequence[AlignedProtein]) -> Iterator[str]:
    for number, p in enumerate(proteins):
        places = [("intron", start, end) for start, end in p.introns]
        if p.coding:
            places += [("CDSpart", s + OPEN, e - OPEN) for s, e in p.segments if e - s > 2 * OPEN + 3]
        for kind, has, cut, begins in (("start", p.begins, p.start_codon, True), ("stop", p.ends, p.stop_codon, False)):
            if has:
                left = cut if (p.strand == "+") == begins else cut - 3
                places.append((kind, left, left + 3))
        for kind, start, end in places:
            yield f"{p.contig}\tp2h\t{kind}\t{start + 1}\t{end}\t0\t{p.strand}\t.\tgrp=p{number};pri=4;src=P\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    parser.add_argument("--proteins", type=Path, required=True, help="miniprot's GFF3 for the test contigs")
    parser.add_argument("--contigs", nargs="+", help="only these")
    parser.add_argument("--hints", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS))
    given = parser.parse_args()
    species = read_set(given.data, ENTRY, TEST, given.cache)
    contigs = given.contigs or list(species.contigs)
    scope = species.scope(contigs, None)
    proteins = [p for p in read_miniprot(given.proteins, species.contigs) if p.quality >= LEAST_QUALITY]
    configurations = Path(os.environ.get("AUGUSTUS_CONFIG_PATH", "/usr/share/augustus/config")) / "extrinsic"
    runs = AugustusCache(given.cache / "augustus")
    with Genome(species.fasta) as genome:
        lines = {
            "RNA-seq": list(hints_by_reads(junctions_of(given.data, genome).items())),
            "proteins": list(hints_by_proteins(proteins)),
        }
        lines["RNA-seq and proteins"] = lines["RNA-seq"] + lines["proteins"]
        for kind in given.hints:
            scratch = given.cache / f"hints.{kind.replace(' ', '_')}.gff"
            with atomic_open(scratch) as handle:
                handle.writelines(lines[kind])
            # The runs are kept by their options: a changed file must have another name.
            file = scratch.with_name(f"hints.{sha256_of(scratch)[:16]}.gff")
            scratch.replace(file)
            options = f"--hintsfile={file}", f"--extrinsicCfgFile={configurations / CONFIGURATIONS[kind]}"
            genes, _ = runs.predict_genes(genome, contigs, ENTRY.augustus[0], options)
            comparison = scope.scored(genes)
            choice = comparison.choices({})[ALL]
            locus, exon = (comparison.comparison.agreement(level, choice) for level in ("locus", "cds_exon"))
            figures = (locus.precision, locus.recall, locus.f1, exon.precision, exon.recall, exon.f1)
            print(f"| AUGUSTUS, {kind} | {' | '.join(f'{value:.3f}' for value in figures)} |", flush=True)


if __name__ == "__main__":
    main()
