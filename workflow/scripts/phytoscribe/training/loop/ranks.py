"""The processes that train together (ranks), as seen from one of them; alone, there is one.

A step's batch is that of the configuration however many ranks share it.  Gradients are averaged over ranks, so a term
of the loss that is a mean over something has to be divided by what all ranks have of it, not by what one has.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def started() -> bool:
    """Whether this process trains together with others."""
    return distributed.is_available() and distributed.is_initialized()


def rank_count() -> int:
    """How many ranks there are."""
    return distributed.get_world_size() if started() else 1


def own_rank() -> int:
    """Which of them this one is, from 0 on."""
    return distributed.get_rank() if started() else 0


def wait_for_all() -> None:
    """Go on when all ranks have come here."""
    if started():
        distributed.barrier()


def divisors(amounts: Tensor) -> Tensor:
    """What each rank divides its sums by, so that the mean over ranks is the mean over everything.

    Args:
        amounts: (n,), how much of each thing this rank has.

    Returns:
        The mean over ranks of the amounts, as if there were at least 1 in all, without a gradient.
    """
    total = amounts.detach().clone()
    if started():
        distributed.all_reduce(total)
    return total.clamp(min=1.0) / rank_count()


def mean_of_ranks(value: float, device: torch.device) -> float:
    """The mean of what each rank gives."""
    total = torch.tensor([value], dtype=torch.float32, device=device)
    if started():
        distributed.all_reduce(total)
    return float(total) / rank_count()


def any_rank(value: bool, device: torch.device) -> bool:
    """True everywhere if it is true on one of the ranks."""
    if not started():
        return value
    flag = torch.tensor(float(value), device=device)
    distributed.all_reduce(flag, distributed.ReduceOp.MAX)
    return bool(flag)
