"""Annotations as people hand them in: genes in the odd layouts of public reports, several layouts in one file.

The generator is seeded, so that each file can be made again.  Nothing here uses the library's own writer.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

Segment = tuple[int, int]
#: Contig, strand, and the exons and CDS of each transcript (1-based closed, sorted).
Model = tuple[str, str, frozenset[tuple[tuple[Segment, ...], tuple[Segment, ...]]]]
CONTIGS = {"c1": 400_000, "c2": 400_000}
GENE_KEYS = ("geneID", "gene_id", "locus_tag", "gene")
UTR_TYPES = (
    ("five_prime_UTR", "three_prime_UTR"),
    ("UTR", "UTR"),
    ("5UTR", "3UTR"),
    ("five_prime_utr", "three_prime_utr"),
)


@dataclass
class Gene:
    """One gene to write; coordinates are 1-based closed."""

    name: str
    contig: str
    strand: str
    isoforms: list[tuple[list[Segment], list[Segment]]]
    lines: list[str] = field(default_factory=list)

    @property
    def model(self) -> Model:
        return self.contig, self.strand, frozenset((tuple(exons), tuple(cds)) for exons, cds in self.isoforms)

    @property
    def span(self) -> Segment:
        return min(e[0][0] for e, _ in self.isoforms), max(e[-1][1] for e, _ in self.isoforms)

    def add(self, kind: str, segment: Segment, attributes: str, phase: str = ".") -> None:
        start, end = segment
        self.lines.append(f"{self.contig}\tx\t{kind}\t{start}\t{end}\t.\t{self.strand}\t{phase}\t{attributes}")

    def add_parts(self, kind: str, segments: list[Segment], attributes: str, order: int = 1) -> None:
        """``#`` in the attributes becomes the number of the segment."""
        skip = 0
        phases = {}
        for segment in segments if self.strand == "+" else segments[::-1]:
            phases[segment] = str(skip)
            skip = (skip - (segment[1] - segment[0] + 1)) % 3
        for number, segment in enumerate(segments[::order]):
            phase = phases[segment] if kind == "CDS" else "."
            self.add(kind, segment, attributes.replace("#", str(number)), phase)


def isoform(chance: random.Random, start: int, coding_only: bool) -> tuple[list[Segment], list[Segment]]:
    """Two to five exons of unlike lengths, and a CDS of whole codons; without UTRs if ``coding_only``."""
    exons: list[Segment] = []
    for number in range(chance.randint(2, 5)):
        length = 31 + 7 * number + chance.randint(0, 6) + (200 if chance.random() < 0.3 else 0)
        exons.append((start, start + length))
        start += length + 1 + chance.randint(60, 900)
    cut = 0 if coding_only else chance.randint(1, 20)
    tail = 0 if coding_only else chance.randint(1, 20)
    total = sum(end - first + 1 for first, end in exons) - cut - tail
    if coding_only:
        exons[-1] = (exons[-1][0], exons[-1][1] - total % 3)
    tail += 0 if coding_only else total % 3
    cds = [(exons[0][0] + cut, exons[0][1]), *exons[1:-1], (exons[-1][0], exons[-1][1] - tail)]
    return exons, cds


def other_isoform(
    chance: random.Random, first: tuple[list[Segment], list[Segment]]
) -> tuple[list[Segment], list[Segment]]:
    """The first isoform without its last exon, or with a longer 3' end."""
    exons, cds = first
    if len(exons) > 2 and chance.random() < 0.5:
        return exons[:-1], cds[:-1]
    return [*exons[:-1], (exons[-1][0], exons[-1][1] + 9)], cds


def gffread(gene: Gene, chance: random.Random) -> None:
    key = chance.choice(GENE_KEYS)
    for number, (exons, cds) in enumerate(gene.isoforms, start=1):
        gene.add("transcript", (exons[0][0], exons[-1][1]), f"ID={gene.name}.t{number};{key}={gene.name}")
        gene.add_parts("exon", exons, f"Parent={gene.name}.t{number}")
        gene.add_parts("CDS", cds, f"Parent={gene.name}.t{number}")


def gene_line_by_name(gene: Gene, chance: random.Random) -> None:
    key = chance.choice((*GENE_KEYS, "Name", "Alias"))
    gene.add("gene", gene.span, f"ID=id{gene.name};{key}={gene.name}")
    for number, (exons, cds) in enumerate(gene.isoforms, start=1):
        gene.add("mRNA", (exons[0][0], exons[-1][1]), f"ID={gene.name}.t{number};{key}={gene.name}")
        gene.add_parts("exon", exons, f"Parent={gene.name}.t{number}")
        gene.add_parts("CDS", cds, f"Parent={gene.name}.t{number}")


