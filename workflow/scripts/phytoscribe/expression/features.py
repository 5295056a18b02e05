"""What simple models read of a gene: its structure, its GC content, and counts of k-mers along its window.

Gene structure alone, without any motif, predicts the level of expression about as well as networks that read sequence
(``benchmarks/heads_expression.md``).  So these features are the baselines of every table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.genome.sequence import N_CODE

Features = npt.NDArray[np.float32]
Windows = npt.NDArray[np.uint8]

#: Regions of a piece whose k-mers are counted apart, and the longest k-mers.
REGIONS, LONGEST = 4, 4
_C, _G = 1, 2
#: K-mers of so many windows are counted at a time.
_AT_ONCE = 512


def gc_of(windows: Windows, flank: int) -> Features:
    """GC content of the flank and of the transcribed part of each piece, float32 (genes, 2 * pieces or pieces).

    Args:
        windows: uint8 (genes, pieces, bases), as :func:`phytoscribe.expression.windows.window_bases` gives them.
        flank: bases of the flank: the first ones of the first piece, the last ones of the second.
    """
    length = windows.shape[2]
    parts = [windows[:, 0, :flank], windows[:, 0, flank:]]
    if windows.shape[1] > 1:
        parts += [windows[:, 1, : length - flank], windows[:, 1, length - flank :]]
    return np.stack([_gc(part) for part in parts if part.shape[1]], axis=1)


def _gc(codes: Windows) -> Features:
    known = (codes != N_CODE).sum(axis=1)
    return (((codes == _C) | (codes == _G)).sum(axis=1) / np.maximum(known, 1)).astype(np.float32)


def structure_numbers(genes: Sequence[GeneModel], gc: Features) -> Features:
    """Structure of each gene's longest coding transcript, or of the first if none codes, and GC.

    float32 (genes, 6 + numbers of GC): logarithms of the number of exons, and of the bases of CDS, 5' UTR, 3' UTR,
    introns and the gene.
    """
    numbers = []
    for gene in genes:
        transcript = gene.representative or gene.transcripts[0]
        five, three = transcript.utrs()
        lengths = [_bases(parts) for parts in (transcript.cds, five, three, transcript.introns)]
        numbers.append([math.log(1 + x) for x in (len(transcript.exons), *lengths, gene.end - gene.start)])
    return np.concatenate([np.array(numbers, dtype=np.float32).reshape(len(genes), -1), gc], axis=1)


def has_both_utrs(gene: GeneModel) -> bool:
    """Whether the gene's longest coding transcript has UTR on both sides: annotators found its ends in RNA."""
    transcript = gene.representative
    return transcript is not None and all(transcript.utrs())


def _bases(parts: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in parts)


def kmer_roots(windows: Windows, regions: int = REGIONS, longest: int = LONGEST) -> Features:
    """Square roots of the counts of all k-mers of the gene's strand, in equal regions along each piece.

    Args:
        windows: uint8 (genes, pieces, bases).

    Returns:
        float32 (genes, pieces * regions * (4 + 16 + ... + 4**longest)); a k-mer belongs to the region of its first
        base, and one with N to none.
    """
    genes, pieces, length = windows.shape
    region = np.minimum(np.arange(length) * regions // length, regions - 1)
    cells = pieces * regions
    place = (np.arange(pieces)[:, None] * regions + region).astype(np.int64)
    found = np.empty((genes, cells * sum(4**k for k in range(1, longest + 1))), dtype=np.float32)
    for first in range(0, genes, _AT_ONCE):
        part = windows[first : first + _AT_ONCE].astype(np.int64)
        known, column = part != N_CODE, 0
        code, whole = np.zeros_like(part), np.ones_like(known)
        for k in range(1, longest + 1):
            starts = length - k + 1
            code = code[..., :starts] * 4 + part[..., k - 1 :]
            whole = whole[..., :starts] & known[..., k - 1 :]
            bins = cells * 4**k
            at = (np.arange(len(part))[:, None, None] * cells + place[:, :starts]) * 4**k + code
            counts = np.bincount(at[whole], minlength=len(part) * bins).reshape(len(part), bins)
            found[first : first + _AT_ONCE, column : column + bins] = np.sqrt(counts)
            column += bins
    return found
