"""In-silico mutagenesis: what each base means to the whole model, by changing it.

It is the referee of every attribution: it asks the model itself, the structure model's trunk included, whose tokens are
cut anew for every variant, so that nothing that the model reads is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.models.regulatory import CELL, TRUNK_CELL, RegulatoryHead, spliced
from phytoscribe.prediction.expression import read_trunk_bins
from phytoscribe.prediction.predictor import StructurePredictor

#: Bases on each side of a window that the trunk reads too; a multiple of its cells.
FLANK = 1200
#: Variants that the head reads at a time.
VARIANTS = 100

Codes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
#: From pieces uint8 (pieces, bases) to cells of the trunk, float32 (pieces, bases / TRUNK_CELL, channels).
TrunkOfPieces = Callable[[Codes], Values]


def trunk_of_pieces(predictor: StructurePredictor) -> TrunkOfPieces:
    """Features of the trunk for pieces of sequence, both strands averaged, as :mod:`prediction.trunk_cells` has them
    for contigs.

    Args:
        predictor: of :func:`phytoscribe.prediction.trunk_cells.trunk_reader`.
    """
    strand = strand_of_pieces(predictor)

    def read(pieces: Codes) -> Values:
        turned = np.stack([reverse_complement(piece) for piece in pieces])
        return (strand(pieces) + strand(turned)[:, ::-1]) / 2

    return read


def strand_of_pieces(predictor: StructurePredictor) -> TrunkOfPieces:
    """As :func:`trunk_of_pieces`, of the strand that is given alone, as an expression head reads genes."""
    return lambda pieces: read_trunk_bins(predictor.network, pieces[:, None], predictor.global_ids)[:, 0].astype(
        np.float32
    )


class WholeModel:
    """A head, with the trunk before it where it takes its features.

    Args:
        head: in evaluation mode.
        trunk: features of pieces; None for a head that reads the sequence alone.
    """

    def __init__(self, head: RegulatoryHead, trunk: TrunkOfPieces | None = None) -> None:
        self.head, self._trunk = head, trunk
        self.flank = FLANK if trunk else 0

    def cells(self, pieces: Codes) -> Values | None:
        """Cells of the trunk in the windows of pieces, which have :attr:`flank` bases on each side of a window."""
        if self._trunk is None:
            return None
        beside = self.flank // TRUNK_CELL
        return np.ascontiguousarray(self._trunk(pieces)[:, beside:-beside])

    def window(self, pieces: Codes) -> Codes:
        """The windows of pieces: without their flanks."""
        return pieces[:, self.flank : pieces.shape[1] - self.flank]

    def logits(self, pieces: Codes, cells: Values | None = None) -> Values:
        """Log odds of every label in the one bin of each window, float32 (pieces, labels).

        Args:
            pieces: uint8 (pieces, flank + margin + bin + margin + flank).
            cells: those that the trunk is to have said; its own if not given.
        """
        device = next(self.head.parameters()).device
        given = self.cells(pieces) if cells is None else cells
        windows, found = self.window(pieces), []
        for first in range(0, len(pieces), VARIANTS):
            own = slice(first, first + VARIANTS)
            codes = torch.from_numpy(windows[own].astype(np.int64)).to(device)
            part = None if given is None else torch.from_numpy(given[own]).to(device)
            with torch.inference_mode():
                found.append(self.head(codes, part)[:, 0].float().cpu().numpy())
        return np.concatenate(found)


def variants(piece: Codes, places: range) -> Codes:
    """The three other bases at each place, uint8 (3 * places, bases); of an N the variants are equal to the piece."""
    made = np.repeat(piece[None], 3 * len(places), axis=0)
    rows, where = np.arange(len(made)), np.repeat(np.array(places), 3)
    others = (piece[where] + np.tile([1, 2, 3], len(places))) % 4
    made[rows, where] = np.where(piece[where] == N_CODE, N_CODE, others)
    return made


def effects(model: WholeModel, piece: Codes) -> Values:
    """Mean loss of log odds over the three other bases at each place of the bin, float32 (bin, labels)."""
    config = model.head.config
    first = model.flank + config.margin
    changed = variants(piece, range(first, first + config.bin))
    own = model.logits(piece[None])[0]
    found = model.logits(changed) if model.flank else logits_of_variants(model.head, piece, changed)
    return own - found.reshape(config.bin, 3, -1).mean(axis=1)


def logits_of_variants(head: RegulatoryHead, piece: Codes, changed: Codes) -> Values:
    """Log odds of every label in the variants of a window, float32 (3 * bin, labels), for a head without a trunk.

    Only what a changed base reaches is read again, a fifth of the work: the motifs in its cell and those beside it, the
    convolutions that read these, and the words in the bin.

    Args:
        changed: :func:`variants` at each place of the bin.
    """
    device = next(head.parameters()).device
    windows, window = (torch.from_numpy(codes.astype(np.int64)).to(device) for codes in (changed, piece[None]))
    reach, found = max(1, -(-(head.config.motif // 2) // CELL)), []
    windows, window, whole = head.near(windows), head.near(window), window
    # A word that reads a base of the bin ends in it or right beside it.
    inside = slice(head.config.near - CELL, head.config.near + head.config.bin + CELL)
    with torch.inference_mode():
        beyond = head.words_beyond(whole, window[:, inside])
        motifs = head.stem(window)
        cells = head.cells(motifs)
        strands = head.steps(cells), head.steps(cells.flip(1))
        for own, part in enumerate(windows.split(3 * CELL), start=head.config.near // CELL):
            # Motifs at the ends of this slice see nothing beyond it; those that read the base see all of theirs.
            near = head.stem(part[:, (own - 2 * reach) * CELL : (own + 2 * reach + 1) * CELL])[:, reach:-reach]
            first, last = own - reach, own + reach
            both = head.read_changed(strands[0], head.cells(near), first)
            both += head.read_changed(strands[1], head.cells(near).flip(1), cells.shape[1] - 1 - last)
            logits = head.single(spliced(motifs, near, first)) + 0.5 * both
            if beyond is not None:
                logits += head.surroundings(beyond + head.surroundings.sums(part[:, inside], CELL))
            found.append(logits[:, 0].float().cpu().numpy())
    return np.concatenate(found)


class Change(NamedTuple):
    """Loss of log odds, float32 (labels,): with other bases for the stem alone, and for all that reads them."""

    stem: Values
    whole: Values


def change_when_shuffled(model: WholeModel, piece: Codes, shuffles: int, generator: np.random.Generator) -> Change:
    """What the head loses with a sequence of the same dinucleotides, seen by its stem alone and by the whole model.

    Mean over ``shuffles``.  Without a trunk the two are the same.
    """
    others = np.stack([shuffled_dinucleotides(piece, generator) for _ in range(shuffles)])
    own = model.logits(piece[None])[0]
    whole = own - model.logits(others).mean(axis=0)
    cells = model.cells(piece[None])
    if cells is None:
        return Change(whole, whole)
    return Change(own - model.logits(others, np.repeat(cells, shuffles, axis=0)).mean(axis=0), whole)


def shuffled_dinucleotides(bases: Codes, generator: np.random.Generator) -> Codes:
    """Bases in another order with the same number of each pair of neighbours, N included.

    A random Eulerian path (Altschul and Erickson 1985, doi:10.1093/oxfordjournals.molbev.a040370): the last step from
    each base is drawn until these steps lead to the end, all others are in random order.
    """
    if bases.size < 3:
        return bases.copy()
    end = int(bases[-1])
    following = {base: bases[1:][bases[:-1] == base] for base in np.unique(bases[:-1]).tolist()}
    while True:
        order = {base: generator.permutation(found) for base, found in following.items()}
        if all(_leads_to(base, end, order) for base in order):
            break
    taken = dict.fromkeys(order, 0)
    made = np.empty_like(bases)
    made[0] = bases[0]
    for place in range(1, bases.size):
        base = int(made[place - 1])
        made[place] = order[base][taken[base]]
        taken[base] += 1
    return made


def _leads_to(base: int, end: int, order: dict[int, Codes]) -> bool:
    """Whether the last steps from bases lead from ``base`` to ``end``."""
    seen = set()
    while base != end:
        if base in seen or base not in order:
            return False
        seen.add(base)
        base = int(order[base][-1])
    return True
