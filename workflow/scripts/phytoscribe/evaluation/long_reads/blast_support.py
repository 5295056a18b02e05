"""Transcripts against Iso-Seq reads by sequence alone, with megablast in both directions.

Each query keeps one target: the one whose HSPs on one strand have the highest sum of bit scores.  Identity is identical
bases over aligned columns of these HSPs, coverage the query bases in at least one of them.  A query is supported at a
tier if identity and coverage both reach it.  Two sequences are *reciprocal* best hits if each is the other's target.

BLAST+: Camacho et al. 2009, BMC Bioinformatics 10:421.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.sequences import write_fasta
from phytoscribe.evaluation.long_reads.alignments import first_records
from phytoscribe.files import open_text
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.programs import require, run
from phytoscribe.tables import Row

TIERS = (0.90, 0.95, 0.99)
#: Targets per query that BLAST keeps: enough that a paralogue with a higher single HSP does not hide the best target.
TARGETS = 50
E_VALUE = 1e-10
_FORMAT = "6 qseqid sseqid nident length qstart qend sstart send bitscore"
_PURPOSE = "the comparison with Iso-Seq reads"


@dataclass(frozen=True, slots=True)
class BestHit:
    """A query's best target: fractions in [0, 1].

    Attributes:
        coverage: of the query.
        target_coverage: of the target.
        reciprocal: the query is the best target of its target, too.
    """

    target: str
    identity: float
    coverage: float
    target_coverage: float
    reciprocal: bool = False

    def reaches(self, identity: float, coverage: float) -> bool:
        return self.identity >= identity and self.coverage >= coverage


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Sequences in a FASTA file under their numbers: BLAST gives a meaning to some names (those with '|', say).

    Attributes:
        database: the BLAST database of them.
    """

    names: Sequence[str]
    lengths: Sequence[int]
    fasta: Path
    database: Path

    @classmethod
    def write(cls, records: Iterable[tuple[str, str]], folder: Path, label: str) -> SequenceSet:
        """Write (name, sequence) records, one at a time, and make their database.

        Raises:
            ToolError: BLAST+ is missing or fails.
        """
        program = require("makeblastdb", _PURPOSE)
        names: list[str] = []
        lengths: list[int] = []

        def numbered() -> Iterator[tuple[str, str]]:
            for name, bases in records:
                yield str(len(names)), bases
                names.append(name)
                lengths.append(len(bases))

        fasta, database = folder / f"{label}.fa", folder / label
        with fasta.open("w", encoding="utf-8") as handle:
            write_fasta(handle, numbered())
        if names:
            run([program, "-in", fasta, "-dbtype", "nucl", "-out", database])
        return cls(names, lengths, fasta, database)


def best_hits(queries: SequenceSet, targets: SequenceSet, threads: int) -> dict[str, BestHit]:
    """Best hit of every query that has one, on the query's strand: transcripts and full-length reads run 5' to 3'.

    Raises:
        ToolError: BLAST+ is missing or fails.
    """
    program = require("blastn", _PURPOSE)
    if not queries.names or not targets.names:
        return {}
    table = queries.fasta.with_name(f"{queries.fasta.stem}_{targets.fasta.stem}.tsv")
    options = ["-max_target_seqs", str(TARGETS), "-evalue", str(E_VALUE), "-num_threads", str(threads)]
    options += ["-task", "megablast", "-strand", "plus", "-outfmt", _FORMAT]
    run([program, "-query", queries.fasta, "-db", targets.database, *options], table)
    with open_text(table) as lines:
        found = choose_best(lines, queries.lengths, targets.lengths)
    table.unlink()
    return {
        queries.names[int(query)]: replace(hit, target=targets.names[int(hit.target)]) for query, hit in found.items()
    }


def choose_best(
    lines: Iterable[str], query_lengths: Sequence[int], target_lengths: Sequence[int]
) -> dict[str, BestHit]:
    """Best hit by query from BLAST's table (:data:`_FORMAT`); of equal ones the first in BLAST's order.

    Queries and targets are named by their numbers, with which their lengths are looked up.
    """
    best: dict[str, tuple[float, BestHit]] = {}
    for query, pairs in _by_query(lines):
        for target, hsps in pairs.items():
            bits = sum(hsp.bits for hsp in hsps)
            if query in best and best[query][0] >= bits:
                continue
            identity = sum(hsp.identical for hsp in hsps) / sum(hsp.columns for hsp in hsps)
            covered = _covered(hsp.query for hsp in hsps) / query_lengths[int(query)]
            target_covered = _covered(hsp.target for hsp in hsps) / target_lengths[int(target)]
            best[query] = (bits, BestHit(target, identity, covered, target_covered))
    return {query: hit for query, (_, hit) in best.items()}


