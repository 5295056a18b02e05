"""Time and memory of cleaning and checking a large annotation, each stage as its rule's script runs it.

Usage: python benchmarks/annotation_scale.py [--lines 1000000] [--layout as_it_is] [--note TEXT]
       [--table benchmarks/annotation_scale.tsv]

The example genome and its annotation are repeated, copy by copy, as contigs of their own with ids of their own, until
the annotation has at least that many feature lines.  Layouts: the example as it is; `ncbi`, without UTR lines and with
360 more characters of attributes in every line; `gtf`, GTF with nothing but the parts of transcripts.

Every stage is the script of its rule in a process of its own on one core (CPU affinity and one thread).  One row per
stage goes to the terminal and, appended, to the table: date, note, layout, stage, feature lines of the input, seconds,
lines a second, peak resident memory in MiB (VmHWM of the process).
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import logging
import math
import os
import re
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
EXAMPLE = ROOT / "resources" / "example" / "athaliana"
LIMITS = {"minimum_intron": 20, "maximum_intron": 50_000, "minimum_cds_segment": 3}
COLUMNS = ("date", "note", "layout", "stage", "lines", "seconds", "lines_per_second", "peak_mib")
LAYOUTS = ("as_it_is", "ncbi", "gtf")
#: Attributes of an NCBI line.
NCBI = (
    "Dbxref=Araport:AT1G01010,TAIR:AT1G01010,GeneID:839580,Genbank:NM_099983.2;Name=NM_099983.2;gbkey=mRNA;gene=NAC001;"
    "inference=Similar to RNA sequence%2C mRNA:INSD:BT001115.1%2CINSD:AF439834.1;locus_tag=AT1G01010;"
    "orig_protein_id=gnl|JCVI|AT1G01010.1;orig_transcript_id=gnl|JCVI|mRNA.AT1G01010.1;"
    "product=NAC domain containing protein 1;transcript_id=NM_099983.2"
)
#: Stage, in the order of the chain, and what it writes; the gene table is one of the outputs of check_annotation.
STAGES = {
    "clean_annotation": {"gff3": "clean.gff3", "repairs": "repairs.tsv"},
    "check_annotation": {"transcripts": "rejected.tsv", "genes": "genes.tsv", "summary": "check.json"},
    "accept_annotation": {"accepted": "accepted.gff3"},
}


class Files(SimpleNamespace):
    """Named files with Snakemake's access by position."""

    def __getitem__(self, index: int) -> str:
        return list(vars(self).values())[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="feature lines at least")
    parser.add_argument("--table", type=Path, default=ROOT / "benchmarks" / "annotation_scale.tsv")
    parser.add_argument("--layout", choices=LAYOUTS, default="as_it_is")
    parser.add_argument("--note", default="", help="what is measured, for the table")
    parser.add_argument("--folder", type=Path, help="keep the files there; made input found there is used again")
    parser.add_argument("--stage", choices=["make", *STAGES], help=argparse.SUPPRESS)
    parser.add_argument("--profile", type=Path, help="with --stage: write a cProfile there")
    given = parser.parse_args()
    if given.stage == "make":
        make_input(given.folder, given.lines, given.layout)
    elif given.stage:
        run_stage(given.stage, given.folder, given.profile)
    elif given.folder:
        measure(given.folder, given)
    else:
        with tempfile.TemporaryDirectory(prefix="phytoscribe-scale-") as folder:
            measure(Path(folder), given)


def measure(folder: Path, given: argparse.Namespace) -> None:
    """Every stage in a process of its own; its row is printed and appended."""
    if not (folder / "input.json").exists():
        in_own_process("make", folder, "--lines", str(given.lines), "--layout", given.layout)
    lines = json.loads((folder / "input.json").read_text())["lines"]
    date = datetime.date.today().isoformat()
    total, highest = 0.0, 0.0
    if not given.table.exists():
        given.table.write_text("\t".join(COLUMNS) + "\n")
    with given.table.open("a") as table:
        for stage in STAGES:
            found = in_own_process(stage, folder)
            total, highest = total + found["seconds"], max(highest, found["peak_mib"])
            report(table, date, given, stage, lines, found["seconds"], found["peak_mib"])
        report(table, date, given, "all", lines, total, highest)


