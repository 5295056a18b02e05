"""The tables of the split stage on disk: tab-separated, one header line, 0-based half-open coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open

#: One row per locus that codes for an accepted protein; ``protein`` is its id in the protein FASTA.
LOCUS_COLUMNS = ("genome", "contig", "start", "end", "strand", "locus", "transcript", "protein", "protein_length")
#: One row per protein; ``identity`` to the representative in percent (100 for the representative itself).
CLUSTER_COLUMNS = ("protein", "cluster", "representative", "identity")
#: The split: one row per locus.
SPLIT_COLUMNS = ("genome", "contig", "start", "end", "strand", "locus", "cluster", "part", "has_train_homologue")
LEAKAGE_COLUMNS = ("check", "part_a", "part_b", "value")

_TYPES = dict.fromkeys(("start", "end", "protein_length", "cluster"), "int64")
_TYPES |= {"identity": "float64", "value": "float64", "has_train_homologue": "bool"}


def read_table(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table with exactly these columns; all but numbers and flags are text, even a gene named ``NA``.

    Raises:
        PhytoScribeError: the file has other columns.
    """
    types = {column: _TYPES.get(column, "str") for column in columns}
    table = pd.read_csv(path, sep="\t", dtype=types, keep_default_na=False)
    if tuple(table.columns) != tuple(columns):
        raise PhytoScribeError(f"{path}: columns are {', '.join(table.columns)}; expected {', '.join(columns)}")
    return table


def read_loci(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read and concatenate the locus tables of several genomes, columns :data:`LOCUS_COLUMNS`."""
    return pd.concat([read_table(path, LOCUS_COLUMNS) for path in paths], ignore_index=True)


def write_table(path: str | Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Write these columns by rename; the same table gives the same bytes."""
    with atomic_open(path) as handle:
        table.loc[:, list(columns)].to_csv(handle, sep="\t", index=False, lineterminator="\n")
