"""BLAST support of several predictors by the same reads, on the same contigs."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.sequences import transcript_of
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.blast_support import best_hits, read_sequences, support_rows
from phytoscribe.evaluation.read_alignment import ReadEvidence, read_alignments
from phytoscribe.evaluation.tables import Row, score_table
from phytoscribe.genome.fasta import Genome

log = logging.getLogger(__name__)


def blast_predictors(
    predictors: Mapping[str, Sequence[GeneModel]],
    sequences: Mapping[str, Mapping[str, str]],
    bam: str | Path,
    contigs: Collection[str],
    threads: int,
) -> pd.DataFrame:
    """Both directions for every predictor, with the columns of :mod:`phytoscribe.evaluation.tables`.

    Level ``transcript``: transcripts on contigs with reads, subset ``expressed`` those with a read on their CDS.  Level
    ``read``: reads whose primary alignment lies on ``contigs``; others cannot find their transcript and do not count.

    Args:
        predictors: gene models by name.
        sequences: for each predictor the transcript sequences by transcript id.
        bam: alignments of the reads to the same genome.
        contigs: the contigs that were predicted.
        threads: for BLAST.
    """
    wanted = set(contigs)
    reads = read_sequences(bam, wanted)
    evidence = ReadEvidence(read_alignments(bam, wanted))
    rows: list[Row] = []
    for predictor, genes in predictors.items():
        places = {
            transcript.id: evidence.covers(gene.contig, gene.strand, transcript.cds)
            for gene in genes
            if gene.contig in evidence.contigs
            for transcript in gene.coding_transcripts
        }
        chosen = _chosen(sequences[predictor], places, predictor)
        expressed = [name for name, covered in places.items() if covered]
        hits = best_hits(chosen, reads, threads)
        rows += support_rows(predictor, "transcript", {"all": list(places), "expressed": expressed}, hits)
        hits = best_hits(reads, chosen, threads)
        rows += support_rows(predictor, "read", {"all": list(reads)}, hits)
        log.info("%s: %d transcripts (%d expressed), %d reads", predictor, len(places), len(expressed), len(reads))
    return score_table(rows)


def transcript_sequences(genes: Sequence[GeneModel], genome: Genome) -> dict[str, str]:
    """Mature sequences of all coding transcripts by id; each contig is read once."""
    sequences = {}
    by_contig = sorted(genes, key=lambda gene: gene.contig)
    for contig, members in groupby(by_contig, key=lambda gene: gene.contig):
        bases = genome.bases(contig)
        for gene in members:
            sequences.update({t.id: transcript_of(gene, t, bases) for t in gene.coding_transcripts})
    return sequences


def _chosen(sequences: Mapping[str, str], places: Mapping[str, bool], predictor: str) -> dict[str, str]:
    missing = [name for name in places if name not in sequences]
    if missing:
        raise PhytoScribeError(
            f"{predictor}: the transcript FASTA lacks {len(missing)} transcripts of the GFF3, first {missing[0]!r}; "
            "both must come from one run of merge_predictions"
        )
    return {name: sequences[name] for name in places}
