"""GFF3 writer: gene models out, in the one form that the rest of the workflow and ``gt gff3validator`` accept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO

from phytoscribe.annotation.feature_types import is_gene_type
from phytoscribe.annotation.gff_attributes import encode_column, encode_id, encode_value
from phytoscribe.annotation.model import GeneModel, Interval, Transcript

#: Order of parts that start at the same base.
_PART_ORDER = {"exon": 0, "five_prime_UTR": 1, "CDS": 2, "three_prime_UTR": 3}


def write_gff3(
    handle: IO[str], genes: Iterable[GeneModel], contigs: Mapping[str, int], header: Sequence[str] = ()
) -> int:
    """Write genes in the order given and return how many they were.

    Args:
        handle: text file.
        genes: gene models, 0-based half-open; sort them with :func:`phytoscribe.annotation.sort_genes`.
        contigs: name to length; each becomes a ``##sequence-region``.
        header: comment lines, without ``#``.

    Per gene: gene, then per transcript its line and exon, five_prime_UTR, CDS and three_prime_UTR by position.  All CDS
    lines of a transcript share the ID ``<transcript>.cds`` (one feature in several lines); exons and UTRs are numbered
    in transcript order.  A transcript without CDS has exon lines only.  Genes and transcripts keep their types of
    Sequence Ontology, and all lines of a gene its source.  Scores have three decimals.  Attributes without a value,
    which GFF3 forbids, are left out.

    Raises:
        ValueError: the type of a gene is none that readers take for a gene's.
    """
    handle.write("##gff-version 3\n")
    for contig, length in contigs.items():
        handle.write(f"##sequence-region {encode_column(contig)} 1 {length}\n")
    for line in header:
        handle.write(f"# {line}\n")
    count = 0
    for gene in genes:
        handle.write("\n".join(gene_lines(gene)) + "\n")
        count += 1
    return count


def gene_lines(gene: GeneModel) -> list[str]:
    """The GFF3 lines of one gene, without newlines."""
    if not is_gene_type(gene.type):
        raise ValueError(f"gene {gene.id}: {gene.type!r} is no type of a gene, such as gene, ncRNA_gene or pseudogene")
    place = f"{encode_column(gene.contig)}\t{encode_column(gene.source)}"
    identifier = encode_id(gene.id)
    attributes = {"biotype": gene.biotype, **gene.attributes}
    span = (gene.start, gene.end)
    kind = encode_column(gene.type)
    lines = [_line(place, kind, span, gene.score, gene.strand, ".", f"ID={identifier}", attributes)]
    for transcript in gene.transcripts:
        name = encode_id(transcript.id)
        span = (transcript.start, transcript.end)
        kind = encode_column(transcript.type)
        key = f"ID={name};Parent={identifier}"
        lines.append(_line(place, kind, span, transcript.score, gene.strand, ".", key, transcript.attributes))
        lines.extend(
            _line(place, kind, segment, None, gene.strand, phase, f"ID={part};Parent={name}", {})
            for kind, segment, phase, part in _parts(transcript, name)
        )
    return lines


def _parts(transcript: Transcript, name: str) -> list[tuple[str, Interval, str, str]]:
    """(type, segment, phase, id) of a transcript's exons, UTRs and CDS, by position."""
    five_prime, three_prime = transcript.utrs()
    parts: list[tuple[str, Interval, str, str]] = []
    for kind, segments in (
        ("exon", transcript.exons),
        ("five_prime_UTR", five_prime),
        ("three_prime_UTR", three_prime),
    ):
        for index, segment in enumerate(segments):
            number = index + 1 if transcript.strand == "+" else len(segments) - index
            parts.append((kind, segment, ".", f"{name}.{kind}{number}"))
    for segment, phase in zip(transcript.cds, transcript.cds_phases(), strict=True):
        parts.append(("CDS", segment, str(phase), f"{name}.cds"))
    return sorted(parts, key=lambda part: (part[1][0], _PART_ORDER[part[0]]))


def _line(
    place: str,
    kind: str,
    segment: Interval,
    score: float | None,
    strand: str,
    phase: str,
    key: str,
    attributes: Mapping[str, str],
) -> str:
    shown = "." if score is None else f"{score:.3f}"
    rest = "".join(f";{encode_value(name)}={encode_value(value)}" for name, value in attributes.items() if value)
    return f"{place}\t{kind}\t{segment[0] + 1}\t{segment[1]}\t{shown}\t{strand}\t{phase}\t{key}{rest}"
