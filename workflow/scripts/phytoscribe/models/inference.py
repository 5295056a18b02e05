"""A copy of a model for inference: the trunk in the precision of the computation, the heads in float32."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phytoscribe.models.annotation_model import AnnotationModel


class FullPrecision(nn.Module):
    """A head whose input may be in half precision, and whose output is not."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = copy.deepcopy(head).float()

    def forward(self, features: Tensor) -> Tensor:
        return self.head(features.float())


def for_inference(
    model: AnnotationModel, heads: Sequence[str], device: torch.device, dtype: torch.dtype
) -> AnnotationModel:
    """A copy that reads windows with the named heads only; the model stays as it is."""
    network = copy.deepcopy(model).eval().requires_grad_(False)
    wanted = {name: FullPrecision(network.heads[name]) for name in heads}
    network.to(device, dtype)
    network.heads = nn.ModuleDict(wanted).to(device)
    return network
