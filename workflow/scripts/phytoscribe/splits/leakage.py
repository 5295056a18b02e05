"""The leakage table: counts what lies on both sides of a split, and searches for homologues across it.

blastp, which is more sensitive than the clustering, searches for held-out proteins among the training proteins; blastn
(discontiguous megablast) searches for held-out loci in the sequence that training sees.

========================================  ============================================================================
check                                     value
========================================  ============================================================================
loci                                      loci of part_a
clusters_on_two_sides                     protein clusters with loci of part_a and of part_b
loci_on_two_sides                         loci of part_a that share a base with a locus of part_b
bases_on_two_sides                        bases that lie in a locus of part_a and in one of part_b
held_out_bases_in_training                bases in loci of part_a that training on part_b sees unmasked
loci_with_train_homologue                 loci of part_a whose cluster has a locus of part_b (train)
loci_with_blastp_hit                      loci of part_a with a blastp hit in part_b (train); limits below
loci_with_blastp_hit_outside_cluster      those of them that have no locus of part_b in their cluster
loci_with_nucleotide_hit                  loci of part_a that, with their flanks, are found by blastn in the sequence
                                          that training sees; limits: split.nucleotide_identity and _coverage
========================================  ============================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.files import scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import (
    Interval,
    Places,
    as_places,
    merge_intervals,
    merged,
    overlapping,
    shared_bases,
)
from phytoscribe.programs import require, run
from phytoscribe.splits.parts import CLUSTER_MODE, PARTS, TEST, TRAIN, VALIDATE, Parts
from phytoscribe.splits.table import LEAKAGE_COLUMNS

logger = logging.getLogger(__name__)

PURPOSE = "the search for homologues across the split"
MAXIMUM_EVALUE = 1e-5
MINIMUM_IDENTITY = 30.0  # percent, of the best segment pair
MINIMUM_COVERAGE = 50.0  # percent of the query inside alignments with the subject
HIT_COLUMNS = ("protein", "subject", "identity", "coverage", "evalue", "bitscore")

Records = Sequence[tuple[str, str]]
Row = tuple[str, str, str, int]
NO_PART = "-"
_NOWHERE = as_places([])


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
        hits: blastp hits of held-out proteins in training proteins, of :func:`best_hits`.
        parts: by genome, as later stages read them.
        similar: (genome, locus) of :func:`nucleotide_hits`.
    """
    rows: list[Row] = [("loci", part, NO_PART, int((splits["part"] == part).sum())) for part in PARTS]
    for part_a, part_b in combinations(PARTS, 2):
        a, b = splits[splits["part"] == part_a], splits[splits["part"] == part_b]
        rows.append(("clusters_on_two_sides", part_a, part_b, len(set(a["cluster"]) & set(b["cluster"]))))
        rows.extend(_on_two_sides(a, b, part_a, part_b))
    for part in (VALIDATE, TEST):
        held_out = _places_by_contig(splits[splits["part"] == part])
        visible = sum(
            shared_bases(places, as_places(parts[genome].held_out(contig)), _NOWHERE)[1]
            for (genome, contig), places in held_out.items()
        )
        rows.append(("held_out_bases_in_training", part, TRAIN, visible))
    rows.extend(_homologues(splits, loci, hits, similar))
    checks = list(dict.fromkeys(row[0] for row in rows))
    return pd.DataFrame(sorted(rows, key=lambda row: checks.index(row[0])), columns=list(LEAKAGE_COLUMNS))


def held_out_and_train(splits: pd.DataFrame, loci: pd.DataFrame, proteins: Records) -> tuple[Records, Records]:
    """Proteins of the loci scored in validation and test, and of the training loci, in their order."""
    part_of_locus = {(row.genome, row.locus): row.part for row in splits.itertuples()}
    part_of = {row.protein: part_of_locus[row.genome, row.locus] for row in loci.itertuples()}
    held_out = [record for record in proteins if part_of[record[0]] in (VALIDATE, TEST)]
    return held_out, [record for record in proteins if part_of[record[0]] == TRAIN]


def broken_promises(table: pd.DataFrame, mode: str, roles: Mapping[str, str]) -> list[str]:
    """Describe the checks that must be zero and are not; empty for a sound split.

    No locus or base may be on both sides, and training may see no held-out base.  In mode ``cluster`` no cluster may be
    on both sides either, unless whole species are held out, which test the model on orthologues of training genes.
    """
    zero = {"loci_on_two_sides", "bases_on_two_sides", "held_out_bases_in_training"}
    if mode == CLUSTER_MODE and set(roles.values()) == {TRAIN}:
        zero |= {"clusters_on_two_sides", "loci_with_train_homologue"}
    broken = table[table["check"].isin(zero) & (table["value"] != 0)]
    return [f"{row.check} ({row.part_a}, {row.part_b}): {row.value:g}, must be 0" for row in broken.itertuples()]


def _on_two_sides(a: pd.DataFrame, b: pd.DataFrame, part_a: str, part_b: str) -> list[Row]:
    others, loci, bases = _places_by_contig(b), 0, 0
    for contig, places in _places_by_contig(a).items():
        there = merged(others.get(contig, _NOWHERE))
        loci += int(overlapping(places, there).sum())
        bases += shared_bases(places, there, _NOWHERE)[0]
    return [("loci_on_two_sides", part_a, part_b, loci), ("bases_on_two_sides", part_a, part_b, bases)]


