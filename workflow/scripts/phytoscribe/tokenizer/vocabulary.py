"""Which tokens a PhytoScribe vocabulary holds, and in what order.

Ids are given in this order: control tokens (``[PAD]`` is 0), species and lineages, gene types, gene-structure tokens,
the five bases, runs of N, and last what the tokenizer kind brings (learned merges, or all k-mers).  A generative
decoder that writes gene sentences uses the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable

from phytoscribe.genome.sequence import BASES

PAD, UNK, CLS, SEP, MASK, BOS, EOS = CONTROL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[BOS]", "[EOS]")
UNKNOWN = "unknown"

GENE_TYPES = (
    "unknown",
    "protein_coding",
    "lncRNA",
    "miRNA",
    "rRNA",
    "snRNA",
    "snoRNA",
    "tRNA",
    "ncRNA",
    "pseudogene",
    "transposable_element_gene",
)
STRUCTURE_TOKENS = (
    "<gene>",
    "<transcript>",
    "<exon>",
    "<CDS>",
    "<five_prime_UTR>",
    "<three_prime_UTR>",
    "<+>",
    "<->",
    "<phase:0>",
    "<phase:1>",
    "<phase:2>",
    *(f"<{digit}>" for digit in range(10)),
    "<sep>",
)

#: An assembly gap costs one token for eight bases, about what other sequence costs, so that a window across a gap is
#: not longer in tokens than its neighbours.  Corpora hold no N: these merges are given, not learned.
N_RUN_MERGES = (("N", "N"), ("NN", "NN"), ("NNNN", "NNNN"))


def species_token(name: str) -> str:
    """Token of a species (a genome's name in the configuration)."""
    return f"<species:{name}>"


def lineage_token(name: str) -> str:
    """Token of a lineage, e.g. a plant order."""
    return f"<lineage:{name}>"


def special_tokens(species: Iterable[str], lineages: Iterable[str]) -> list[str]:
    """All tokens that are no sequence, in order of id; names are sorted, so their order in a config is irrelevant."""
    return [
        *CONTROL_TOKENS,
        species_token(UNKNOWN),
        lineage_token(UNKNOWN),
        *(species_token(name) for name in sorted(set(species) - {UNKNOWN})),
        *(lineage_token(name) for name in sorted(set(lineages) - {UNKNOWN})),
        *(f"<gene_type:{name}>" for name in GENE_TYPES),
        *STRUCTURE_TOKENS,
    ]


def base_tokens() -> list[str]:
    """The five bases, in order of their codes."""
    return list(BASES)
