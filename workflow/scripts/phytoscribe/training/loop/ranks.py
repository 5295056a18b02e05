"""The processes that train together (ranks), seen from one of them; a single process is one rank.

A step's batch size is the configured one, however many ranks share it.  Gradients are averaged over ranks, so a loss
term that is a mean must be divided by the amount on all ranks, not on one.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def started() -> bool:
    """True if this process trains together with others."""
    return distributed.is_available() and distributed.is_initialized()


def rank_count() -> int:
    """The number of ranks."""
    return distributed.get_world_size() if started() else 1


def own_rank() -> int:
    """The number of this rank, from 0."""
    return distributed.get_rank() if started() else 0


def wait_for_all() -> None:
    """Wait until all ranks have reached this point."""
    if started():
        distributed.barrier()


def divisors(amounts: Tensor) -> Tensor:
    """The divisor of each rank's sums that makes the mean over ranks the overall mean.

    Args:
        amounts: (n,), the amounts on this rank.

    Returns:
        The mean of the amounts over ranks, with a total of at least 1, without a gradient.
    """
    total = amounts.detach().clone()
    if started():
        distributed.all_reduce(total)
    return total.clamp(min=1.0) / rank_count()


def mean_of_ranks(value: float, device: torch.device) -> float:
    """The mean of a value over ranks."""
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
