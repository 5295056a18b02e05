"""Validation regions: held-out sequence used to choose checkpoints and decoder scalars."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.genome.intervals import Interval, IntervalIndex, merge_intervals
from phytoscribe.splits.parts import HIDDEN, PARTS, TRAIN, VALIDATE, Parts

logger = logging.getLogger(__name__)

#: Context around a validation locus in split mode ``cluster``, where contigs are shared with training.
CONTEXT = 2000
#: Longest stretch that is one region; longer contigs are cut, and genes across a cut are masked.
LONGEST_REGION = 500_000


@dataclass(frozen=True)
class ValidationRegion:
    """A region of sequence treated as a separate contig.

    Attributes:
        name: unique name, also the contig name of its genes.
        species, lineage: names of the region's genome given to the model.
        bases: uint8 (length,).
        genes: reference genes inside, moved to the region's coordinates.
        mask: intervals that are not counted on either side, in the region's coordinates.
        seen: intervals of context that training also sees, beyond the flank of a held-out locus.
    """

    name: str
    species: str
    lineage: str
    bases: npt.NDArray[np.uint8]
    genes: Sequence[GeneModel]
    mask: Sequence[Interval]
    seen: Sequence[Interval] = ()

    @property
    def place(self) -> tuple[str, str, int]:
        """Genome, contig and first base that the region was cut from."""
        genome, _, rest = self.name.partition(":")
        contig, _, span = rest.rpartition(":")
        return genome, contig, int(span.partition("-")[0])


def validation_intervals(parts: Parts, context: int = CONTEXT) -> list[tuple[str, int, int]]:
    """Validation regions of one genome: whole contigs in pieces, or loci with ``context`` bases on each side."""
    found = []
    for contig, length in parts.contigs.items():
        tiles = parts.of(contig, VALIDATE)
        if tiles == [(0, length)]:
            found += [(contig, s, min(s + LONGEST_REGION, length)) for s in range(0, length, LONGEST_REGION)]
        else:
            around = merge_intervals((max(0, s - context), min(length, e + context)) for s, e in tiles)
            found += [(contig, start, end) for start, end in around]
    return found


def cut_regions(
    genome: Genome,
    name: str,
    species: str,
    lineage: str,
    parts: Parts,
    genes: Mapping[str, Sequence[GeneModel]],
    mask: Mapping[str, Sequence[Interval]],
) -> list[ValidationRegion]:
    """Cut out the validation regions of one genome.

    Args:
        name, species, lineage: those of the genome; regions are named after it.
        genes: its accepted genes by contig; those of another part, or cut by a region's end, are masked.
        mask: additional intervals by contig that are not counted on either side.
    """
    regions = []
    for contig, start, end in validation_intervals(parts):
        others = IntervalIndex({contig: parts.of(contig, *(part for part in PARTS if part != VALIDATE), HIDDEN)})
        inside, hidden = [], _clipped(mask.get(contig, []), start, end)
        for gene in genes.get(contig, []):
            if gene.end <= start or gene.start >= end:
                continue
            if start <= gene.start and gene.end <= end and not others.overlaps(contig, gene.start, gene.end):
                inside.append(gene)
            else:
                hidden.append((max(gene.start, start), min(gene.end, end)))
        region = f"{name}:{contig}:{start}-{end}"
        regions.append(
            ValidationRegion(
                region,
                species,
                lineage,
                genome.bases(contig, start, end),
                [gene.shifted(-start, region) for gene in inside],
                [(s - start, e - start) for s, e in merge_intervals(hidden)],
                [(s - start, e - start) for s, e in _clipped(parts.of(contig, TRAIN), start, end)],
            )
        )
    return regions


def _clipped(intervals: Iterable[Interval], start: int, end: int) -> list[Interval]:
    """The part of each interval within ``start`` to ``end``."""
    return [(max(s, start), min(e, end)) for s, e in intervals if s < end and e > start]


def limit_regions(regions: Sequence[ValidationRegion], maximum_bases: int) -> list[ValidationRegion]:
    """Select regions with genes up to about ``maximum_bases``, from all species in turn; at least one.

    Raises:
        PhytoScribeError: there is no region with a gene.
    """
    by_species: dict[str, list[ValidationRegion]] = {}
    for region in regions:
        if region.genes:
            by_species.setdefault(region.species, []).append(region)
    if not by_species:
        raise PhytoScribeError(
            "no gene is in part 'validate', so no checkpoint can be chosen; list validation contigs, use split.mode "
            "cluster, or add a genome of role validate"
        )
    in_turn = [region for turn in zip_longest(*by_species.values()) for region in turn if region is not None]
    kept, total = [], 0
    for region in in_turn:
        if kept and total + region.bases.size > maximum_bases:
            continue
        kept.append(region)
        total += region.bases.size
    genes = sum(len(region.genes) for region in kept)
    logger.info("validation: %d regions, %d bases, %d genes", len(kept), total, genes)
    return kept
