"""Compare transcripts with Iso-Seq reads by sequence alone, with megablast in both directions.

Each query keeps one target: the one whose HSPs on one strand have the highest sum of bit scores.  Identity is the share
of identical bases among the aligned columns of these HSPs; coverage is the share of query bases in at least one HSP.  A
query is supported at a tier if both identity and coverage reach it.  Two sequences are *reciprocal* best hits if each
is the other's target.

Every predictor is compared with the same reads, on the same contigs, twice: with whole transcripts (criterion
``blast``), and with coding sequences alone (criterion ``blast_cds``).  Programs like AUGUSTUS predict no UTRs: their
shorter transcripts are more easily covered by reads, and cover less of the reads.  Coding sequences are comparable for
all programs.

BLAST+: Camacho et al. 2009, BMC Bioinformatics 10:421.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from operator import attrgetter, itemgetter
from pathlib import Path

import pandas as pd
import pysam

from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.sequences import cds_of, transcript_of, write_fasta
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.long_reads.alignments import read_sequences
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.files import open_text, scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import merge_intervals
from phytoscribe.programs import require, run
from phytoscribe.tables import HITS, ScoreRow, score_table, share

log = logging.getLogger(__name__)
TIERS = (0.90, 0.95, 0.99)
#: Targets per query that BLAST keeps: enough that a paralogue with a higher single HSP does not hide the best target.
TARGETS = 50
E_VALUE = 1e-10
#: Criterion, and the name of its sequences in the table of hits.
CRITERIA = {"blast": "transcript", "blast_cds": "cds"}
_FORMAT = "6 qseqid sseqid nident length qstart qend sstart send bitscore"
_PURPOSE = "the comparison with Iso-Seq reads"
Sequences = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BestHit:
    """A query's best target: fractions in [0, 1].

    Attributes:
        coverage: of the query.
        target_coverage: of the target.
        reciprocal: the query is also the best target of its target.
    """

    target: str
    identity: float
    coverage: float
    target_coverage: float
    reciprocal: bool = False

    def reaches(self, identity: float, coverage: float) -> bool:
        return self.identity >= identity and self.coverage >= coverage


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Sequences in a FASTA file and in a BLAST database of the same name without suffix.  Sequences are named by
    numbers, because BLAST interprets some names (for example those with '|')."""

    names: Sequence[str]
    lengths: Sequence[int]
    fasta: Path

    @classmethod
    def write(cls, records: Iterable[tuple[str, str]], folder: Path, label: str) -> SequenceSet:
        """Write (name, sequence) records, one at a time, and make their database.

        Raises:
            ToolError: BLAST+ is missing or fails.
        """
        program = require("makeblastdb", _PURPOSE)
        names: list[str] = []
        lengths: list[int] = []

        def numbered() -> Iterator[tuple[str, str]]:
            for name, bases in records:
                yield str(len(names)), bases
                names.append(name)
                lengths.append(len(bases))

        fasta = folder / f"{label}.fa"
        with fasta.open("w", encoding="utf-8") as handle:
            write_fasta(handle, numbered())
        if names:
            run([program, "-in", fasta, "-dbtype", "nucl", "-out", fasta.with_suffix("")])
        return cls(names, lengths, fasta)


def best_hits(queries: SequenceSet, targets: SequenceSet, threads: int) -> dict[str, BestHit]:
    """Best hit of every query that has one, on the query's strand: transcripts and full-length reads run 5' to 3'.

    Raises:
        ToolError: BLAST+ is missing or fails.
    """
    program = require("blastn", _PURPOSE)
    if not queries.names or not targets.names:
        return {}
    table = queries.fasta.with_name(f"{queries.fasta.stem}_{targets.fasta.stem}.tsv")
    options = ["-max_target_seqs", str(TARGETS), "-evalue", str(E_VALUE), "-num_threads", str(threads)]
    options += ["-task", "megablast", "-strand", "plus", "-outfmt", _FORMAT]
    run([program, "-query", queries.fasta, "-db", targets.fasta.with_suffix(""), *options], table)
    with open_text(table) as lines:
        found = choose_best(lines, queries.lengths, targets.lengths)
    table.unlink()
    return {
        queries.names[int(query)]: replace(hit, target=targets.names[int(hit.target)]) for query, hit in found.items()
    }


