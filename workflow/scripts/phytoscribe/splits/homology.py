"""A search more sensitive than the clustering: what blastp still finds between held-out and training proteins."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from phytoscribe.errors import ToolError
from phytoscribe.files import scratch_folder

logger = logging.getLogger(__name__)

MAXIMUM_EVALUE = 1e-5
MINIMUM_IDENTITY = 30.0  # percent, of the best segment pair
MINIMUM_COVERAGE = 50.0  # percent of the query inside alignments with the subject
HIT_COLUMNS = ("protein", "subject", "identity", "coverage", "evalue", "bitscore")

Records = Sequence[tuple[str, str]]


def best_hits(queries: Records, subjects: Records, threads: int = 1) -> pd.DataFrame:
    """Best hit in ``subjects`` of every query that has one within the limits of this module.

    Args:
        queries, subjects: (id, sequence) records of proteins.
        threads: for blastp; the result does not depend on them.

    Returns:
        Columns :data:`HIT_COLUMNS`, one row per query with a hit, sorted by query id.

    Raises:
        ToolError: BLAST+ is missing or failed.
    """
    if not queries or not subjects:
        return pd.DataFrame({column: [] for column in HIT_COLUMNS})
    with scratch_folder("phytoscribe-blastp-") as folder:
        query, subject, database, found = (folder / name for name in ("query.faa", "subject.faa", "db", "hits.tsv"))
        # Serial numbers as names: BLAST reads meaning into bars and colons.
        for path, records in ((query, queries), (subject, subjects)):
            path.write_text("".join(f">{n}\n{sequence}\n" for n, (_, sequence) in enumerate(records)), encoding="ascii")
        _run("makeblastdb", "-in", subject, "-dbtype", "prot", "-out", database)
        limits = ("-evalue", MAXIMUM_EVALUE, "-max_target_seqs", 100, "-num_threads", threads)
        columns = "6 qseqid sseqid pident qcovs evalue bitscore"
        _run("blastp", "-query", query, "-db", database, "-out", found, *limits, "-outfmt", columns)
        hits = pd.read_csv(found, sep="\t", names=list(HIT_COLUMNS))
    hits = hits[(hits["identity"] >= MINIMUM_IDENTITY) & (hits["coverage"] >= MINIMUM_COVERAGE)]
    hits = hits.sort_values(["protein", "bitscore", "subject"], ascending=[True, False, True])
    hits = hits.drop_duplicates("protein")
    hits["protein"] = [queries[number][0] for number in hits["protein"]]
    hits["subject"] = [subjects[number][0] for number in hits["subject"]]
    logger.info("blastp: %d of %d held-out proteins have a hit in %d", len(hits), len(queries), len(subjects))
    return hits.sort_values("protein", ignore_index=True)


def _run(name: str, *arguments: str | Path | float) -> None:
    program = shutil.which(name)
    if program is None:
        raise ToolError(
            f"{name}: not found on PATH; install BLAST+ (apt-get install ncbi-blast+, or conda install blast)"
        )
    command = [program, *(str(argument) for argument in arguments)]
    logger.info("%s", " ".join(command))
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise ToolError(f"{name}: exit code {run.returncode}: " + " | ".join(run.stderr.strip().splitlines()[-8:]))
