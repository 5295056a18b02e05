"""The gene model type used throughout PhytoScribe.

Coordinates are 0-based, half-open and in contig orientation: ``(0, 3)`` are the first three bases of the contig on
either strand.  Intervals are sorted by ascending start, whatever the strand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from phytoscribe.annotation.feature_types import default_biotype
from phytoscribe.genome.intervals import Interval

Attributes = Mapping[str, str]
COMPLEMENT_STRAND = {"+": "-", "-": "+"}


def introns_between(segments: Iterable[Interval]) -> tuple[Interval, ...]:
    """Gaps between consecutive sorted segments."""
    ordered = tuple(segments)
    return tuple((left[1], right[0]) for left, right in itertools.pairwise(ordered))


@dataclass(frozen=True, slots=True)
class Transcript:
    """One transcript of a gene.

    Attributes:
        id: transcript id.
        exons: sorted exons; never empty.
        cds: sorted CDS segments including the stop codon; empty for a non-coding transcript.
        type: feature type by Sequence Ontology (GFF3 column 3): ``mRNA``, ``lnc_RNA``, ``tRNA``, ``miRNA``, ...
        attributes: GFF3 attributes other than ``ID`` and ``Parent``, in the order of the file; a biotype of the
            transcript itself is one of them.
        score: probability-like score in [0, 1], or None.
        start_phase: GFF3 phase of the first CDS segment in transcript order: bases to skip to the first full codon.
            0 for every complete CDS.
        contig, strand: those of its gene; :class:`GeneModel` fills them in if they are empty.
    """

    id: str
    exons: tuple[Interval, ...]
    cds: tuple[Interval, ...] = ()
    type: str = "mRNA"
    attributes: Attributes = field(default_factory=dict, hash=False)
    score: float | None = None
    start_phase: int = 0
    contig: str = ""
    strand: str = ""

    @property
    def start(self) -> int:
        return self.exons[0][0]

    @property
    def end(self) -> int:
        return max(end for _, end in self.exons)  # of a broken transcript, whose exons overlap, not always the last

    @property
    def introns(self) -> tuple[Interval, ...]:
        return introns_between(self.exons)

    @property
    def cds_introns(self) -> tuple[Interval, ...]:
        """Gaps between CDS segments."""
        return introns_between(self.cds)

    @property
    def cds_length(self) -> int:
        return sum(end - start for start, end in self.cds)

    @property
    def exonic_length(self) -> int:
        return sum(end - start for start, end in self.exons)

    @property
    def is_forward(self) -> bool:
        """True on the plus strand.

        Raises:
            ValueError: the transcript has no strand yet.
        """
        if self.strand not in COMPLEMENT_STRAND:
            raise ValueError(f"transcript {self.id}: its strand is {self.strand!r}, not + or -; its gene must set it")
        return self.strand == "+"

    @property
    def cut_ends(self) -> tuple[bool, bool]:
        """Whether its 5' and its 3' end lie beyond the contig, as ``start_range`` and ``end_range`` say."""
        left, right = "start_range" in self.attributes, "end_range" in self.attributes
        return (left, right) if self.is_forward else (right, left)

    def cds_phases(self) -> tuple[int, ...]:
        """GFF3 phase of each CDS segment, in the order of :attr:`cds`."""
        forward = self.is_forward
        segments = self.cds if forward else self.cds[::-1]
        phases = []
        phase = self.start_phase
        for start, end in segments:
            phases.append(phase)
            phase = (phase - (end - start)) % 3
        return tuple(phases if forward else phases[::-1])

    def utrs(self) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
        """``(five_prime, three_prime)`` UTR segments, each sorted; both empty without CDS."""
        if not self.cds:
            return (), ()
        cds_start, cds_end = self.cds[0][0], self.cds[-1][1]
        left = tuple((s, min(e, cds_start)) for s, e in self.exons if s < cds_start)
        right = tuple((max(s, cds_end), e) for s, e in self.exons if e > cds_end)
        return (left, right) if self.is_forward else (right, left)


@dataclass(frozen=True, slots=True)
class GeneModel:
    """One gene locus with its transcripts.

    Attributes:
        id: gene id.
        contig: sequence name, as in the FASTA.
        strand: ``+`` or ``-``.
        transcripts: in the order of the file; never empty.
        biotype: attribute ``biotype``; if empty, it is derived from the types and the CDS (see
            :func:`~phytoscribe.annotation.feature_types.default_biotype`).
        attributes: GFF3 attributes other than ``ID`` and ``biotype``.
        source: GFF3 column 2 of the gene and all its features.
        score: probability-like score in [0, 1], or None.
        type: feature type by Sequence Ontology (GFF3 column 3): ``gene``, ``ncRNA_gene``, ``pseudogene``,
            ``transposable_element_gene``, ...

    Raises:
        ValueError: a transcript names another contig or strand.
    """

    id: str
    contig: str
    strand: str
    transcripts: tuple[Transcript, ...]
    biotype: str = ""
    attributes: Attributes = field(default_factory=dict, hash=False)
    source: str = "PhytoScribe"
    score: float | None = None
    type: str = "gene"

    def __post_init__(self) -> None:
        if not self.biotype:
            found = default_biotype(self.type, [t.type for t in self.transcripts], bool(self.coding_transcripts))
            object.__setattr__(self, "biotype", found)
        contig, strand = self.contig, self.strand
        for transcript in self.transcripts:
            if transcript.strand != strand or transcript.contig != contig:
                object.__setattr__(self, "transcripts", tuple(self._placed(t) for t in self.transcripts))
                break

    def _placed(self, transcript: Transcript) -> Transcript:
        if transcript.contig not in ("", self.contig) or transcript.strand not in ("", self.strand):
            raise ValueError(
                f"transcript {transcript.id} lies on {transcript.contig} {transcript.strand}, its gene {self.id} on "
                f"{self.contig} {self.strand}; a gene must be on one strand of one sequence"
            )
        return replace(transcript, contig=self.contig, strand=self.strand)

    @property
    def start(self) -> int:
        return min(t.start for t in self.transcripts)

    @property
    def end(self) -> int:
        return max(t.end for t in self.transcripts)

    @property
    def representative(self) -> Transcript | None:
        """The transcript with the longest CDS (then most exonic bases, then first in the file); None without CDS."""
        return max(self.coding_transcripts, key=lambda t: (t.cds_length, t.exonic_length), default=None)

    @property
    def coding_transcripts(self) -> tuple[Transcript, ...]:
        return tuple(t for t in self.transcripts if t.cds)

    def reverse_complement(self, contig_length: int) -> GeneModel:
        """The same gene on the reverse complement of its contig (an involution)."""

        def flip(segments: tuple[Interval, ...]) -> tuple[Interval, ...]:
            return tuple((contig_length - e, contig_length - s) for s, e in reversed(segments))

        return self._moved(flip, strand=COMPLEMENT_STRAND[self.strand])

    def shifted(self, offset: int, contig: str | None = None) -> GeneModel:
        """The same gene moved by ``offset`` bases, optionally onto another contig name."""

        def move(segments: tuple[Interval, ...]) -> tuple[Interval, ...]:
            return tuple((s + offset, e + offset) for s, e in segments)

        return self._moved(move, contig=self.contig if contig is None else contig)

    def _moved(self, move: Callable[[tuple[Interval, ...]], tuple[Interval, ...]], **place: str) -> GeneModel:
        moved = tuple(replace(t, exons=move(t.exons), cds=move(t.cds), **place) for t in self.transcripts)
        return replace(self, transcripts=moved, **place)


def numbered(genes: Iterable[GeneModel], prefix: str, letter: str = "g") -> Iterator[GeneModel]:
    """Genes with ids ``{prefix}_g000001``, ... in the order given, and their transcripts with ``.t1``, ``.t2``, ...

    Args:
        letter: in front of the number.
    """
    for number, gene in enumerate(genes, start=1):
        name = f"{prefix}_{letter}{number:06d}"
        transcripts = tuple(replace(t, id=f"{name}.t{k}") for k, t in enumerate(gene.transcripts, start=1))
        yield replace(gene, id=name, transcripts=transcripts)


def first_transcripts(genes: Iterable[GeneModel]) -> list[GeneModel]:
    """Coding genes with their first coding transcript alone."""
    return [replace(gene, transcripts=gene.coding_transcripts[:1]) for gene in genes if gene.coding_transcripts]


def sort_genes(genes: Iterable[GeneModel], contig_order: Iterable[str]) -> list[GeneModel]:
    """Genes in order of contig, start, end, strand, id."""
    rank = {name: index for index, name in enumerate(contig_order)}
    return sorted(genes, key=lambda g: (rank[g.contig], g.start, g.end, g.strand, g.id))
