"""Searches across the split: what blastp finds between held-out and training proteins, more sensitive than the
clustering, and what blastn (discontiguous megablast) finds of held-out loci in the sequence that training sees."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from phytoscribe.files import scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.programs import require, run
from phytoscribe.splits.held_out import TRAIN
from phytoscribe.splits.parts import Parts

logger = logging.getLogger(__name__)

PURPOSE = "the search for homologues across the split"
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
    """(name, sequence) of the intervals of a genome that training sees."""
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
    """Loci of which at least ``coverage`` (0 to 1) lies in alignments with training sequence, on either strand.

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
