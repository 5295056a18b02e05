"""The stretches of held-out sequence on which checkpoints and decoder scalars are chosen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.genome.intervals import Interval, merge_intervals

logger = logging.getLogger(__name__)

#: Context around a validation locus in split mode ``cluster``, where contigs are shared with training.
CONTEXT = 2000
#: Longest stretch that is one region; longer contigs are cut, and genes across a cut are masked.
LONGEST_REGION = 500_000


@dataclass(frozen=True)
class ValidationRegion:
    """A stretch of sequence that stands for a contig of its own.

    Attributes:
        name: unique name; the genes' contig.
        species, lineage: how the region's genome is named to the model.
        bases: uint8 (length,).
        genes: reference genes inside, moved to the region's coordinates.
        mask: intervals that count on neither side, in the region's coordinates.
    """

    name: str
    species: str
    lineage: str
    bases: npt.NDArray[np.uint8]
    genes: Sequence[GeneModel]
    mask: Sequence[Interval]


def validation_intervals(
    splits: pd.DataFrame, genome: str, contigs: Mapping[str, int], whole: Iterable[str], context: int = CONTEXT
) -> list[tuple[str, int, int]]:
    """Stretches of part ``validate`` of one genome: whole contigs where given, else its loci with ``context`` bases."""
    chosen = [contig for contig in contigs if contig in set(whole)]
    if chosen:
        return [
            (contig, start, min(start + LONGEST_REGION, contigs[contig]))
            for contig in chosen
            for start in range(0, contigs[contig], LONGEST_REGION)
        ]
    loci = splits[(splits["genome"] == genome) & (splits["part"] == "validate")]
    found = []
    for contig, group in loci.groupby("contig", sort=False):
        length = contigs[str(contig)]
        around = [
            (max(0, int(s) - context), min(length, int(e) + context))
            for s, e in zip(group["start"], group["end"], strict=True)
        ]
        found += [(str(contig), start, end) for start, end in merge_intervals(around)]
    return found


def cut_regions(
    genome: Genome,
    name: str,
    intervals: Sequence[tuple[str, int, int]],
    genes: Sequence[GeneModel],
    scored: set[str],
    mask: Mapping[str, Sequence[Interval]],
    lineage: str = "",
) -> list[ValidationRegion]:
    """Validation regions of one genome.

    Args:
        genes: accepted genes of the genome.
        scored: ids of the genes of part ``validate``; other genes in a region are masked.
        mask: further intervals that count on neither side.
    """
    regions = []
    for contig, start, end in intervals:
        inside, hidden = [], [(max(s, start), min(e, end)) for s, e in mask.get(contig, []) if s < end and e > start]
        for gene in genes:
            if gene.contig != contig or gene.end <= start or gene.start >= end:
                continue
            if gene.id in scored and start <= gene.start and gene.end <= end:
                inside.append(gene)
            else:
                hidden.append((max(gene.start, start), min(gene.end, end)))
        region = f"{name}:{contig}:{start}-{end}"
        regions.append(
            ValidationRegion(
                region,
                name,
                lineage,
                genome.bases(contig, start, end),
                [gene.shifted(-start, region) for gene in inside],
                [(s - start, e - start) for s, e in merge_intervals(hidden)],
            )
        )
    return regions


def limit_regions(regions: Sequence[ValidationRegion], maximum_bases: int) -> list[ValidationRegion]:
    """Regions with genes up to about ``maximum_bases``, from all species in turn; at least one.

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
