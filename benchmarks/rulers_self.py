"""Every annotation compared with itself: 1.0 at every level of every criterion, or the script fails.

Usage: python benchmarks/rulers_self.py FOLDER... [--table benchmarks/rulers_self.tsv]

Takes all annotations (`annotation.gff3.gz`, `loci.gff3.gz`) below the folders.  One row per file: file, genes, isoforms
(coding ones), figures (precision, recall and F1 of every level, criterion and subset with items), lowest (of the
figures).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.evaluation.accuracy.counts import Scored, criterion_rows, longest_isoforms  # noqa: E402
from phytoscribe.files import atomic_open  # noqa: E402

NAMES = ("annotation.gff3.gz", "loci.gff3.gz")
COLUMNS = ("file", "genes", "isoforms", "figures", "lowest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--table", type=Path, default=ROOT / "benchmarks" / "rulers_self.tsv")
    given = parser.parse_args()
    files = [file for folder in given.folders for name in NAMES for file in sorted(folder.rglob(name))]
    rows = [(f"{file.parent.name}/{file.name}", *compared(file)) for file in sorted(files)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    with atomic_open(given.table) as handle:
        table.to_csv(handle, sep="\t", index=False, lineterminator="\n")
    print(table.to_string(index=False))
    if table.empty or (table["lowest"] != 1).any():
        raise SystemExit("an annotation is not its own perfect prediction, or there is none")


def compared(file: Path) -> tuple[int, int, int, float]:
    """The columns of a file but its name."""
    genes = read_gff3(file)
    scored = Scored.of(genes, genes)
    # An annotation has no first isoform of its own choice.
    longest = Scored.of(genes, longest_isoforms(scored))
    shares = [row for row in criterion_rows(scored, longest, {}) if row[3] in ("precision", "recall", "f1")]
    found = [value for *_, value, n in shares if n]
    return len(genes), sum(len(gene.transcripts) for gene in scored.reference), len(found), min(found)


if __name__ == "__main__":
    main()
