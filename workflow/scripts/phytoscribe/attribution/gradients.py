"""Attribution by gradients, with captum: integrated gradients on the bases, and Grad-CAM on the stem's cells.

Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365) average the gradient along the straight line from a
baseline, here a quarter of each base, to the sequence.  Their products with the step from the baseline sum to the
change of the output; the part by which they do not is the completeness gap.  Only the bases that the motif stem reads
have a gradient: features of the structure model's trunk are held at the sequence's own values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import IntegratedGradients, LayerGradCam
from torch import Tensor, nn

from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.regulatory import CELL, RegulatoryHead

#: Sequences of one step of the line that are in the network at a time.
TOGETHER = 64
#: Share of each base in the baseline.
_BASELINE = 0.25

Codes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Output = Callable[[Tensor, Tensor | None], Tensor]


class Attribution(NamedTuple):
    """Integrated gradients of one output for some windows.

    Attributes:
        hypothetical: float32 (windows, bases, 4), what each base would contribute in the place of the one that is
            there; the mean over the four bases is zero.
        contribution: float32 (windows, bases), of the base that is there; 0 for N.
        gap: float32 (windows,), share of the change of the output that the contributions miss or have too much.
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
        steps: points on the line from the baseline to the sequence (Gauss-Legendre).
        trunk: (windows, cells, channels), for a head that takes features of the trunk.
    """

    def output(one_hot: Tensor, cells: Tensor | None = None) -> Tensor:
        return head.from_motifs(head.stem.matches(one_hot), cells)[:, 0, label]

    return along_line(output, head.stem, bases, steps, trunk, TOGETHER)


def along_line(
    output: Output, stem: MotifStem, bases: Codes, steps: int, trunk: Values | None, together: int
) -> Attribution:
    """Integrated gradients of any output of a network that reads bases with a motif stem.

    Args:
        output: from the stem's one-hot bases (windows, bases, 4), and features of the trunk or None, to (windows,).
        bases: uint8 (windows, bases), base codes.
        trunk: (windows, ...), for a network that takes features of the trunk.
        together: windows that are in the network at a time.
    """
    device, method, parts = stem.weight.device, IntegratedGradients(output, multiply_by_inputs=False), []
    for first in range(0, len(bases), together):
        own = slice(first, first + together)
        one_hot = stem.one_hot(torch.from_numpy(bases[own].astype(np.int64)).to(device))
        baseline = _BASELINE * one_hot.sum(dim=2, keepdim=True).expand_as(one_hot)
        cells = None if trunk is None else torch.from_numpy(trunk[own]).to(device)
        mean = method.attribute(
            one_hot, baseline, additional_forward_args=cells, n_steps=steps, internal_batch_size=together
        )
        with torch.no_grad():
            change = output(one_hot, cells) - output(baseline, cells)
        contribution = ((one_hot - baseline) * mean).sum(dim=2)
        gap = (contribution.sum(dim=1) - change).abs() / change.abs().clamp(min=1e-6)
        hypothetical = mean - mean.mean(dim=2, keepdim=True)
        parts.append([x.detach().float().cpu().numpy() for x in (hypothetical, contribution, gap)])
    return Attribution(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _WithCells(nn.Module):
    """A head whose stem's output is a layer: channels before cells as Grad-CAM expects them, and nothing where no motif
    matches, which the stem says by -1."""

    def __init__(self, head: RegulatoryHead) -> None:
        super().__init__()
        self.head, self.pooled = head, nn.Identity()

    def forward(self, one_hot: Tensor, trunk: Tensor | None = None) -> Tensor:
        motifs = self.pooled(self.head.stem.matches(one_hot).transpose(1, 2) + 1)
        return self.head.from_motifs(motifs.transpose(1, 2) - 1, trunk)[:, 0]


def grad_cam(head: RegulatoryHead, bases: Codes, label: int, trunk: Values | None = None) -> Values:
    """Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) of the motif stem: each filter's match in a cell, weighted by
    the mean gradient of that filter.

    Args:
        bases, label, trunk: as in :func:`integrated_gradients`.

    Returns:
        float32 (windows, bases); the bases of a cell share its value.
    """
    device = next(head.parameters()).device
    whole = _WithCells(head)
    method = LayerGradCam(whole, whole.pooled)
    found = []
    for first in range(0, len(bases), TOGETHER):
        own = slice(first, first + TOGETHER)
        one_hot = head.stem.one_hot(torch.from_numpy(bases[own].astype(np.int64)).to(device))
        cells = None if trunk is None else torch.from_numpy(trunk[own]).to(device)
        found.append(method.attribute(one_hot, target=label, additional_forward_args=cells)[:, 0])
    return np.repeat(torch.cat(found).detach().float().cpu().numpy(), CELL, axis=1)
