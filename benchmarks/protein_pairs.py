"""Proteins of which another set has a similar one, by DIAMOND with the limits of the workflow's clusters.

Identical residues are half of the shorter protein, and the alignment spans four fifths of it.  A CD-HIT cluster asks
for this of its longest protein alone, so it overlooks some pairs; and DIAMOND takes a minute where CD-HIT takes 44.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from phytoscribe.files import scratch_folder
from phytoscribe.programs import require, run
from phytoscribe.splits.clusters import ClusterSettings

#: Columns of DIAMOND's table.
_COLUMNS = ("qseqid", "sseqid", "nident", "qlen", "slen", "qstart", "qend", "sstart", "send")
#: Pairs that DIAMOND lists of a protein, the best ones: a similar one is among them.
_MOST_PAIRS = 100


def paired(queries: Iterable[tuple[str, str]], targets: Iterable[tuple[str, str]], threads: int = 1) -> set[str]:
    """Names of the queries that have a similar protein among the targets; both are (name, sequence), names unique."""
    limits = ClusterSettings()
    with scratch_folder() as folder:
        _write(folder / "queries", queries)
        _write(folder / "targets", targets)
        diamond, often = require("diamond", "the search for protein pairs"), ["--threads", threads, "--quiet"]
        run([diamond, "makedb", "--in", folder / "targets", "--db", folder / "db", *often])
        command = [diamond, "blastp", "--db", folder / "db", "--query", folder / "queries", "--out", folder / "hits"]
        run([*command, "--sensitive", "--max-target-seqs", _MOST_PAIRS, *often, "--outfmt", 6, *_COLUMNS])
        hits = pd.read_csv(folder / "hits", sep="\t", names=list(_COLUMNS), dtype={"qseqid": str})
    of_query = hits["qlen"] <= hits["slen"]
    shorter = hits["qlen"].where(of_query, hits["slen"])
    span = (hits["qend"] - hits["qstart"]).where(of_query, hits["send"] - hits["sstart"]) + 1
    similar = (hits["nident"] >= limits.identity * shorter) & (span >= limits.coverage * shorter)
    return set(hits.loc[similar, "qseqid"])


def _write(path: Path, records: Iterable[Sequence[str]]) -> None:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records), "ascii")
