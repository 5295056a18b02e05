"""What a gene can be by its type, and its isoforms in the direction of transcription."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, Chain, longest_cds
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.tokens import MOBILE_ELEMENT, PROTEIN_CODING

Codes = npt.NDArray[np.uint8]
_SPAN, _TRNA = frozenset({"rrna", MOBILE_ELEMENT, "mobile_genetic_element"}), "trna"
#: Names of RNA genes that do not end in "RNA".
_OTHER_RNA = frozenset({"non_coding", "antisense", "ribozyme"})


class GeneShape(NamedTuple):
    """What a gene of some type can be.

    Attributes:
        codes: its isoforms code for a protein unless they say otherwise.
        may_code: whether they may at all.
        most_introns: of an isoform; None without limit.
        alternatives: whether it may have several isoforms.
    """

    codes: bool
    may_code: bool
    most_introns: int | None
    alternatives: bool


@cache
def shape_of(gene_type: str) -> GeneShape:
    """What the grammar allows a gene of a type; types that it does not know may do all that a pseudogene may."""
    name = gene_type.lower().removesuffix("_gene")
    if name == PROTEIN_CODING:
        return GeneShape(True, True, None, True)
    if name in _SPAN:
        return GeneShape(False, False, 0, False)
    if name == _TRNA:
        return GeneShape(False, False, 1, False)
    return GeneShape(False, not (name.endswith("rna") or name in _OTHER_RNA), None, True)


class WrittenIsoform(NamedTuple):
    """An isoform in the direction of transcription: exons and CDS with its stop codon, sorted; no CDS: ``()``."""

    exons: Chain
    cds: Chain

    def __str__(self) -> str:
        return f"isoform {self.exons[0][0]}..{self.exons[-1][1]}"


class GeneSentence(NamedTuple):
    """What a sentence says of a gene.

    Attributes:
        gene_type: ``protein_coding``, ``tRNA``, ...
        strand: ``+`` or ``-``; positions do not depend on it.
        isoforms: the primary, then its alternatives.
    """

    gene_type: str
    strand: str
    isoforms: tuple[WrittenIsoform, ...]


def bases_of(chain: Iterable[Interval]) -> int:
    """Bases of a chain of intervals."""
    return sum(end - start for start, end in chain)


def chain_with(start: int, end: int, introns: Iterable[Interval]) -> Chain:
    """The exon chain between two ends with these introns, in order."""
    cuts = [start, *(cut for intron in introns for cut in intron), end]
    return tuple(zip(cuts[::2], cuts[1::2], strict=True))


def introns_inside(primary: Chain, start: int, end: int) -> tuple[Interval, ...]:
    """Introns of a primary that an alternative with these ends has unless it says otherwise."""
    low = start if start == primary[0][0] else start + MINIMUM_EXON
    high = end if end == primary[-1][1] else end - MINIMUM_EXON
    return tuple((d, a) for d, a in introns_between(primary) if low <= d and a <= high)


def default_cds(exons: Chain, shape: GeneShape, codes: Codes) -> Chain:
    """The CDS of an isoform that says nothing of it."""
    return longest_cds(exons, codes) if shape.codes else ()