def report(
    table: IO[str], date: str, given: argparse.Namespace, stage: str, lines: int, seconds: float, peak: float
) -> None:
    cells = (date, given.note, given.layout, stage, lines, f"{seconds:.1f}", f"{lines / seconds:.0f}", f"{peak:.0f}")
    table.write("\t".join(map(str, cells)) + "\n")
    table.flush()
    print(f"{stage:20} {lines} lines  {seconds:6.1f} s  {lines / seconds:8.0f} lines/s  {peak:6.0f} MiB", flush=True)


def in_own_process(stage: str, folder: Path, *options: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--stage", stage, "--folder", str(folder), *options]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    begin = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **one_thread}, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - begin  # start of Python and imports included
    if done.returncode:
        raise SystemExit(f"{stage} failed with exit code {done.returncode}; its log is {folder / stage}.log")
    return {"seconds": seconds, "peak_mib": float(done.stdout.split()[-1])}


def run_stage(stage: str, folder: Path, profile: Path | None) -> None:
    """One rule's script on one core; prints the peak memory."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sys.path.insert(0, str(SCRIPTS))
    outputs = {name: str(folder / file) for files in STAGES.values() for name, file in files.items()}
    source = {"annotation": folder / "in.gff3", "fasta": folder / "genome.fa", "fai": folder / "genome.fa.fai"}
    snakemake = SimpleNamespace(
        input=Files(**{name: str(path) for name, path in source.items()}, **outputs),
        output=Files(**outputs),
        params=Files(
            backend="builtin",
            seqid_map=None,
            limits=LIMITS,
            organelles=[],
            genome="scale",
            thresholds={"warn_above": 0.1, "stop_above": 0.5},
        ),
        log=[str(folder / f"{stage}.log")],
        rule=stage,
    )
    script = str(SCRIPTS / f"{stage}.py")
    if profile is None:
        runpy.run_path(script, init_globals={"snakemake": snakemake})
    else:
        import cProfile

        profiler = cProfile.Profile()
        profiler.runcall(runpy.run_path, script, init_globals={"snakemake": snakemake})
        profiler.dump_stats(profile)
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024)


def in_layout(layout: str, columns: str, attributes: str) -> str | None:
    """Column 9 of a line (with the newline; ``{copy}`` stands behind every id), or None for a line to leave out."""
    kind = columns.split("\t")[1]
    if layout == "ncbi":
        return None if kind.endswith("UTR") else attributes.replace("\n", f";{NCBI}\n")
    if layout == "gtf":
        if kind in ("gene", "mRNA"):
            return None
        transcript = attributes.strip().removeprefix("Parent=")
        gene = transcript.rsplit(".", 1)[0] + "{copy}"
        return f'gene_id "{gene}"; transcript_id "{transcript}"; gene_biotype "protein_coding";\n'
    return attributes


def make_input(folder: Path, lines: int, layout: str) -> None:
    """Genome with index, and annotation, each the example over and over under new names."""
    sys.path.insert(0, str(SCRIPTS))
    logging.basicConfig(level=logging.WARNING)
    from phytoscribe.genome.fasta import check_fasta, write_index

    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with gzip.open(EXAMPLE / "annotation.gff3.gz", "rt") as source:
        for line in source:
            if line[0] != "#":
                contig, rest = line.split("\t", 1)
                columns, attributes = rest.rsplit("\t", 1)
                named = re.sub(r"(?<![^;])(ID|Parent)=([^;\n]+)", r"\1=\2{copy}", attributes)
                column = in_layout(layout, columns, named)
                if column is not None:
                    rows.append((contig, columns, column))
    if any("," in attributes.partition("Parent=")[2].partition(";")[0] for _, _, attributes in rows):
        raise SystemExit("the example has lists of parents; each of their names must get the suffix of its copy")
    copies = math.ceil(lines / len(rows))
    with (folder / "in.gff3").open("w") as out:
        out.write("##gff-version 3\n")
        for copy in range(copies):
            suffix = f".c{copy:02d}"
            for contig, columns, attributes in rows:
                out.write(f"{contig}{suffix}\t{columns}\t{attributes.replace('{copy}', suffix)}")
    example = folder / "example.fa"
    check_fasta(EXAMPLE / "genome.fa.gz", example)
    records = example.read_text().split(">")[1:]
    example.unlink()
    with (folder / "genome.fa").open("w") as out:
        for copy in range(copies):
            for record in records:
                name, sequence = record.split("\n", 1)
                out.write(f">{name}.c{copy:02d}\n{sequence}")
    write_index(folder / "genome.fa", folder / "genome.fa.fai")
    (folder / "input.json").write_text(json.dumps({"lines": copies * len(rows), "copies": copies}))
    print(0)


if __name__ == "__main__":
    main()
