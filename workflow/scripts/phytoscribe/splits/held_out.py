"""What of a genome training and pretraining may see.

A held-out interval reads as N in the pretraining corpus, the tokenizer corpus and training windows, and has loss
weight 0.  What is held out follows from the genome's role first, then from the split mode: whole genomes of role
``validate`` or ``test``; whole contigs in mode ``contig``; loci with a flank on each side in mode ``cluster``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from phytoscribe.errors import ConfigError
from phytoscribe.genome.intervals import Interval, merge_intervals

if TYPE_CHECKING:
    import pandas as pd

TRAIN, VALIDATE, TEST = "train", "validate", "test"
PARTS = (TRAIN, VALIDATE, TEST)
CLUSTER_MODE, CONTIG_MODE = "cluster", "contig"
#: Bases on each side of a held-out locus that training must not see either: core promoter, terminator, splice context.
FLANK = 500


def complete_contig_parts(contigs: Iterable[str], named: Mapping[str, str], genome: str) -> dict[str, str]:
    """Part of every contig of a genome in mode ``contig``: contigs that the configuration does not name are ``train``.

    Args:
        contigs: names in the FASTA.
        named: ``{contig: part}`` of the contigs that the configuration names.
        genome: name, for messages.

    Raises:
        ConfigError: an unknown part, or a contig that the FASTA lacks.
    """
    parts = dict.fromkeys(contigs, TRAIN)
    for contig, part in named.items():
        if part not in PARTS:
            raise ConfigError(f"genomes: {genome}: contigs: {part!r} is no part; use one of {', '.join(PARTS)}")
        if contig not in parts:
            shown = ", ".join([*list(parts)[:5], *["..."][: len(parts) > 5]])
            raise ConfigError(
                f"genomes: {genome}: contigs: {part}: there is no contig {contig!r} in its FASTA, which has {shown}"
            )
        parts[contig] = part
    return parts


def held_out_intervals(
    splits: pd.DataFrame,
    genome: str,
    contigs: Mapping[str, int],
    role: str,
    mode: str,
    contig_parts: Mapping[str, str],
    flank: int = FLANK,
) -> dict[str, list[Interval]]:
    """Intervals of a genome that training must see as N.

    Args:
        splits: the table of :func:`phytoscribe.splits.assign.assign_splits`.
        genome: its name in that table.
        contigs: contig lengths in bases.
        role: the genome's role; every role but ``train`` holds out all of it.
        mode: ``cluster`` or ``contig``.
        contig_parts: ``{contig: part}`` of this genome for mode ``contig``; contigs it lacks are ``train``.
        flank: bases added on both sides of a held-out locus in mode ``cluster``.

    Returns:
        ``{contig: intervals}`` for every contig: 0-based, half-open, sorted, merged, inside the contig.
    """
    if role != TRAIN:
        return {contig: [(0, length)] for contig, length in contigs.items()}
    if mode == CONTIG_MODE:
        held_out = {contig for contig, part in contig_parts.items() if part != TRAIN}
        return {contig: [(0, length)] if contig in held_out else [] for contig, length in contigs.items()}
    if mode != CLUSTER_MODE:
        raise ConfigError(f"split.mode: {mode!r} is unknown; use cluster or contig")
    rows = splits[(splits["genome"] == genome) & (splits["part"] != TRAIN)]
    found: dict[str, list[Interval]] = {contig: [] for contig in contigs}
    for contig, start, end in zip(rows["contig"], rows["start"], rows["end"], strict=True):
        found[contig].append((max(0, int(start) - flank), min(contigs[contig], int(end) + flank)))
    return {contig: merge_intervals(intervals) for contig, intervals in found.items()}


def train_contigs(contigs: Iterable[str], role: str, mode: str, contig_parts: Mapping[str, str]) -> list[str]:
    """Contigs that hold training sequence, in order; in mode ``cluster`` their held-out loci are still to be masked."""
    if role != TRAIN:
        return []
    return [contig for contig in contigs if mode == CLUSTER_MODE or contig_parts.get(contig, TRAIN) == TRAIN]
