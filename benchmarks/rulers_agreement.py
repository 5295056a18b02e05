"""The criteria beside two independent scorers: `gt eval` of GenomeTools and, where it is given, gffcompare.

Usage: python benchmarks/rulers_agreement.py [--results results] [--genome athaliana] [--contig CONTIG]
       [--gffcompare PROGRAM] [--table benchmarks/rulers_agreement.tsv]

Reads the cleaned reference, PhytoScribe's prediction and AUGUSTUS's of one contig, as `make demo` leaves them, writes
each three times as plain GFF3 that both scorers understand (one parent a line, no mask), and compares level by level:

* `all`: all isoforms, CDS alone (exon lines are CDS segments);
* `one`: the isoform of longest CDS of each gene, CDS alone;
* `utr`: all isoforms with their UTRs, for predictors that predict UTRs.

One row per figure: predictor, genes, scorer, their_level, our_ruler, our_level, metric, theirs, ours, same (to three
digits), why (the difference of the definitions, where they differ).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from phytoscribe.annotation import sort_genes  # noqa: E402
from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.annotation.gff_writer import write_gff3  # noqa: E402
from phytoscribe.annotation.model import GeneModel, first_transcripts  # noqa: E402
from phytoscribe.evaluation.accuracy.counts import (  # noqa: E402
    WHOLE_TRANSCRIPT,
    Scored,
    criterion_rows,
    longest_isoforms,
    scorable,
)
from phytoscribe.files import atomic_open  # noqa: E402

TEST_CONTIG = "Chr5_25975502_26975502"
COLUMNS = (
    "predictor",
    "genes",
    "scorer",
    "their_level",
    "our_ruler",
    "our_level",
    "metric",
    "theirs",
    "ours",
    "same",
    "why",
)
GT, GFFCOMPARE = "gt eval", "gffcompare"
METRICS = ("recall", "precision")
#: Their level, our criterion and level.
OF_GT = {
    "all": (
        ("nucleotide (CDS level)", "exact", "base"),
        ("exon (CDS level, all, collapsed)", "exact", "cds_exon"),
        ("mRNA (CDS level)", "exact", "transcript"),
        ("gene (CDS level)", "exact", "locus"),
    ),
    "utr": (
        ("nucleotide (mRNA level)", WHOLE_TRANSCRIPT, "base"),
        ("exon (mRNA level, all, collapsed)", WHOLE_TRANSCRIPT, "exon"),
        ("mRNA (mRNA level)", WHOLE_TRANSCRIPT, "transcript"),
        ("gene (mRNA level)", WHOLE_TRANSCRIPT, "locus"),
    ),
}
OF_GT["one"] = OF_GT["all"]
#: gffcompare's -e, its level, our criterion and level.
OF_GFFCOMPARE = (
    (0, "Base level", "exact", "base"),
    (0, "Exon level", "exact", "cds_exon"),
    (0, "Intron level", "exact", "intron"),
    (0, "Intron chain level", "exact", "intron_chain"),
    (0, "Transcript level", "exact", "transcript"),
    (0, "Locus level", "exact", "locus"),
    (3, "Locus level", "within_3", "locus"),
    (100, "Locus level", "within_100", "locus"),
)
#: Why figures differ, by scorer, level (its first words), genes and metric; None stands for any.
REASONS = (
    (
        GT,
        "mRNA",
        "all",
        "recall",
        "gt counts every annotated mRNA, also those that share their CDS with another isoform; ours are unique chains",
    ),
    (GT, "mRNA", "utr", None, "gt counts every mRNA; ours are unique chains"),
    (
        GT,
        "gene",
        None,
        None,
        "gt wants the outer ends of the genes equal and, where they have different numbers of mRNAs, then compares no "
        "exons at all (genes_are_equal in its source)",
    ),
    (
        GFFCOMPARE,
        "Exon",
        None,
        None,
        "gffcompare has rules of their own for terminal exons, and leaves out reference isoforms with the introns of "
        "another and ends inside it",
    ),
    (
        GFFCOMPARE,
        "Intron chain",
        "all",
        "precision",
        "with --strict-match gffcompare counts a transcript again for each isoform that has its introns and other ends "
        "(ichainTP in its source); the codes in its .tmap give our number",
    ),
    (
        GFFCOMPARE,
        None,
        "all",
        None,
        "gffcompare leaves out reference isoforms with the introns of another and ends inside it (some are what was "
        "predicted), counts transcripts, not unique chains, and joins overlapping genes to one locus",
    ),
    (GFFCOMPARE, None, "one", None, "gffcompare joins overlapping reference genes of a strand to one locus"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--genome", default="athaliana")
    parser.add_argument("--contig", default=TEST_CONTIG)
    parser.add_argument("--gffcompare", help="the program; without it only gt eval is asked")
    parser.add_argument("--table", type=Path, default=ROOT / "benchmarks" / "rulers_agreement.tsv")
    given = parser.parse_args()
    files = {
        "phytoscribe": given.results / "predictions" / f"{given.genome}.gff3",
        "augustus": given.results / "evaluation" / "augustus" / f"{given.genome}.gff3",
    }
    reference = scorable(read_gff3(given.results / "clean" / f"{given.genome}.gff3"), contigs={given.contig})
    rows: list[tuple] = []
    for predictor, file in files.items():
        predicted = scorable(read_gff3(file), contigs={given.contig})
        for genes, sides in inputs(reference, predicted):
            rows += [(predictor, genes, *row) for row in compared(genes, *sides, given.gffcompare)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    with atomic_open(given.table) as handle:
        table.to_csv(handle, sep="\t", index=False, lineterminator="\n")
    print(table.to_string(columns=list(COLUMNS[:-1]), index=False))


def inputs(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel]
) -> Iterator[tuple[str, tuple[list[GeneModel], list[GeneModel]]]]:
    """The two sides as they are given to all scorers."""
    sides = (reference, predicted)
    yield "all", tuple(map(coding_parts, sides))
    yield "one", tuple(map(coding_parts, (longest_isoforms(Scored.of(reference, ())), first_transcripts(predicted))))
    if all(any(t.exons != t.cds for gene in side for t in gene.transcripts) for side in sides):
        yield "utr", (list(reference), list(predicted))


def coding_parts(genes: Sequence[GeneModel]) -> list[GeneModel]:
    """Genes without their UTRs."""
    return [replace(gene, transcripts=tuple(replace(t, exons=t.cds) for t in gene.transcripts)) for gene in genes]


def compared(
    genes: str, reference: Sequence[GeneModel], predicted: Sequence[GeneModel], gffcompare: str | None
) -> Iterator[tuple]:
    """Rows of :data:`COLUMNS` but the first two."""
    sides = (Scored.of(reference, side) for side in (predicted, first_transcripts(predicted)))
    ours = {
        (ruler, level, metric): value
        for level, ruler, subset, metric, value, _ in criterion_rows(*sides, {})
        if subset == "all"
    }
    with tempfile.TemporaryDirectory(prefix="rulers-") as folder:
        files = [Path(folder) / "reference.gff3", Path(folder) / "predicted.gff3"]
        for file, side in zip(files, (reference, predicted)):
            write_plain(side, file)
        theirs = ask_gt(*files)
        for their_level, ruler, level in OF_GT[genes]:
            for metric in METRICS:
                found = theirs[their_level, metric]
                yield row(GT, genes, their_level, ruler, level, metric, found, ours)
        if gffcompare is None or genes == "utr":
            return
        for tolerance in (0, 3, 100):
            theirs = ask_gffcompare(gffcompare, tolerance, *files)
            for wanted, their_level, ruler, level in OF_GFFCOMPARE:
                for metric in METRICS if wanted == tolerance else ():
                    name = f"{their_level}, -e {tolerance}"
                    yield row(GFFCOMPARE, genes, name, ruler, level, metric, theirs[their_level, metric], ours)


def row(
    scorer: str,
    genes: str,
    their_level: str,
    ruler: str,
    level: str,
    metric: str,
    theirs: float,
    ours: dict[tuple[str, str, str], float],
) -> tuple:
    """One figure, with the reason if it is not the same."""
    shown = f"{theirs:.3f}", f"{ours[ruler, level, metric]:.3f}"
    same = shown[0] == shown[1]
    why = "" if same else reason(scorer, their_level, genes, metric)
    return scorer, their_level, ruler, level, metric, *shown, "yes" if same else "no", why


def reason(scorer: str, level: str, genes: str, metric: str) -> str:
    """Why two definitions differ.

    Raises:
        SystemExit: none is known: either side may be wrong.
    """
    for of_scorer, start, of_genes, of_metric, text in REASONS:
        fits = of_scorer == scorer and of_genes in (None, genes) and of_metric in (None, metric)
        if fits and (start is None or level.startswith(start)):
            return text
    raise SystemExit(f"{scorer}, {level}, {genes} genes, {metric}: differs, and no reason is known")


def write_plain(genes: Sequence[GeneModel], path: Path) -> None:
    contigs = {gene.contig: max(other.end for other in genes if other.contig == gene.contig) for gene in genes}
    with open(path, "w", encoding="utf-8") as handle:
        write_gff3(handle, sort_genes(genes, contigs), contigs)


def ask_gt(reference: Path, predicted: Path) -> dict[tuple[str, str], float]:
    """Recall and precision by level, from the counts that `gt eval` gives."""
    tidy = []
    for file in (reference, predicted):
        tidy.append(file.with_suffix(".sorted.gff3"))
        command = ["gt", "gff3", "-sort", "-tidy", "-o", str(tidy[-1]), "-force", str(file)]
        subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run(["gt", "eval", *map(str, tidy)], check=True, capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        match = re.match(r"(\w+) (sensitivity|specificity) (\(.*?\)): +([\d.]+)% \((.*)", line)
        if match is None:
            continue
        level, metric, kind, _, counts = match.groups()
        numbers = [int(number) for number in re.findall(r"\d+", counts)]
        right, total = (numbers[0], numbers[1] + numbers[2]) if level == "nucleotide" else numbers[:2]
        found[f"{level} {kind}", "recall" if metric == "sensitivity" else "precision"] = right / total
    return found


def ask_gffcompare(program: str, tolerance: int, reference: Path, predicted: Path) -> dict[tuple[str, str], float]:
    """Recall and precision by level; gffcompare gives tenths of a percent."""
    prefix = reference.parent / f"within_{tolerance}"
    options = ["--strict-match", "-e", str(tolerance), "--no-merge", "-T", "-r", str(reference), "-o", str(prefix)]
    subprocess.run([program, *options, str(predicted)], check=True, capture_output=True, cwd=reference.parent)
    lines = prefix.with_suffix(".stats").read_text().splitlines()
    found = {}
    for line in lines:
        match = re.match(r" *([A-Z][a-z ]+ level): +([\d.]+) +\| +([\d.]+) +\|", line)
        if match:
            found[match[1], "recall"], found[match[1], "precision"] = float(match[2]) / 100, float(match[3]) / 100
    return found


if __name__ == "__main__":
    main()
