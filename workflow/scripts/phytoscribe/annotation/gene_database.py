"""A gffutils database of accepted genes, and the sequence windows around them that regulatory models read.

The file is made from a cleaned GFF3 (``results/clean/{genome}.accepted.gff3``), so that every id is unique and every
part has a parent.  Any program can query it with gffutils, in GFF3 coordinates (1-based, closed); this module returns
0-based half-open ones.  Windows are cut at the ends of the contig (from the ``##sequence-region`` lines) and may be
empty there.

gffutils: Dale R., https://github.com/daler/gffutils.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from functools import cache
from pathlib import Path
from typing import NamedTuple

import gffutils

from phytoscribe.annotation.feature_types import is_gene_type, is_transcript_type
from phytoscribe.annotation.gff_text import decode_id, encode_column
from phytoscribe.errors import GffError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import Interval, merge_intervals


class Span(NamedTuple):
    """A gene or a transcript: 0-based, half-open, contig orientation; ``strand`` is ``+`` or ``-``."""

    id: str
    contig: str
    start: int
    end: int
    strand: str


def write_gene_database(gff3: str | Path, target: str | Path) -> int:
    """Write a gffutils database of a cleaned GFF3 file; returns the number of genes.

    The lines of one CDS share an id; in the database all but the first are numbered (``t1.cds``, ``t1.cds_1``, ...).

    Raises:
        GffError: the file holds no gene.
    """
    with atomic_path(target) as temporary:
        temporary.unlink(missing_ok=True)
        try:
            database = gffutils.create_db(
                str(gff3), str(temporary), force_gff=True, merge_strategy="create_unique", keep_order=True
            )
        except (gffutils.exceptions.EmptyInputError, ValueError) as error:
            raise GffError(f"{gff3}: no gene to put into a database ({error})") from error
        genes = sum(database.count_features_of_type(kind) for kind in database.featuretypes() if is_gene_type(kind))
        database.conn.close()
    return genes


class GeneDatabase:
    """The genes of a database that :func:`write_gene_database` wrote.

    Attributes:
        contigs: name to length, in the order of the genome.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a database for reading.

        Raises:
            GffError: the file is missing, or is not a database of genes.
        """
        try:
            self._database = gffutils.FeatureDB(str(path))
        except (ValueError, TypeError, sqlite3.Error) as error:
            raise GffError(f"{path}: no database of genes ({error}); delete it and run index_gene_database") from error
        self.contigs: dict[str, int] = {}
        for directive in self._database.directives:
            words = directive.split()
            if words[0] == "sequence-region":
                self.contigs[decode_id(words[1])] = int(words[3])
        self._gene_types = sorted(filter(is_gene_type, self._database.featuretypes()))
        self._genes_of = cache(self._read_genes)

    def genes(self, contig: str, start: int = 0, end: int | None = None) -> list[Span]:
        """Genes that overlap ``[start, end)``, sorted by start, end and id; ``end`` defaults to the contig's end."""
        until = self.contigs[contig] if end is None else end
        return [gene for gene in self._genes_of(contig)[0] if gene.start < until and gene.end > start]

    def transcripts(self, gene: str) -> list[Span]:
        """Transcripts of a gene, by start, end and id.

        Raises:
            GffError: there is no such gene.
        """
        found = sorted(map(_span, self._database.children(gene, level=1)), key=_by_place)
        if not found:
            raise GffError(f"{self._database.dbfn}: there is no gene {gene!r} with transcripts")
        return found

    def genes_of_transcripts(self) -> dict[str, str]:
        """The gene of every transcript, by place."""
        kinds = sorted(filter(is_transcript_type, self._database.featuretypes()))
        return {
            one.id: gene
            for one in (self._database.features_of_type(kinds, order_by=("seqid", "start", "end")) if kinds else ())
            for gene in one.attributes.get("Parent", ())
        }

    def exonic_lengths(self) -> dict[str, int]:
        """Bases of every gene that any of its transcripts has in an exon, by place of the gene."""
        gene_of = self.genes_of_transcripts()
        exons: dict[str, list[Interval]] = {gene.id: [] for contig in self.contigs for gene in self.genes(contig)}
        for exon in self._database.features_of_type("exon"):
            for gene in {gene_of[transcript] for transcript in exon.attributes["Parent"]}:
                exons[gene].append((exon.start - 1, exon.end))
        return {gene: sum(end - start for start, end in merge_intervals(parts)) for gene, parts in exons.items()}

    def promoter(self, span: Span, upstream: int, downstream: int = 0) -> Interval:
        """``upstream`` bases before the transcription start of a gene or transcript, and ``downstream`` bases after it.

        The transcription start is the first base on the strand of ``span``; for a gene, that of the transcript that
        begins first.
        """
        return self._window(span, span.start if span.strand == "+" else span.end, upstream, downstream)

    def gene_end(self, span: Span, upstream: int, downstream: int) -> Interval:
        """``upstream`` bases before the transcription end of a gene or transcript, and ``downstream`` after it."""
        return self._window(span, span.end if span.strand == "+" else span.start, upstream, downstream)

    def flanks(self, span: Span, bases: int) -> tuple[Interval, Interval]:
        """``bases`` on the 5' side and on the 3' side, whatever they contain."""
        return self.promoter(span, bases), self.gene_end(span, 0, bases)

    def neighbours(self, gene: Span) -> tuple[Span | None, Span | None]:
        """The nearest gene on the 5' side and on the 3' side, on either strand, that does not overlap ``gene``."""
        by_start, by_end = self._genes_of(gene.contig)
        before = bisect_right(by_end, gene.start, key=lambda one: one.end)
        after = bisect_left(by_start, gene.end, key=lambda one: one.start)
        left = by_end[before - 1] if before else None
        right = by_start[after] if after < len(by_start) else None
        return (left, right) if gene.strand == "+" else (right, left)

    def _window(self, span: Span, edge: int, upstream: int, downstream: int) -> Interval:
        left, right = (upstream, downstream) if span.strand == "+" else (downstream, upstream)
        length = self.contigs[span.contig]
        return min(max(0, edge - left), length), min(max(0, edge + right), length)

    def _read_genes(self, contig: str) -> tuple[list[Span], list[Span]]:
        """Genes of a contig by start and by end."""
        # All of them at once: the search of a region that crosses base 2**29 misses genes in gffutils 0.14.
        found = self._database.region(seqid=encode_column(contig), featuretype=self._gene_types)
        by_start = sorted(map(_span, found), key=_by_place)
        return by_start, sorted(by_start, key=lambda one: one.end)


def _span(feature: gffutils.Feature) -> Span:
    return Span(feature.id, decode_id(feature.seqid), feature.start - 1, feature.end, feature.strand)


def _by_place(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.id
