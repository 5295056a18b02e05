"""Write the five-column feature table that NCBI's table2asn turns into a GenBank submission.

Format: https://www.ncbi.nlm.nih.gov/genbank/feature_table/.  Positions count from 1 and run in reading direction; ``<``
marks a cut 5' end and ``>`` a cut 3' end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.errors import ConfigError

#: What NCBI registers: three to twelve letters and digits that begin with a letter.
PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{2,11}")
PRODUCT = "hypothetical protein"


def checked_prefix(prefix: str, genome: str) -> str:
    """The locus_tag prefix of a genome.

    Raises:
        ConfigError: the prefix is missing, or NCBI would not register it.
    """
    if not PREFIX.fullmatch(prefix):
        given = f"{prefix!r} is no such prefix" if prefix else "it is not set"
        raise ConfigError(
            f"genomes[{genome}].locus_tag: {given}. A submission needs the prefix that NCBI or ENA gives to your "
            "BioProject: three to twelve letters and digits, a letter first"
        )
    return prefix


def feature_table(genes: Iterable[GeneModel], prefix: str) -> Iterator[str]:
    """Lines without newlines: a gene feature per gene, and mRNA and CDS (or ncRNA) per transcript.

    Args:
        genes: in order of contigs; numbered from 1 in this order for their ``locus_tag``.
        prefix: registered for the assembly.
    """
    number = 0
    for contig, of_contig in itertools.groupby(genes, key=lambda gene: gene.contig):
        yield f">Feature {contig}"
        for gene in of_contig:
            number += 1
            yield from _gene(gene, f"{prefix}_{number:06d}", prefix)


def _gene(gene: GeneModel, tag: str, prefix: str) -> Iterator[str]:
    forward = gene.strand == "+"
    ends = [transcript.cut_ends for transcript in gene.transcripts]
    cut = any(start for start, _ in ends), any(stop for _, stop in ends)
    yield from _feature("gene", [(gene.start, gene.end)], forward, cut)
    yield _qualifier("locus_tag", tag)
    for index, (transcript, cut) in enumerate(zip(gene.transcripts, ends, strict=True), start=1):
        name = f"{tag}.t{index}"
        if not transcript.cds:
            yield from _feature("ncRNA", transcript.exons, forward, cut)
            yield _qualifier("ncRNA_class", "other")
            yield _qualifier("product", transcript.type)
            continue
        ids = [
            _qualifier("protein_id", f"gnl|{prefix}|{name}"),
            _qualifier("transcript_id", f"gnl|{prefix}|{name}_mrna"),
        ]
        yield from _feature("mRNA", transcript.exons, forward, cut)
        yield from (_qualifier("product", PRODUCT), *ids)
        yield from _feature("CDS", transcript.cds, forward, cut)
        if transcript.start_phase:
            yield _qualifier("codon_start", str(transcript.start_phase + 1))
        yield from (_qualifier("product", PRODUCT), *ids)


def _feature(kind: str, segments: Sequence[Interval], forward: bool, cut: tuple[bool, bool]) -> Iterator[str]:
    places = [(start + 1, end) if forward else (end, start + 1) for start, end in segments]
    if not forward:
        places.reverse()
    for index, (first, last) in enumerate(places):
        left = "<" if cut[0] and index == 0 else ""
        right = ">" if cut[1] and index == len(places) - 1 else ""
        yield f"{left}{first}\t{right}{last}" + (f"\t{kind}" if index == 0 else "")


def _qualifier(name: str, value: str) -> str:
    return f"\t\t\t{name}\t{value}"
