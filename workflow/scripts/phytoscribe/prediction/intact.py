"""Check before writing that a gene is intact on its sequence, as the decoder guarantees.

A coding transcript runs from ATG to the first in-frame stop codon; its introns are GT-AG, GC-AG or, inside the CDS,
AT-AC.  Only an end marked as cut may lack its codon, and only at the contig's end or at an intron that runs over it.  A
gene that fails comes from a shard that does not match the FASTA, or from a bug.
"""

from __future__ import annotations

from collections.abc import Iterator

from phytoscribe.annotation.checking.check import SPLICE_SITES, coding_part, splice_site
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.sequence import Bases, reverse_complement

_CODING_SPLICE_SITES = SPLICE_SITES | {"AT-AC"}
_DONORS, _ACCEPTORS = map(set, zip(*(site.split("-") for site in _CODING_SPLICE_SITES), strict=True))


def check_gene(gene: GeneModel, genome: Genome) -> Bases:
    """Check the transcripts of a gene against the sequence; for those without a CDS, only the exon positions.

    Returns:
        bases of the gene, from its start to its end.

    Raises:
        PhytoScribeError: there is a fault; the message names gene, transcript, position and fault.
    """
    length, bases = genome.contigs[gene.contig], None
    for transcript in gene.transcripts:
        fault = _misplaced(transcript, length)
        if transcript.cds and not fault:
            if bases is None:  # a later transcript may reach beyond the contig
                bases = genome.bases(gene.contig, max(0, gene.start), min(gene.end, length))
            cut = _cut_ends(transcript, gene, genome)
            fault = next(_sequence_faults(transcript, bases, max(0, gene.start), cut), "")
        if fault:
            raise PhytoScribeError(
                f"gene {gene.id} ({gene.contig}:{gene.start + 1}-{gene.end}, {gene.strand} strand), transcript "
                f"{transcript.id}: {fault}. Its shard was made from another FASTA, or is damaged: delete this genome's "
                "folder in results/predictions/shards/ and run again. If the message comes back, it is a fault of "
                "PhytoScribe: please report it"
            )
    return genome.bases(gene.contig, gene.start, gene.end) if bases is None else bases


def _misplaced(transcript: Transcript, length: int) -> str:
    """What is wrong with the places of exons and CDS on a contig of this length."""
    before = 0
    for start, end in transcript.exons:
        if not 0 <= start < end <= length:
            return f"exon {start + 1}..{end} does not lie on the contig, which has {length} bases"
        if start < before:
            return f"exons overlap at {start + 1}"
        before = end
    cds = transcript.cds
    if cds and (cds[0][0] >= cds[-1][1] or cds != coding_part(transcript.exons, cds[0][0], cds[-1][1])):
        return "its CDS is not the part of its exons between first and last coding base"
    return ""


def _sequence_faults(transcript: Transcript, bases: Bases, offset: int, cut: tuple[bool, bool]) -> Iterator[str]:
    """Faults of splice sites and reading frame.

    Args:
        bases: uint8 (n,), from contig position ``offset`` on.
        cut: whether its start and its stop codon may be cut off.
    """
    coding = range(transcript.cds[0][0], transcript.cds[-1][1])
    for start, end in transcript.introns:
        site = splice_site((start - offset, end - offset), transcript.strand, bases)
        if site not in (_CODING_SPLICE_SITES if start in coding else SPLICE_SITES):
            yield f"intron {start + 1}..{end} has the splice sites {site}"
    codes = spliced_codes([(start - offset, end - offset) for start, end in transcript.cds], transcript.strand, bases)
    frame = reading_frame(codes[transcript.start_phase :])
    if not 0 <= transcript.start_phase < 3 or not (cut[0] or (frame.starts and not transcript.start_phase)):
        yield f"its CDS begins with {decode(codes[:3])} in phase {transcript.start_phase} and not with a start codon"
    if frame.first_stop >= 0 and not (frame.stops_at_end and frame.first_stop == frame.codons - 1):
        yield f"codon {frame.first_stop + 1} of {frame.codons} in its CDS is a stop codon"
    if not (cut[1] or frame.stops_at_end):
        ends = f"ends with {decode(codes[-3:])} and not with a stop codon"
        yield f"its CDS {ends if frame.whole else f'has {codes.size} bases, which are no whole codons'}"


def _cut_ends(transcript: Transcript, gene: GeneModel, genome: Genome) -> tuple[bool, bool]:
    """Whether start and stop codon may be cut off by an end of the contig."""
    if transcript.attributes.get("partial") != "true":
        return False, False
    (start, end), length = (transcript.cds[0][0], transcript.cds[-1][1]), genome.contigs[gene.contig]
    left, right = (
        genome.bases(gene.contig, max(0, start - 2), start),
        genome.bases(gene.contig, end, min(end + 2, length)),
    )
    if gene.strand == "+":
        return start == 0 or decode(left) in _ACCEPTORS, end == length or decode(right) in _DONORS
    return (
        end == length or decode(reverse_complement(right)) in _ACCEPTORS,
        start == 0 or decode(reverse_complement(left)) in _DONORS,
    )
