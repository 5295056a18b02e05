"""Join RNA genes of all programs and the mobile elements of a user in one GFF3 file, numbered and counted."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import pandas as pd

from phytoscribe.annotation.gff_text import encode_column, encode_value
from phytoscribe.annotation.gff_writer import gene_lines, write_gff3
from phytoscribe.annotation.model import GeneModel, numbered
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.noncoding.elements import Element


def write_noncoding(
    handle: IO[str],
    genes: Iterable[GeneModel],
    elements: Iterable[Element],
    contigs: Mapping[str, int],
    name: str,
    header: Sequence[str],
) -> pd.DataFrame:
    """Write genes (``{name}_r000001``, ...) and elements (``{name}_m000001``, ...) by contig and position.

    Args:
        genes: of all programs, in any order, each with one transcript; those on other contigs are left out.
        elements: in any order; those on other contigs are left out.
        contigs: ``{contig: length}``, in order.
        header: comment lines.

    Returns:
        A table with ``type``, ``source``, ``count``, and ``bases`` that features of this kind cover.
    """
    rank = {contig: index for index, contig in enumerate(contigs)}
    kept_genes = sorted(
        (gene for gene in genes if gene.contig in rank),
        key=lambda gene: (rank[gene.contig], gene.start, gene.end, gene.strand, gene.biotype),
    )
    kept_elements = sorted(
        (element for element in elements if element.contig in rank), key=lambda e: (rank[e.contig], *e[1:])
    )
    write_gff3(handle, (), contigs, header)
    for _, lines in heapq.merge(
        _of_genes(kept_genes, rank, name), _of_elements(kept_elements, rank, name), key=lambda block: block[0]
    ):
        handle.write(lines)
    return _counts(kept_genes, kept_elements)


Block = tuple[tuple[int, int, int], str]


def _of_genes(genes: Sequence[GeneModel], rank: Mapping[str, int], name: str) -> Iterator[Block]:
    for gene in numbered(genes, name, "r"):
        yield (rank[gene.contig], gene.start, gene.end), "\n".join(gene_lines(gene)) + "\n"


def _of_elements(elements: Sequence[Element], rank: Mapping[str, int], name: str) -> Iterator[Block]:
    for number, element in enumerate(elements, start=1):
        columns = [
            encode_column(element.contig),
            encode_column(element.source),
            element.type,
            str(element.start + 1),
            str(element.end),
            element.score,
            element.strand,
            ".",
            f"ID={name}_m{number:06d}"
            + (f";Name={encode_value(element.name)}" if element.name else "")
            + (f";class={encode_value(element.kind)}" if element.kind else ""),
        ]
        yield (rank[element.contig], element.start, element.end), "\t".join(columns) + "\n"


def _counts(genes: Sequence[GeneModel], elements: Sequence[Element]) -> pd.DataFrame:
    spans: dict[tuple[str, str], dict[str, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    for gene in genes:
        spans[gene.biotype, gene.source][gene.contig].append((gene.start, gene.end))
    for element in elements:
        spans[element.type, element.source][element.contig].append((element.start, element.end))
    rows = []
    for (kind, source), by_contig in spans.items():
        bases = sum(end - start for found in by_contig.values() for start, end in merge_intervals(found))
        rows.append((kind, source, sum(map(len, by_contig.values())), bases))
    return pd.DataFrame(sorted(rows), columns=["type", "source", "count", "bases"])
