"""A wide convolution that scans both strands for motifs with one set of filters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.genome.sequence import N_CODE

#: Cells that a processor takes at once: their matches stay in its cache.
_CELLS_AT_ONCE = 100
#: Output of a motif's best match, and height that is taken off: what random sequence often reaches is not a match.
_MATCH, _NOTHING = 4.0, 6.0


class _BestMatches(torch.autograd.Function):
    """The highest product of any filter with the windows of a cell; equally high ones share the gradient.

    It does what a product of matrices and a maximum do, in parts that fit into the cache, and computes the products
    again for the gradient: three times as fast as their own gradients.
    """

    @staticmethod
    def forward(ctx: Any, windows: Tensor, filters: Tensor, cell: int) -> Tensor:
        """Windows (n, bases) and filters (2, motifs, bases) to (n / cell, motifs); both of one type."""
        both = filters.flatten(0, 1).t()
        parts = windows.split(_step(windows, cell))
        best = torch.cat([(part @ both).view(-1, 2 * cell, filters.shape[1]).amax(dim=1) for part in parts])
        ctx.save_for_backward(windows, filters, best)
        ctx.cell = cell
        return best

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        windows, filters, best = ctx.saved_tensors
        both, total = filters.flatten(0, 1).t(), torch.zeros_like(filters, dtype=torch.float32).flatten(0, 1)
        # Training asks for the gradient of the filters, an attribution for that of the bases.
        wanted, of_windows = ctx.needs_input_grad, []
        step = _step(windows, ctx.cell)
        cells = step // ctx.cell
        for part, highest, gradient in zip(
            windows.split(step), best.split(cells), gradients[0].split(cells), strict=True
        ):
            matches = (part @ both).view(-1, 2 * ctx.cell, filters.shape[1])
            share = torch.eq(matches, highest[:, None], out=torch.empty_like(matches))
            share *= (gradient / share.sum(dim=1)).to(share.dtype)[:, None]
            share = share.view(len(part), -1)
            if wanted[0]:
                of_windows.append(share @ both.t())
            if wanted[1]:
                total += share.t() @ part
        of_filters = total.to(filters.dtype).view_as(filters) if wanted[1] else None
        return torch.cat(of_windows) if wanted[0] else None, of_filters, None


def _step(windows: Tensor, cell: int) -> int:
    return cell * _CELLS_AT_ONCE if windows.device.type == "cpu" else len(windows)


class MotifStem(nn.Module):
    """Best match of each filter on either strand in each cell of bases.

    The filters are applied to the sequence and, turned to their reverse complement, once more: that is to scan the
    reverse complement of the sequence.  So the cells of the other strand are the same in reverse order.

    Args:
        filters: number of motifs.
        width: bases of a motif, odd.
        cell: bases of a cell.
    """

    def __init__(self, filters: int, width: int, cell: int) -> None:
        super().__init__()
        if width % 2 == 0:
            raise ValueError(f"width {width}: an even motif has no middle base")
        self.width, self.cell = width, cell
        # Laid out as windows of the sequence are: base after base, four numbers each.
        self.weight = nn.Parameter(torch.randn(filters, width, N_CODE) * (2.0 / width) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(filters))

    def start_from(self, motifs: Tensor) -> None:
        """Set the first filters to these motifs, log odds (motifs, width, 4), scaled to one height.

        A whole match then gives :data:`_MATCH`, and one of :data:`_NOTHING` gives zero.
        """
        with torch.no_grad():
            count = min(len(motifs), len(self.bias))
            best = motifs[:count].amax(dim=2).sum(dim=1)
            scale = (_MATCH + _NOTHING) / best.clamp(min=1e-6)
            self.weight[:count] = motifs[:count] * scale[:, None, None]
            self.bias[:count] = -_NOTHING

    def one_hot(self, bases: Tensor) -> Tensor:
        """Base codes int64 (batch, length) to (batch, length, 4) in the type that the stem computes in; N is zeros."""
        kind = bases.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else self.weight.dtype
        return F.one_hot(bases, N_CODE + 1)[..., :N_CODE].to(dtype)

    def forward(self, bases: Tensor) -> Tensor:
        """Base codes int64 (batch, length) to (batch, length / cell, filters); N is a base of no kind.

        Motifs may reach beyond the ends of ``bases``, where they see N.
        """
        return self.matches(self.one_hot(bases))

    def matches(self, one_hot: Tensor) -> Tensor:
        """As :meth:`forward`, from the output of :meth:`one_hot` or what lies between two of them."""
        padded = F.pad(one_hot, (0, 0, self.width // 2, self.width // 2))
        both = self.both_strands().to(one_hot.dtype)
        best = _BestMatches.apply(self.windows(padded), both, self.cell)
        return F.elu(best.view(len(one_hot), -1, len(self.bias)) + self.bias)

    def windows(self, one_hot: Tensor) -> Tensor:
        """All stretches of :attr:`width` bases of (batch, length, 4), flat: (batch * stretches, width * 4)."""
        # Windows of the flattened sequence: a product of matrices is far faster here than a convolution of 4 channels.
        return one_hot.flatten(1).unfold(1, self.width * N_CODE, N_CODE).flatten(0, 1)

    def both_strands(self) -> Tensor:
        """The filters as they are and turned to their reverse complement, flat: (2, filters, width * 4)."""
        return torch.stack([self.weight, self.weight.flip(1, 2)]).flatten(2)