class _Hsp(NamedTuple):
    """One aligned stretch; intervals are 0-based half-open."""

    identical: int
    columns: int
    query: Interval
    target: Interval
    bits: float


def _by_query(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, list[_Hsp]]]]:
    """HSPs by target for each query in turn; BLAST writes all of one query together."""
    rows = (line.rstrip("\n").split("\t") for line in lines)
    for query, members in groupby(rows, key=itemgetter(0)):
        pairs: dict[str, list[_Hsp]] = defaultdict(list)
        for _, target, identical, columns, start, end, target_start, target_end, bits in members:
            stretches = (int(start) - 1, int(end)), (int(target_start) - 1, int(target_end))
            pairs[target].append(_Hsp(int(identical), int(columns), *stretches, float(bits)))
        yield query, pairs


def _covered(stretches: Iterable[Interval]) -> int:
    return sum(end - start for start, end in merge_intervals(stretches))


def with_reciprocity(hits: Mapping[str, BestHit], back: Mapping[str, BestHit]) -> dict[str, BestHit]:
    """The hits, marked where the target's own best hit (in ``back``) is the query."""
    return {
        name: replace(hit, reciprocal=hit.target in back and back[hit.target].target == name)
        for name, hit in hits.items()
    }


def tier_counts(found: Collection[BestHit]) -> dict[str, int]:
    """Hits by metric: ``hit``, ``identity_0.95_coverage_0.90`` and so on for each pair of tiers; then the reciprocal
    ones among them, ``reciprocal`` and ``reciprocal_identity_0.90_coverage_0.90``, ... for equal tiers."""
    counts = {"hit": len(found)}
    for identity in TIERS:
        for coverage in TIERS:
            name = f"identity_{identity:.2f}_coverage_{coverage:.2f}"
            counts[name] = sum(hit.reaches(identity, coverage) for hit in found)
    mutual = [hit for hit in found if hit.reciprocal]
    counts["reciprocal"] = len(mutual)
    for tier in TIERS:
        name = f"reciprocal_identity_{tier:.2f}_coverage_{tier:.2f}"
        counts[name] = sum(hit.reaches(tier, tier) for hit in mutual)
    return counts


def support_rows(
    predictor: str, level: str, ruler: str, subsets: Mapping[str, Collection[str]], hits: Mapping[str, BestHit]
) -> list[Row]:
    """For each subset of query names the share at each metric of :func:`tier_counts`; ``n`` is the subset's size."""
    rows: list[Row] = []
    for subset, names in subsets.items():
        counts = tier_counts([hits[name] for name in names if name in hits])
        rows += [
            (predictor, level, ruler, subset, metric, _share(n, len(names)), len(names)) for metric, n in counts.items()
        ]
    return rows


def group_rows(
    predictor: str,
    level: str,
    ruler: str,
    subsets: Mapping[str, Mapping[str, Collection[str]]],
    hits: Mapping[str, BestHit],
) -> list[Row]:
    """As :func:`support_rows` for groups of queries (genes of transcripts): a group has what any of its members has.

    Args:
        subsets: by subset the members of each group.
    """
    rows: list[Row] = []
    for subset, groups in subsets.items():
        totals: dict[str, int] = dict.fromkeys(tier_counts([]), 0)
        for names in groups.values():
            for metric, count in tier_counts([hits[name] for name in names if name in hits]).items():
                totals[metric] += count > 0
        rows += [
            (predictor, level, ruler, subset, metric, _share(n, len(groups)), len(groups))
            for metric, n in totals.items()
        ]
    return rows


def read_sequences(bam: str | Path, contigs: Collection[str]) -> Iterator[tuple[str, str]]:
    """Names and sequences, as sequenced, of reads whose primary alignment lies on ``contigs``, in the BAM's order.

    A name that was there already gets its number: clustered reads are called transcript/0, transcript/1, ... in the
    file of every sample.
    """
    seen: Counter[str] = Counter()
    for record in first_records(bam):
        if not record.is_unmapped and record.reference_name in contigs and record.query_sequence:
            name = record.query_name
            seen[name] += 1
            yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), record.get_forward_sequence()


def read_fasta(path: str | Path) -> dict[str, str]:
    """Sequences of a small FASTA by the first word of their headers."""
    return {name: "".join(parts) for name, parts in _records(path)}


def _records(path: str | Path) -> Iterator[tuple[str, list[str]]]:
    name, parts = None, []
    with open_text(path) as handle:
        for line in handle:
            if line.startswith(">"):
                if name is not None:
                    yield name, parts
                name, parts = line[1:].split()[0], []
            else:
                parts.append(line.strip())
    if name is not None:
        yield name, parts


def _share(count: int, total: int) -> float:
    """NaN where there is nothing to take a share of."""
    return count / total if total else float("nan")
