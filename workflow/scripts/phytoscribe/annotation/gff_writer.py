"""GFF3 writer: writes gene models in the form that the rest of the workflow and ``gt gff3validator`` accept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO

from phytoscribe.annotation.feature_types import is_gene_type
from phytoscribe.annotation.gff_text import encode_column, encode_id, encode_value
from phytoscribe.annotation.model import GeneModel, Interval, Transcript

#: Order of parts that start at the same base.
_PART_ORDER = {"exon": 0, "five_prime_UTR": 1, "CDS": 2, "three_prime_UTR": 3}


def write_gff3(
    handle: IO[str],
    genes: Iterable[GeneModel],
    contigs: Mapping[str, int],
    header: Sequence[str] = (),
    for_counting: bool = False,
) -> int:
    """Write genes in the order given and return their number.

    Args:
        handle: text file.
        genes: gene models, 0-based half-open; sort them with :func:`phytoscribe.annotation.sort_genes`.
        contigs: name to length; each becomes a ``##sequence-region``.
        header: comment lines, without ``#``.
        for_counting: also write ``gene_id`` on exon and CDS lines, and ``gene_biotype``, for programs that count reads
            (STAR, featureCounts) or predict variant effects.

    Each gene has its gene line, then per transcript its own line and exon, five_prime_UTR, CDS and three_prime_UTR by
    position.  All CDS lines of a transcript share the ID ``<transcript>.cds`` (one feature in several lines); exons and
    UTRs are numbered in transcript order.  A transcript without CDS has exon lines only.  Genes and transcripts keep
    their Sequence Ontology types, and all lines of a gene have its source.  Scores have three decimals.  Attributes
    without a value, which GFF3 forbids, are left out.  If a contig's end cuts a transcript, the parts there repeat
    ``partial`` and ``start_range`` or ``end_range`` from its line, as in NCBI files.

    Raises:
        ValueError: a gene has a type that readers do not accept for genes.
    """
    handle.write("##gff-version 3\n")
    for contig, length in contigs.items():
        handle.write(f"##sequence-region {encode_column(contig)} 1 {length}\n")
    for line in header:
        handle.write(f"# {line}\n")
    count = 0
    for gene in genes:
        handle.write("\n".join(gene_lines(gene, for_counting)) + "\n")
        count += 1
    return count


def gene_lines(gene: GeneModel, for_counting: bool = False) -> list[str]:
    """The GFF3 lines of one gene, without newlines; arguments as for :func:`write_gff3`."""
    if not is_gene_type(gene.type):
        raise ValueError(f"gene {gene.id}: {gene.type!r} is no type of a gene, such as gene, ncRNA_gene or pseudogene")
    place = f"{encode_column(gene.contig)}\t{encode_column(gene.source)}"

    def line(kind: str, start: int, end: int, score: float | None, phase: str, column9: str) -> str:
        shown = "." if score is None else f"{score:.3f}"
        return f"{place}\t{kind}\t{start + 1}\t{end}\t{shown}\t{gene.strand}\t{phase}\t{column9}"

    identifier = encode_id(gene.id)
    counted = {"gene_biotype": gene.biotype} if for_counting else {}
    column9 = f"ID={identifier}{_attributes({'biotype': gene.biotype, **counted, **gene.attributes})}"
    lines = [line(encode_column(gene.type), gene.start, gene.end, gene.score, ".", column9)]
    for transcript in gene.transcripts:
        name = encode_id(transcript.id)
        column9 = f"ID={name};Parent={identifier}{_attributes(transcript.attributes)}"
        kind = encode_column(transcript.type)
        lines.append(line(kind, transcript.start, transcript.end, transcript.score, ".", column9))
        of_gene = f";gene_id={identifier}" if for_counting else ""
        for kind, segment, phase, part in _parts(transcript, name):
            cut = _attributes(_cut_ends(transcript, segment)) if kind in ("exon", "CDS") else ""
            lines.append(line(kind, *segment, None, phase, f"ID={part};Parent={name}{of_gene}{cut}"))
    return lines


def _cut_ends(transcript: Transcript, segment: Interval) -> dict[str, str]:
    """What a segment says of the transcript's ends that it holds and the contig's end cuts."""
    found = {}
    if "start_range" in transcript.attributes and segment[0] == transcript.start:
        found["start_range"] = transcript.attributes["start_range"]
    if "end_range" in transcript.attributes and segment[1] == transcript.end:
        found["end_range"] = transcript.attributes["end_range"]
    return {"partial": "true", **found} if found else {}


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f";{encode_value(name)}={encode_value(value)}" for name, value in attributes.items() if value)


def _parts(transcript: Transcript, name: str) -> list[tuple[str, Interval, str, str]]:
    """(type, segment, phase, id) of a transcript's exons, UTRs and CDS, by position."""
    five_prime, three_prime = transcript.utrs()
    parts: list[tuple[str, Interval, str, str]] = []
    kinds = {"exon": transcript.exons, "five_prime_UTR": five_prime, "three_prime_UTR": three_prime}
    for kind, segments in kinds.items():
        for index, segment in enumerate(segments):
            number = index + 1 if transcript.strand == "+" else len(segments) - index
            parts.append((kind, segment, ".", f"{name}.{kind}{number}"))
    for segment, phase in zip(transcript.cds, transcript.cds_phases(), strict=True):
        parts.append(("CDS", segment, str(phase), f"{name}.cds"))
    return sorted(parts, key=lambda part: (part[1][0], _PART_ORDER[part[0]]))
