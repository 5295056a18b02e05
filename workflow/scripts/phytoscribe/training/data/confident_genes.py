"""Confident genes of a first prediction, as the annotation of a genome that has none (``finetune.mode: self``).

All else is unknown, but for the sequence beside confident genes: where the prediction has a doubtful gene there may be
none, and where it has none there may be one that it overlooked.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from phytoscribe.annotation.checking.tables import REJECTED, Reason, TranscriptRow
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import Interval, true_runs
from phytoscribe.genome.names import organelle_of

logger = logging.getLogger(__name__)

#: Reason of a gene whose score is too low to train on, and of the sequence around it.
LOW_SCORE = "low_score"
#: Bases on each side of a confident gene that are taken to hold no other, and of a doubtful one that are not.
SURROUNDINGS = 1000


class ConfidentGenes(NamedTuple):
    """A first prediction divided by its scores.

    Attributes:
        accepted: the confident genes.
        rejected: a row for each transcript of the others, and one without a gene for each interval of unknown sequence.
    """

    accepted: list[GeneModel]
    rejected: list[TranscriptRow]


def confident_genes(
    genes: Sequence[GeneModel],
    contigs: Mapping[str, int],
    minimum_score: float,
    organelles: Collection[str] = (),
) -> ConfidentGenes:
    """Divide predicted genes into confident and doubtful ones.

    A gene is confident if its score is at least ``minimum_score`` and it lies on no organelle.  Known are confident
    genes, and :data:`SURROUNDINGS` on each side of them as far as no doubtful gene is as near.

    Args:
        genes: complete genes with scores.
        contigs: name to length.
        organelles: organelle contigs, in addition to those recognised by name.
    """
    rejected, doubtful = [], defaultdict(list)
    accepted, confident = [], defaultdict(list)
    kinds = dict.fromkeys(organelles, "named in the configuration")
    kinds |= {contig: kind for contig in contigs if (kind := organelle_of(contig))}
    for gene in genes:
        if gene.contig in kinds:
            why = (REJECTED, str(Reason.ORGANELLE), kinds[gene.contig])
        elif (gene.score or 0.0) < minimum_score:
            why = (REJECTED, LOW_SCORE, f"score {gene.score or 0.0:.3f}")
            doubtful[gene.contig].append(gene)
        else:
            accepted.append(gene)
            confident[gene.contig].append(gene)
            continue
        rejected += [TranscriptRow(gene.id, t.id, t.contig, t.start, t.end, t.strand, *why) for t in gene.transcripts]
    for contig, length in contigs.items():
        if contig in kinds:
            row = TranscriptRow("", "", contig, 0, length, ".", REJECTED, str(Reason.ORGANELLE), kinds[contig])
            rejected.append(row)
        else:
            for start, end in _unknown(length, doubtful[contig], confident[contig]):
                why = (REJECTED, LOW_SCORE, "no confident gene here, or a doubtful one near")
                rejected.append(TranscriptRow("", "", contig, start, end, ".", *why))
    return ConfidentGenes(accepted, rejected)


def _unknown(length: int, doubtful: Sequence[GeneModel], confident: Sequence[GeneModel]) -> tuple[Interval, ...]:
    """Intervals of a contig that are not within reach of a confident gene, or within reach of a doubtful one."""
    unknown = np.ones(length, dtype=bool)
    for genes, verdict in ((confident, False), (doubtful, True)):
        for gene in genes:
            unknown[max(0, gene.start - SURROUNDINGS) : gene.end + SURROUNDINGS] = verdict
    for gene in confident:
        unknown[gene.start : gene.end] = False
    return true_runs(unknown)


def check_number(found: ConfidentGenes, genome: str, predicted: int, minimum_score: float, minimum_genes: int) -> None:
    """Stop if there are too few confident genes to train on.

    Args:
        genome: its name in the configuration.
        predicted: number of all predicted genes.

    Raises:
        PhytoScribeError: there are fewer than ``minimum_genes``.
    """
    count = len(found.accepted)
    if count < minimum_genes:
        raise PhytoScribeError(
            f"{genome}: of {predicted} genes of the first prediction, {count} have a score of at least "
            f"{minimum_score:g} (finetune.self.minimum_score), but self-training needs {minimum_genes} "
            "(finetune.self.minimum_genes). Give more of the genome's sequence, or lower one of the two; or leave "
            "self-training: give the genome the role 'predict', and set predict.model to the released model"
        )
    logger.info("%s: %d of %d predicted genes have a score of at least %g", genome, count, predicted, minimum_score)
