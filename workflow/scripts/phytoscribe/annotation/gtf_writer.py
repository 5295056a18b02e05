"""GTF writer, for programs that cannot read GFF3 or need ``gene_id`` on every line."""

from __future__ import annotations

from phytoscribe.annotation.gff_text import encode_column
from phytoscribe.annotation.model import GeneModel, Interval, Transcript


def gtf_lines(gene: GeneModel) -> list[str]:
    """The lines of one gene in GTF 2.2 as Ensembl writes it, without newlines.

    Features: gene, transcript, exon, CDS without the stop codon, start_codon, stop_codon, five_prime_utr and
    three_prime_utr.  A codon split by an intron has a line for each piece; an end cut by the contig (``start_range``,
    ``end_range``) has no codon.  Sequence names are escaped as in GFF3.
    """
    place = f"{encode_column(gene.contig)}\t{encode_column(gene.source)}"
    of_gene = f'gene_id "{_quoted(gene.id)}"; gene_biotype "{_quoted(gene.biotype)}";'

    def line(kind: str, segment: Interval, phase: int | str, column9: str, score: float | None = None) -> str:
        shown = "." if score is None else f"{score:.3f}"
        return f"{place}\t{kind}\t{segment[0] + 1}\t{segment[1]}\t{shown}\t{gene.strand}\t{phase}\t{column9}"

    lines = [line("gene", (gene.start, gene.end), ".", of_gene, gene.score)]
    for transcript in gene.transcripts:
        column9 = f'gene_id "{_quoted(gene.id)}"; transcript_id "{_quoted(transcript.id)}"; '
        column9 += f'gene_biotype "{_quoted(gene.biotype)}";'
        lines.append(line("transcript", (transcript.start, transcript.end), ".", column9, transcript.score))
        exons = transcript.exons if transcript.is_forward else transcript.exons[::-1]
        lines.extend(
            line("exon", exon, ".", f'{column9} exon_number "{number}";') for number, exon in enumerate(exons, start=1)
        )
        lines.extend(line(kind, segment, phase, column9) for kind, segment, phase in _coding_parts(transcript))
    return lines


def _quoted(text: str) -> str:
    """Text that may stand between double quotes: GTF has no way to write one inside."""
    return text.replace('"', "'")


def _coding_parts(transcript: Transcript) -> list[tuple[str, Interval, int | str]]:
    """(type, segment, phase) of CDS, codons and UTRs, in the order of the transcript."""
    if not transcript.cds:
        return []
    phased = list(zip(transcript.cds, transcript.cds_phases(), strict=True))
    start_cut, stop_cut = transcript.cut_ends
    order = 1 if transcript.is_forward else -1
    phased = phased[::order]
    has_start = not start_cut and transcript.start_phase == 0 and transcript.cds_length >= 3
    has_stop = not stop_cut and (transcript.cds_length - transcript.start_phase) % 3 == 0 and transcript.cds_length >= 6
    start, _ = _split(phased, 3 if has_start else 0, order)
    coding, stop = _split(phased, transcript.cds_length - (3 if has_stop else 0), order)
    five_prime, three_prime = transcript.utrs()
    parts: list[tuple[str, Interval, int | str]] = [("CDS", *piece) for piece in coding]
    parts += [("start_codon", *piece) for piece in start]
    parts += [("stop_codon", *piece) for piece in stop]
    parts += [("five_prime_utr", segment, ".") for segment in five_prime[::order]]
    parts += [("three_prime_utr", segment, ".") for segment in three_prime[::order]]
    return parts


def _split(
    phased: list[tuple[Interval, int]], count: int, order: int
) -> tuple[list[tuple[Interval, int]], list[tuple[Interval, int]]]:
    """The first ``count`` bases of segments in reading direction, and the rest, each with phases.

    Args:
        order: 1 on the plus strand, -1 on the minus strand.
    """
    before: list[tuple[Interval, int]] = []
    after: list[tuple[Interval, int]] = []
    for (start, end), phase in phased:
        taken = min(count, end - start)
        count -= taken
        left, right = (start, start + taken), (start + taken, end)
        if order < 0:
            left, right = (end - taken, end), (start, end - taken)
        if taken:
            before.append((left, phase))
        if taken < end - start:
            after.append((right, (phase - taken) % 3))
    return before, after