def unknown_transcript(gene: Gene, chance: random.Random) -> None:
    names = f'gene_id "{gene.name}"; transcript_id "unknown_transcript_1";'
    if chance.random() < 0.5:
        gene.add("gene", gene.span, f'gene_id "{gene.name}"; transcript_id "";')
    if chance.random() < 0.5:
        gene.add("transcript", gene.span, names)
    exons, cds = gene.isoforms[0]
    gene.add_parts("exon", exons, names, -1)
    gene.add_parts("CDS", cds, names, -1)


def utrs_outside_exons(gene: Gene, chance: random.Random) -> None:
    kinds = chance.choice(UTR_TYPES)
    kinds = kinds if gene.strand == "+" else kinds[::-1]
    gene.add("gene", gene.span, f"ID={gene.name}")
    for number, (exons, cds) in enumerate(gene.isoforms, start=1):
        name = f"{gene.name}.t{number}"
        gene.add("mRNA", (exons[0][0], exons[-1][1]), f"ID={name};Parent={gene.name}")
        gene.add_parts("exon", cds, f"Parent={name}")
        gene.add_parts("CDS", cds, f"ID=cds.{name};Parent={name}")
        left = [(a, min(b, cds[0][0] - 1)) for a, b in exons if a < cds[0][0]]
        right = [(max(a, cds[-1][1] + 1), b) for a, b in exons if b > cds[-1][1]]
        for kind, segments in zip(kinds, (left, right), strict=True):
            gene.add_parts(kind, segments, f"Parent={name}")


def in_pieces(gene: Gene, chance: random.Random) -> None:
    mark = chance.choice((";is_ordered=true", ""))
    order = chance.choice((1, -1))
    exons, cds = gene.isoforms[0]
    gene.add_parts("gene", exons, f"ID={gene.name}{mark}", order)
    if chance.random() < 0.7:
        gene.add_parts("mRNA", exons, f"ID={gene.name}.t;Parent={gene.name}{mark}", order)
    else:
        gene.add("mRNA", gene.span, f"ID={gene.name}.t;Parent={gene.name}{mark}")
    gene.add_parts("exon", exons, f"ID={gene.name}.e#;Parent={gene.name}.t{mark}", order)
    gene.add_parts("CDS", cds, f"ID={gene.name}.c;Parent={gene.name}.t{mark}", order)


def cds_below_gene(gene: Gene, chance: random.Random) -> None:
    gene.add("gene", gene.span, f"ID={gene.name}")
    for number, (exons, _) in enumerate(gene.isoforms, start=1):
        gene.add("mRNA", (exons[0][0], exons[-1][1]), f"ID={gene.name}.t{number};Parent={gene.name}")
        gene.add_parts("exon", exons, f"Parent={gene.name}.t{number}")
    gene.add_parts("CDS", gene.isoforms[0][1], f"ID={gene.name}.c1;Parent={gene.name}")
    for number, (_, cds) in enumerate(gene.isoforms[1:], start=2):
        gene.add_parts("CDS", cds, f"ID={gene.name}.c{number};Parent={gene.name}")


def twin_lines(gene: Gene, chance: random.Random) -> None:
    gene.add("gene", gene.span, gene.name)
    for number, (exons, cds) in enumerate(gene.isoforms, start=1):
        name, span = f"{gene.name}.t{number}", (exons[0][0], exons[-1][1])
        names = f'transcript_id "{name}"; gene_id "{gene.name}";'
        gene.add("transcript", span, chance.choice((name, f"{name};Parent={gene.name}")))
        if chance.random() < 0.6:
            gene.add("mRNA", span, names)
        gene.add_parts("exon", exons, names)
        gene.add_parts("CDS", cds, names)


def cds_by_name(gene: Gene, chance: random.Random) -> None:
    key = chance.choice(("Name", "Alias", "protein_id", "transcript_id", "gene"))
    own = chance.choice((f"ID={gene.name}.CDS#;", ""))
    gene.add_parts("CDS", gene.isoforms[0][1], f"{own}{key}={gene.name}.m1", chance.choice((1, -1)))


def without_parents(gene: Gene, chance: random.Random) -> None:
    key = chance.choice(("gene", "locus_tag"))
    exons, cds = gene.isoforms[0]
    gene.add("gene", gene.span, f"ID=gene-{gene.name};{key}={gene.name}")
    gene.add("mRNA", gene.span, f"ID=rna-{gene.name};{key}={gene.name}")
    gene.add_parts("exon", exons, f"ID={gene.name}.e#;Parent=rna-{gene.name};{key}={gene.name}")
    gene.add_parts("CDS", cds, f"ID=cds-{gene.name};{key}={gene.name};protein_id=p{gene.name}")