def choose_best(
    lines: Iterable[str], query_lengths: Sequence[int], target_lengths: Sequence[int]
) -> dict[str, BestHit]:
    """Choose each query's best hit from BLAST's table (:data:`_FORMAT`); ties go to the first in BLAST's order.

    Queries and targets are named by numbers, which also give access to their lengths.
    """
    best: dict[str, BestHit] = {}
    rows = (line.rstrip("\n").split("\t") for line in lines)
    for query, members in groupby(rows, key=itemgetter(0)):  # BLAST writes all HSPs of one query together
        pairs: dict[str, list[list[float]]] = defaultdict(list)
        for _, target, *numbers in members:
            pairs[target].append([float(number) for number in numbers])
        target, hsps = max(pairs.items(), key=lambda pair: sum(hsp[-1] for hsp in pair[1]))
        identical, columns, starts, ends, target_starts, target_ends, _ = zip(*hsps)
        covered = _covered(starts, ends) / query_lengths[int(query)]
        target_covered = _covered(target_starts, target_ends) / target_lengths[int(target)]
        best[query] = BestHit(target, sum(identical) / sum(columns), covered, target_covered)
    return best


def _covered(starts: Iterable[float], ends: Iterable[float]) -> float:
    """Bases in at least one of these intervals, given by their first and last base."""
    return sum(end - start for start, end in merge_intervals((first - 1, last) for first, last in zip(starts, ends)))


def with_reciprocity(hits: Mapping[str, BestHit], back: Mapping[str, BestHit]) -> dict[str, BestHit]:
    """Mark the hits whose target has the query as its own best hit (in ``back``)."""
    return {
        name: replace(hit, reciprocal=hit.target in back and back[hit.target].target == name)
        for name, hit in hits.items()
    }


def _metrics() -> dict[str, Callable[[BestHit], bool]]:
    """Tests of a hit by metric: any hit, each pair of tiers; any reciprocal hit, and those at equal tiers."""
    metrics: dict[str, Callable[[BestHit], bool]] = {"hit": lambda hit: True}
    for identity, coverage in product(TIERS, TIERS):
        name = f"identity_{identity:.2f}_coverage_{coverage:.2f}"
        metrics[name] = lambda hit, tiers=(identity, coverage): hit.reaches(*tiers)
    metrics["reciprocal"] = attrgetter("reciprocal")
    for tier in TIERS:
        name = f"reciprocal_identity_{tier:.2f}_coverage_{tier:.2f}"
        metrics[name] = lambda hit, tier=tier: hit.reciprocal and hit.reaches(tier, tier)
    return metrics


def support_rows(
    predictor: str,
    level: str,
    criterion: str,
    subsets: Mapping[str, Collection[Collection[str]]],
    hits: Mapping[str, BestHit],
) -> list[ScoreRow]:
    """The share of query groups that meet each of :func:`_metrics`; ``n`` is the number of groups.

    Args:
        subsets: groups of query names by subset: a gene's transcripts, or a single transcript or read.  A group meets a
            test if any of its members does.
    """
    rows: list[ScoreRow] = []
    for subset, groups in subsets.items():
        found = [(number, hits[name]) for number, names in enumerate(groups) for name in names if name in hits]
        for metric, reached in _metrics().items():
            count = len({number for number, hit in found if reached(hit)})
            rows.append((predictor, level, criterion, subset, metric, share(count, len(groups)), len(groups)))
    return rows


def read_fasta(path: str | Path) -> dict[str, str]:
    """Sequences of a small FASTA by the first word of their headers."""
    with pysam.FastxFile(str(path)) as records:
        return {record.name: record.sequence or "" for record in records}


