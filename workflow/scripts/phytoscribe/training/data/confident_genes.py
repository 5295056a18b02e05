"""Confident genes of a first prediction, as the annotation of a genome that has none (``finetune.mode: self``).

What the prediction is not sure of is unknown: doubtful genes and their surroundings neither train nor count as
sequence without genes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from phytoscribe.annotation.checking.tables import REJECTED, Reason, TranscriptRow
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.names import organelle_of

logger = logging.getLogger(__name__)

#: Reason of a gene whose score is too low to train on, and of the sequence around it.
LOW_SCORE = "low_score"
#: Bases on each side of a doubtful gene that count as unknown too: the true gene may be longer.
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

    A gene is confident if its score is at least ``minimum_score`` and it lies on no organelle.  Unknown are organelles,
    and :data:`SURROUNDINGS` around doubtful genes as far as no confident gene lies there.

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
        elif doubtful[contig]:
            for start, end in _unknown(length, doubtful[contig], confident[contig]):
                why = (REJECTED, LOW_SCORE, "at or near a doubtful gene")
                rejected.append(TranscriptRow("", "", contig, start, end, ".", *why))
    return ConfidentGenes(accepted, rejected)


def _unknown(length: int, doubtful: Sequence[GeneModel], confident: Sequence[GeneModel]) -> Iterator[tuple[int, int]]:
    """Intervals of a contig at doubtful genes and around them, without those of confident genes."""
    unknown = np.zeros(length, dtype=bool)
    for gene in doubtful:
        unknown[max(0, gene.start - SURROUNDINGS) : gene.end + SURROUNDINGS] = True
    for gene in confident:
        unknown[gene.start : gene.end] = False
    yield from true_runs(unknown)


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
