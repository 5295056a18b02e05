"""The structure network, prepared for fast inference on windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from phytoscribe.devices import PRECISIONS
from phytoscribe.genome.sequence import Bases
from phytoscribe.models.annotation_model import AnnotationModel, FullPrecision, for_inference
from phytoscribe.models.batches import WindowTokens, collate_tokens
from phytoscribe.models.cpu.network import fast_cpu
from phytoscribe.tokenizer.segments import Segmenter

#: Log probabilities are kept in half precision; less likely than this counts as this.
LOWEST = -14.0
#: The heads that gene structures are decoded from.
HEADS = ("structure", "sites")
_FEATURES = "features"


class Readings(NamedTuple):
    """The network's output for windows, in reading direction.

    Attributes:
        states: float16 (windows, size, STATE_COUNT), natural log probabilities.
        sites: float16 (windows, size, 2), probabilities of donors and acceptors.
        features: float16 (windows, size, n), see :meth:`StructureNetwork.read_features`; n is 0 unless that is called.
    """

    states: npt.NDArray[np.float16]
    sites: npt.NDArray[np.float16]
    features: npt.NDArray[np.float16]


class StructureNetwork:
    """A copy of a structure model for inference: weights in the precision of the computation, logits in float32.

    Threads may call it at the same time.

    Args:
        precision: a name of :data:`phytoscribe.devices.PRECISIONS`.

    Attributes:
        precision: the same, unless PyTorch's own modules replace the CPU kernels.
    """

    def __init__(self, model: AnnotationModel, segmenter: Segmenter, device: torch.device, precision: str):
        self.segmenter = segmenter
        self.device = device
        if device.type == "cpu":
            self._network, self.precision = fast_cpu(model, precision, HEADS)
        else:
            self._network, self.precision = for_inference(model, HEADS, device, PRECISIONS[precision]), precision

    @property
    def channels(self) -> int:
        """Features of the trunk for a base."""
        return self._network.trunk.channels

    @property
    def features(self) -> int:
        """Numbers of a base in :attr:`Readings.features`."""
        heads = self._network.heads
        return heads[_FEATURES].head.out_features if _FEATURES in heads else 0

    def read_features(self, projection: npt.NDArray[np.float32]) -> None:
        """Compute the trunk's features times this matrix, (channels, n), from now on."""
        head = nn.Linear(*projection.shape, bias=False)
        head.weight = nn.Parameter(torch.from_numpy(projection.T.astype(np.float32)))
        self._network.heads[_FEATURES] = FullPrecision(head).requires_grad_(False).to(self.device)

    def __call__(self, windows: Sequence[Bases], global_ids: tuple[int, int]) -> Readings:
        """Read windows of one length, each uint8 (size,); ``global_ids``: tokens of species and lineage."""
        batch = collate_tokens([WindowTokens.of(window, self.segmenter, global_ids) for window in windows])
        with torch.inference_mode():
            output = self._network(*(part.to(self.device, non_blocking=True) for part in batch))
            states = torch.log_softmax(output.states, dim=-1).clamp_(min=LOWEST).half()
            sites = output.sites.sigmoid_().half()
            features = output[_FEATURES].half() if self.features else states[..., :0]
            return Readings(states.cpu().numpy(), sites.cpu().numpy(), features.cpu().numpy())