def blast_predictors(
    predictors: Mapping[str, Sequence[GeneModel]],
    sequences: Mapping[str, Mapping[str, Sequences]],
    bam: str | Path,
    evidence: ReadEvidence,
    contigs: Collection[str],
    threads: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run BLAST in both directions for every predictor.

    Level ``transcript``: transcripts on contigs with reads; subset ``expressed`` holds those with a read on their CDS.
    Level ``gene``: the same for genes, which meet a test if any of their transcripts does.  Level ``read``: reads whose
    primary alignment lies on ``contigs``; others cannot match their transcript and do not count.  For criterion
    ``blast_cds``, coverage at this level is that of the CDS: the share of reads that contain a whole CDS.  The quality
    of a read's alignment is ignored; only its position is used.

    Args:
        predictors: gene models by name.
        sequences: for each predictor, by criterion (:data:`CRITERIA`), sequences by transcript id.
        bam: alignments of the reads to the same genome.
        evidence: the alignments that are good enough to show what is expressed.
        contigs: the contigs that were predicted.
        threads: for BLAST.

    Returns:
        The scores, and one row for each best hit of a transcript (columns :data:`phytoscribe.tables.HITS`).
    """
    rows: list[ScoreRow] = []
    found: list[tuple] = []
    with scratch_folder("blast-") as folder:
        reads = SequenceSet.write(read_sequences(bam, set(contigs)), folder, "reads")
        for predictor, genes in predictors.items():
            places = {
                transcript.id: (gene.id, evidence.covers(gene.contig, gene.strand, transcript.cds))
                for gene in genes
                if gene.contig in evidence.contigs
                for transcript in gene.coding_transcripts
            }
            for criterion, kind in CRITERIA.items():
                chosen = _chosen(sequences[predictor][criterion], places, predictor)
                hits, back = _both_ways(chosen, reads, folder, threads)
                rows += _support(predictor, criterion, places, hits, reads.names, back)
                found += [
                    (predictor, name, kind, hit.target, hit.identity, hit.coverage, "yes" if hit.reciprocal else "no")
                    for name, hit in hits.items()
                ]
            log.info("%s: %d transcripts, %d reads", predictor, len(places), len(reads.names))
    return score_table(rows), pd.DataFrame(found, columns=list(HITS))


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


def _support(
    predictor: str,
    criterion: str,
    places: Mapping[str, tuple[str, bool]],
    hits: Mapping[str, BestHit],
    reads: Sequence[str],
    back: Mapping[str, BestHit],
) -> list[ScoreRow]:
    """Rows of transcripts (gene and whether it is expressed, by name), of their genes, and of the reads."""
    marked = with_reciprocity(back, hits)
    if criterion == "blast_cds":
        # How much of a read a CDS covers tells the length of its UTRs; how much of the CDS it covers, what it confirms.
        marked = {name: replace(hit, coverage=hit.target_coverage) for name, hit in marked.items()}
    genes: dict[str, dict[str, list[str]]] = {"all": defaultdict(list), "expressed": defaultdict(list)}
    for name, (gene, covered) in places.items():
        for subset in ("all", "expressed") if covered else ("all",):
            genes[subset][gene].append(name)
    of_gene = {subset: list(found.values()) for subset, found in genes.items()}
    alone = {subset: [[name] for names in found for name in names] for subset, found in of_gene.items()}
    return [
        *support_rows(predictor, "transcript", criterion, alone, hits),
        *support_rows(predictor, "gene", criterion, of_gene, hits),
        *support_rows(predictor, "read", criterion, {"all": [[name] for name in reads]}, marked),
    ]


def transcript_sequences(genes: Sequence[GeneModel], genome: Genome) -> dict[str, dict[str, str]]:
    """For each criterion the sequences of all coding transcripts by id; each contig is read once."""
    sequences: dict[str, dict[str, str]] = {criterion: {} for criterion in CRITERIA}
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
