"""Time and memory of scoring a large annotation against itself, beside `gt eval` on the same files.

Usage: python benchmarks/rulers_speed.py [--genes 30000] [--note TEXT] [--table benchmarks/rulers_speed.tsv]

The example's annotation, all isoforms and UTRs, is repeated as contigs of their own until it has as many genes, sorted
and with one parent a line, as gt wants it.  Then, each in a process of its own with one thread:

* `phytoscribe`: both files read, every criterion, every subset that needs no evidence, and both tables of genes;
* `gt eval`: the same two files, all of its levels.

One row each: date, note, program, genes, lines (of one file), seconds (wall), cpu_seconds, reading_seconds and
scoring_seconds (wall, of the library alone), peak_mib.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "resources" / "example" / "athaliana" / "annotation.gff3.gz"
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
COLUMNS = (
    "date",
    "note",
    "program",
    "genes",
    "lines",
    "seconds",
    "cpu_seconds",
    "reading_seconds",
    "scoring_seconds",
    "peak_mib",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genes", type=int, default=30_000, help="genes of the annotation")
    parser.add_argument("--note", default="", help="what is measured, for the table")
    parser.add_argument("--table", type=Path, default=ROOT / "benchmarks" / "rulers_speed.tsv")
    parser.add_argument("--stage", choices=["make", "score"], help=argparse.SUPPRESS)
    parser.add_argument("--files", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage == "make":
        make_input(given.files, given.genes)
    elif given.stage == "score":
        score(given.files)
    else:
        with tempfile.TemporaryDirectory(prefix="rulers-speed-") as folder:
            measure([Path(folder) / name for name in ("reference.gff3", "predicted.gff3")], given)


def measure(files: list[Path], given: argparse.Namespace) -> None:
    """Both programs, one after the other; their rows are printed and appended."""
    own = [sys.executable, __file__, "--files", *map(str, files), "--stage"]
    subprocess.run([*own, "make", "--genes", str(given.genes)], check=True)
    with files[0].open() as handle:
        kinds = [line.split("\t")[2] for line in handle if not line.startswith("#")]
    facts = (datetime.date.today().isoformat(), given.note)
    sizes = kinds.count("gene"), len(kinds)
    if not given.table.exists():
        given.table.write_text("\t".join(COLUMNS) + "\n")
    for program, command in (("phytoscribe", [*own, "score"]), ("gt eval", ["gt", "eval", *map(str, files)])):
        found = timed(command)
        parts = json.loads(found.output) if program == "phytoscribe" else {}
        peak = parts.get("peak_mib", found.peak_mib)
        steps = (f"{parts[name]:.1f}" if parts else "" for name in ("reading", "scoring"))
        cells = (*facts, program, *sizes, f"{found.seconds:.1f}", f"{found.cpu_seconds:.1f}", *steps, f"{peak:.0f}")
        with given.table.open("a") as table:
            table.write("\t".join(map(str, cells)) + "\n")
        print(*cells, sep="\t", flush=True)


def timed(command: list[str]) -> SimpleNamespace:
    """Wall and CPU seconds of a command with one thread, its peak memory and its output; imports and start count."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    begin = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **one_thread}, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed")
    return SimpleNamespace(
        seconds=time.perf_counter() - begin,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        output=output,
    )


def make_input(files: list[Path], genes: int) -> None:
    """The example over and over, the same in both files."""
    from dataclasses import replace

    from phytoscribe.annotation import sort_genes
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.gff_writer import write_gff3

    example = read_gff3(EXAMPLE)
    tiled = []
    for copy in range(-(-genes // len(example))):
        for gene in example:
            contig = f"{gene.contig}.copy{copy}"
            transcripts = tuple(replace(t, id=f"{t.id}.copy{copy}", contig=contig) for t in gene.transcripts)
            new = replace(gene, id=f"{gene.id}.copy{copy}", contig=contig, transcripts=transcripts)
            tiled.append(new)
    del tiled[genes:]
    lengths: dict[str, int] = {}
    for gene in tiled:
        lengths[gene.contig] = max(lengths.get(gene.contig, 0), gene.end)
    contigs = dict(sorted(lengths.items()))
    ordered = sort_genes(tiled, contigs)
    for file in files:
        with file.open("w", encoding="utf-8") as handle:
            write_gff3(handle, ordered, contigs)


def score(files: list[Path]) -> None:
    """All that rule evaluate_genes does with two annotations; prints what it took, as JSON."""
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.collector import collector_paused
    from phytoscribe.evaluation.accuracy.gene_tables import Scope, evaluate_predictor

    begin = time.perf_counter()
    with collector_paused():
        reference, predicted = (read_gff3(file) for file in files)
        read = time.perf_counter()
        scope = Scope(reference, (), {gene.contig for gene in reference}, {})
        rows, loci, genes = evaluate_predictor("self", predicted, scope)
    done = time.perf_counter()
    wrong = [row for row in rows if row[4] in ("precision", "recall", "f1") and row[6] and row[5] != 1]
    if wrong or not len(loci) == len(genes) == len(reference):
        raise SystemExit(f"not the same as itself: {wrong[:3]}")
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    print(json.dumps({"reading": read - begin, "scoring": done - read, "peak_mib": peak}))


if __name__ == "__main__":
    main()
