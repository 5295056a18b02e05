"""The leakage table: what lies on two sides of a split, in numbers.

========================================  ============================================================================
check                                     value
========================================  ============================================================================
loci                                      loci of part_a
clusters_on_two_sides                     protein clusters with loci of part_a and of part_b
loci_on_two_sides                         loci of part_a that share a base with a locus of part_b
bases_on_two_sides                        bases that lie in a locus of part_a and in one of part_b
held_out_bases_in_training                bases in loci of part_a that training on part_b sees unmasked
loci_with_train_homologue                 loci of part_a whose cluster has a locus of part_b (train)
loci_with_blastp_hit                      loci of part_a with a blastp hit in part_b (train); limits in ``homology``
loci_with_blastp_hit_outside_cluster      those of them that have no locus of part_b in their cluster
loci_with_nucleotide_hit                  loci of part_a that, with their flanks, are found by blastn in the sequence
                                          that training sees; limits: split.nucleotide_identity and _coverage
========================================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations

import pandas as pd

from phytoscribe.genome.intervals import Interval, IntervalIndex, as_places, merge_intervals, shared_bases
from phytoscribe.splits.held_out import (
    CLUSTER_MODE,
    PARTS,
    TEST,
    TRAIN,
    VALIDATE,
)
from phytoscribe.splits.homology import Records
from phytoscribe.splits.parts import Parts
from phytoscribe.splits.table import LEAKAGE_COLUMNS

Row = tuple[str, str, str, int]
NO_PART = "-"


def leakage_table(
    splits: pd.DataFrame,
    loci: pd.DataFrame,
    hits: pd.DataFrame,
    parts: Mapping[str, Parts],
    similar: Collection[tuple[str, str]],
) -> pd.DataFrame:
    """All checks of this module, columns :data:`~phytoscribe.splits.table.LEAKAGE_COLUMNS`.

    Args:
        splits: the split table.
        loci: the locus tables of all genomes (for protein ids).
        hits: blastp hits of held-out proteins in training proteins, of :func:`~phytoscribe.splits.homology.best_hits`.
        parts: by genome, as later stages read them.
        similar: (genome, locus) of :func:`~phytoscribe.splits.homology.nucleotide_hits`.
    """
    rows: list[Row] = [("loci", part, NO_PART, int((splits["part"] == part).sum())) for part in PARTS]
    for part_a, part_b in combinations(PARTS, 2):
        a, b = splits[splits["part"] == part_a], splits[splits["part"] == part_b]
        rows.append(("clusters_on_two_sides", part_a, part_b, len(set(a["cluster"]) & set(b["cluster"]))))
        rows.extend(_shared_bases(a, b, part_a, part_b))
    masked = {name: {contig: of.held_out(contig) for contig in of.contigs} for name, of in parts.items()}
    for part in PARTS:
        if part != TRAIN:
            visible = _visible_bases(splits[splits["part"] == part], masked)
            rows.append(("held_out_bases_in_training", part, TRAIN, visible))
    rows.extend(_homologues(splits, loci, hits, similar))
    table = pd.DataFrame(rows, columns=list(LEAKAGE_COLUMNS))
    return table.sort_values(["check", "part_a", "part_b"], key=_table_order, kind="stable", ignore_index=True)


def held_out_and_train(splits: pd.DataFrame, loci: pd.DataFrame, proteins: Records) -> tuple[Records, Records]:
    """Proteins of loci that validation and test score, and those of loci that training sees; order kept."""
    part_of_locus = {(row.genome, row.locus): row.part for row in splits.itertuples()}
    part_of = {row.protein: part_of_locus[row.genome, row.locus] for row in loci.itertuples()}
    held_out = [record for record in proteins if part_of[record[0]] in (VALIDATE, TEST)]
    return held_out, [record for record in proteins if part_of[record[0]] == TRAIN]


def broken_promises(table: pd.DataFrame, mode: str, roles: Mapping[str, str]) -> list[str]:
    """Descriptions of what must be zero and is not; empty for a sound split.

    No locus and no base is ever on two sides, and training sees no held-out base.  In mode ``cluster`` no cluster is
    on two sides either, unless whole species are held out: their orthologues of training genes are what they test.
    """
    zero = {"loci_on_two_sides", "bases_on_two_sides", "held_out_bases_in_training"}
    if mode == CLUSTER_MODE and set(roles.values()) == {TRAIN}:
        zero |= {"clusters_on_two_sides", "loci_with_train_homologue"}
    broken = table[table["check"].isin(zero) & (table["value"] != 0)]
    return [f"{row.check} ({row.part_a}, {row.part_b}): {row.value:g}, must be 0" for row in broken.itertuples()]


def _shared_bases(a: pd.DataFrame, b: pd.DataFrame, part_a: str, part_b: str) -> list[Row]:
    intervals_a, intervals_b = _by_contig(a), _by_contig(b)
    shared = sum(_bases_in_both(intervals, intervals_b.get(place, [])) for place, intervals in intervals_a.items())
    index = IntervalIndex(intervals_b)
    loci = sum(
        index.overlaps((genome, contig), int(start), int(end))
        for genome, contig, start, end in zip(a["genome"], a["contig"], a["start"], a["end"], strict=True)
    )
    return [("loci_on_two_sides", part_a, part_b, loci), ("bases_on_two_sides", part_a, part_b, shared)]


def _visible_bases(loci: pd.DataFrame, masked: Mapping[str, Mapping[str, list[Interval]]]) -> int:
    """Bases inside loci that no masked interval covers."""
    return sum(
        sum(end - start for start, end in intervals) - _bases_in_both(intervals, masked[genome][contig])
        for (genome, contig), intervals in _by_contig(loci).items()
    )


def _homologues(
    splits: pd.DataFrame, loci: pd.DataFrame, hits: pd.DataFrame, similar: Collection[tuple[str, str]]
) -> list[Row]:
    keys = ["genome", "locus"]
    named = splits.merge(loci[[*keys, "protein"]], on=keys, how="left", validate="one_to_one")
    has_hit = named["protein"].isin(set(hits["protein"]))
    in_sequence = pd.Series([key in similar for key in zip(named["genome"], named["locus"])], named.index, dtype=bool)
    rows: list[Row] = []
    for part in (VALIDATE, TEST):
        chosen = named["part"] == part
        flagged = named["has_train_homologue"]
        rows.append(("loci_with_train_homologue", part, TRAIN, int((chosen & flagged).sum())))
        rows.append(("loci_with_blastp_hit", part, TRAIN, int((chosen & has_hit).sum())))
        rows.append(("loci_with_blastp_hit_outside_cluster", part, TRAIN, int((chosen & has_hit & ~flagged).sum())))
        rows.append(("loci_with_nucleotide_hit", part, TRAIN, int((chosen & in_sequence).sum())))
    return rows


def _by_contig(loci: pd.DataFrame) -> dict[tuple[str, str], list[Interval]]:
    """Merged intervals of loci by (genome, contig)."""
    found: dict[tuple[str, str], list[Interval]] = {}
    for genome, contig, start, end in zip(loci["genome"], loci["contig"], loci["start"], loci["end"], strict=True):
        found.setdefault((genome, contig), []).append((int(start), int(end)))
    return {place: merge_intervals(intervals) for place, intervals in found.items()}


def _bases_in_both(left: list[Interval], right: list[Interval]) -> int:
    return shared_bases(as_places(left), as_places(right), as_places([]))[0]


def _table_order(column: pd.Series) -> pd.Series:
    order = {part: rank for rank, part in enumerate((NO_PART, *PARTS))}
    if column.name == "check":
        return column.map({check: rank for rank, check in enumerate(column.drop_duplicates())})
    return column.map(order)
