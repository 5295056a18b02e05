"""Gene models against the intron chains of Iso-Seq reads.

Only contigs with reads are looked at.  *Expressed* means that a read on the same strand has an aligned base in the CDS.

* level ``transcript``, ruler ``cds_chain`` or ``exon_chain``: transcripts with at least one intron of that kind.
  ``equal`` is the share whose intron chain equals that of a read; ``supported`` the share whose chain is a read's, or
  a run of consecutive introns of one read (a CDS chain lacks the introns of the UTRs, so this is its proper measure).
* level ``intron``, same rulers: ``precision`` is the share of predicted introns that a read has, of those that a read
  reaches over; ``recall`` the share of introns of at least two reads that are predicted (UTR introns are among them).
* level ``locus``, ruler ``exact``: ``recall``, the share of expressed reference loci of which the predictor has the CDS
  chain of any isoform exactly; ``read_supported`` in subset ``multi_exon`` counts chains that a read also supports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from phytoscribe.annotation.model import GeneModel, Interval, Transcript
from phytoscribe.evaluation.exact import cds_chains
from phytoscribe.evaluation.read_alignment import Chain, ReadEvidence
from phytoscribe.evaluation.tables import Row, score_table

#: Reads that must show an intron before a predictor is expected to have it.
MINIMUM_READS = 2


def score_isoseq(
    predictors: Mapping[str, Sequence[GeneModel]],
    reads: ReadEvidence,
    contigs: Collection[str],
    reference: Sequence[GeneModel] = (),
) -> pd.DataFrame:
    """Support of every predictor's transcripts by reads, with the columns of :mod:`phytoscribe.evaluation.tables`.

    Args:
        predictors: gene models by name; give the reference itself as one of them to see what is possible.
        reads: the read alignments.
        contigs: the scored contigs; those without reads are left out.
        reference: reference genes for the level ``locus``; may be empty.
    """
    covered = reads.contigs & set(contigs)
    rows: list[Row] = []
    for predictor, genes in predictors.items():
        inside = [gene for gene in genes if gene.contig in covered]
        for ruler in ("cds_chain", "exon_chain"):
            rows += _transcript_rows(predictor, ruler, inside, reads)
            rows += _intron_rows(predictor, ruler, inside, reads, covered)
        rows += _locus_rows(predictor, inside, [gene for gene in reference if gene.contig in covered], reads)
    return score_table(rows)


def introns_of(transcript: Transcript, ruler: str) -> Chain:
    """The intron chain that a ruler compares."""
    return transcript.cds_introns if ruler == "cds_chain" else transcript.introns


def _transcript_rows(predictor: str, ruler: str, genes: Sequence[GeneModel], reads: ReadEvidence) -> list[Row]:
    chains: dict[tuple[str, str, Chain], bool] = {}
    for gene in genes:
        for transcript in gene.coding_transcripts:
            chain = introns_of(transcript, ruler)
            if chain:
                key = (gene.contig, gene.strand, chain)
                expressed = reads.covers(gene.contig, gene.strand, transcript.cds)
                chains[key] = chains.get(key, False) or expressed
    rows: list[Row] = []
    for subset, keys in (("all", list(chains)), ("expressed", [key for key, expressed in chains.items() if expressed])):
        equal = sum(reads.has_chain(*key) for key in keys)
        supported = sum(reads.contains_chain(*key) for key in keys)
        for metric, count in (("equal", equal), ("supported", supported)):
            rows.append((predictor, "transcript", ruler, subset, metric, _share(count, len(keys)), len(keys)))
    return rows


def _intron_rows(
    predictor: str, ruler: str, genes: Sequence[GeneModel], reads: ReadEvidence, contigs: Collection[str]
) -> list[Row]:
    predicted: set[tuple[str, str, Interval]] = {
        (gene.contig, gene.strand, intron)
        for gene in genes
        for transcript in gene.coding_transcripts
        for intron in introns_of(transcript, ruler)
    }
    reached = [key for key in predicted if reads.spans(*key)]
    right = sum(key in reads.introns for key in reached)
    firm = {key for key, count in reads.introns.items() if count >= MINIMUM_READS and key[0] in contigs}
    return [
        (predictor, "intron", ruler, "all", "precision", _share(right, len(reached)), len(reached)),
        (predictor, "intron", ruler, "all", "recall", _share(len(firm & predicted), len(firm)), len(firm)),
    ]


def _locus_rows(
    predictor: str, genes: Sequence[GeneModel], reference: Sequence[GeneModel], reads: ReadEvidence
) -> list[Row]:
    if not reference:
        return []
    predicted = {chain for gene in genes for chain in cds_chains(gene)}
    expressed = [
        gene
        for gene in reference
        if any(reads.covers(gene.contig, gene.strand, transcript.cds) for transcript in gene.coding_transcripts)
    ]
    spliced = [gene for gene in expressed if any(transcript.cds_introns for transcript in gene.coding_transcripts)]
    right = sum(not predicted.isdisjoint(cds_chains(gene)) for gene in expressed)
    right_spliced = sum(not predicted.isdisjoint(cds_chains(gene)) for gene in spliced)
    supported = sum(_has_supported_chain(gene, predicted, reads) for gene in spliced)
    return [
        (predictor, "locus", "exact", "expressed", "recall", _share(right, len(expressed)), len(expressed)),
        (predictor, "locus", "exact", "multi_exon", "recall", _share(right_spliced, len(spliced)), len(spliced)),
        (predictor, "locus", "exact", "multi_exon", "read_supported", _share(supported, len(spliced)), len(spliced)),
    ]


def _has_supported_chain(gene: GeneModel, predicted: Collection[tuple], reads: ReadEvidence) -> bool:
    return any(
        (gene.contig, gene.strand, transcript.cds) in predicted
        and reads.contains_chain(gene.contig, gene.strand, transcript.cds_introns)
        for transcript in gene.coding_transcripts
        if transcript.cds_introns
    )


def _share(count: int, total: int) -> float:
    """NaN where there is nothing to take a share of."""
    return count / total if total else float("nan")
