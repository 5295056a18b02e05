"""Contigs divided between jobs, and the file in which a job hands over its genes."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open


def contigs_of_shard(contigs: Mapping[str, int], shard: int, shards: int) -> list[str]:
    """Contigs of one of ``shards`` parts of about equal length, in FASTA order.

    Longest first, each to the part that has least; the same on every machine.
    """
    heap = [(0, number) for number in range(shards)]
    chosen = set()
    for contig, length in sorted(contigs.items(), key=lambda item: (-item[1], item[0])):
        total, number = heapq.heappop(heap)
        if number == shard:
            chosen.add(contig)
        heapq.heappush(heap, (total + length, number))
    return [contig for contig in contigs if contig in chosen]


def write_shard(
    path: str | Path, header: Mapping[str, Any], genes_by_contig: Mapping[str, Sequence[GeneModel]]
) -> None:
    """One JSON object a line: first the header (model, settings, device), then one line per contig."""
    with atomic_open(path) as handle:
        handle.write(json.dumps(header, sort_keys=True) + "\n")
        for contig, genes in genes_by_contig.items():
            record = {
                "contig": contig,
                "genes": [
                    {
                        "strand": gene.strand,
                        "score": gene.score,
                        "transcripts": [{"exons": t.exons, "cds": t.cds, "score": t.score} for t in gene.transcripts],
                    }
                    for gene in genes
                ],
            }
            handle.write(json.dumps(record) + "\n")


def read_shard(path: str | Path) -> tuple[dict[str, Any], dict[str, list[GeneModel]]]:
    """Header and genes (without ids) by contig; the inverse of :func:`write_shard`."""
    with Path(path).open(encoding="utf-8") as handle:
        header = json.loads(handle.readline())
        genes = {}
        for line in handle:
            record = json.loads(line)
            genes[record["contig"]] = [_gene(record["contig"], entry) for entry in record["genes"]]
    return header, genes


def _gene(contig: str, entry: Mapping[str, Any]) -> GeneModel:
    transcripts = tuple(
        Transcript("", tuple(map(tuple, t["exons"])), tuple(map(tuple, t["cds"])), score=t["score"])
        for t in entry["transcripts"]
    )
    return GeneModel("", contig, entry["strand"], transcripts, score=entry["score"])


def gather_shards(
    paths: Iterable[str | Path], contigs: Sequence[str]
) -> tuple[dict[str, Any], dict[str, list[GeneModel]]]:
    """Header and genes of all shards, contigs in the given order.

    Raises:
        PhytoScribeError: shards made with different models or settings, or a contig that is missing or there twice.
    """
    header: dict[str, Any] | None = None
    found: dict[str, list[GeneModel]] = {}
    for path in paths:
        shard_header, genes = read_shard(path)
        if header is not None and shard_header != header:
            differing = sorted(k for k in header.keys() | shard_header.keys() if header.get(k) != shard_header.get(k))
            raise PhytoScribeError(f"{path}: made with another {', '.join(differing)}; delete the shards and run again")
        header = shard_header
        twice = found.keys() & genes.keys()
        if twice:
            raise PhytoScribeError(
                f"{path}: contig {min(twice)} is in another shard too; delete the shards and run again"
            )
        found.update(genes)
    missing = [contig for contig in contigs if contig not in found]
    if missing or header is None:
        raise PhytoScribeError(
            f"the shards lack {len(missing)} contigs, first {missing[:3]}; delete them and run again"
        )
    return header, {contig: found[contig] for contig in contigs}
