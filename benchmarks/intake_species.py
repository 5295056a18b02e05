"""What cleaning and checking make of real annotations: a table of accepted and rejected transcripts by reason.

Usage: python benchmarks/intake_species.py FOLDER [--species NAME ...] [--markdown] [--keep FOLDER]

FOLDER holds one folder per species with `genome.fa.gz` and `annotation.gff3.gz`, or `loci.fa.gz` and `loci.gff3.gz`.
Each goes through the functions that the rules index_genome, clean_annotation (backend builtin), check_annotation and
accept_annotation call, with their default limits. The table goes to the terminal, tab-separated or as Markdown; with
--keep the tables of every gene and of all that was left out are written there, one pair per species.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from phytoscribe.annotation.checking.acceptance import Thresholds, judge, probe
from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.checking.summary import GeneRow, gene_rows, summarise, write_genes
from phytoscribe.annotation.checking.tables import REJECTED, TranscriptRow, rows_of_cleaning, write_transcripts
from phytoscribe.annotation.cleaning.clean import clean
from phytoscribe.annotation.cleaning.repairs import Repair, write_repairs
from phytoscribe.genome.fasta import Genome, check_fasta, write_index

PAIRS = (("genome.fa.gz", "annotation.gff3.gz"), ("loci.fa.gz", "loci.gff3.gz"))
COUNTS = ("genes", "genes_accepted", "transcripts", "transcripts_accepted")
HEADER = ("data", "genes", "accepted", "transcripts", "accepted", "share with a fault", "verdict", "reasons")


class Checked(NamedTuple):
    """One species: its summary and verdict, and its tables."""

    name: str
    summary: dict[str, Any]
    verdict: str
    genes: list[GeneRow]
    rows: list[TranscriptRow]
    repairs: list[Repair]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="one folder per species in it")
    parser.add_argument("--species", nargs="+", help="only these")
    parser.add_argument("--markdown", action="store_true", help="Markdown instead of tab-separated text")
    parser.add_argument("--keep", type=Path, help="write the tables of each species there")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    done = []
    for name, fasta, gff in species_in(given.folder, given.species):
        done.append(checked(name, fasta, gff))
        if given.keep:
            write_tables(given.keep, done[-1])
    if not done:
        raise SystemExit(f"{given.folder}: no folder with {' or '.join(' and '.join(pair) for pair in PAIRS)}")
    print_table(done, given.markdown)


def species_in(folder: Path, wanted: Iterable[str] | None) -> Iterator[tuple[str, Path, Path]]:
    """Name, FASTA and annotation of the species in a folder, by name."""
    for place in sorted(folder.iterdir()):
        for fasta, gff in PAIRS:
            if (place / fasta).is_file() and (place / gff).is_file() and (not wanted or place.name in wanted):
                yield place.name, place / fasta, place / gff


def checked(name: str, fasta: Path, gff: Path) -> Checked:
    """One species through cleaning and check."""
    limits = CheckLimits()
    with tempfile.TemporaryDirectory(prefix="phytoscribe-intake-") as scratch:
        plain = Path(scratch) / "genome.fa"
        check_fasta(fasta, plain)
        write_index(plain, f"{plain}.fai")
        with Genome(plain) as genome:
            cleaned = clean(gff, genome.contigs, "builtin")
            accepted, rows = check_annotation(cleaned.genes, genome, limits)
            probed = probe(cleaned.genes, rows, genome)
    lost = list(rows_of_cleaning(cleaned.report.rows))
    genes = gene_rows(cleaned.genes, rows, lost)
    summary = summarise([*rows, *lost], genes, accepted, limits, probed)
    verdict = judge(name, summary, Thresholds()).verdict
    return Checked(name, summary, str(verdict), genes, [*rows, *lost], cleaned.report.rows)


def write_tables(folder: Path, found: Checked) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{found.name}.rejected.tsv").open("w") as handle:
        write_transcripts(handle, (row for row in found.rows if row.status == REJECTED))
    with (folder / f"{found.name}.genes.tsv").open("w") as handle:
        write_genes(handle, found.genes)
    with (folder / f"{found.name}.repairs.tsv").open("w") as handle:
        write_repairs(handle, found.repairs)


def print_table(done: list[Checked], markdown: bool) -> None:
    """One line per species; its last column counts transcripts (and genes without any) by reason."""
    lines = [HEADER]
    for found in done:
        summary = found.summary
        counts = Counter(summary["rejected_by_reason"]) + Counter(summary["whole_genes_by_reason"])
        share = summary["share_rejected"]
        lines.append(
            (
                found.name,
                *(f"{summary[key]:,}" for key in COUNTS),
                "" if share is None else f"{share:.1%}",
                found.verdict,
                ", ".join(f"`{reason}` {count}" for reason, count in counts.most_common()) or "none",
            )
        )
    for number, line in enumerate(lines):
        print("| " + " | ".join(line) + " |" if markdown else "\t".join(line).replace("`", ""))
        if markdown and number == 0:
            print("|" + "---|" * len(HEADER))


if __name__ == "__main__":
    main()
