"""The page benchmarks/rulers.md, from the tables that the other scripts named rulers_* write.

Usage: python benchmarks/rulers_page.py
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "workflow" / "scripts"))

from phytoscribe.files import atomic_open  # noqa: E402

OPENING = """# The criteria, checked

What [docs/scores.md](../docs/scores.md) defines, beside two independent scorers, against itself, and by the clock.
Rebuilt by:

```
python benchmarks/rulers_agreement.py --gffcompare PROGRAM   # after make demo; without the program gt eval alone
python benchmarks/rulers_self.py ../shared/data
python benchmarks/rulers_speed.py
python benchmarks/rulers_page.py
```
"""
AGREEMENT = """## Beside gt eval and gffcompare

GenomeTools 1.6.2 (Debian) and gffcompare 0.12.10 (built from its public source; no package of pip or Debian has it),
on Chr5_25975502_26975502, all annotated genes of the cleaned reference, no mask: {same} of {figures} figures are equal
to three digits. With one isoform a gene, where the definitions leave nothing open, all are but gffcompare's count of
reference loci. `rulers_agreement.tsv` has every figure. PhytoScribe's genes are those of `resources/models/brassicales`
(weights `7bc5dd52093f475b`); AUGUSTUS's are as before, to each digit.

`genes`: all isoforms, CDS alone (`all`); the isoform of longest CDS of each gene, CDS alone (`one`); all isoforms with
UTRs (`utr`). Recall / precision."""
REASONS = "Where the figures differ, and why:"
SELF = """## Every annotation against itself

Precision, recall and F1 of every level, criterion and subset that has items; isoforms are coding ones."""
SPEED = """## Speed

The example's annotation repeated, all isoforms and UTRs, against itself: two files of nearly a million lines each.
PhytoScribe reads both and gives every criterion, all subsets by exons and length and both tables of genes; gt gives its
levels. One thread each, start and imports included. The machine is shared, so compare CPU seconds."""
GENES = {"all": 0, "one": 1, "utr": 2}


def main() -> None:
    agreement = pd.read_csv(FOLDER / "rulers_agreement.tsv", sep="\t", dtype=str, keep_default_na=False)
    itself = pd.read_csv(FOLDER / "rulers_self.tsv", sep="\t", dtype=str)
    speed = pd.read_csv(FOLDER / "rulers_speed.tsv", sep="\t", dtype=str, keep_default_na=False)
    same = int((agreement["same"] == "yes").sum())
    parts = [
        OPENING,
        AGREEMENT.format(same=same, figures=len(agreement)),
        markdown(*agreement_rows(agreement)),
        REASONS,
        markdown(*reason_rows(agreement)),
        SELF,
        markdown(list(itself.columns), itself.to_numpy().tolist()),
        SPEED,
        markdown(list(speed.columns), speed.to_numpy().tolist()),
    ]
    with atomic_open(FOLDER / "rulers.md") as handle:
        handle.write("\n\n".join(part.strip() for part in parts) + "\n")


def agreement_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """One line per level: theirs and ours of both predictors."""
    predictors = list(table["predictor"].drop_duplicates())
    head = ["genes", "scorer", "their level", "our criterion, level"]
    head += [f"{name}: {side}" for name in predictors for side in ("theirs", "ours")]
    lines = []
    keys = ["genes", "scorer", "their_level", "our_ruler", "our_level"]
    for key, rows in table.groupby(keys, sort=False):
        genes, scorer, their_level, criterion, level = key
        line = [genes, scorer, their_level, f"{criterion}, {level}"]
        for predictor in predictors:
            own = rows[rows["predictor"] == predictor]
            shown = [" / ".join(own[side]) if len(own) else "-" for side in ("theirs", "ours")]
            line += [f"**{text}**" if len(own) and (own["same"] == "no").any() else text for text in shown]
        lines.append(line)
    return head, sorted(lines, key=lambda line: GENES[line[0]])


def reason_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Every reason once, with the levels that it is for."""
    differing = table[table["same"] == "no"]
    lines = []
    for (scorer, why), rows in differing.groupby(["scorer", "why"], sort=False):
        places = (rows["their_level"] + ", " + rows["genes"] + ", " + rows["metric"]).drop_duplicates()
        lines.append([scorer, "; ".join(places), why])
    return ["scorer", "level, genes, metric", "why"], lines


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    main()
