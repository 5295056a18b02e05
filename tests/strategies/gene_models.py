"""Hypothesis strategies of contigs and gene models, as odd as real annotations get.

The models are plain :class:`GeneModel` objects with 0-based half-open coordinates.  What they hold: both strands, one
to three isoforms, introns, UTRs (also spliced), single-exon genes, exons of one base, genes at both ends of a contig,
genes that overlap, non-coding isoforms of coding genes, non-coding genes, and CDS that begin inside a codon.
"""

from __future__ import annotations

from hypothesis import strategies as st

from phytoscribe.annotation import GeneModel, Transcript

CONTIG_NAMES = ("Chr1", "1", "NC_003070.9", "scaffold|12", "HiC_scaffold_7:1", "Übergang")
NONCODING_TYPES = ("lnc_RNA", "tRNA", "miRNA")
#: Everything that means something in column 9 of some dialect, and some letters of other scripts.
ODD = [*";=&,%\"'()|:/#><+~\téΩ漢🌱", "%3B", "%2C", "%25", "%41"]
#: A GTF file has no escapes: a value ends at the quote, and a line at its end.
ODD_IN_QUOTES = [text for text in ODD if text not in ('"', "\t")]


def words(odd: list[str], max_pieces: int = 5) -> st.SearchStrategy[str]:
    """Text for ids and values, with no blank at either end."""
    pieces = st.sampled_from([*odd, " ", "a", "B", "7", ".", "-", "_"])
    return st.lists(pieces, max_size=max_pieces).map("".join).map(str.strip)


def contig_tables() -> st.SearchStrategy[dict[str, int]]:
    """One to three contigs of 60 to 3,000 bases."""
    return st.dictionaries(st.sampled_from(CONTIG_NAMES), st.integers(60, 3000), min_size=1, max_size=3)


@st.composite
def annotations(draw: st.DrawFn, contigs: dict[str, int], odd: list[str] = ODD, coding_only: bool = False) -> list:
    """One to four genes on the contigs, every id different."""
    return [draw(gene_models(contigs, number, odd, coding_only)) for number in range(draw(st.integers(1, 4)))]


@st.composite
def gene_models(
    draw: st.DrawFn, contigs: dict[str, int], number: int, odd: list[str] = ODD, coding_only: bool = False
) -> GeneModel:
    """One gene; ``number`` makes its ids unlike those of other genes.

    With ``coding_only`` every transcript has a CDS.  The attribute ``description`` holds odd text.
    """
    contig = draw(st.sampled_from(sorted(contigs)))
    length = contigs[contig]
    # Genes at either end of a contig are where readers are off by one.
    low = draw(st.sampled_from([0, 0, length // 3]))
    high = draw(st.sampled_from([length, length, 2 * length // 3]))
    codes = coding_only or draw(st.integers(0, 3)) > 0
    isoforms = []
    for index in range(draw(st.integers(1, 3))):
        exons = isoforms[0].exons if index == 1 and draw(st.booleans()) else draw(exon_chains(low, high))
        cds = draw(coding_parts(exons)) if codes and (index == 0 or coding_only or draw(st.integers(0, 3)) > 0) else ()
        bases = sum(end - start for start, end in cds)
        isoforms.append(
            Transcript(
                id=f"{draw(words(odd, 2))}t{number}.{index + 1}",
                exons=exons,
                cds=cds,
                type="mRNA" if cds else draw(st.sampled_from(NONCODING_TYPES)),
                # A whole number of codons is read from its first base, whatever phase is given: see the cleaner.
                start_phase=draw(st.integers(0, 2)) if bases % 3 else 0,
            )
        )
    description = draw(words(odd))
    return GeneModel(
        id=f"{draw(words(odd, 2))}g{number}",
        contig=contig,
        strand=draw(st.sampled_from("+-")),
        transcripts=tuple(isoforms),
        biotype="protein_coding" if codes else draw(st.sampled_from(["lncRNA", "tRNA", "pseudogene"])),
        attributes={"description": description} if description else {},
    )


@st.composite
def exon_chains(draw: st.DrawFn, low: int, high: int) -> tuple[tuple[int, int], ...]:
    """One to six exons inside ``[low, high)``, of one base and more, with introns of one base and more."""
    count = draw(st.sampled_from([1, 1, 2, 2, 3, 4, 6]))
    inner = draw(st.sets(st.integers(low + 1, high - 1), min_size=2 * count, max_size=2 * count))
    edges = sorted(inner)
    if draw(st.booleans()):
        edges[0] = low
    if draw(st.booleans()):
        edges[-1] = high
    if draw(st.integers(0, 3)) == 0:  # one exon of a single base
        index = 2 * draw(st.integers(0, count - 1))
        edges[index + 1] = edges[index] + 1
    return tuple(zip(edges[0::2], edges[1::2], strict=True))


@st.composite
def coding_parts(draw: st.DrawFn, exons: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The part of the exons between two of their bases: with and without UTRs, which may be spliced themselves."""
    positions = sum(end - start for start, end in exons)
    first = draw(st.sampled_from([0, 0, min(7, positions - 1)]) | st.integers(0, positions - 1))
    last = draw(st.sampled_from([positions, positions]) | st.integers(first + 1, positions))
    parts, seen = [], 0
    for start, end in exons:
        left, right = max(start, start + first - seen), min(end, start + last - seen)
        if left < right:
            parts.append((left, right))
        seen += end - start
    return tuple(parts)
