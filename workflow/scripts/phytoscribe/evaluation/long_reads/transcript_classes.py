"""Classify every transcript by the reads, and measure how far alignment and BLAST agree on its support.

The classes are the structural categories of SQANTI3 (Pardo-Palacios et al. 2024, Nature Methods 21:793), which
classifies reads by an annotation; here predicted transcripts are classified by the intron chains of the reads on their
strand.  The classes of *spliced* transcripts are ``full_match``, ``incomplete_match``, ``novel_in_catalogue``,
``novel_not_in_catalogue``; the class of those without introns is ``mono_exonic``; both can be ``antisense`` or
``intergenic``.  CDS and exons each get a class.  The CDS class is the main one: a CDS chain lacks the UTR introns, so
an incomplete match is as good as a full one.

Alignment (minimap2) supports a transcript by either of two criteria; BLAST supports it if its coding sequence reaches
:data:`BLAST_TIER` in identity and coverage:

* ``chain``: the CDS introns are consecutive introns of a read (what ``supported`` counts in the scores);
* ``whole_cds``: a read also reaches from start to stop codon, and has no other intron that cuts the CDS.

Both support a single-exon CDS if a read is aligned over all of it without an intron.  BLAST misses a junction that is a
few bases off, and an intron bridged by a gap; minimap2's ``chain`` does not test the outer CDS exons.  Agreement beyond
chance: Cohen's kappa (Cohen 1960, Educational and Psychological Measurement 20:37).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import pandas as pd

from phytoscribe.annotation.model import COMPLEMENT_STRAND, GeneModel, Transcript, introns_between
from phytoscribe.evaluation.long_reads.alignments import Intervals
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.tables import AGREEMENT, TRANSCRIPTS, share

#: Which intron chain of a transcript a criterion compares.
CRITERIA = ("cds_chain", "exon_chain")
#: Criterion of support by alignment, and the column of the table that holds it.
SUPPORT_COLUMNS = {"chain": "cds_chain_in_read", "whole_cds": "cds_in_read"}
#: Identity and coverage of a coding sequence that BLAST must reach.
BLAST_TIER = (0.95, 0.95)
_TRANSCRIPT = ["predictor", "transcript"]


class TranscriptClass(StrEnum):
    """Classes from most to least similar to a read."""

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


def classify(contig: str, strand: str, segments: Intervals, reads: ReadEvidence) -> TranscriptClass:
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


def segments_of(transcript: Transcript, criterion: str) -> Intervals:
    """The segments whose introns a criterion compares."""
    return transcript.cds if criterion == "cds_chain" else transcript.exons


def transcript_table(
    predictors: Mapping[str, Sequence[GeneModel]], reads: ReadEvidence, contigs: Collection[str]
) -> pd.DataFrame:
    """One row for each coding transcript on a contig with reads.

    Columns: ``predictor``, ``transcript``, ``gene``, ``contig``, ``strand``; ``start`` (1-based), ``end``; ``class``
    (of the CDS), ``exon_class``; ``cds_introns``; ``reads`` (with an aligned base in the CDS); ``supporting_reads``
    (whose introns hold the CDS chain; for a single-exon CDS, reads aligned over all of it without an intron);
    ``cds_chain_in_read`` (there is such a read) and ``cds_in_read`` (one of them reaches from start to stop codon). Two
    more hold the segments, for scoring: ``cds``, ``exons``.

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
    return pd.DataFrame(rows, columns=[*TRANSCRIPTS, "cds", "exons"])


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


def with_blast(transcripts: pd.DataFrame, hits: pd.DataFrame) -> pd.DataFrame:
    """Add BLAST's columns to the transcript table: ``blast_identity``, ``blast_coverage`` and ``blast_reciprocal`` of
    the coding sequence, and the same with ``_transcript`` for the whole transcript; empty, or ``no``, without a hit.

    Args:
        transcripts: the table of rule evaluate_isoseq.
        hits: the table of rule blast_isoseq.
    """
    joined = transcripts
    for kind, suffix in (("cds", ""), ("transcript", "_transcript")):
        names = {part: f"blast_{part}{suffix}" for part in ("identity", "coverage", "reciprocal")}
        own = hits[hits["sequence"] == kind].rename(columns=names)
        joined = joined.merge(own[[*_TRANSCRIPT, *names.values()]], on=_TRANSCRIPT, how="left", validate="one_to_one")
        joined[names["reciprocal"]] = joined[names["reciprocal"]].where(joined[names["reciprocal"]].notna(), "no")
    return joined


def agreement(joined: pd.DataFrame) -> pd.DataFrame:
    """Count transcripts supported by alignment, by BLAST, by both or neither, for each predictor and criterion.

    Subset ``expressed``: transcripts with a read on their CDS; the others have no support from either and would inflate
    the agreement.

    Args:
        joined: of :func:`with_blast`.
    """
    identity, coverage = BLAST_TIER
    by_blast = (joined["blast_identity"] >= identity) & (joined["blast_coverage"] >= coverage)
    rows = []
    for predictor in joined["predictor"].drop_duplicates():
        own = joined["predictor"] == predictor
        for criterion, column in SUPPORT_COLUMNS.items():
            by_minimap2 = joined[column] == "yes"
            for subset, chosen in (("all", own), ("expressed", own & (joined["reads"] > 0))):
                both = int((by_minimap2 & by_blast & chosen).sum())
                left = int((by_minimap2 & ~by_blast & chosen).sum())
                right = int((~by_minimap2 & by_blast & chosen).sum())
                neither = int((~by_minimap2 & ~by_blast & chosen).sum())
                total = both + left + right + neither
                same = share(both + neither, total)
                tier = f"identity {identity:.2f}, coverage {coverage:.2f}"
                kappa = cohens_kappa(both, left, right, neither)
                rows.append((predictor, criterion, tier, subset, both, left, right, neither, total, same, kappa))
    return pd.DataFrame(rows, columns=list(AGREEMENT))


def cohens_kappa(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Agreement of two yes-or-no judges beyond chance: 1 for full agreement, 0 for chance; NaN if it is undefined (both
    judges always give the same answer, or there are no cases)."""
    # (observed - chance) / (1 - chance), multiplied out: whole numbers up to the division, and no -0.000000.
    beyond = 2 * (both * neither - first_only * second_only)
    most = (both + first_only) * (first_only + neither) + (both + second_only) * (second_only + neither)
    return beyond / most if most else float("nan")
