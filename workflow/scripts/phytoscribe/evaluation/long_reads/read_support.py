"""BLAST support of several predictors by the same reads, on the same contigs.

Twice: with whole transcripts (ruler ``blast``), and with coding sequences alone (ruler ``blast_cds``).  Programs like
AUGUSTUS predict no untranslated regions: their short transcripts are covered by reads more easily, and cover reads
less, than whole ones.  Coding sequences are alike for all.

How far both ways of reading agree, alignment to the genome (minimap2) and sequence alone (BLAST):
each transcript is supported or not by either.  By BLAST it is if its coding sequence reaches :data:`BLAST_TIER` in
identity and coverage.  By minimap2 there are two criteria:

* ``chain``: the CDS introns are consecutive introns of a read (what ``supported`` counts in the scores);
* ``whole_cds``: a read also reaches from start to stop codon, and has no intron that cuts the CDS elsewhere.

A CDS in one piece is supported by both if a read is aligned over all of it without an intron.  BLAST sees neither a
junction that is a few bases off nor an intron that is read through at the price of a gap; minimap2's ``chain`` does not
ask for the outer CDS exons.

Agreement beyond chance: Cohen's kappa (Cohen 1960, Educational and Psychological Measurement 20:37).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.sequences import cds_of, transcript_of
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.long_reads.blast_support import (
    BestHit,
    SequenceSet,
    best_hits,
    group_rows,
    read_sequences,
    support_rows,
    with_reciprocity,
)
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.files import scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.tables import Row, score_table

log = logging.getLogger(__name__)
#: Ruler, and the name of its sequences in the table of hits.
RULERS = {"blast": "transcript", "blast_cds": "cds"}
HIT_COLUMNS = ("predictor", "transcript", "sequence", "read", "identity", "coverage", "reciprocal")
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
_TRANSCRIPT = ["predictor", "transcript"]
Sequences = Mapping[str, str]


def blast_predictors(
    predictors: Mapping[str, Sequence[GeneModel]],
    sequences: Mapping[str, Mapping[str, Sequences]],
    bam: str | Path,
    evidence: ReadEvidence,
    contigs: Collection[str],
    threads: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both directions for every predictor.

    Level ``transcript``: transcripts on contigs with reads, subset ``expressed`` those with a read on their CDS.  Level
    ``gene``: the same for genes, which have what any of their transcripts has.  Level ``read``: reads whose primary
    alignment lies on ``contigs``; others cannot find their transcript and do not count.  With ruler ``blast_cds``
    coverage is at this level that of the CDS: the share of reads that hold a whole CDS.  How well a read is aligned is
    not asked: this ruler takes from the alignments only where a read belongs.

    Args:
        predictors: gene models by name.
        sequences: for each predictor, by ruler (:data:`RULERS`), sequences by transcript id.
        bam: alignments of the reads to the same genome.
        evidence: the alignments that are good enough to tell what is expressed.
        contigs: the contigs that were predicted.
        threads: for BLAST.

    Returns:
        The scores, with the columns of :mod:`phytoscribe.tables`; and one row for each best hit of a
        transcript (:data:`HIT_COLUMNS`).
    """
    rows: list[Row] = []
    found: list[tuple[str, str, str, BestHit]] = []
    with scratch_folder("blast-") as folder:
        reads = SequenceSet.write(read_sequences(bam, set(contigs)), folder, "reads")
        for predictor, genes in predictors.items():
            places = {
                transcript.id: (gene.id, evidence.covers(gene.contig, gene.strand, transcript.cds))
                for gene in genes
                if gene.contig in evidence.contigs
                for transcript in gene.coding_transcripts
            }
            for ruler, kind in RULERS.items():
                chosen = _chosen(sequences[predictor][ruler], places, predictor)
                hits, back = _both_ways(chosen, reads, folder, threads)
                rows += _rows(predictor, ruler, places, hits, reads.names, back)
                found += [(predictor, name, kind, hit) for name, hit in hits.items()]
            log.info("%s: %d transcripts, %d reads", predictor, len(places), len(reads.names))
    return score_table(rows), _hit_table(found)


def _both_ways(
    chosen: Sequences, reads: SequenceSet, folder: Path, threads: int
) -> tuple[dict[str, BestHit], dict[str, BestHit]]:
    """Best hits of the transcripts, marked where reciprocal, and of the reads.

    Equal sequences are one target: else a read could point back to only one of the isoforms with the same CDS.
    """
    first_with: dict[str, str] = {}
    for name, bases in chosen.items():
        first_with.setdefault(bases, name)
    own = SequenceSet.write(((name, bases) for bases, name in first_with.items()), folder, "predicted")
    back = best_hits(reads, own, threads)
    hits = with_reciprocity(best_hits(own, reads, threads), back)
    spread = {name: hits[first_with[bases]] for name, bases in chosen.items() if first_with[bases] in hits}
    return spread, back


def _rows(
    predictor: str,
    ruler: str,
    places: Mapping[str, tuple[str, bool]],
    hits: Mapping[str, BestHit],
    reads: Sequence[str],
    back: Mapping[str, BestHit],
) -> list[Row]:
    marked = with_reciprocity(back, hits)
    if ruler == "blast_cds":
        # How much of a read a CDS covers tells the length of its UTRs; how much of the CDS it covers, what it confirms.
        marked = {name: replace(hit, coverage=hit.target_coverage) for name, hit in marked.items()}
    names = {"all": list(places), "expressed": [name for name, (_, covered) in places.items() if covered]}
    genes = {subset: _by_gene(members, places) for subset, members in names.items()}
    return [
        *support_rows(predictor, "transcript", ruler, names, hits),
        *group_rows(predictor, "gene", ruler, genes, hits),
        *support_rows(predictor, "read", ruler, {"all": reads}, marked),
    ]


def _by_gene(names: Iterable[str], places: Mapping[str, tuple[str, bool]]) -> dict[str, list[str]]:
    genes: dict[str, list[str]] = {}
    for name in names:
        genes.setdefault(places[name][0], []).append(name)
    return genes


def _hit_table(found: Sequence[tuple[str, str, str, BestHit]]) -> pd.DataFrame:
    rows = [
        (predictor, name, kind, hit.target, hit.identity, hit.coverage, "yes" if hit.reciprocal else "no")
        for predictor, name, kind, hit in found
    ]
    return pd.DataFrame(rows, columns=list(HIT_COLUMNS))


def transcript_sequences(genes: Sequence[GeneModel], genome: Genome) -> dict[str, dict[str, str]]:
    """For each ruler the sequences of all coding transcripts by id; each contig is read once."""
    sequences: dict[str, dict[str, str]] = {ruler: {} for ruler in RULERS}
    by_contig = sorted(genes, key=lambda gene: gene.contig)
    for contig, members in groupby(by_contig, key=lambda gene: gene.contig):
        bases = genome.bases(contig)
        for gene in members:
            for transcript in gene.coding_transcripts:
                sequences["blast"][transcript.id] = transcript_of(transcript, bases)
                sequences["blast_cds"][transcript.id] = cds_of(transcript, bases)
    return sequences


def _chosen(sequences: Sequences, places: Collection[str], predictor: str) -> dict[str, str]:
    missing = [name for name in places if name not in sequences]
    if missing:
        raise PhytoScribeError(
            f"{predictor}: the FASTA files lack {len(missing)} transcripts of the GFF3, first {missing[0]!r}; "
            "all must come from one run of merge_predictions"
        )
    return {name: sequences[name] for name in places}


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
        joined = joined.merge(own[[*_TRANSCRIPT, *names.values()]], on=_TRANSCRIPT, how="left", validate="one_to_one")
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
