"""Two readings of one annotation, gene by gene: which gene models they share, and what became of the others.

A gene model is its place: contig, strand, the chain of exons and the chain of CDS segments of every transcript, and
which transcripts form one gene.  Ids only decide between models of one place, since cleaners rename.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.genome.intervals import Interval

Chains = tuple[str, str, tuple[Interval, ...], tuple[Interval, ...]]
#: Types and biotypes that a cleaner writes where the file names none; they say no more than exons and CDS do.
GENERIC_TYPES = frozenset({"mRNA", "transcript", "RNA"})
GENERIC_BIOTYPES = frozenset({"protein_coding", "non_coding", "RNA"})


class Fate(StrEnum):
    """What became of a transcript in the other reading."""

    SAME = "same"
    CHANGED = "changed"
    MERGED = "merged"
    LOST = "lost"


class Placed(NamedTuple):
    """A transcript and its gene."""

    gene: GeneModel
    transcript: Transcript


class TranscriptMatch(NamedTuple):
    """A transcript and its counterpart; None for a lost one, the isoform that stands for it for a merged one."""

    before: Placed
    fate: Fate
    after: Placed | None


@dataclass(slots=True)
class GeneMatch:
    """A gene and where its transcripts went.

    Attributes:
        gene: the gene of the first reading.
        transcripts: one for each of its transcripts, in their order.
        homes: genes of the second reading that hold them; empty for a lost gene, several for a divided one.
        shares_home: another gene of the first reading has transcripts there too.
    """

    gene: GeneModel
    transcripts: list[TranscriptMatch]
    homes: list[GeneModel] = field(default_factory=list)
    shares_home: bool = False


@dataclass(slots=True)
class Matching:
    """Counterparts of all genes of one reading in another.

    Attributes:
        genes: one for each gene of the first reading, in its order.
        made: genes of the second reading that hold no transcript of the first.
    """

    genes: list[GeneMatch]
    made: list[GeneModel]


def chains(placed: Placed) -> Chains:
    """What makes two transcripts the same model."""
    return placed.gene.contig, placed.gene.strand, placed.transcript.exons, placed.transcript.cds


def match_genes(before: Iterable[GeneModel], after: Iterable[GeneModel]) -> Matching:
    """Find the genes of ``before`` in ``after``, by place first and by id where places differ.

    A transcript is ``same`` where both chains are; ``changed`` where the other reading has one of its id that overlaps
    it, or one with its CDS or one of its exons, that stands for no other; ``merged`` where an isoform with its chains
    has a counterpart and it has none; else ``lost``.
    """
    others = list(after)
    found = _Counterparts(others)
    matches = [GeneMatch(gene, []) for gene in before]
    # Each way of finding a counterpart goes through all transcripts before the next, weaker one begins.
    known: dict[int, TranscriptMatch] = {}
    left = [Placed(match.gene, transcript) for match in matches for transcript in match.gene.transcripts]
    wanted = {id(placed.transcript): placed for placed in left}
    for fate, way in [
        (Fate.SAME, found.same_model_and_id),
        (Fate.SAME, found.same_model),
        (Fate.CHANGED, found.same_id),
        (Fate.MERGED, found.isoform_with_its_chains),
        (Fate.CHANGED, found.with_its_cds_or_exon),
    ]:
        still = []
        for placed in left:
            counterpart = way(placed)
            if counterpart is None:
                still.append(placed)
            else:
                known[id(placed.transcript)] = TranscriptMatch(placed, fate, counterpart)
        left = still
    for match in matches:
        for transcript in match.gene.transcripts:
            lost = TranscriptMatch(wanted[id(transcript)], Fate.LOST, None)
            match.transcripts.append(known.get(id(transcript), lost))
    return _with_homes(matches, others)


def _with_homes(matches: list[GeneMatch], others: list[GeneModel]) -> Matching:
    tenants: dict[int, int] = defaultdict(int)
    for match in matches:
        homes = {id(part.after.gene): part.after.gene for part in match.transcripts if part.after}
        match.homes = list(homes.values())
        for key in homes:
            tenants[key] += 1
    for match in matches:
        match.shares_home = any(tenants[id(home)] > 1 for home in match.homes)
    return Matching(matches, [gene for gene in others if id(gene) not in tenants])


class _Counterparts:
    """The second reading's transcripts, each given away once; every way returns None where nobody is left."""

    def __init__(self, genes: list[GeneModel]) -> None:
        self._taken: set[int] = set()
        #: Counterpart of a model by the gene that it was in: what a repeated isoform of that gene is merged into.
        self._given: dict[tuple[int, Chains], Placed] = {}
        self._by_chains: dict[Chains, list[Placed]] = defaultdict(list)
        self._by_id: dict[str, list[Placed]] = defaultdict(list)
        self._by_part: dict[tuple[str, str, Interval], list[Placed]] = defaultdict(list)
        self._all = [Placed(gene, transcript) for gene in genes for transcript in gene.transcripts]
        for placed in self._all:
            self._by_chains[chains(placed)].append(placed)
            self._by_id[placed.transcript.id].append(placed)

    def same_model_and_id(self, wanted: Placed) -> Placed | None:
        found = self._by_chains.get(chains(wanted), ())
        return self._take(wanted, (placed for placed in found if placed.transcript.id == wanted.transcript.id))

    def same_model(self, wanted: Placed) -> Placed | None:
        return self._take(wanted, self._by_chains.get(chains(wanted), ()))

    def same_id(self, wanted: Placed) -> Placed | None:
        return self._take(wanted, (x for x in self._by_id.get(wanted.transcript.id, ()) if _overlap(wanted, x)))

    def isoform_with_its_chains(self, wanted: Placed) -> Placed | None:
        return self._given.get((id(wanted.gene), chains(wanted)))

    def with_its_cds_or_exon(self, wanted: Placed) -> Placed | None:
        if not self._by_part:  # most readings agree, and never need this index
            for placed in self._all:
                for part in {*placed.transcript.exons, *placed.transcript.cds}:
                    self._by_part[placed.gene.contig, placed.gene.strand, part].append(placed)
        found: dict[int, Placed] = {}
        for part in (*wanted.transcript.cds, *wanted.transcript.exons):
            for placed in self._by_part.get((wanted.gene.contig, wanted.gene.strand, part), ()):
                found.setdefault(id(placed), placed)
        return self._take(wanted, sorted(found.values(), key=lambda x: x.transcript.cds != wanted.transcript.cds))

    def _take(self, wanted: Placed, candidates: Iterable[Placed]) -> Placed | None:
        for placed in candidates:
            if id(placed) not in self._taken:
                self._taken.add(id(placed))
                self._given[id(wanted.gene), chains(wanted)] = placed
                return placed
        return None


