"""bfloat16 numbers for compiled loops, which know them as the uint16 of their bits: the upper half of a float32.

Helpers of such loops become part of them.  As functions of their own they would be compiled in several places, with
sums in another order, and which of these a process gets would depend on what it has compiled before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from phytoscribe.compiled import njit


def as_bits(tensor: Tensor) -> npt.NDArray[np.uint16]:
    """The memory of a bfloat16 tensor on a processor, as uint16 of the same shape; what is written shows in both."""
    return tensor.view(torch.uint16).numpy()


@njit(inline="always")
def widen(numbers, bits):
    """Write bfloat16 ``numbers`` as float32, given as the uint32 of their bits."""
    for j in range(numbers.size):
        bits[j] = np.uint32(numbers[j]) << np.uint32(16)


@njit(inline="always")
def narrow(bits, numbers):
    """The opposite of :func:`widen`, rounded to the nearest even number."""
    for j in range(numbers.size):
        odd = (bits[j] >> np.uint32(16)) & np.uint32(1)
        numbers[j] = np.uint16((bits[j] + np.uint32(0x7FFF) + odd) >> np.uint32(16))


@njit(inline="always")
def mean_and_scale(values, epsilon):
    """Mean of float32 values, and what brings their differences from it to a deviation of one, as in a layer norm."""
    share = np.float32(1.0 / values.size)
    total = np.float32(0.0)
    for j in range(values.size):
        total += values[j]
    mean = total * share
    squares = np.float32(0.0)
    for j in range(values.size):
        difference = values[j] - mean
        squares += difference * difference
    return mean, np.float32(1.0) / np.sqrt(squares * share + epsilon)
