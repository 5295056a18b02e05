"""BLAST support of several predictors by the same reads, on the same contigs.

Twice: with whole transcripts (ruler ``blast``), and with coding sequences alone (ruler ``blast_cds``).  Programs like
AUGUSTUS predict no untranslated regions: their short transcripts are covered by reads more easily, and cover reads
less, than whole ones.  Coding sequences are alike for all.
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
