"""What of the additions is seen outside a whole CDS chain: events, new introns, and Iso-Seq reads that hold them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from phytoscribe.annotation.isoform_events import EVENTS, IR, coding_events
from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import ALL, EXPRESSED
from phytoscribe.evaluation.accuracy.gene_matching import Agreement, MetricRow
from phytoscribe.evaluation.isoforms.additions import Additions, Isoform, chains_of
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.genome.junctions import Junction
from phytoscribe.tables import share

#: RNA-seq reads from which on a junction counts as seen.
LEAST_READS = 5
#: Bases on each side of a retained intron that a read must cover.
OVERHANG = 10
#: Isoforms with CDS introns that retain no intron of the primary, and those that retain one.
SPLICED, RETAINING = f"{EXPRESSED}_spliced", f"{EXPRESSED}_{IR}"


def event_rows(found: Additions) -> list[MetricRow]:
    """Precision and recall of the events between any two isoforms of a gene, whichever of them is the primary.

    An event is its contig, strand, kind, and the introns that differ; ``IR`` and ``ES`` stand for their reverses too.
    """
    known, guessed = _events(found.reference), _events(found.predicted)
    rows: list[MetricRow] = []
    for kind in (ALL, *EVENTS):
        sides = [known[kind], guessed[kind]]
        if kind == ALL or sides[0] or sides[1]:
            right = len(sides[0] & sides[1])
            rows += Agreement(right, len(sides[1]), right, len(sides[0])).rows("event", "exact", kind)
    return rows


def _events(genes: Iterable[GeneModel]) -> dict[str, set[tuple]]:
    """The distinct events of genes by kind; of the transcripts with one CDS chain the one with most exonic bases."""
    found: dict[str, set[tuple]] = defaultdict(set)
    for gene in genes:
        by_length = sorted(gene.transcripts, key=lambda transcript: (-transcript.exonic_length, transcript.exons))
        longest = [transcript for _, transcript in chains_of(replace(gene, transcripts=tuple(by_length)))]
        for one, two in combinations(longest, 2):
            for event in coding_events(one, two):
                key = event.unordered()
                for kind in (ALL, key[0]):
                    found[kind].add((gene.contig, gene.strand, *key))
    return found


def intron_rows(found: Additions, junctions: Mapping[Junction, int] | None = None) -> list[MetricRow]:
    """Introns of the additions' CDS that no primary has.

    ``annotated``: precision against the introns of all coding reference transcripts, and recall of their CDS introns
    that no primary has.  ``annotated_or_reads``, with junctions: precision where reads alone are enough too.
    """
    primaries = {intron for gene in found.predicted for intron in _introns([gene.transcripts[0]], "cds_introns")}
    added = set(_introns((isoform.transcript for isoform in found.additions), "cds_introns")) - primaries
    transcripts = [transcript for gene in found.reference for transcript in gene.transcripts]
    annotated = set(_introns(transcripts, "introns"))
    known = set(_introns(transcripts, "cds_introns")) - primaries
    rows = Agreement(len(added & annotated), len(added), len(known & added), len(known)).rows(
        "new_intron", "annotated", ALL
    )
    if junctions is not None:
        seen = sum(intron in annotated or junctions.get(intron, 0) >= LEAST_READS for intron in added)
        rows.append(("new_intron", "annotated_or_reads", ALL, "precision", share(seen, len(added)), len(added)))
    return rows


def _introns(transcripts: Iterable, part: str) -> Iterator[Junction]:
    return ((t.contig, t.strand, intron) for t in transcripts for intron in getattr(t, part))


def read_rows(genes: Sequence[GeneModel], isoforms: Iterable[Isoform], reads: ReadEvidence) -> list[MetricRow]:
    """Share of isoforms at expressed loci that one Iso-Seq read holds; a read must overlap the CDS on its strand.

    ``expressed``: of isoforms with CDS introns, those whose CDS introns are consecutive introns of a read.
    :data:`SPLICED`: the same of those that retain no intron.  :data:`RETAINING`: of the others, those whose retained
    introns are each aligned in one read with :data:`OVERHANG` bases on each side; if there is another event, a read
    must hold their CDS introns, too.

    Args:
        genes: those that ``Isoform.gene`` counts.
    """
    held: dict[str, list[bool]] = {EXPRESSED: [], SPLICED: [], RETAINING: []}
    for isoform in isoforms:
        gene, chain = genes[isoform.gene], isoform.transcript.cds_introns
        place = gene.contig, gene.strand
        if not any(reads.covers(*place, transcript.cds) for transcript in gene.transcripts):
            continue
        events = () if isoform.against is None else coding_events(isoform.against, isoform.transcript)
        retained = [intron for event in events if event.kind == IR for intron in event.lost]
        in_read = not chain or reads.contains_chain(*place, chain)
        if chain:
            held[EXPRESSED].append(in_read)
        if retained:
            covered = all(reads.count_over(*place, (start - OVERHANG, end + OVERHANG)) for start, end in retained)
            held[RETAINING].append(covered and (in_read or all(event.kind == IR for event in events)))
        elif chain:
            held[SPLICED].append(in_read)
    return [
        ("addition", "reads", subset, "supported", share(sum(found), len(found)), len(found))
        for subset, found in held.items()
    ]
