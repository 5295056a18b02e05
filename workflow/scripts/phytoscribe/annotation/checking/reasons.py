"""Why a transcript or gene of an annotation is left out; ``docs/annotation-checks.md`` tells what to do about each."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Reasons in the order of the checks: a transcript gets the first one that holds.

    Those up to ``NO_EXON`` come from the cleaning step, which had to leave the gene or transcript out.
    """

    LOST_BY_CLEANER = "lost_by_cleaner"
    NO_TRANSCRIPT = "no_transcript"
    MIXED_STRANDS = "mixed_strands"
    NO_STRAND = "no_strand"
    NO_EXON = "no_exon"

    NOT_PROTEIN_CODING = "not_protein_coding"
    ORGANELLE = "organelle"
    NO_CDS = "no_cds"
    OUT_OF_BOUNDS = "out_of_bounds"
    OVERLAPPING_EXONS = "overlapping_exons"
    CDS_OUTSIDE_EXONS = "cds_outside_exons"
    CDS_SEGMENT_TOO_SHORT = "cds_segment_too_short"
    INTRON_TOO_SHORT = "intron_too_short"
    INTRON_TOO_LONG = "intron_too_long"
    ON_GAP = "on_gap"
    AT_AC_SPLICE_SITE = "at_ac_splice_site"
    SPLICE_SITE = "splice_site"
    NO_START = "no_start"
    LENGTH_NOT_MULTIPLE_OF_THREE = "length_not_multiple_of_three"
    NO_STOP = "no_stop"
    IN_FRAME_STOP = "in_frame_stop"
    DUPLICATE = "duplicate"


#: A transcript rejected for one of these hides no broken coding gene: its span needs no masking.
HARMLESS_REASONS = frozenset({Reason.NOT_PROTEIN_CODING, Reason.NO_CDS, Reason.DUPLICATE})

#: They say nothing about whether the annotation fits the sequence; all others do, and count for the limits.
UNSUSPICIOUS_REASONS = HARMLESS_REASONS | {Reason.ORGANELLE}
STRUCTURAL_REASONS = frozenset(Reason) - UNSUSPICIOUS_REASONS

#: Reasons for people, as they stand in messages and figures.
IN_WORDS = {
    Reason.LOST_BY_CLEANER: "lost by the cleaner",
    Reason.NO_TRANSCRIPT: "gene without transcript",
    Reason.MIXED_STRANDS: "on two strands or sequences",
    Reason.NO_STRAND: "without strand",
    Reason.NO_EXON: "without exons",
    Reason.NOT_PROTEIN_CODING: "not protein coding",
    Reason.ORGANELLE: "on an organelle",
    Reason.NO_CDS: "no CDS",
    Reason.OUT_OF_BOUNDS: "past the end of the contig",
    Reason.OVERLAPPING_EXONS: "exons overlap",
    Reason.CDS_OUTSIDE_EXONS: "CDS and exons disagree",
    Reason.CDS_SEGMENT_TOO_SHORT: "CDS segment too short",
    Reason.INTRON_TOO_SHORT: "intron too short",
    Reason.INTRON_TOO_LONG: "intron too long",
    Reason.ON_GAP: "on a gap (N)",
    Reason.AT_AC_SPLICE_SITE: "AT-AC intron",
    Reason.SPLICE_SITE: "splice site not allowed",
    Reason.NO_START: "no start codon",
    Reason.LENGTH_NOT_MULTIPLE_OF_THREE: "length not a multiple of three",
    Reason.NO_STOP: "no stop codon",
    Reason.IN_FRAME_STOP: "stop codon inside",
    Reason.DUPLICATE: "same as another transcript",
}
