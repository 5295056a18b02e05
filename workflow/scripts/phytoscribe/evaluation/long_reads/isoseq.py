"""Score gene models against the intron chains of Iso-Seq reads.

Only contigs with reads are considered.  Subset ``expressed``: a read on the same strand has an aligned base in the CDS.
Subset ``spanned``: one read also spans all introns of the chain, so that it could show them all.

* level ``transcript``, criteria ``cds_chain`` and ``exon_chain``: distinct chains of transcripts with at least one
  intron of that kind, by their classes (:mod:`phytoscribe.evaluation.long_reads.transcript_classes`); ``equal`` is the
  full matches, ``supported`` full and incomplete matches together.  Subset ``mono_exon`` holds the transcripts without
  such introns.
* level ``gene``: the best isoform counts.  ``supported`` is the share of genes with such introns that have at least one
  supported transcript: this is fair to annotations with many rare isoforms.
* level ``intron``: ``precision`` is the share of predicted introns found in a read, among those that a read spans;
  ``recall`` is the share of introns with at least two reads that are predicted (including UTR introns).  Subset
  ``best_isoform`` uses only the transcript of each gene that fits the reads best.
* level ``read_chain``, criterion ``exon_chain``: chains of at least two reads; ``equal`` is the share equal to a
  predicted transcript's chain; ``explained`` also counts chains that are a run of its introns (reads may start late).
* level ``read_locus``: groups of at least two reads that share introns (:meth:`ReadEvidence.loci`); ``supported`` is
  the share that hold the chain of a predicted transcript.  The counted groups depend only on the reads, so they are the
  same for all predictors.
* level ``locus``, criterion ``exact``: ``recall`` is the share of expressed reference loci for which the predictor has
  the exact CDS chain of any isoform; ``read_supported`` in subset ``multi_exon`` counts chains that a read also
  supports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from phytoscribe.annotation.model import GeneModel, Interval, introns_between
from phytoscribe.evaluation.long_reads.alignments import Intervals
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.evaluation.long_reads.transcript_classes import (
    CRITERIA,
    SPLICED_CLASSES,
    SUPPORTED,
    UNSPLICED_CLASSES,
    TranscriptClass,
    segments_of,
    transcript_table,
)
from phytoscribe.tables import ScoreRow, score_table, share

#: Reads that must show an intron, a chain or a locus before a predictor is expected to have it.
MINIMUM_READS = 2
_RANK = {str(kind): rank for rank, kind in enumerate(TranscriptClass)}


def score_isoseq(
    predictors: Mapping[str, Sequence[GeneModel]],
    reads: ReadEvidence,
    contigs: Collection[str],
    reference: Sequence[GeneModel] = (),
    transcripts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score the read support of every predictor's transcripts, with the columns of :mod:`phytoscribe.tables`.

    Args:
        predictors: gene models by name; include the reference itself to see the best possible scores.
        reads: the read alignments.
        contigs: the scored contigs; those without reads are left out.
        reference: reference genes for the level ``locus``; may be empty.
        transcripts: :func:`transcript_table` of the same predictors, if already computed.
    """
    covered = reads.contigs & set(contigs)
    table = transcript_table(predictors, reads, contigs) if transcripts is None else transcripts
    loci = reads.loci(MINIMUM_READS)
    rows: list[ScoreRow] = []
    for predictor, genes in predictors.items():
        inside = [gene for gene in genes if gene.contig in covered]
        own = table[table["predictor"] == predictor]
        for criterion in CRITERIA:
            spliced, single = _units(own, criterion, reads)
            rows += _transcript_rows(predictor, criterion, spliced, single)
            rows += _gene_rows(predictor, criterion, spliced)
            rows += _intron_rows(predictor, criterion, inside, reads, covered)
            rows += _read_locus_rows(predictor, criterion, spliced, loci)
        rows += _read_chain_rows(predictor, inside, reads)
        rows += _locus_rows(predictor, inside, [gene for gene in reference if gene.contig in covered], reads)
    return score_table(rows)


