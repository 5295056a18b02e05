"""The sequence around both ends of a gene that expression is predicted from, and genes that have none.

A window has one or two pieces, read 5' to 3' on the gene's strand: around the transcription start (TSS), and around the
transcription end (TTS).  Start and stop codons of all transcripts are N in it, as in deepCRE (Peleke et al. 2024,
doi:10.1038/s41467-024-47744-0), because a codon at a place that depends on the length of the UTR tells the structure of
the gene.  Bases beyond the contig, and beyond the middle of a short gene, are N too; so is, with input ``flanks``,
whatever any gene transcribes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.gene_database import GeneDatabase, Span
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import ConfigError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.genome.sequence import N_CODE, reverse_complement

GENE, FLANKS, PROMOTER = INPUTS = ("gene", "flanks", "promoter")
#: Reasons for genes without a window.
BEYOND_CONTIG, UNKNOWN_BASES = "beyond_contig", "unknown_bases"
#: Share of the flank that may lie beyond the contig, and of the window that may be N in the FASTA.
MOST_MISSING = 0.5
_CODON = 3


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """What of a gene is read.

    Attributes:
        input: ``gene`` (both ends with transcribed bases), ``flanks`` (both ends without any) or ``promoter`` (what
            lies before the TSS).
        upstream: bases outside of the gene, before the TSS and, with ``gene``, behind the TTS.
        downstream: bases inside of the gene, with ``gene``; bases behind the TTS, with ``flanks``.
    """

    input: str = GENE
    upstream: int = 1000
    downstream: int = 500

    def __post_init__(self) -> None:
        if self.input not in INPUTS:
            raise ConfigError(f"expression.input: {self.input!r} is unknown; use one of {', '.join(INPUTS)}")

    @property
    def inside(self) -> int:
        """Transcribed bases of a piece."""
        return self.downstream if self.input == GENE else 0

    @property
    def flanks(self) -> tuple[int, ...]:
        """Bases outside of the gene of each piece."""
        behind = {GENE: (self.upstream,), FLANKS: (self.downstream,), PROMOTER: ()}
        return (self.upstream, *behind[self.input])

    @property
    def pieces(self) -> int:
        return len(self.flanks)

    @property
    def piece(self) -> int:
        """Bases of a piece; a shorter one is filled up with N."""
        return max(self.flanks) + self.inside


@dataclass(frozen=True, slots=True)
class GeneWindow:
    """The window of one gene.

    Attributes:
        span: the gene.
        pieces: intervals on the contig, cut at its ends, that of the TSS first.
        missing: bases of the flank of each piece that lie beyond the contig.
        hidden: intervals in the pieces that are not shown, because a gene transcribes them.
    """

    span: Span
    pieces: tuple[Interval, ...]
    missing: tuple[int, ...]
    hidden: tuple[Interval, ...] = ()

    @property
    def tss(self) -> int:
        """The first transcribed base, 0-based; for a gene, that of the transcript that begins first."""
        return self.span.start if self.span.strand == "+" else self.span.end - 1

    @property
    def tts(self) -> int:
        """The last transcribed base, 0-based."""
        return self.span.end - 1 if self.span.strand == "+" else self.span.start


def windows_of_genes(database: GeneDatabase, settings: WindowSettings) -> list[GeneWindow]:
    """Windows of all genes, in order along the contigs."""
    windows = []
    for contig in database.contigs:
        genes = database.genes(contig)
        transcribed = merge_intervals((gene.start, gene.end) for gene in genes) if settings.input == FLANKS else []
        windows += [_window_of_gene(gene, database, settings, transcribed) for gene in genes]
    return windows


def _window_of_gene(
    span: Span, database: GeneDatabase, settings: WindowSettings, transcribed: Sequence[Interval]
) -> GeneWindow:
    """The window of a gene; in one shorter than two halves of a window, both pieces end in its middle.

    Args:
        transcribed: what is not shown, merged and sorted.
    """
    inside, flanks = min(settings.inside, (span.end - span.start) // 2), settings.flanks
    pieces = (database.promoter(span, flanks[0], inside), database.gene_end(span, inside, flanks[-1]))[: len(flanks)]
    missing = tuple(flank + inside - (end - start) for flank, (start, end) in zip(flanks, pieces, strict=True))
    hidden = tuple(cut for start, end in pieces for cut in _cut_to(transcribed, start, end))
    return GeneWindow(span, pieces, missing, hidden)


def _cut_to(intervals: Sequence[Interval], start: int, end: int) -> list[Interval]:
    """The parts of merged and sorted intervals within ``[start, end)``."""
    first = bisect_right(intervals, start, key=lambda one: one[1])
    last = bisect_left(intervals, end, key=lambda one: one[0])
    return [(max(left, start), min(right, end)) for left, right in intervals[first:last]]


def window_bases(
    windows: Sequence[GeneWindow], models: Mapping[str, GeneModel], genome: Genome, settings: WindowSettings
) -> npt.NDArray[np.uint8]:
    """Base codes of windows, uint8 (windows, pieces, bases), 5' to 3' on the strand of the gene.

    The TSS stands behind the flank of the first piece, the last base of the gene before that of the second one.

    Args:
        models: gene models by id, for their codons.
    """
    codes = np.full((len(windows), settings.pieces, settings.piece), N_CODE, dtype=np.uint8)
    for row, window in enumerate(windows):
        span = window.span
        codons = codons_of(models[span.id].coding_transcripts)
        for number, (start, end) in enumerate(window.pieces):
            bases = genome.bases(span.contig, start, end)
            for left, right in (*codons, *window.hidden):
                bases[max(0, left - start) : max(0, right - start)] = N_CODE
            read = bases if span.strand == "+" else reverse_complement(bases)
            codes[row, number, place_in_piece(window, number, settings)] = read
    return codes


def place_in_piece(window: GeneWindow, number: int, settings: WindowSettings) -> slice:
    """Where in a piece the bases of its interval stand; all others of the piece are N."""
    (start, end), missing = window.pieces[number], window.missing[number]
    # The flank comes first at the TSS, last at the TTS.
    filled = settings.flanks[number] + settings.inside
    at = settings.piece - filled + missing if number == 0 else filled - missing - (end - start)
    return slice(at, at + end - start)


def codons_of(transcripts: Iterable[Transcript]) -> list[Interval]:
    """The start and stop codons of transcripts with CDS, each in pieces where an intron splits it."""
    found: set[Interval] = set()
    for transcript in transcripts:
        found.update(_first_bases(transcript.cds, _CODON))
        found.update(_last_bases(transcript.cds, _CODON))
    return sorted(found)


def _first_bases(segments: Sequence[Interval], count: int) -> list[Interval]:
    found = []
    for start, end in segments:
        if count > 0:
            found.append((start, min(end, start + count)))
            count -= end - start
    return found


def _last_bases(segments: Sequence[Interval], count: int) -> list[Interval]:
    mirrored = _first_bases([(-end, -start) for start, end in reversed(segments)], count)
    return [(-end, -start) for start, end in mirrored]


def reason_without(window: GeneWindow, bases: npt.NDArray[np.uint8], settings: WindowSettings) -> str:
    """Why a gene cannot be read; empty if it can.

    Args:
        bases: of its window, uint8 (pieces, bases).
    """
    if any(missing > MOST_MISSING * flank for missing, flank in zip(window.missing, settings.flanks, strict=True)):
        return BEYOND_CONTIG
    # A gene whose neighbours are close has little to be told from, and keeps its place among the others.
    read = sum(end - start for start, end in window.pieces) - sum(end - start for start, end in window.hidden)
    known = int((bases != N_CODE).sum())
    return UNKNOWN_BASES if known < (1 - MOST_MISSING) * read else ""
