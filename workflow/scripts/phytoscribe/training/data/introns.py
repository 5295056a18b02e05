"""Introns that were cut out with some exon on each side: sequence of which only the splice sites are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text
from phytoscribe.genome.sequence import N_CODE, Bases, encode
from phytoscribe.training.data.build import TrainingContig
from phytoscribe.training.data.training_set import SITES

#: N between two pieces: more than the longest convolution of the stem reaches.
GAP = 30
PIECES_PER_CONTIG = 5000


def intron_contigs(path: str, species: str, lineage: str = "", group: str = "introns") -> list[TrainingContig]:
    """The pieces of a file, laid end to end with gaps of N.

    Args:
        path: text, gzipped or plain; each line holds exon, intron and exon in reading direction, then whatever else,
            separated by spaces.

    Raises:
        PhytoScribeError: a line holds fewer than three sequences.
    """
    pieces = list(_pieces(path))
    contigs = []
    for first in range(0, len(pieces), PIECES_PER_CONTIG):
        parts: list[Bases] = [np.full(GAP, N_CODE, dtype=np.uint8)]
        genes, position = [], GAP
        name = f"{group}_{first // PIECES_PER_CONTIG + 1}"
        for number, (left, intron, right) in enumerate(pieces[first : first + PIECES_PER_CONTIG], start=first + 1):
            donor, acceptor = position + len(left), position + len(left) + len(intron)
            end = acceptor + len(right)
            transcript = Transcript(f"i{number}.1", ((position, donor), (acceptor, end)))
            genes.append(GeneModel(f"i{number}", name, "+", (transcript,)))
            parts += [encode(left + intron + right), parts[0]]
            position = end + GAP
        bases = np.concatenate(parts)
        contigs.append(TrainingContig(group, species, lineage, group, SITES, name, bases, genes=genes))
    return contigs


def _pieces(path: str) -> Iterator[list[str]]:
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if fields := line.split()[:3]:
                if len(fields) < 3:
                    raise PhytoScribeError(f"{path}, line {number}: needs exon, intron and exon, separated by spaces")
                yield fields
