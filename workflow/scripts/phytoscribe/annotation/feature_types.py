"""Meaning of the feature types in column 3 and of the biotype keys, for all readers and cleaners."""

from __future__ import annotations

from collections.abc import Iterable

#: The two types that say no more than that it is a transcript, and may code.
TRANSCRIPT_TYPES = frozenset({"mRNA", "transcript"})
#: Parts of a transcript as a clean GFF3 file spells them.
PART_TYPES = frozenset({"exon", "CDS", "five_prime_UTR", "three_prime_UTR", "UTR"})
#: All spellings that the cleaner takes, lower case, and what stands for them.
PART_SPELLINGS = {
    **dict.fromkeys(("exon", "pseudogenic_exon"), "exon"),
    **{"cds": "CDS", "stop_codon": "stop_codon"},
    **dict.fromkeys(("utr", "five_prime_utr", "three_prime_utr", "5utr", "3utr", "5'-utr", "3'-utr"), "UTR"),
    **dict.fromkeys(("5'utr", "3'utr", "utr5", "utr3", "5_prime_utr", "3_prime_utr", "5-utr", "3-utr"), "UTR"),
}
#: Whole sequences, lower case; they are no genes, whatever names them as its parent.
SEQUENCE_TYPES = frozenset({"region", "chromosome", "contig", "supercontig", "scaffold", "sequence"})
#: Attributes that hold the biotype of a gene; the first that a line has counts.
BIOTYPE_KEYS = ("biotype", "gene_biotype", "gene_type", "locus_type")
#: Attributes by which a transcript or a part names its gene; the first that a line has counts.
GENE_KEYS = ("gene_id", "geneID", "GeneID", "gene_ID", "locus_tag", "gene", "gene_name")


def is_gene_type(kind: str) -> bool:
    """True for ``gene``, ``ncRNA_gene``, ``pseudogene``, ``transposable_element_gene`` and the like.

    TAIR's ``mRNA_TE_gene`` is a transcript.
    """
    name = kind.lower()
    return name.endswith("gene") and not name.startswith("mrna")


def may_code(kind: str) -> bool:
    """True for gene types that do not determine whether the gene codes for a protein."""
    return kind.lower() in ("gene", "protein_coding_gene")


def is_transcript_type(kind: str) -> bool:
    """True for mRNA, transcript, RNA, ncRNA, tRNA, primary_transcript, pseudogenic_transcript, mRNA_TE_gene, ..."""
    name = kind.lower()
    return name.endswith(("rna", "transcript")) or name.startswith("mrna")


def default_biotype(kind: str, transcript_types: Iterable[str], codes: bool) -> str:
    """Biotype of a gene without one in its attributes: from its feature type, else from its transcripts.

    ``codes`` is True if a transcript has CDS.  As in all attributes, a literal comma is written ``%2C``.
    """
    if not may_code(kind):
        return kind.replace(",", "%2C")
    if codes:
        return "protein_coding"
    telling = (found for found in transcript_types if found not in TRANSCRIPT_TYPES)
    return next(telling, "non_coding").replace(",", "%2C")
