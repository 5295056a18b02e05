"""Speed, memory and sameness of the prediction, with a model folder, as a table.

Usage: python benchmarks/prediction_speed.py MODEL [speed] [memory] [sameness] [--threads 2] [--output FILE.tsv]

speed      kb of genome a second from FASTA to GFF3 (both strands, decoding, all files), and AUGUSTUS on the same piece
memory     peak resident memory on synthetic genomes of 10 and 100 Mb (--megabases): contigs of the example, mutated
sameness   batch size 1 and 8, 1 and 2 threads, 1 and 7 shards, and the reverse-complemented genome

Each prediction is a process of its own, as in a rule.  On a machine with other work the clock says little: the core
seconds that the process took are given too, and the speed that they mean where all threads have a core.  GPU figures:
`--device cuda`.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.augustus import run_augustus
from phytoscribe.genome import Genome, check_fasta, decode, reverse_complement
from phytoscribe.genome.fasta import write_index
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.run import merge_shards, predict_shard

EXAMPLE = Path(__file__).resolve().parents[1] / "resources" / "example" / "athaliana"
#: A validation contig, and the piece of it that AUGUSTUS reads too.
CONTIG, PIECE = "Chr3_1065466_1464870", 300_000
#: Share of bases that are changed in each copy of a contig.
MUTATED = 0.02
ENDINGS = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
SETTINGS = {"window": 24576, "margin": 512, "batch_size": 8, "precision": "auto", "sensitivity": 0.0, "partial": False}
Row = tuple[str, str, Any, str]


def predicted(task: dict[str, Any]) -> dict[str, float]:
    """Run one prediction in this process, from FASTA to all files; what it took."""
    folder = Path(task["folder"])
    began, shards = time.monotonic(), task["settings"]["shards"]
    paths = [str(folder / f"{shard}.jsonl") for shard in range(shards)]
    for shard, path in enumerate(paths):
        predict_shard(
            task["fasta"],
            Path(task["model"]),
            task["settings"],
            "athaliana",
            "Brassicales",
            None,
            shard,
            path,
            task["threads"],
        )
    merge_shards(paths, task["fasta"], "x", None, PredictionFiles(*(folder / name for name in ENDINGS)))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": time.monotonic() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "mebibytes": used.ru_maxrss / 1024,
    }


class Benchmark:
    """Predictions with one model, each in a process of its own."""

    def __init__(self, model: Path, threads: int, device: str, folder: Path) -> None:
        self.model, self.threads, self.device, self.folder = model, threads, device, folder
        self._count = 0

    def predict(self, fasta: Path, threads: int = 0, **settings: Any) -> tuple[Path, dict[str, float]]:
        """Folder with the files of a prediction, and what it took."""
        self._count += 1
        folder = self.folder / f"run{self._count}"
        folder.mkdir()
        task = {
            "folder": str(folder),
            "fasta": str(fasta),
            "model": str(self.model),
            "threads": threads or self.threads,
            "settings": {**SETTINGS, "device": self.device, "shards": 1, **settings},
        }
        command = [sys.executable, __file__, "--task", json.dumps(task)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return folder, json.loads(done.stdout.splitlines()[-1])

    def fasta(self, name: str, contigs: Iterator[tuple[str, np.ndarray]]) -> Path:
        """An indexed FASTA of contigs that are made one by one."""
        path = self.folder / f"{name}.fa"
        with path.with_suffix(".raw").open("w") as handle:
            handle.writelines(f">{contig}\n{decode(bases)}\n" for contig, bases in contigs)
        check_fasta(path.with_suffix(".raw"), path)
        path.with_suffix(".raw").unlink()
        write_index(path, f"{path}.fai")
        return path

    def speed(self, example: Genome) -> Iterator[Row]:
        bases = example.bases(CONTIG, 0, PIECE)
        fasta = self.fasta("piece", iter([(CONTIG, bases)]))
        self.predict(fasta)  # compiles the decoder, where it has not been
        small = self.fasta("small", iter([("small", bases[:2000])]))
        _, start = self.predict(small)
        _, took = self.predict(fasta)
        core_seconds = took["cpu"] - start["cpu"]
        what = f"{CONTIG}, first {PIECE} bases; {self.threads} threads; start of {start['wall']:.1f} s taken off"
        yield "kb/s by the clock", what, round(PIECE / 1e3 / (took["wall"] - start["wall"]), 1), self.device
        yield "kb/s by core seconds", what, round(PIECE / 1e3 / core_seconds * self.threads, 1), self.device
        per_core = PIECE / 1e3 / core_seconds
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_augustus(CONTIG, bases, "arabidopsis", self.folder / "augustus.gff")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        augustus = PIECE / 1e3 / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        yield "AUGUSTUS, kb/s of a core", what, round(augustus, 1), "cpu"
        yield "times AUGUSTUS, per core", what, round(per_core / augustus, 1), self.device

    def memory(self, example: Genome, megabases: list[int]) -> Iterator[Row]:
        peaks = []
        for size in megabases:
            fasta = self.fasta(f"synthetic{size}", synthetic(example, size * 1_000_000))
            folder, took = self.predict(fasta)
            peaks.append(took["mebibytes"])
            genes = sum("\tgene\t" in line for line in (folder / "gff3").open())
            yield "peak memory, MiB", f"{size} Mb, {genes} genes", round(took["mebibytes"]), self.device
            yield "core seconds", f"{size} Mb", round(took["cpu"]), self.device
            yield "seconds by the clock", f"{size} Mb, {self.threads} threads", round(took["wall"]), self.device
            fasta.unlink()
        yield "growth of peak memory", f"{megabases[0]} to {megabases[-1]} Mb", round(peaks[-1] / peaks[0], 3), ""

    def sameness(self, example: Genome) -> Iterator[Row]:
        contigs = {name: example.bases(name, 0, 100_000) for name in ("Chr2", "Chr3", "Chr4", CONTIG)}
        forward = self.fasta("forward", iter(contigs.items()))
        backward = self.fasta("backward", ((name, reverse_complement(b)) for name, b in contigs.items()))
        first, _ = self.predict(forward, threads=1)
        genes = read_gff3(first / "gff3")
        yield "genes compared", ", ".join(contigs), len(genes), self.device
        for what, threads, settings in (
            ("batch size 1", 1, {"batch_size": 1}),
            ("2 threads", 2, {}),
            ("7 shards", 2, {"shards": 7}),
        ):
            other, _ = self.predict(forward, threads=threads, **settings)
            same = all((first / name).read_bytes() == (other / name).read_bytes() for name in ENDINGS)
            yield f"{what}: same bytes", "all files", same, self.device
        mirrored, _ = self.predict(backward, threads=2)
        back = [gene.reverse_complement(contigs[gene.contig].size) for gene in read_gff3(mirrored / "gff3")]
        yield "reverse complement: same genes", "CDS", places(genes, "cds") == places(back, "cds"), self.device
        yield "reverse complement: same exons", "exons", places(genes, "exons") == places(back, "exons"), self.device


def places(genes: list[GeneModel], part: str) -> list[tuple]:
    """Where the genes are, in an order that their strand does not change."""
    return sorted((g.contig, g.strand, round(g.score or 0, 3), getattr(g.transcripts[0], part)) for g in genes)


def synthetic(example: Genome, bases: int) -> Iterator[tuple[str, np.ndarray]]:
    """Contigs of the example over and over, each copy mutated in other places, until there are so many bases."""
    generator = np.random.default_rng(1)
    number = 0
    while bases > 0:
        for name, length in example.contigs.items():
            copy = example.bases(name, 0, min(length, bases))
            changed = generator.random(copy.size) < MUTATED
            copy[changed] = generator.integers(0, 4, int(changed.sum()))
            number += 1
            yield f"contig{number}", copy
            bases -= copy.size
            if bases <= 0:
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("parts", nargs="*", default=[], help="speed, memory, sameness; all without any")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--megabases", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    parts = given.parts or ["speed", "memory", "sameness"]
    with tempfile.TemporaryDirectory() as name, (given.output or Path("/dev/stdout")).open("w") as handle:
        folder = Path(name)
        check_fasta(EXAMPLE / "genome.fa.gz", folder / "example.fa")
        write_index(folder / "example.fa", folder / "example.fa.fai")
        benchmark = Benchmark(given.model, given.threads, given.device, folder)
        table = csv.writer(handle, delimiter="\t", lineterminator="\n")
        table.writerow(("measure", "of", "value", "device"))
        with Genome(folder / "example.fa") as example:
            rows = {
                "speed": lambda: benchmark.speed(example),
                "memory": lambda: benchmark.memory(example, given.megabases),
                "sameness": lambda: benchmark.sameness(example),
            }
            for part in parts:
                for row in rows[part]():
                    table.writerow(row)
                    handle.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps(predicted(json.loads(sys.argv[2]))))
    else:
        main()
