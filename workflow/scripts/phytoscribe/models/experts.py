"""Sparse mixture of experts in place of a feed-forward layer: each token is worked on by two of many."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def feed_forward(width: int, inner: int) -> nn.Sequential:
    """Two linear layers with a GELU between them."""
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))


class ExpertFeedForward(nn.Module):
    """Top-2 routing (Shazeer et al. 2017, arXiv:1701.06538) without a capacity limit.

    No token is dropped, so a window's result does not depend on its neighbours in the batch.

    Attributes:
        balance: after a forward pass, the load-balance term of Fedus et al. 2022 (arXiv:2101.03961, equation 4): one
            when tokens are spread evenly over the experts, the number of experts when one gets them all.
    """

    CHOSEN = 2

    def __init__(self, width: int, inner: int, experts: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(feed_forward(width, inner) for _ in range(experts))
        self.balance: Tensor | None = None

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, tokens, width) to the same shape."""
        tokens = hidden.flatten(0, 1)
        probabilities = self.router(tokens).float().softmax(-1)
        weights, chosen = probabilities.topk(min(self.CHOSEN, len(self.experts)), dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        result = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            rows, places = (chosen == number).nonzero(as_tuple=True)
            given = expert(tokens[rows]) * weights[rows, places, None].to(tokens.dtype)
            result = result.index_add(0, rows, given.to(result.dtype))
        share = F.one_hot(chosen[:, 0], len(self.experts)).float().mean(0)
        self.balance = len(self.experts) * (share * probabilities.mean(0)).sum()
        return result.view_as(hidden)
