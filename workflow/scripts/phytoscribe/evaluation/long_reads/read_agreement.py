"""How far the two rulers by reads agree: alignment to the genome (minimap2), and sequence alone (BLAST).

Each transcript is supported or not by either.  By BLAST it is if its coding sequence reaches :data:`BLAST_TIER` in
identity and coverage.  By minimap2 there are two criteria:

* ``chain``: the CDS introns are consecutive introns of a read (what ``supported`` counts in the scores);
* ``whole_cds``: a read also reaches from start to stop codon, and has no intron that cuts the CDS elsewhere.

A CDS in one piece is supported by both if a read is aligned over all of it without an intron.  BLAST sees neither a
junction that is a few bases off nor an intron that is read through at the price of a gap; minimap2's ``chain`` does not
ask for the outer CDS exons.

Agreement beyond chance: Cohen's kappa (Cohen 1960, Educational and Psychological Measurement 20:37).
"""

from __future__ import annotations

import pandas as pd

#: Identity and coverage of a coding sequence that BLAST must reach.
BLAST_TIER = (0.95, 0.95)
#: Criterion of minimap2, and the column of the transcript table that holds it.
CRITERIA = {"chain": "cds_chain_in_read", "whole_cds": "cds_in_read"}
AGREEMENT_COLUMNS = (
    "predictor",
    "criterion",
    "blast_tier",
    "subset",
    "both",
    "minimap2_only",
    "blast_only",
    "neither",
    "n",
    "agreement",
    "kappa",
)
_KEY = ["predictor", "transcript"]


def with_blast(transcripts: pd.DataFrame, hits: pd.DataFrame) -> pd.DataFrame:
    """The transcript table with BLAST's columns: ``blast_identity``, ``blast_coverage`` and ``blast_reciprocal`` of the
    coding sequence, and the same with ``_transcript`` of the whole one; empty, and ``no``, without a hit.

    Args:
        transcripts: the table of rule evaluate_isoseq.
        hits: the table of rule blast_isoseq.
    """
    joined = transcripts
    for kind, suffix in (("cds", ""), ("transcript", "_transcript")):
        names = {part: f"blast_{part}{suffix}" for part in ("identity", "coverage", "reciprocal")}
        own = hits[hits["sequence"] == kind].rename(columns=names)
        joined = joined.merge(own[[*_KEY, *names.values()]], on=_KEY, how="left", validate="one_to_one")
        joined[names["reciprocal"]] = joined[names["reciprocal"]].where(joined[names["reciprocal"]].notna(), "no")
    return joined


def agreement(joined: pd.DataFrame) -> pd.DataFrame:
    """For each predictor and criterion how many transcripts are supported by whom (:data:`AGREEMENT_COLUMNS`).

    Subset ``expressed``: transcripts with a read on their CDS; the others, supported by neither, agree too easily.

    Args:
        joined: of :func:`with_blast`.
    """
    identity, coverage = BLAST_TIER
    by_blast = (joined["blast_identity"] >= identity) & (joined["blast_coverage"] >= coverage)
    rows = []
    for predictor in joined["predictor"].drop_duplicates():
        own = joined["predictor"] == predictor
        for criterion, column in CRITERIA.items():
            by_minimap2 = joined[column] == "yes"
            for subset, chosen in (("all", own), ("expressed", own & (joined["reads"] > 0))):
                both = int((by_minimap2 & by_blast & chosen).sum())
                left = int((by_minimap2 & ~by_blast & chosen).sum())
                right = int((~by_minimap2 & by_blast & chosen).sum())
                neither = int((~by_minimap2 & ~by_blast & chosen).sum())
                total = both + left + right + neither
                share = (both + neither) / total if total else float("nan")
                tier = f"identity {identity:.2f}, coverage {coverage:.2f}"
                kappa = cohens_kappa(both, left, right, neither)
                rows.append((predictor, criterion, tier, subset, both, left, right, neither, total, share, kappa))
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def cohens_kappa(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Agreement of two yes-or-no judges beyond chance: 1 for full agreement, 0 for chance; NaN where chance leaves
    nothing to agree on (both judges always say the same, or there is no case)."""
    # (observed - chance) / (1 - chance), multiplied out: whole numbers up to the division, and no -0.000000.
    beyond = 2 * (both * neither - first_only * second_only)
    most = (both + first_only) * (first_only + neither) + (both + second_only) * (second_only + neither)
    return beyond / most if most else float("nan")