def _units(table: pd.DataFrame, criterion: str, reads: ReadEvidence) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Transcripts with introns of the criterion, and those without, with what the criterion compares."""
    column = "cds" if criterion == "cds_chain" else "exons"
    chains = [introns_between(segments) for segments in table[column]]
    places = list(zip(table["contig"], table["strand"]))
    units = pd.DataFrame(
        {
            "gene": table["gene"],
            "contig": table["contig"],
            "strand": table["strand"],
            "chain": chains,
            # Without introns the segments themselves tell one transcript from another.
            "key": [chain or tuple(segments) for chain, segments in zip(chains, table[column])],
            "class": table["class" if criterion == "cds_chain" else "exon_class"],
            "expressed": table["reads"] > 0,
            "spanned": [
                bool(chain) and reads.spans(*place, (chain[0][0], chain[-1][1])) for chain, place in zip(chains, places)
            ],
        }
    )
    has_introns = units["chain"].map(bool).astype(bool)
    return units[has_introns], units[~has_introns]


def _distinct(units: pd.DataFrame) -> pd.DataFrame:
    """One row for each distinct chain (or, without introns, place), with the best that any of its transcripts has."""
    ranked = units.assign(rank=units["class"].map(_RANK))
    grouped = ranked.groupby(["contig", "strand", "key"], sort=False)
    best = grouped.agg(rank=("rank", "min"), expressed=("expressed", "any"), spanned=("spanned", "any"))
    names = [str(kind) for kind in TranscriptClass]
    return best.assign(**{"class": [names[rank] for rank in best["rank"]]})


def _subsets(units: pd.DataFrame) -> dict[str, pd.DataFrame]:
    expressed = units[units["expressed"]]
    return {"all": units, "expressed": expressed, "spanned": expressed[expressed["spanned"]]}


def _transcript_rows(predictor: str, criterion: str, spliced: pd.DataFrame, single: pd.DataFrame) -> list[ScoreRow]:
    places = _distinct(single)
    rows: list[ScoreRow] = []
    for subset, units in _subsets(_distinct(spliced)).items():
        counts = units["class"].value_counts()
        shown = {str(kind): int(counts.get(str(kind), 0)) for kind in SPLICED_CLASSES}
        shown["equal"] = shown[TranscriptClass.FULL_MATCH]
        shown["supported"] = sum(shown[kind] for kind in SUPPORTED)
        rows += [
            (predictor, "transcript", criterion, subset, metric, share(count, len(units)), len(units))
            for metric, count in shown.items()
        ]
    counts = places["class"].value_counts()
    for kind in map(str, UNSPLICED_CLASSES):
        part = share(int(counts.get(kind, 0)), len(places))
        rows.append((predictor, "transcript", criterion, "mono_exon", kind, part, len(places)))
    return rows


def _gene_rows(predictor: str, criterion: str, spliced: pd.DataFrame) -> list[ScoreRow]:
    marked = spliced.assign(supported=spliced["class"].isin([str(kind) for kind in SUPPORTED]))
    genes = marked.groupby("gene", sort=False)[["expressed", "spanned", "supported"]].any()
    return [
        (
            predictor,
            "gene",
            criterion,
            subset,
            "supported",
            share(int(found["supported"].sum()), len(found)),
            len(found),
        )
        for subset, found in _subsets(genes).items()
    ]


def _intron_rows(
    predictor: str, criterion: str, genes: Sequence[GeneModel], reads: ReadEvidence, contigs: Collection[str]
) -> list[ScoreRow]:
    predicted: set[tuple[str, str, Interval]] = {
        (gene.contig, gene.strand, intron)
        for gene in genes
        for transcript in gene.coding_transcripts
        for intron in introns_between(segments_of(transcript, criterion))
    }
    firm = {key for key, count in reads.introns.items() if count >= MINIMUM_READS and key[0] in contigs}
    rows: list[ScoreRow] = []
    for subset, introns in (("all", predicted), ("best_isoform", _introns_of_best_isoforms(genes, criterion, reads))):
        reached = [key for key in introns if reads.spans(*key)]
        precision = share(sum(key in reads.introns for key in reached), len(reached))
        rows.append((predictor, "intron", criterion, subset, "precision", precision, len(reached)))
    recall = share(len(firm & predicted), len(firm))
    return [*rows, (predictor, "intron", criterion, "all", "recall", recall, len(firm))]


def _introns_of_best_isoforms(
    genes: Sequence[GeneModel], criterion: str, reads: ReadEvidence
) -> set[tuple[str, str, Interval]]:
    """Introns of one transcript of each gene: the one with the fewest introns that reads reach over but do not have,
    of equal ones that with the most introns of reads, then the first."""
    chosen: set[tuple[str, str, Interval]] = set()
    for gene in genes:
        place = (gene.contig, gene.strand)
        options = []
        for transcript in gene.coding_transcripts:
            introns = introns_between(segments_of(transcript, criterion))
            right = sum((*place, intron) in reads.introns for intron in introns)
            wrong = sum((*place, intron) not in reads.introns and reads.spans(*place, intron) for intron in introns)
            if introns:
                options.append((wrong, -right, len(options), introns))
        if options:
            chosen.update((*place, intron) for intron in min(options)[3])
    return chosen


def _read_locus_rows(predictor: str, criterion: str, spliced: pd.DataFrame, loci: Sequence) -> list[ScoreRow]:
    supported = spliced[spliced["class"].isin([str(kind) for kind in SUPPORTED])]
    introns = {
        ((contig, strand), chain[0])
        for contig, strand, chain in zip(supported["contig"], supported["strand"], supported["chain"])
    }
    # All read chains with a given intron are in one group, so the first intron of a supported chain tells the group.
    found = sum(any((track, intron) in introns for track, chain in locus for intron in chain.introns) for locus in loci)
    return [(predictor, "read_locus", criterion, "all", "supported", share(found, len(loci)), len(loci))]


def _read_chain_rows(predictor: str, genes: Sequence[GeneModel], reads: ReadEvidence) -> list[ScoreRow]:
    by_intron: dict[tuple[str, str, Interval], set[Intervals]] = {}
    for gene in genes:
        for transcript in gene.coding_transcripts:
            for intron in transcript.introns:
                by_intron.setdefault((gene.contig, gene.strand, intron), set()).add(transcript.introns)
    equal = explained = total = 0
    for (contig, strand), chains in reads.chains.items():
        for chain in chains.values():
            if chain.reads < MINIMUM_READS:
                continue
            total += 1
            candidates = by_intron.get((contig, strand, chain.introns[0]), ())
            equal += chain.introns in candidates
            explained += any(_is_run(chain.introns, candidate) for candidate in candidates)
    return [
        (predictor, "read_chain", "exon_chain", "all", metric, share(count, total), total)
        for metric, count in (("equal", equal), ("explained", explained))
    ]


def _is_run(part: Intervals, whole: Intervals) -> bool:
    """True if ``part`` is a run of consecutive introns of ``whole``."""
    if part[0] not in whole:
        return False
    first = whole.index(part[0])
    return whole[first : first + len(part)] == part


def _cds_chains(gene: GeneModel) -> set[tuple[str, str, Intervals]]:
    """CDS chains of a gene's transcripts, with contig and strand."""
    return {(gene.contig, gene.strand, transcript.cds) for transcript in gene.coding_transcripts}