def _overlap(one: Placed, other: Placed) -> bool:
    return (one.gene.contig, one.gene.strand) == (other.gene.contig, other.gene.strand) and (
        one.transcript.start < other.transcript.end and other.transcript.start < one.transcript.end
    )


def differences(before: Iterable[GeneModel], after: Iterable[GeneModel]) -> list[str]:
    """What two readings disagree in, one line each, in words; empty if their gene models are the same.

    Besides the models their reading frames count, and types of transcripts and biotypes of genes where both readings
    name one that says more than ``mRNA`` or ``protein_coding``.  Ids and attributes do not count.
    """
    matching = match_genes(before, after)
    found = []
    for match in matching.genes:
        found.extend(_differences_of(match))
    return [*found, *(f"{gene.id}: only in the second" for gene in matching.made)]


def _differences_of(match: GeneMatch) -> Iterator[str]:
    gene = match.gene
    if not match.homes:
        yield f"{gene.id}: only in the first"
        return
    if len(match.homes) > 1:
        yield f"{gene.id}: divided into {', '.join(home.id for home in match.homes)}"
    elif match.shares_home:
        yield f"{gene.id}: joined to another gene as {match.homes[0].id}"
    elif len(match.homes[0].transcripts) > len(match.transcripts):
        yield f"{gene.id}: the second has more transcripts"
    for part in match.transcripts:
        transcript, other = part.before.transcript, part.after.transcript if part.after else None
        if part.fate is not Fate.SAME or other is None:
            yield f"{transcript.id}: {part.fate}"
        elif transcript.start_phase != other.start_phase:
            yield f"{transcript.id}: first CDS segment in phase {transcript.start_phase} or {other.start_phase}"
        elif _disagree(transcript.type, other.type, GENERIC_TYPES):
            yield f"{transcript.id}: {transcript.type} or {other.type}"
    if _disagree(gene.biotype, match.homes[0].biotype, GENERIC_BIOTYPES):
        yield f"{gene.id}: {gene.biotype} or {match.homes[0].biotype}"


def _disagree(one: str, other: str, generic: frozenset[str]) -> bool:
    return one != other and one not in generic and other not in generic
