"""Every transcript beside the reads: SQANTI3's structural categories, with the reads as the catalogue.

SQANTI3 (Pardo-Palacios et al. 2024, Nature Methods 21:793) classes reads by an annotation; here predicted transcripts
are classed by the intron chains of the reads on their strand.  The classes of *spliced* transcripts are ``full_match``,
``incomplete_match``, ``novel_in_catalogue``, ``novel_not_in_catalogue``, of those without introns ``mono_exonic``; both
can be ``antisense`` or ``intergenic``.  A class is given for the CDS and for the exons.  That of the CDS leads: a CDS
chain has no introns of the UTRs, so an incomplete match is as right as a full one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import pandas as pd

from phytoscribe.annotation.model import COMPLEMENT_STRAND, GeneModel, Transcript, introns_between
from phytoscribe.evaluation.long_reads.alignments import Chain
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence

#: Which intron chain of a transcript a ruler compares.
RULERS = ("cds_chain", "exon_chain")


class TranscriptClass(StrEnum):
    """From most to least like a read."""

    FULL_MATCH = "full_match"  #: all introns are those of a read, which has no other
    INCOMPLETE_MATCH = "incomplete_match"  #: the introns are consecutive introns of a read, which has more
    NOVEL_IN_CATALOGUE = "novel_in_catalogue"  #: no read has this chain, but each donor and acceptor is one of a read
    NOVEL_NOT_IN_CATALOGUE = "novel_not_in_catalogue"  #: a donor or acceptor is one of no read
    MONO_EXONIC = "mono_exonic"  #: no introns, and reads on its strand
    ANTISENSE = "antisense"  #: no read on its strand, but on the other
    INTERGENIC = "intergenic"  #: no read at all


SUPPORTED = (TranscriptClass.FULL_MATCH, TranscriptClass.INCOMPLETE_MATCH)
#: Classes of transcripts with introns, and of those without.
SPLICED_CLASSES = tuple(kind for kind in TranscriptClass if kind is not TranscriptClass.MONO_EXONIC)
UNSPLICED_CLASSES = (TranscriptClass.MONO_EXONIC, TranscriptClass.ANTISENSE, TranscriptClass.INTERGENIC)


def classify(contig: str, strand: str, segments: Chain, reads: ReadEvidence) -> TranscriptClass:
    """Class of a transcript with these segments (CDS or exons; sorted, 0-based half-open)."""
    chain = introns_between(segments)
    if chain and reads.has_chain(contig, strand, chain):
        return TranscriptClass.FULL_MATCH
    if chain and reads.contains_chain(contig, strand, chain):
        return TranscriptClass.INCOMPLETE_MATCH
    if not reads.covers(contig, strand, segments):
        other = reads.covers(contig, COMPLEMENT_STRAND[strand], segments)
        return TranscriptClass.ANTISENSE if other else TranscriptClass.INTERGENIC
    if not chain:
        return TranscriptClass.MONO_EXONIC
    known = reads.knows_sites(contig, strand, chain)
    return TranscriptClass.NOVEL_IN_CATALOGUE if known else TranscriptClass.NOVEL_NOT_IN_CATALOGUE


def segments_of(transcript: Transcript, ruler: str) -> Chain:
    """The segments whose introns a ruler compares."""
    return transcript.cds if ruler == "cds_chain" else transcript.exons


def transcript_table(
    predictors: Mapping[str, Sequence[GeneModel]], reads: ReadEvidence, contigs: Collection[str]
) -> pd.DataFrame:
    """One row for each coding transcript on a contig with reads.

    Columns: ``predictor``, ``transcript``, ``gene``, ``contig``, ``strand``; ``start`` (1-based), ``end``; ``class``
    (of the CDS), ``exon_class``; ``cds_introns``; ``reads`` (with an aligned base in the CDS); ``supporting_reads``
    (whose introns hold the CDS chain; for a CDS in one piece, reads aligned over all of it without an intron);
    ``cds_chain_in_read`` (there is such a read) and ``cds_in_read`` (one of them reaches from start to stop codon).
    Two more hold the segments, for scoring: ``cds``, ``exons``.

    Args:
        predictors: gene models by name.
        contigs: the scored contigs; those without reads are left out.
    """
    covered = reads.contigs & set(contigs)
    rows = [
        _row(predictor, gene, transcript, reads)
        for predictor, genes in predictors.items()
        for gene in genes
        if gene.contig in covered
        for transcript in gene.coding_transcripts
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "cds", "exons"])


#: Columns of the table that are written.
COLUMNS = (
    "predictor",
    "transcript",
    "gene",
    "contig",
    "strand",
    "start",
    "end",
    "class",
    "exon_class",
    "cds_introns",
    "reads",
    "supporting_reads",
    "cds_chain_in_read",
    "cds_in_read",
)


def _row(predictor: str, gene: GeneModel, transcript: Transcript, reads: ReadEvidence) -> tuple:
    place = (gene.contig, gene.strand)
    chain = transcript.cds_introns
    if chain:
        holding = list(reads.holding(*place, chain))
        supporting = sum(candidate.reads for candidate, _ in holding)
        whole = any(candidate.holds(transcript.cds, first) for candidate, first in holding)
    else:
        supporting = reads.count_over(*place, transcript.cds[0])
        whole = supporting > 0
    return (
        predictor,
        transcript.id,
        gene.id,
        *place,
        transcript.start + 1,
        transcript.end,
        str(classify(*place, transcript.cds, reads)),
        str(classify(*place, transcript.exons, reads)),
        len(chain),
        reads.count(*place, transcript.cds),
        supporting,
        "yes" if supporting else "no",
        "yes" if whole else "no",
        transcript.cds,
        transcript.exons,
    )
