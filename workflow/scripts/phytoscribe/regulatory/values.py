"""Probabilities of labels along a genome, from prediction to tracks: a table of numpy, and what it holds as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from phytoscribe.files import atomic_open

Values = np.ndarray


def describe_values(described: str | Path, labels: Sequence[str], contigs: Mapping[str, int], width: int) -> None:
    """Write what a table holds: its labels, contigs with their lengths, and the bases of a bin."""
    with atomic_open(described) as handle:
        handle.write(json.dumps({"labels": list(labels), "contigs": dict(contigs), "bin": width}) + "\n")


def read_values(values: str | Path, described: str | Path) -> tuple[dict[str, Values], dict[str, int], int]:
    """The probabilities of each label, float16 (bins,); contigs with their lengths; the bases of a bin.

    Bins of unknown sequence are nan; each contig has as many bins as fit into it.
    """
    what = json.loads(Path(described).read_text(encoding="utf-8"))
    table = np.load(values, mmap_mode="r")
    return dict(zip(what["labels"], table, strict=True)), what["contigs"], int(what["bin"])
