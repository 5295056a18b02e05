"""Attribution by gradients, with captum: integrated gradients on the bases, and Grad-CAM on the stem's cells.

Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365) average the gradient along the straight line from a
baseline to the sequence.  Their products with the step from the baseline sum to the change of the output; the part by
which they do not is the completeness gap.  Here there are as many lines as a motif has bases, and one more.  At the
start of each line only every so many-th base is replaced, by the three others in equal parts, so that no match of a
motif loses two bases: a base is asked about while the rest of its motif is there, as mutagenesis asks.  One line on
which all bases fade together ranks the bases of a bin far less as mutagenesis does (benchmarks/heads.md).  Only the
bases near the bin, which the motif stem reads, have a gradient: features of the structure model's trunk, and words
further away, are held at the sequence's own values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import IntegratedGradients, LayerGradCam
from torch import Tensor, nn

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.regulatory import CELL, TRUNK_CELL, RegulatoryHead

#: Lines that are in the network at a time.
TOGETHER = 64

Codes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Output = Callable[..., Tensor]


class Attribution(NamedTuple):
    """Integrated gradients of one output for some windows.

    Attributes:
        hypothetical: float32 (windows, bases, 4), what each base would contribute in the place of the one that is
            there; the mean over the four bases is zero.
        contribution: float32 (windows, bases), of the base that is there; 0 for N.
        gap: float32 (windows,), share of the changes of the output along the lines that the contributions miss or have
            too much.
    """

    hypothetical: Values
    contribution: Values
    gap: Values


def integrated_gradients(
    head: RegulatoryHead, bases: Codes, label: int, steps: int, trunk: Values | None = None
) -> Attribution:
    """Attribution of a label's log odds in the one bin of each window.

    Args:
        head: in evaluation mode.
        bases: uint8 (windows, margin + bin + margin), base codes.
        label: column of the head's output.
        steps: points on each line from a baseline to the sequence (Gauss-Legendre).
        trunk: (windows, cells, channels), for a head that takes features of the trunk.
    """

    near, fixed = _near(head, bases, trunk)

    def output(one_hot: Tensor, *given: Tensor) -> Tensor:
        return _logits(head, head.stem.matches(one_hot), one_hot, given)[:, 0, label]

    found = along_lines(output, head.stem, near, steps, fixed, TOGETHER)
    beside = (head.config.far, head.config.far)
    return Attribution(
        np.pad(found.hypothetical, ((0, 0), beside, (0, 0))), np.pad(found.contribution, ((0, 0), beside)), found.gap
    )


def _near(head: RegulatoryHead, bases: Codes, trunk: Values | None) -> tuple[Codes, list[Values]]:
    """Bases near the bin of each window, and what :func:`_logits` takes beside them."""
    near = head.near(bases)
    fixed = [] if trunk is None else [head.near(trunk, TRUNK_CELL)]
    device = head.stem.weight.device
    with torch.no_grad():
        words = head.words_beyond(*(torch.from_numpy(codes.astype(np.int64)).to(device) for codes in (bases, near)))
    return near, fixed if words is None else [*fixed, words.cpu().numpy()]


def _logits(head: RegulatoryHead, motifs: Tensor, one_hot: Tensor, fixed: Sequence[Tensor]) -> Tensor:
    """Log odds (batch, 1, labels), of the matches of motifs near the bin, the bases that they are of, and what
    :func:`_near` gives."""
    left, words = list(fixed), None
    if head.config.surroundings:
        words = left.pop() + head.surroundings.sums_of(one_hot, head.config.near)
    return head.from_motifs(motifs, left[0] if left else None, words)


def along_lines(
    output: Output, stem: MotifStem, bases: Codes, steps: int, fixed: Sequence[Values], together: int
) -> Attribution:
    """Integrated gradients of any output of a network that reads bases with a motif stem.

    Args:
        output: from the stem's one-hot bases (windows, bases, 4), and what is fixed, to (windows,).
        bases: uint8 (windows, bases), base codes.
        fixed: what else the network reads, (windows, ...) each, such as features of the trunk.
        together: lines that are in the network at a time.
    """
    device, method = stem.weight.device, IntegratedGradients(output, multiply_by_inputs=False)
    lines = stem.width + 1
    hypothetical = np.zeros((*bases.shape, N_CODE), dtype=np.float32)
    contribution = np.zeros(bases.shape, dtype=np.float32)
    missed, changed = np.zeros(len(bases)), np.zeros(len(bases))
    windows, own = np.divmod(np.arange(len(bases) * lines), lines)
    for first in range(0, len(windows), together):
        rows, line = windows[first : first + together], own[first : first + together]
        one_hot = stem.one_hot(torch.from_numpy(bases[rows].astype(np.int64)).to(device))
        replaced = np.arange(bases.shape[1]) % lines == line[:, None]
        others = (one_hot.sum(dim=2, keepdim=True) - one_hot) / (N_CODE - 1)
        baseline = torch.where(torch.from_numpy(replaced).to(device)[:, :, None], others, one_hot)
        given = tuple(torch.from_numpy(values[rows]).to(device) for values in fixed)
        mean = method.attribute(
            one_hot, baseline, additional_forward_args=given or None, n_steps=steps, internal_batch_size=together
        )
        # The lines of a window end in the same sequence.
        _, single, back = np.unique(rows, return_index=True, return_inverse=True)
        with torch.no_grad():
            ends = output(one_hot[single], *(values[single] for values in given))
            change = ends[back] - output(baseline, *given)
        found = ((one_hot - baseline) * mean).sum(dim=2)
        gap = (found.sum(dim=1) - change).abs()
        mean, found, gap, change = (x.detach().float().cpu().numpy() for x in (mean, found, gap, change))
        at, place = np.nonzero(replaced)
        # Each base beside the mean of the three others.
        beside = mean[at, place] - mean[at, place].mean(axis=1, keepdims=True)
        hypothetical[rows[at], place] = beside * N_CODE / (N_CODE - 1)
        contribution[rows[at], place] = found[at, place]
        np.add.at(missed, rows, gap)
        np.add.at(changed, rows, np.abs(change))
    return Attribution(hypothetical, contribution, (missed / changed.clip(min=1e-6)).astype(np.float32))


class _WithCells(nn.Module):
    """A head whose stem's output is a layer: channels before cells as Grad-CAM expects them, and nothing where no motif
    matches, which the stem says by -1."""

    def __init__(self, head: RegulatoryHead) -> None:
        super().__init__()
        self.head, self.pooled = head, nn.Identity()

    def forward(self, one_hot: Tensor, *fixed: Tensor) -> Tensor:
        motifs = self.pooled(self.head.stem.matches(one_hot).transpose(1, 2) + 1)
        return _logits(self.head, motifs.transpose(1, 2) - 1, one_hot, fixed)[:, 0]


def grad_cam(head: RegulatoryHead, bases: Codes, label: int, trunk: Values | None = None) -> Values:
    """Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) of the motif stem: each filter's match in a cell, weighted by
    the mean gradient of that filter.

    Args:
        bases, label, trunk: as in :func:`integrated_gradients`.

    Returns:
        float32 (windows, bases); the bases of a cell share its value, and those beyond the stem's have 0.
    """
    device = next(head.parameters()).device
    bases, fixed = _near(head, bases, trunk)
    whole = _WithCells(head)
    method = LayerGradCam(whole, whole.pooled)
    found = []
    for first in range(0, len(bases), TOGETHER):
        own = slice(first, first + TOGETHER)
        one_hot = head.stem.one_hot(torch.from_numpy(bases[own].astype(np.int64)).to(device))
        given = tuple(torch.from_numpy(values[own]).to(device) for values in fixed)
        found.append(method.attribute(one_hot, target=label, additional_forward_args=given or None)[:, 0])
    values = np.repeat(torch.cat(found).detach().float().cpu().numpy(), CELL, axis=1)
    return np.pad(values, ((0, 0), (head.config.far, head.config.far)))