def two_cds(gene: Gene, chance: random.Random) -> None:
    exons, cds = gene.isoforms[0]
    later = [(cds[0][0] + 3, cds[0][1]), *cds[1:]] if gene.strand == "+" else [*cds[:-1], (cds[-1][0], cds[-1][1] - 3)]
    gene.isoforms.append((exons, later))
    gene.add("gene", gene.span, f"ID={gene.name}")
    gene.add("mRNA", gene.span, f"ID={gene.name}.t;Parent={gene.name}")
    gene.add_parts("exon", exons, f"Parent={gene.name}.t")
    gene.add_parts("CDS", cds, f"ID={gene.name}.c1;Parent={gene.name}.t")
    gene.add_parts("CDS", later, f"ID={gene.name}.c2;Parent={gene.name}.t")


def cds_of_one_id_with_mrna(gene: Gene, chance: random.Random) -> None:
    parent = chance.choice((f";Parent={gene.name}", ""))
    exons, cds = gene.isoforms[0]
    gene.add("gene", gene.span, f"ID={gene.name}")
    gene.add("mRNA", gene.span, f"ID={gene.name}.t;Parent={gene.name}")
    gene.add_parts("exon", exons, f"Parent={gene.name}.t")
    gene.add_parts("CDS", cds, f"ID={gene.name}.t{parent}")


def quoted(gene: Gene, chance: random.Random) -> None:
    chance.choice((plain, plain_gtf))(gene, chance)
    for number, line in enumerate(gene.lines):
        *columns, attributes = line.split("\t")
        inside = attributes.replace('"', '""')
        gene.lines[number] = "\t".join([*columns, f'"{inside}"'])


def plain(gene: Gene, chance: random.Random) -> None:
    gene.add("gene", gene.span, f"ID={gene.name}")
    for number, (exons, cds) in enumerate(gene.isoforms, start=1):
        gene.add("mRNA", (exons[0][0], exons[-1][1]), f"ID={gene.name}.t{number};Parent={gene.name}")
        gene.add_parts("exon", exons, f"Parent={gene.name}.t{number}")
        gene.add_parts("CDS", cds, f"ID={gene.name}.c{number}_#;Parent={gene.name}.t{number}")


def plain_gtf(gene: Gene, chance: random.Random) -> None:
    if chance.random() < 0.5:
        gene.add("gene", gene.span, f'gene_id "{gene.name}";')
    for number, (exons, cds) in enumerate(gene.isoforms, start=1):
        names = f'gene_id "{gene.name}"; transcript_id "{gene.name}.t{number}";'
        gene.add_parts("exon", exons, names)
        gene.add_parts("CDS", cds, names)


#: Writers, and whether they can tell only genes without UTRs, or of one isoform.
LAYOUTS: dict[Callable[[Gene, random.Random], None], tuple[bool, bool]] = {
    gffread: (False, False),
    gene_line_by_name: (False, False),
    unknown_transcript: (False, True),
    utrs_outside_exons: (False, False),
    in_pieces: (False, True),
    cds_below_gene: (False, False),
    twin_lines: (False, False),
    cds_by_name: (True, True),
    without_parents: (False, True),
    two_cds: (False, True),
    cds_of_one_id_with_mrna: (False, True),
    quoted: (False, False),
    plain: (False, False),
    plain_gtf: (False, False),
}


def field_annotation(seed: int) -> list[Gene]:
    """Two to six genes on two contigs and both strands, each in a layout of its own."""
    chance = random.Random(seed)
    genes = []
    places = dict.fromkeys(CONTIGS, 1_000)
    for number in range(chance.randint(2, 6)):
        layout = chance.choice(list(LAYOUTS))
        coding_only, single = LAYOUTS[layout]
        contig = chance.choice(list(CONTIGS))
        first = isoform(chance, places[contig], coding_only)
        isoforms = [first]
        if not single and chance.random() < 0.5:
            isoforms.append(other_isoform(chance, first))
        gene = Gene(f"g{number}", contig, chance.choice("+-"), isoforms)
        layout(gene, chance)
        genes.append(gene)
        places[contig] = gene.span[1] + chance.randint(300, 9_000)
    return genes


def overlap(one: Segment, other: Segment) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def is_sorted(segments: list[Segment]) -> bool:
    return all(left[1] < right[0] for left, right in pairwise(segments))
