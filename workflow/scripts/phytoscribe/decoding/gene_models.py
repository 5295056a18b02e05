"""A gene model from a decoded gene: its CDS with untranslated regions.

From each end of a CDS a small lattice of three states (UTR exon, UTR intron, intergenic) is walked away from the gene;
the region ends where the evidence for it, summed over bases, was highest.  Introns are GT-AG or GC-AG and at least
``minimum_intron`` long, exons at least three bases; the region never enters the CDS of another gene on its strand.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.isoform_events import coding_events, events_text, keeps_frame, looks_like_nmd_target
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.compiled import njit
from phytoscribe.decoding.decoded_gene import DecodedGene, DecodedTranscript
from phytoscribe.decoding.grammar import FORBIDDEN, A, C, G, N, T
from phytoscribe.decoding.intron_evidence import ContigJunctions
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.protein_evidence import ContigProteins
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.labels.states import State

MINIMUM_EXON = 3
_UTR5_EXON, _UTR5_INTRON = int(State.UTR5_EXON), int(State.UTR5_INTRON)
_UTR3_EXON, _UTR3_INTRON = int(State.UTR3_EXON), int(State.UTR3_INTRON)
assert int(State.INTERGENIC) == 0


@njit(cache=True, nogil=True)
def _walk(exon, intron, opens, closes, minimum_intron, cds_end_exon):
    """Best UTR on a path that leads away from the CDS.

    Args:
        exon, intron: float32 (n,), scores relative to intergenic, nearest base first.
        opens: bool (n,), an intron may begin with this base (counted from the CDS).
        closes: bool (n,), an intron may end with this base.
        cds_end_exon: bases of CDS in the exon that is extended; an intron may follow at once if it is long enough.

    Returns:
        ``(length, is_exon)``: bases of the region, 0 for none, and its exon mask.
    """
    n = exon.size
    in_exon = np.full(n + 1, FORBIDDEN)
    in_intron = np.full(n + 1, FORBIDDEN)
    exon_run = np.zeros(n + 1, np.int64)
    intron_run = np.zeros(n + 1, np.int64)
    in_exon[0] = 0.0
    exon_run[0] = cds_end_exon
    from_intron = np.zeros(n + 1, np.uint8)
    from_exon = np.zeros(n + 1, np.uint8)
    best, best_length = 0.0, 0
    for i in range(1, n + 1):
        stay, enter = in_exon[i - 1], FORBIDDEN
        if in_intron[i - 1] > FORBIDDEN and intron_run[i - 1] >= minimum_intron and closes[i - 2]:
            enter = in_intron[i - 1]
        if enter > stay:
            in_exon[i], exon_run[i], from_intron[i] = enter + exon[i - 1], 1, 1
        else:
            in_exon[i], exon_run[i] = stay + exon[i - 1], exon_run[i - 1] + 1
        stay, enter = in_intron[i - 1], FORBIDDEN
        if opens[i - 1] and exon_run[i - 1] >= MINIMUM_EXON:
            enter = in_exon[i - 1]
        if enter > stay:
            in_intron[i], intron_run[i], from_exon[i] = enter + intron[i - 1], 1, 1
        elif stay > FORBIDDEN:
            in_intron[i], intron_run[i] = stay + intron[i - 1], intron_run[i - 1] + 1
        if in_exon[i] > best and exon_run[i] >= MINIMUM_EXON:
            best, best_length = in_exon[i], i
    is_exon = np.zeros(best_length, np.bool_)
    exonic = True
    for i in range(best_length, 0, -1):
        is_exon[i - 1] = exonic
        if exonic and from_intron[i]:
            exonic = False
        elif not exonic and from_exon[i]:
            exonic = True
    return best_length, is_exon


@njit(cache=True, nogil=True)
def _exons_beside(bases, table, left, minus, minimum_intron, cds_end_exon):
    """UTR exons beside a CDS.

    Args:
        bases: uint8 (n,), of the room beside the CDS, contig orientation.
        table: float (n, at least the five non-coding states), log probabilities of the gene's strand.
        left: whether the room is left of the CDS on the contig.
        minus: whether the gene is on the minus strand.

    Returns:
        int64 (exons, 2): intervals of distance from the CDS, nearest first.
    """
    n = bases.size
    upstream = left != minus
    exon_state, intron_state = (_UTR5_EXON, _UTR5_INTRON) if upstream else (_UTR3_EXON, _UTR3_INTRON)
    codes = np.full(n + 2, N, np.uint8)  # one beyond either end; nearest base first, in reading direction's letters
    exon, intron = np.empty(n, np.float32), np.empty(n, np.float32)
    for distance in range(n):
        row = n - 1 - distance if left else distance
        codes[distance + 1] = 3 - bases[row] if minus and bases[row] < N else bases[row]
        intergenic = np.float32(table[row, 0])
        exon[distance] = np.float32(table[row, exon_state]) - intergenic
        intron[distance] = np.float32(table[row, intron_state]) - intergenic
    opens, closes = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for distance in range(n):
        if codes[distance + 1] == G:
            nearer, further = codes[distance], codes[distance + 2]
            following, preceding = (nearer, further) if upstream else (further, nearer)
            donor, acceptor = following in (T, C), preceding == A
            opens[distance], closes[distance] = (acceptor, donor) if upstream else (donor, acceptor)
    length, is_exon = _walk(exon, intron, opens, closes, minimum_intron, cds_end_exon)
    found = np.empty((length // 2 + 1, 2), np.int64)
    count = 0
    for distance in range(length):
        if is_exon[distance] and (distance == 0 or not is_exon[distance - 1]):
            found[count, 0] = distance
            count += 1
        if is_exon[distance]:
            found[count - 1, 1] = distance + 1
    return found[:count]


def exons_with_untranslated_regions(
    cds: tuple[Interval, ...],
    strand: str,
    limits: Interval,
    offset: int,
    bases: npt.NDArray[np.uint8],
    table: npt.NDArray,
    settings: DecoderSettings,
) -> tuple[Interval, ...]:
    """A CDS with the untranslated regions joined on: sorted exons, 0-based half-open contig coordinates.

    Args:
        limits: contig interval that the exons may not leave, see :func:`reach`.
        offset: contig position of the first row of ``bases`` and ``table``, which cover ``limits`` at least.
        bases: uint8 (n,).
        table: float32 (n, at least the five non-coding states), log probabilities of the gene's strand, contig
            orientation.
    """
    cds_start, cds_end = cds[0][0], cds[-1][1]

    def beside(start: int, end: int, left: bool, segment: Interval) -> list[list[int]]:
        rows = slice(start - offset, end - offset)
        place = (bases[rows], table[rows], left, strand == "-")
        return _exons_beside(*place, settings.minimum_intron, segment[1] - segment[0]).tolist()

    before = [(cds_start - e, cds_start - s) for s, e in beside(limits[0], cds_start, True, cds[0])]
    after = [(cds_end + s, cds_end + e) for s, e in beside(cds_end, limits[1], False, cds[-1])]
    return tuple(merge_intervals([*before, *cds, *after]))


def reach(cds_span: Interval, left: int | None, right: int | None, maximum: int, contig_end: int) -> Interval:
    """How far a gene's exons may extend.

    Args:
        cds_span: from start to stop codon.
        left, right: nearest coding base (end, start) of the neighbours on the same strand; the space is shared.
        maximum: furthest distance from the CDS.
        contig_end: length of the contig, or any position past what ``maximum`` allows.
    """
    first, last = max(0, cds_span[0] - maximum), min(contig_end, cds_span[1] + maximum)
    if left is not None:
        first = max(first, (left + cds_span[0] + 1) // 2)  # a middle base is neither's, whichever way it is read
    if right is not None:
        last = min(last, (cds_span[1] + right) // 2)
    return first, last


def gene_model(gene: DecodedGene, exons: list[tuple[Interval, ...]], contig: str, identifier: str) -> GeneModel:
    """The gene model of a decoded gene, its transcripts ``.t1``, ``.t2``, ... in their order.

    The probabilities of a transcript's parts become its attributes; lists of them are in reading direction of the gene,
    as exons are counted.

    Args:
        exons: of each transcript.
    """
    transcripts = tuple(
        Transcript(
            f"{identifier}.t{number}",
            its_exons,
            transcript.cds,
            attributes=_attributes(transcript, gene)
            | _cut_ends(its_exons[0][0], its_exons[-1][1], transcript.partial_left, transcript.partial_right),
            score=transcript.probability,
            start_phase=transcript.start_phase,
        )
        for number, (transcript, its_exons) in enumerate(zip(gene.transcripts, exons, strict=True), start=1)
    )
    cut = _cut_ends(
        min(t.start for t in transcripts),
        max(t.end for t in transcripts),
        any(t.partial_left for t in gene.transcripts),
        any(t.partial_right for t in gene.transcripts),
    )
    return GeneModel(identifier, contig, gene.strand, transcripts, attributes=cut, score=gene.probability)


def with_chosen_isoforms(gene: GeneModel, settings: IsoformSettings) -> GeneModel:
    """A gene with as many isoforms beside its first transcript as the settings allow, and what they are as attributes.

    ``isoform`` is ``alternative`` where the first transcript is more probably right than not, else ``rival``: then the
    two are guesses at the same transcript rather than two transcripts.

    Args:
        gene: the first transcript, then its isoforms, the likeliest first.
    """
    first, *others = gene.transcripts
    kind = "alternative" if (first.score or 0.0) >= 0.5 else "rival"
    kept = [first]
    for other in others:
        decays = looks_like_nmd_target(other)
        if len(kept) > settings.maximum or (decays and not settings.nmd):
            continue
        described = {
            "isoform": kind,
            "event": events_text(coding_events(first, other)),
            **({} if settings.judges else {"posterior": _shown(other.score or 0.0)}),
            "frame": "kept" if keeps_frame(first, other) else "shifted",
            **({"nmd": "true"} if decays else {}),
        }
        number = len(kept) + 1
        kept.append(replace(other, id=f"{gene.id}.t{number}", attributes=described | dict(other.attributes)))
    return replace(gene, transcripts=tuple(kept))


def with_supporting_reads(gene: GeneModel, junctions: ContigJunctions) -> GeneModel:
    """A gene whose transcripts say which of their introns reads splice: ``supported_introns`` (how many of how many),
    and ``supporting_reads`` of each intron in reading direction.  Transcripts without introns say nothing.
    """
    transcripts = []
    for transcript in gene.transcripts:
        introns = transcript.introns if gene.strand == "+" else transcript.introns[::-1]
        reads = [junctions.reads_of(gene.strand, intron) for intron in introns]
        said = {
            "supported_introns": f"{sum(count > 0 for count in reads)}/{len(reads)}",
            "supporting_reads": ",".join(map(str, reads)),
        }
        transcripts.append(replace(transcript, attributes={**transcript.attributes, **(said if reads else {})}))
    return replace(gene, transcripts=tuple(transcripts))


def with_supporting_proteins(gene: GeneModel, proteins: ContigProteins) -> GeneModel:
    """A gene whose transcripts name the proteins that support them, ``supporting_proteins``; commas in names are
    escaped, since the attribute is a list.
    """
    transcripts = []
    for transcript in gene.transcripts:
        names = ",".join(name.replace(",", "%2C") for name in proteins.supporting(transcript))
        said = {"supporting_proteins": names} if names else {}
        transcripts.append(replace(transcript, attributes={**transcript.attributes, **said}))
    return replace(gene, transcripts=tuple(transcripts))


def _attributes(transcript: DecodedTranscript, gene: DecodedGene) -> dict[str, str]:
    order = slice(None) if gene.strand == "+" else slice(None, None, -1)
    attributes = {
        "locus_probability": _shown(gene.locus_probability),
        "cds_probabilities": ",".join(map(_shown, transcript.segment_probabilities[order])),
        "intron_probabilities": ",".join(map(_shown, transcript.intron_probabilities[order])),
        "start_probability": _shown(transcript.start_probability),
        "stop_probability": _shown(transcript.stop_probability),
    }
    return {name: value for name, value in attributes.items() if value}


def _cut_ends(start: int, end: int, left: bool, right: bool) -> dict[str, str]:
    """GFF3 attributes of a feature that an end of the contig cuts, as NCBI writes them; coordinates count from 1."""
    ends = {"start_range": f".,{start + 1}" if left else "", "end_range": f"{end},." if right else ""}
    return {"partial": "true", **{name: value for name, value in ends.items() if value}} if left or right else {}


def _shown(probability: float) -> str:
    """Three decimals; empty for none."""
    return "" if math.isnan(probability) else f"{probability:.3f}"
