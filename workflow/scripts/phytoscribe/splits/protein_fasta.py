"""Reading the protein FASTA files of the split stage."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from phytoscribe.errors import FastaError
from phytoscribe.files import open_text


def read_proteins(paths: Iterable[str | Path]) -> list[tuple[str, str]]:
    """(id, sequence) records of several FASTA files, in their order.

    Raises:
        FastaError: an id is used twice, or there is text before the first header.
    """
    sequences: dict[str, list[str]] = {}
    for path in paths:
        lines: list[str] | None = None
        with open_text(path) as handle:
            for number, line in enumerate(handle, start=1):
                if line.startswith(">"):
                    name = line[1:].split(maxsplit=1)[0]
                    if name in sequences:
                        raise FastaError(f"{path}, line {number}: protein {name!r} was read before")
                    lines = sequences[name] = []
                elif lines is None:
                    raise FastaError(f"{path}, line {number}: text before the first '>' header")
                else:
                    lines.append(line.strip())
    return [(name, "".join(lines)) for name, lines in sequences.items()]
