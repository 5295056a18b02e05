"""Time and memory of the two cleaners on a large annotation, one after the other.

Usage: python benchmarks/agat_speed.py [--genes 30000 | --annotation FILE]

The example's annotation is repeated under new names until it has that many genes.  Each backend cleans it in a process
of its own, as the rule does, and writes its GFF3; the results are then compared gene by gene.  AGAT must be on PATH
(docs/cleaning.md says how to get it).  Memory is the peak resident set, of the Python process and of AGAT.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import math
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from agat_matching import differences  # noqa: E402

from phytoscribe.annotation.cleaning.clean import clean  # noqa: E402
from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.annotation.gff_writer import write_gff3  # noqa: E402
from phytoscribe.files import open_text  # noqa: E402

EXAMPLE = ROOT / "resources" / "example" / "athaliana" / "annotation.gff3.gz"
#: Only features count here, so every sequence may be as long as it likes.
LONGEST = 2**31


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genes", type=int, default=30_000, help="at least so many")
    parser.add_argument("--annotation", type=Path, help="clean this file instead of the repeated example")
    parser.add_argument("--backend", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    if given.backend:
        clean_one(given.annotation, given.backend, given.out)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        annotation = given.annotation or repeated_example(folder / "in.gff3", given.genes)
        measure(annotation, folder)


def measure(annotation: Path, folder: Path) -> None:
    contigs = sequences(annotation)
    with open_text(annotation) as lines:
        count = sum(not line.startswith("#") for line in lines)
    print(f"{count} feature lines, {len(contigs)} sequences; Python {platform.python_version()}, {platform.machine()}")
    print("| backend | genes | transcripts | seconds | peak MiB, Python | AGAT |")
    print("|---|---|---|---|---|---|")
    results = {}
    for backend in ("builtin", "agat"):
        out = folder / f"{backend}.gff3"
        command = [sys.executable, __file__, "--annotation", str(annotation), "--backend", backend, "--out", str(out)]
        start = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.monotonic() - start  # start of Python and imports included
        own, child = json.loads(done.stdout)
        results[backend] = read_gff3(out, contigs)
        transcripts = sum(len(gene.transcripts) for gene in results[backend])
        agat = f"{child / 1024:.0f}" if backend == "agat" else ""
        cells = (backend, len(results[backend]), transcripts, f"{seconds:.1f}", f"{own / 1024:.0f}", agat)
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
    found = differences(results["builtin"], results["agat"])
    print(f"{len(found)} differences between the two")
    for line in found[:20]:
        print(f"  {line}")


def clean_one(annotation: Path, backend: str, out: Path) -> None:
    """Clean and write, as the rule's script does; prints the peak memory of Python and of its child, in KiB."""
    contigs = sequences(annotation)
    cleaned = clean(annotation, contigs, backend)
    with out.open("w") as handle:
        write_gff3(handle, cleaned.genes, contigs)
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps(peaks))


def sequences(annotation: Path) -> dict[str, int]:
    with open_text(annotation) as lines:
        return {line.partition("\t")[0]: LONGEST for line in lines if not line.startswith("#") and line.strip()}


def repeated_example(path: Path, genes: int) -> Path:
    """The example again and again, every copy on sequences and under ids of its own."""
    with gzip.open(EXAMPLE, "rt") as lines:
        rows = [line.split("\t", 1) for line in lines if not line.startswith("#")]
    copies = math.ceil(genes / sum(rest.split("\t")[1] == "gene" for _, rest in rows))
    with path.open("w") as out:
        out.write("##gff-version 3\n")
        for copy in range(copies):
            for contig, rest in rows:
                out.write(f"{contig}.c{copy}\t" + re.sub(r"\b(ID|Parent)=([^;\n]+)", rf"\1=\2.c{copy}", rest))
    return path


if __name__ == "__main__":
    main()
