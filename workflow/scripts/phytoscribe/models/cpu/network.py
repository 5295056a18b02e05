"""Entry point to the CPU kernels: a network for inference that uses them only if the results agree.

The kernels use private operators of PyTorch, which an upgrade may change or drop.  Each model is therefore tested on
one short window when it is loaded, and uses PyTorch's own modules if the kernels fail or disagree.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from phytoscribe.devices import PRECISIONS, bfloat16_is_fast
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.annotation_model import AnnotationModel, for_inference
from phytoscribe.models.batches import TokenBatch
from phytoscribe.models.configuration import BigBroConfig
from phytoscribe.models.cpu.fused import fuse

logger = logging.getLogger(__name__)

CPU = torch.device("cpu")
#: Most that logits may differ from those in float32: root mean square, as a share of their deviation along the window.
#: Released and random weights of all sizes differ by 0.02 in either precision, by the plain modules as by the kernels.
TOLERANCE = {"bfloat16": 0.06, "int8": 0.08}
#: Differences of logits up to this count as none, for heads that say the same everywhere.
SMALLEST = 0.01
#: Bases of the window: some blocks of tokens, and padding behind the last.
TRIAL_LENGTH = 1_500


class CpuNetwork(NamedTuple):
    """A network that reads windows on CPUs, and the name of its precision.

    The name shows if PyTorch's own modules replace the kernels, because their results differ in the last digits.
    """

    network: AnnotationModel
    precision: str


def fast_cpu(model: AnnotationModel, precision: str, heads: Sequence[str]) -> CpuNetwork:
    """A copy of a model for inference on CPUs.

    Args:
        precision: a name of :data:`phytoscribe.devices.PRECISIONS`.
        heads: the heads that are read.
    """
    dtype = PRECISIONS[precision]
    if dtype is torch.float32:
        return CpuNetwork(for_inference(model, heads, CPU, dtype), precision)
    problem = "this processor has no fast bfloat16"
    if bfloat16_is_fast(CPU):
        window = trial_window(model.config)
        with _one_thread():
            expected = _read(for_inference(model, heads, CPU, torch.float32), window)
            network = for_inference(model, heads, CPU, dtype)
            # What a changed private operator raises differs from one version of PyTorch to the next.
            try:
                fuse(network.trunk, eight_bit=precision == "int8")
                problem = disagreement(_read(network, window), expected, TOLERANCE[precision])
            except (AttributeError, RuntimeError, TypeError) as error:
                problem = f"PyTorch {torch.__version__} does not run them ({error})"
    if not problem:
        logger.info("processor kernels for %s agree with the plain network", precision)
        return CpuNetwork(network, precision)
    logger.warning("no processor kernels for %s, %s; PyTorch's own modules read in bfloat16", precision, problem)
    return CpuNetwork(for_inference(model, heads, CPU, dtype), "bfloat16, plain modules")


@torch.inference_mode()
def _read(network: AnnotationModel, window: TokenBatch) -> Mapping[str, Tensor]:
    return network(*window)


@contextmanager
def _one_thread() -> Iterator[None]:
    """As windows are read later; many small operations are also slow on threads that others use."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def trial_window(config: BigBroConfig) -> TokenBatch:
    """A window of random bases with a gap, and of random tokens: the same for every model of this shape."""
    generator = torch.Generator().manual_seed(0)
    bases = torch.randint(0, N_CODE, (1, TRIAL_LENGTH), generator=generator)
    bases[:, 700:720] = N_CODE
    token_of_base = torch.arange(TRIAL_LENGTH)[None] // (config.token_length or config.spread_length // 4)
    tokens = int(token_of_base.max()) + 1
    ids = torch.randint(0, config.vocab_size - 1, (1, tokens + 2), generator=generator)
    ids += ids >= config.pad_token_id
    return TokenBatch(bases, ids[:, 2:], token_of_base, ids[:, :2])


def disagreement(given: Mapping[str, Tensor], expected: Mapping[str, Tensor], tolerance: float) -> str:
    """What is wrong with logits (batch, length, channels) by head; empty where they are as expected."""
    for head, wanted in expected.items():
        difference = _root_mean_square(given[head] - wanted)
        spread = _root_mean_square(wanted - wanted.mean(dim=(0, 1)))
        if not difference <= max(tolerance * spread, SMALLEST):  # NaN is never right
            return f"logits of the head {head} differ from those in float32 by {difference:.3g}, spread {spread:.3g}"
    return ""


def _root_mean_square(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
