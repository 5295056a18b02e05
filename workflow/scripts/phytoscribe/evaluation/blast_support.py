"""Predicted transcripts against Iso-Seq reads by sequence alone, with megablast in both directions.

Each query keeps one target: the one whose HSPs on one strand have the highest sum of bit scores.  Identity is identical
bases over aligned columns of these HSPs, coverage the query bases in at least one of them.  A query is supported at a
tier if identity and coverage both reach it.

BLAST+: Camacho et al. 2009, BMC Bioinformatics 10:421.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from phytoscribe.annotation.model import merge_intervals
from phytoscribe.annotation.sequences import write_fasta
from phytoscribe.evaluation.programs import require, run
from phytoscribe.evaluation.read_alignment import primary_records
from phytoscribe.evaluation.tables import Row
from phytoscribe.files import open_text, scratch_folder

TIERS = (0.90, 0.95, 0.99)
RULER = "blast"
#: Targets per query that BLAST keeps: enough that a paralogue with a higher single HSP does not hide the best target.
TARGETS = 50
E_VALUE = 1e-10
_FORMAT = "6 qseqid sseqid nident length qstart qend bitscore sstrand"
Sequences = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BestHit:
    """A query's best target: fractions in [0, 1]."""

    target: str
    identity: float
    coverage: float


def best_hits(queries: Sequences, targets: Sequences, threads: int) -> dict[str, BestHit]:
    """Best hit of every query that has one.

    Raises:
        ToolError: BLAST+ is missing or fails.
    """
    blastn, makeblastdb = (require(name, "the comparison with Iso-Seq reads") for name in ("blastn", "makeblastdb"))
    if not queries or not targets:
        return {}
    query_names, target_names = list(queries), list(targets)
    with scratch_folder("blast-") as folder:
        for path, records in ((folder / "q.fa", queries), (folder / "t.fa", targets)):
            with path.open("w", encoding="utf-8") as handle:
                # Numbers instead of names: BLAST gives a meaning to some names (those with '|', for instance).
                write_fasta(handle, ((str(number), bases) for number, bases in enumerate(records.values())))
        database, table = folder / "db", folder / "hits.tsv"
        run([makeblastdb, "-in", folder / "t.fa", "-dbtype", "nucl", "-out", database])
        options = ["-max_target_seqs", str(TARGETS), "-evalue", str(E_VALUE), "-num_threads", str(threads)]
        run(
            [blastn, "-task", "megablast", "-query", folder / "q.fa", "-db", database, "-outfmt", _FORMAT, *options],
            table,
        )
        with open_text(table) as lines:
            found = choose_best(lines, {str(number): len(queries[name]) for number, name in enumerate(query_names)})
    return {
        query_names[int(query)]: BestHit(target_names[int(hit.target)], hit.identity, hit.coverage)
        for query, hit in found.items()
    }


def choose_best(lines: Iterable[str], query_lengths: Mapping[str, int]) -> dict[str, BestHit]:
    """Best hit by query from BLAST's table (:data:`_FORMAT`); of equal ones the first in BLAST's order."""
    pairs: dict[tuple[str, str, str], list[tuple[int, int, int, int, float]]] = defaultdict(list)
    for line in lines:
        query, target, identical, length, start, end, bits, strand = line.rstrip("\n").split("\t")
        hsp = (int(identical), int(length), int(start) - 1, int(end), float(bits))
        pairs[query, target, strand].append(hsp)
    best: dict[str, tuple[float, BestHit]] = {}
    for (query, target, _), hsps in pairs.items():
        bits = sum(hsp[4] for hsp in hsps)
        if query in best and best[query][0] >= bits:
            continue
        covered = sum(end - start for start, end in merge_intervals((hsp[2], hsp[3]) for hsp in hsps))
        identity = sum(hsp[0] for hsp in hsps) / sum(hsp[1] for hsp in hsps)
        best[query] = (bits, BestHit(target, identity, covered / query_lengths[query]))
    return {query: hit for query, (_, hit) in best.items()}


def support_rows(
    predictor: str, level: str, subsets: Mapping[str, Collection[str]], hits: Mapping[str, BestHit]
) -> list[Row]:
    """For each subset of query names the queries with any hit, and those at each pair of tiers: counts and shares.

    Metric names: ``hit``, then ``identity_0.95_coverage_0.90`` and so on; ``value`` is the share, ``n`` the number of
    queries in the subset.
    """
    rows: list[Row] = []
    for subset, names in subsets.items():
        found = [hits[name] for name in names if name in hits]
        counts = {"hit": len(found)}
        for identity in TIERS:
            for coverage in TIERS:
                passed = sum(hit.identity >= identity and hit.coverage >= coverage for hit in found)
                counts[f"identity_{identity:.2f}_coverage_{coverage:.2f}"] = passed
        total = len(names)
        for metric, count in counts.items():
            rows.append((predictor, level, RULER, subset, metric, count / total if total else float("nan"), total))
    return rows


def read_sequences(bam: str | Path, contigs: Collection[str]) -> dict[str, str]:
    """Sequences, as sequenced, of the reads whose primary alignment lies on ``contigs``, in the order of the BAM."""
    return {
        record.query_name: record.get_forward_sequence()
        for record in primary_records(bam, contigs)
        if record.query_sequence
    }


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
