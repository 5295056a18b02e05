"""Rejected transcripts as intervals that count for nothing."""

from __future__ import annotations

import pandas as pd

from phytoscribe.annotation.checking.reasons import HARMLESS_REASONS


def rejected_loci(path: str, accepted: set[str]) -> list[tuple[str, int, int]]:
    """Spans of rejected coding transcripts of genes without any accepted one (0-based half-open)."""
    table = pd.read_csv(path, sep="\t", dtype={"gene": str, "contig": str}, keep_default_na=False)
    chosen = table[~table["gene"].isin(accepted) & ~table["reason"].isin(HARMLESS_REASONS)]
    return [(str(c), int(s), int(e)) for c, s, e in zip(chosen["contig"], chosen["start0"], chosen["end"], strict=True)]
