"""The words of a gene sentence: a few fixed ones, one for each gene type, and pointers at sites of the locus.

A sentence has no numbers: it points at a site, and which sites there are the locus says.  So only the fixed words have
ids; the pointers of a locus are numbered by its :class:`~phytoscribe.sentences.sites.SiteTable`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import quote, unquote

from phytoscribe.errors import ModelError, PhytoScribeError
from phytoscribe.files import atomic_open

PAD, BOS, EOS = "[PAD]", "[BOS]", "[EOS]"
GENE, PLUS, MINUS, TRANSCRIPT, EXON, CDS, SEP = "<gene>", "<+>", "<->", "<transcript>", "<exon>", "<CDS>", "<sep>"
FIXED = (PAD, BOS, EOS, GENE, PLUS, MINUS, TRANSCRIPT, EXON, CDS, SEP)
STRANDS = {"+": PLUS, "-": MINUS}
PROTEIN_CODING, MOBILE_ELEMENT = "protein_coding", "mobile_element"
#: Gene types that a vocabulary has before it has seen any annotation.
KNOWN_TYPES = (
    PROTEIN_CODING, "lncRNA", "miRNA", "rRNA", "snRNA", "snoRNA", "tRNA", "ncRNA", "pseudogene", MOBILE_ELEMENT,
)  # fmt: skip
_TYPE_PREFIX = "<gene_type:"


class Reason(StrEnum):
    """Why a gene has no sentence, or a sentence no gene; ``docs/isoforms.md`` explains each."""

    NOT_THE_GRAMMAR = "not_the_grammar"
    UNKNOWN_TOKEN = "unknown_token"
    UNKNOWN_SITE = "unknown_site"
    UNKNOWN_TYPE = "unknown_type"
    NO_STRAND = "no_strand"
    NO_EXON = "no_exon"
    OVERLAPPING_EXONS = "overlapping_exons"
    CDS_NO_OPEN_FRAME = "cds_no_open_frame"
    CDS_IN_RNA_GENE = "cds_in_rna_gene"
    TYPE_HAS_NO_INTRONS = "type_has_no_introns"
    TYPE_HAS_NO_ISOFORMS = "type_has_no_isoforms"
    SAME_ISOFORM_TWICE = "same_isoform_twice"
    TOO_MANY_ISOFORMS = "too_many_isoforms"
    TOO_MANY_TOKENS = "too_many_tokens"
    TOO_MANY_SITES = "too_many_sites"


class SentenceError(PhytoScribeError, ValueError):
    """A gene cannot be written as a sentence, or a sentence means no gene.

    Attributes:
        reason: for tables.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class SiteKind(StrEnum):
    """What lies at a site: a transcript's begin, a start codon, a donor, an acceptor, a transcript's end."""

    T = "T"
    S = "S"
    D = "D"
    A = "A"
    P = "P"


KINDS = tuple(SiteKind)
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


class Site(NamedTuple):
    """A pointer: a site of the locus.

    Attributes:
        kind: what lies there.
        cut: cut between bases of the locus window, in the direction of transcription: cut ``x`` lies left of base
            ``x``.  A donor's is that before the intron's first base, an acceptor's that behind its last.
    """

    kind: SiteKind
    cut: int

    @property
    def order(self) -> tuple[int, int]:
        """Sites are sorted by cut, then by kind."""
        return self.cut, _RANK[self.kind]


Token: TypeAlias = str | Site


def gene_type_token(gene_type: str) -> str:
    """The word of a gene type; what could not stand in a text of words is written as in an address (``%20``)."""
    return f"{_TYPE_PREFIX}{quote(gene_type, safe='')}>"


def gene_type_of(token: Token) -> str | None:
    """The gene type that a word names; None of any other word."""
    if isinstance(token, Site) or not (token.startswith(_TYPE_PREFIX) and token.endswith(">")):
        return None
    return unquote(token[len(_TYPE_PREFIX) : -1]) or None


@dataclass(frozen=True)
class Vocabulary:
    """The words with ids: first :data:`FIXED`, then one for each gene type.

    It grows at its end, so ids stay what they are.

    Attributes:
        gene_types: each once.
    """

    gene_types: tuple[str, ...] = KNOWN_TYPES

    def __post_init__(self) -> None:
        if len(set(self.gene_types)) < len(self.gene_types) or "" in self.gene_types:
            raise ValueError(f"gene types must be named, and each once: {', '.join(map(repr, self.gene_types))}")

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        return (*FIXED, *map(gene_type_token, self.gene_types))

    @cached_property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def id(self, token: str) -> int:
        """The id of a word.

        Raises:
            SentenceError: it has none.  There is no word for unknown words.
        """
        if token not in self.ids:
            known = gene_type_of(token)
            reason = Reason.UNKNOWN_TYPE if known else Reason.UNKNOWN_TOKEN
            what = f"the gene type {known!r}" if known else f"the word {token!r}"
            raise SentenceError(reason, f"{what} is not in the vocabulary; it has {', '.join(self.tokens)}")
        return self.ids[token]

    def extended(self, types: Iterable[str]) -> tuple[Vocabulary, list[str]]:
        """The vocabulary with the gene types of an annotation, and those that are new, in alphabetical order."""
        new = sorted(set(types) - set(self.gene_types))
        return Vocabulary((*self.gene_types, *new)), new

    def save(self, path: str | Path) -> None:
        """Write it as JSON, by rename."""
        with atomic_open(path) as handle:
            json.dump({"fixed": list(FIXED), "gene_types": list(self.gene_types)}, handle, indent=1)
            handle.write("\n")

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: the file is missing or damaged, or has the words of another version.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            fixed, gene_types = tuple(values["fixed"]), tuple(map(str, values["gene_types"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{path}: no vocabulary of gene sentences ({error}); train the generator again") from error
        if fixed != FIXED:
            raise ModelError(f"{path}: its words are not those of this version; train the generator again")
        return cls(gene_types)