def _locus_rows(
    predictor: str, genes: Sequence[GeneModel], reference: Sequence[GeneModel], reads: ReadEvidence
) -> list[ScoreRow]:
    if not reference:
        return []
    predicted = {chain for gene in genes for chain in _cds_chains(gene)}
    expressed = [
        gene
        for gene in reference
        if any(reads.covers(gene.contig, gene.strand, transcript.cds) for transcript in gene.coding_transcripts)
    ]
    spliced = [gene for gene in expressed if any(transcript.cds_introns for transcript in gene.coding_transcripts)]
    right = sum(not predicted.isdisjoint(_cds_chains(gene)) for gene in expressed)
    right_spliced = sum(not predicted.isdisjoint(_cds_chains(gene)) for gene in spliced)
    supported = sum(_has_supported_chain(gene, predicted, reads) for gene in spliced)
    return [
        (predictor, "locus", "exact", "expressed", "recall", share(right, len(expressed)), len(expressed)),
        (predictor, "locus", "exact", "multi_exon", "recall", share(right_spliced, len(spliced)), len(spliced)),
        (predictor, "locus", "exact", "multi_exon", "read_supported", share(supported, len(spliced)), len(spliced)),
    ]


def _has_supported_chain(gene: GeneModel, predicted: Collection[tuple], reads: ReadEvidence) -> bool:
    return any(
        (gene.contig, gene.strand, transcript.cds) in predicted
        and reads.contains_chain(gene.contig, gene.strand, transcript.cds_introns)
        for transcript in gene.coding_transcripts
        if transcript.cds_introns
    )