def _places_by_contig(loci: pd.DataFrame) -> dict[tuple[str, str], Places]:
    """Spans of loci by (genome, contig), int64 (loci, 2)."""
    return {name: table[["start", "end"]].to_numpy(np.int64) for name, table in loci.groupby(["genome", "contig"])}


def _homologues(
    splits: pd.DataFrame, loci: pd.DataFrame, hits: pd.DataFrame, similar: Collection[tuple[str, str]]
) -> list[Row]:
    keys = ["genome", "locus"]
    named = splits.merge(loci[[*keys, "protein"]], on=keys, how="left", validate="one_to_one")
    flagged, has_hit = named["has_train_homologue"], named["protein"].isin(set(hits["protein"]))
    checks = {
        "loci_with_train_homologue": flagged,
        "loci_with_blastp_hit": has_hit,
        "loci_with_blastp_hit_outside_cluster": has_hit & ~flagged,
        "loci_with_nucleotide_hit": np.array([key in similar for key in zip(named["genome"], named["locus"])], bool),
    }
    return [
        (check, part, TRAIN, int((found & (named["part"] == part)).sum()))
        for part in (VALIDATE, TEST)
        for check, found in checks.items()
    ]


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
        _write_numbered(queries, query)
        _write_numbered(subjects, subject)
        run([require("makeblastdb", PURPOSE), "-in", subject, "-dbtype", "prot", "-out", database])
        limits = ("-evalue", MAXIMUM_EVALUE, "-max_target_seqs", 100, "-num_threads", threads)
        columns = "6 qseqid sseqid pident qcovs evalue bitscore"
        run([require("blastp", PURPOSE), "-query", query, "-db", database, "-out", found, *limits, "-outfmt", columns])
        hits = pd.read_csv(found, sep="\t", names=list(HIT_COLUMNS))
    hits = hits[(hits["identity"] >= MINIMUM_IDENTITY) & (hits["coverage"] >= MINIMUM_COVERAGE)]
    hits = hits.sort_values(["protein", "bitscore", "subject"], ascending=[True, False, True])
    hits = hits.drop_duplicates("protein")
    hits["protein"] = [queries[number][0] for number in hits["protein"]]
    hits["subject"] = [subjects[number][0] for number in hits["subject"]]
    logger.info("blastp: %d of %d held-out proteins have a hit in %d", len(hits), len(queries), len(subjects))
    return hits.sort_values("protein", ignore_index=True)


def training_sequence(genome: Genome, parts: Parts) -> Iterable[tuple[str, str]]:
    """(name, sequence) of a genome's intervals that training sees."""
    for contig in genome.contigs:
        for start, end in parts.of(contig, TRAIN):
            yield f"{contig}:{start}", genome.letters(contig, start, end).decode()


def held_out_loci(splits: pd.DataFrame, name: str, genome: Genome, flank: int) -> Iterable[tuple[tuple[str, str], str]]:
    """((genome, locus), sequence with ``flank`` bases on each side) of a genome's loci that are not for training."""
    rows = splits[(splits["genome"] == name) & (splits["part"] != TRAIN)]
    for row in rows.itertuples():
        start, end = max(0, row.start - flank), min(genome.contigs[row.contig], row.end + flank)
        yield (name, row.locus), genome.letters(row.contig, start, end).decode()


def nucleotide_hits(
    loci: Iterable[tuple[tuple[str, str], str]],
    training: Iterable[tuple[str, str]],
    identity: float,
    coverage: float,
    threads: int = 1,
) -> set[tuple[str, str]]:
    """Loci with at least ``coverage`` (0 to 1) of their bases in alignments to training sequence, on either strand.

    Args:
        loci: ((genome, locus), bases).
        training: (name, bases).
        identity: lowest identity of an alignment, 0 to 1.
        coverage: lowest part of the locus, its flanks included, that alignments cover together.
        threads: for blastn; the result does not depend on them.

    Raises:
        ToolError: BLAST+ is missing or failed.
    """
    with scratch_folder("phytoscribe-blastn-") as folder:
        query, subject, database, found = (folder / name for name in ("loci.fna", "training.fna", "db", "hits.tsv"))
        names = _write_numbered(loci, query)
        if not names or not _write_numbered(training, subject):
            return set()
        run([require("makeblastdb", PURPOSE), "-in", subject, "-dbtype", "nucl", "-out", database])
        limits = ("-evalue", MAXIMUM_EVALUE, "-perc_identity", 100 * identity, "-num_threads", threads)
        command = [require("blastn", PURPOSE), "-task", "dc-megablast", "-query", query, "-db", database, "-out", found]
        run([*command, *limits, "-outfmt", "6 qseqid qlen qstart qend"])
        covered: dict[int, list[Interval]] = {}
        lengths: dict[int, int] = {}
        with found.open(encoding="ascii") as lines:
            for line in lines:
                number, length, start, end = map(int, line.split())
                lengths[number] = length
                covered[number] = merge_intervals([*covered.get(number, ()), (start - 1, end)])
    hits = {
        names[number]
        for number, spans in covered.items()
        if sum(end - start for start, end in spans) >= coverage * lengths[number]
    }
    logger.info("blastn: %d of %d held-out loci have a hit in training sequence", len(hits), len(names))
    return hits


def _write_numbered(records: Iterable[tuple[object, str]], path: Path) -> list:
    """Write sequences under serial numbers, and return their names: BLAST reads meaning into bars and colons."""
    names = []
    with path.open("w", encoding="ascii") as handle:
        for name, sequence in records:
            handle.write(f">{len(names)}\n{sequence}\n")
            names.append(name)
    return names
