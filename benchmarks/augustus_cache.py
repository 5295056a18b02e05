"""AUGUSTUS runs kept for the next time: it takes a minute for a megabase, and always says the same."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from phytoscribe.annotation.model import GeneModel, numbered, sort_genes
from phytoscribe.evaluation.accuracy.augustus import OPTIONS, read_augustus, run_augustus, version
from phytoscribe.files import atomic_open, atomic_path
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import Bases, decode


@dataclass(frozen=True)
class AugustusRun:
    """One run on one contig, on one core.

    Attributes:
        cpu_seconds: user and system time of its process.
        wall_seconds: the same by the clock.
        day: when it ran, ISO 8601.
    """

    contig: str
    bases: int
    species: str
    version: str
    cpu_seconds: float
    wall_seconds: float
    day: str


class AugustusCache:
    """Outputs by contig in a folder; a file's name is the hash of version, species, options, contig name and bases."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.version = version()

    def predict_genes(
        self, genome: Genome, contigs: Sequence[str], species: str, options: Sequence[str] = ()
    ) -> tuple[list[GeneModel], list[AugustusRun]]:
        """What :func:`~phytoscribe.evaluation.accuracy.augustus.predict_genes` returns, and the runs by contig.

        Raises:
            ToolError: augustus is missing or fails.
        """
        found, runs = [], []
        for contig in contigs:
            output, run = self.run(contig, genome.bases(contig), species, options=options)
            found += read_augustus(output)
            runs.append(run)
        return list(numbered(sort_genes(found, genome.contigs), "augustus")), runs

    def run(
        self, contig: str, bases: Bases, species: str, anew: bool = False, options: Sequence[str] = ()
    ) -> tuple[Path, AugustusRun]:
        """Output file and record of a run on one contig; ``anew`` repeats one that is there, to time it."""
        text = "\n".join([self.version, species, *OPTIONS, *options, contig, decode(bases)])
        stem = self.folder / hashlib.sha256(text.encode()).hexdigest()[:20]
        output, record = stem.with_suffix(".gff"), stem.with_suffix(".json")
        if anew or not (output.is_file() and record.is_file()):
            record.unlink(missing_ok=True)
            with atomic_path(output) as scratch:
                wall, cpu = time.monotonic(), _cpu_of_children()
                run_augustus(contig, bases, species, scratch, options)
                wall, cpu = time.monotonic() - wall, _cpu_of_children() - cpu
            day = date.today().isoformat()
            done = AugustusRun(contig, bases.size, species, self.version, round(cpu, 2), round(wall, 2), day)
            with atomic_open(record) as handle:
                handle.write(json.dumps(asdict(done)) + "\n")
        return output, AugustusRun(**json.loads(record.read_text(encoding="utf-8")))


def _cpu_of_children() -> float:
    """CPU seconds of all child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system
