"""Any prediction against any reference annotation, by every criterion: for predictions of other programs, and by hand.

Usage: python tools/score_genes.py REFERENCE PREDICTED [--contigs NAME ...] [--mask BED] [--rejected TSV]
           [--augustus] [--table TSV]

REFERENCE and PREDICTED are GFF3 (plain or gzipped); with --augustus PREDICTED is what AUGUSTUS printed. --rejected
takes `results/clean/{genome}.rejected.tsv`: transcripts without an intact reading frame are then no reference, as in
the workflow. Prints precision, recall and F1 by criterion and level; --table has every subset too, in the columns of
`results/evaluation/{genome}.genes.tsv` (docs/scores.md, docs/file-formats.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from phytoscribe.annotation.checking.tables import read_transcripts
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import numbered
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.gene_tables import Scope, evaluate_predictor
from phytoscribe.genome.intervals import read_bed
from phytoscribe.tables import SCORES, score_table, write_table

METRICS = ["precision", "recall", "f1"]


def main() -> None:
    given = arguments()
    reference = read_gff3(given.reference)
    if given.augustus:
        predicted = list(numbered(read_augustus(given.predicted), "augustus"))
    else:
        predicted = read_gff3(given.predicted)
    there = {gene.contig for gene in reference}
    mask = read_bed(given.mask) if given.mask else None
    check_names(given.predicted, {gene.contig for gene in predicted}, given.reference, there)
    check_names(given.mask, set(mask or ()), given.reference, there)
    unknown = sorted(set(given.contigs or ()) - there)
    if unknown:
        raise PhytoScribeError(
            f"{given.reference}: no gene lies on {unknown[0]!r}; --contigs takes names of its contigs"
        )
    scope = Scope.of(
        reference,
        read_transcripts(given.rejected) if given.rejected else [],
        given.contigs or sorted(there),
        mask,
    )
    scores = score_table(evaluate_predictor(given.predicted.name, predicted, scope)[0])
    if given.table:
        write_table(scores, given.table, SCORES)
    chosen = scores[(scores["subset"] == "all") & scores["metric"].isin(METRICS)]
    by_item = chosen.set_index(["ruler", "level", "metric"])["value"].unstack().loc[:, METRICS]
    in_order = pd.MultiIndex.from_frame(chosen[["ruler", "level"]].drop_duplicates())
    print(by_item.loc[in_order].to_string(float_format="%.3f", sparsify=False))


def check_names(file: Path | None, contigs: set[str], reference: Path, there: set[str]) -> None:
    """Raise PhytoScribeError if a file has contigs, but none of the reference: then they are called otherwise."""
    if contigs and not contigs & there:
        raise PhytoScribeError(
            f"{file}: no contig of {reference} is in it: it has {min(contigs)!r}, the reference {min(there)!r}; "
            "give both the names of one FASTA"
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("predicted", type=Path)
    parser.add_argument("--contigs", nargs="+", metavar="NAME", help="score these only; by default all with a gene")
    parser.add_argument("--mask", type=Path, metavar="BED", help="intervals that count on neither side")
    parser.add_argument("--rejected", type=Path, metavar="TSV", help="the check's table of the reference")
    parser.add_argument("--augustus", action="store_true", help="PREDICTED is AUGUSTUS's own output")
    parser.add_argument("--table", type=Path, metavar="TSV", help="write every figure there")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except PhytoScribeError as error:
        raise SystemExit(f"{error}") from None
