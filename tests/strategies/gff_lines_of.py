"""What every dialect writer needs: a feature line, escapes, start and stop codons, and the record of what was written.

Nothing here uses the library's own writer or its escapes, so that one mistake cannot hide in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from phytoscribe.annotation import GeneModel, Interval, Transcript


@dataclass(slots=True)
class Written:
    """An annotation in some dialect.

    Attributes:
        header: lines before the first feature.
        genes: the feature lines of each gene, in the order of the file.
        others: feature lines that belong to no gene (regions, matches).
        comments: comment lines that may stand between features.
        expected: the gene models that a reader should find, with the ids and attributes that the dialect keeps.
            Of the attributes only those given here count.
    """

    header: list[str] = field(default_factory=list)
    genes: list[list[str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    expected: list[GeneModel] = field(default_factory=list)


class Dialect(NamedTuple):
    """How to write a dialect, and what it can carry."""

    write: Callable[[Sequence[GeneModel], Mapping[str, int]], Written]
    escapes: bool = True
    coding_only: bool = False


def line(gene: GeneModel, source: str, kind: str, segment: Interval, phase: int | str, column9: str) -> str:
    """A feature line; ``segment`` is 0-based half-open."""
    return f"{gene.contig}\t{source}\t{kind}\t{segment[0] + 1}\t{segment[1]}\t.\t{gene.strand}\t{phase}\t{column9}"


def escaped(text: str) -> str:
    """Text as a GFF3 value: the characters that the specification reserves as percent escapes."""
    return "".join(f"%{ord(letter):02X}" if letter in "%;=&,\t\n\r" else letter for letter in text)


def kept(text: str) -> str:
    """Text as a gene model keeps it: a comma that separates nothing stays marked."""
    return text.replace(",", "%2C")


def in_transcript_order(segments: Sequence[Interval], strand: str) -> list[Interval]:
    return list(segments) if strand == "+" else list(segments)[::-1]


def first_bases(segments: Sequence[Interval], strand: str, count: int) -> list[Interval]:
    """The first ``count`` spliced bases in transcript direction, as sorted segments."""
    taken = []
    for start, end in in_transcript_order(segments, strand):
        size = min(count, end - start)
        if size:
            taken.append((start, start + size) if strand == "+" else (end - size, end))
        count -= size
    return sorted(taken)


def has_stop(transcript: Transcript) -> bool:
    """Whether the CDS ends with a whole codon behind at least one other: then the last codon is taken for the stop."""
    codons = transcript.cds_length - transcript.start_phase
    return bool(transcript.cds) and codons % 3 == 0 and codons > 3


def without_stop(transcript: Transcript, strand: str) -> tuple[tuple[Interval, ...], list[Interval]]:
    """CDS segments without the stop codon, and the stop codon, which introns may cut; whole CDS where there is none."""
    if not has_stop(transcript):
        return transcript.cds, []
    coding = tuple(first_bases(transcript.cds, strand, transcript.cds_length - 3))
    opposite = "-" if strand == "+" else "+"
    return coding, first_bases(transcript.cds, opposite, 3)
