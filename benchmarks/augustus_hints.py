"""AUGUSTUS with hints of the same RNA-seq junctions and aligned proteins that evidence.py weighs.

Usage: python benchmarks/augustus_hints.py DATA --cache CACHE --proteins GFF3 [--part validation] [--contigs NAME ...]

Hints are those that BRAKER makes: introns of junctions (source E, with their reads), and introns, start and stop codons
and the inner parts of coding segments of proteins (source P). Equal hints of several proteins are one hint with their
number (``mult``), as join_mult_hints.pl of AUGUSTUS makes them. Configurations are those that come with AUGUSTUS.
Junctions of fewer than ten reads are no hints: AUGUSTUS believes every one of them, and half of all are noise.

Further transcripts are not asked for (``--alternatives-from-evidence``): loci, scored by the first one of each gene,
had the same figures without them on a validation contig, and AUGUSTUS needs a quarter of the time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from accuracy_sets import TEST, VALIDATION, read_set
from augustus_cache import AugustusCache
from evidence_page import put_tables, table_of
from evidence_proteins import proteins_of
from evidence_reads import junctions_of
from evidence_sets import COLUMNS, ENTRY

from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.files import atomic_open, sha256_of
from phytoscribe.genome.aligned_proteins import AlignedProtein
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junctions import Junction

#: Kind of hints, and the configuration of AUGUSTUS for it.
CONFIGURATIONS = {
    "RNA-seq and proteins": "extrinsic.M.RM.E.W.P.cfg",
    "RNA-seq": "extrinsic.M.RM.E.W.cfg",
    "proteins": "extrinsic.MP.cfg",
}
LEAST_READS = 10
#: Bases at both ends of a coding segment that a hint leaves open, as exonerate2hints.pl does.
OPEN = 15


def hints_by_reads(junctions: Iterable[tuple[Junction, int]]) -> Iterator[str]:
    for (contig, strand, (start, end)), reads in junctions:
        if reads >= LEAST_READS:
            yield f"{contig}\tb2h\tintron\t{start + 1}\t{end}\t0\t{strand}\t.\tmult={reads};pri=4;src=E\n"


def hints_by_proteins(proteins: Sequence[AlignedProtein]) -> Iterator[str]:
    found: Counter[tuple[str, str, int, int, str]] = Counter()
    for p in proteins:
        places = [("intron", start, end) for start, end in p.introns]
        if p.coding:
            places += [("CDSpart", s + OPEN, e - OPEN) for s, e in p.segments if e - s > 2 * OPEN + 3]
        for kind, has, cut, begins in (("start", p.begins, p.start_codon, True), ("stop", p.ends, p.stop_codon, False)):
            if has:
                left = cut if (p.strand == "+") == begins else cut - 3
                places.append((kind, left, left + 3))
        found.update((p.contig, kind, start, end, p.strand) for kind, start, end in places)
    for (contig, kind, start, end, strand), count in sorted(found.items()):
        yield f"{contig}\tp2h\t{kind}\t{start + 1}\t{end}\t0\t{strand}\t.\tmult={count};pri=4;src=P\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    parser.add_argument("--proteins", type=Path, required=True, help="miniprot's GFF3 for the contigs")
    parser.add_argument("--part", choices=(VALIDATION, TEST), default=TEST)
    parser.add_argument("--contigs", nargs="+", help="only these")
    parser.add_argument("--hints", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS))
    parser.add_argument("--page", type=Path, help="page whose table is written anew")
    given = parser.parse_args()
    species = read_set(given.data, ENTRY, given.part, given.cache)
    contigs = given.contigs or list(species.contigs)
    scope = species.scope(contigs, None)
    proteins = proteins_of(given.proteins, species.contigs)
    configurations = Path(os.environ.get("AUGUSTUS_CONFIG_PATH", "/usr/share/augustus/config")) / "extrinsic"
    runs, rows = AugustusCache(given.cache / "augustus"), []
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
            configuration = configurations / CONFIGURATIONS[kind]
            options = (
                f"--hintsfile={file}",
                f"--extrinsicCfgFile={configuration}",
                "--alternatives-from-evidence=false",
            )
            genes, _ = runs.predict_genes(genome, contigs, ENTRY.augustus[0], options)
            comparison = scope.scored(genes)
            choice = comparison.choices({})[ALL]
            locus, exon = (comparison.comparison.agreement(level, choice) for level in ("locus", "cds_exon"))
            figures = (locus.precision, locus.recall, locus.f1, exon.precision, exon.recall, exon.f1)
            rows.append([f"AUGUSTUS, {kind}", *(f"{value:.3f}" for value in figures)])
            print(" | ".join(rows[-1]), flush=True)
    if given.page:
        put_tables(given.page, {f"{given.part}, AUGUSTUS": table_of(rows, columns=COLUMNS[:6])})


if __name__ == "__main__":
    main()
