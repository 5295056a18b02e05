"""Both cleaners on the same files: gene models of AGAT and of the builtin cleaner, compared gene by gene.

Usage: python benchmarks/agat_parity.py [ANNOTATION ...]

Without files it takes the example's annotation, as it is and damaged in a dozen ways: without UTR, exon, gene or mRNA
lines, shuffled, with shared exons, as GTF.  AGAT must be on PATH (docs/cleaning.md says how to get it).  One row per
file: genes and transcripts by either cleaner, what AGAT's result differs in, seconds; then every difference.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from agat_matching import Fate, match_genes  # noqa: E402
from agat_matching import differences as all_differences  # noqa: E402

from phytoscribe.annotation.cleaning.clean import clean  # noqa: E402
from phytoscribe.errors import PhytoScribeError  # noqa: E402
from phytoscribe.files import open_text  # noqa: E402

EXAMPLE = ROOT / "resources" / "example" / "athaliana" / "annotation.gff3.gz"
#: Only features count here, so every sequence may be as long as it likes.
LONGEST = 2**31
Row = list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", nargs="*", type=Path)
    given = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    print("| file | genes, AGAT | builtin | transcripts, AGAT | builtin | the same | seconds, AGAT | builtin |")
    print("|---|---|---|---|---|---|---|---|")
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in given.annotations or damaged(Path(folder) / "example"):
            found[str(path)] = compare(path)
    for path, lines in found.items():
        kinds = Counter(line.rpartition(": ")[2] for line in lines)
        counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        print(f"\n{path}: {counted or 'no difference'}")
        for line in lines[:20]:
            print(f"  {line}")


def compare(path: Path) -> list[str]:
    """Clean one file by both, print its row of the table, and return the differences."""
    with open_text(path) as lines:
        contigs = {line.partition("\t")[0]: LONGEST for line in lines if not line.startswith("#") and line.strip()}
    name = f"{path.parent.name}/{path.name}"
    try:
        start = time.monotonic()
        agat = clean(path, contigs, "agat").genes
        middle = time.monotonic()
        builtin = clean(path, contigs, "builtin").genes
        end = time.monotonic()
    except PhytoScribeError as error:
        print(f"| {name} | {error} |")
        return [str(error)]
    same = sum(part.fate is Fate.SAME for match in match_genes(builtin, agat).genes for part in match.transcripts)
    counts = [len(agat), len(builtin), *(sum(len(gene.transcripts) for gene in genes) for genes in (agat, builtin))]
    print(
        f"| {name} | {' | '.join(map(str, counts))} | {same} | {middle - start:.1f} | {end - middle:.1f} |", flush=True
    )
    return all_differences(builtin, agat)


# --- the example, damaged ---


def damaged(folder: Path) -> Iterator[Path]:
    with gzip.open(EXAMPLE, "rt") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    folder.mkdir()
    ways: dict[str, Callable[[list[Row]], list[Row]]] = {
        "as_it_is": list,
        "shuffled": shuffled,
        "without_utrs": lambda rows: without(rows, "five_prime_UTR", "three_prime_UTR"),
        "without_exons": lambda rows: without(rows, "exon"),
        "mrna_and_cds": lambda rows: without(rows, "exon", "five_prime_UTR", "three_prime_UTR"),
        "gene_and_cds": gene_and_cds,
        "without_genes": lambda rows: without(rows, "gene"),
        "without_genes_and_mrnas": lambda rows: without(rows, "gene", "mRNA"),
        "shared_exons": shared_exons,
        "gtf": lambda rows: [as_gtf(row) for row in rows],
        "gtf_exon_and_cds": lambda rows: [as_gtf(row) for row in rows if row[2] in ("exon", "CDS")],
        "gtf_cds": lambda rows: [as_gtf(row) for row in rows if row[2] == "CDS"],
    }
    for name, way in ways.items():
        path = folder / f"{name}.{'gtf' if name.startswith('gtf') else 'gff3'}"
        path.write_text("".join("\t".join(row) + "\n" for row in way(rows)))
        yield path


def without(rows: list[Row], *kinds: str) -> list[Row]:
    return [row for row in rows if row[2] not in kinds]


def shuffled(rows: list[Row]) -> list[Row]:
    return random.Random(1).sample(rows, len(rows))


def gene_and_cds(rows: list[Row]) -> list[Row]:
    """Genes with the CDS of their first isoform right below."""
    parents = [row for row in rows if row[2] == "CDS" and row[8].endswith(".1")]
    return without(rows, "mRNA", "exon", "five_prime_UTR", "three_prime_UTR", "CDS") + [
        [*row[:8], row[8].rpartition(".")[0]] for row in parents
    ]


def shared_exons(rows: list[Row]) -> list[Row]:
    """Equal parts of the isoforms of a gene in one line with several parents."""
    parents: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        key = tuple(row) if row[2] in ("gene", "mRNA") else (*row[:8], row[8].rpartition(".")[0])
        parents.setdefault(key, []).append(row[8])
    return [
        [*key[:8], columns[0] if key[2] in ("gene", "mRNA") else "Parent=" + ",".join(text[7:] for text in columns)]
        for key, columns in parents.items()
    ]


def as_gtf(row: Row) -> Row:
    names = dict(re.findall(r"(ID|Parent)=([^;]+)", row[8]))
    if row[2] == "gene":
        return [*row[:8], f'gene_id "{names["ID"]}";']
    transcript = names["ID"] if row[2] == "mRNA" else names["Parent"]
    kind = {"mRNA": "transcript", "five_prime_UTR": "five_prime_utr", "three_prime_UTR": "three_prime_utr"}
    column = f'gene_id "{transcript.rpartition(".")[0]}"; transcript_id "{transcript}";'
    return [*row[:2], kind.get(row[2], row[2]), *row[3:8], column]


if __name__ == "__main__":
    main()
