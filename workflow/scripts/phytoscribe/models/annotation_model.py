"""PhytoScribe's model: the trunk and the heads declared in config.json, its inference copy, and trunk pretraining."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.batches import TokenBatch
from phytoscribe.models.configuration import BigBroConfig
from phytoscribe.models.encoder import BigBroEncoder, BigBroPreTrainedModel
from phytoscribe.models.heads import HeadOutputs, make_heads
from phytoscribe.models.trunk import Trunk


class AnnotationModel(BigBroPreTrainedModel):
    """The heads' outputs for each base of the strand that is read; see :class:`phytoscribe.models.trunk.Trunk`."""

    base_model_prefix = "trunk"
    #: The first released models had neither trunk nor heads as parts of their own.
    former_names = (
        (r"^(encoder|content|stem_input|stem|pool|spread|join|output_norm)\.", r"trunk.\1."),
        (r"^head\.", "trunk.refinement."),
        (r"^output\.", "heads.structure."),
        (r"^sites\.", "heads.sites."),
    )

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(config)
        self.heads = make_heads(self.trunk.channels, config.heads)
        self.post_init()

    @property
    def encoder(self) -> BigBroEncoder:
        return self.trunk.encoder

    def embed(self, bases: Tensor) -> Tensor:
        """Base codes int64 (batch, length) to (batch, length, 4 + content channels): :meth:`Trunk.embed`."""
        return self.trunk.embed(bases)

    def features(self, embedded: Tensor, token_ids: Tensor, token_of_base: Tensor, global_ids: Tensor) -> Tensor:
        """The input of the heads, (batch, length, channels): :meth:`Trunk.forward`."""
        return self.trunk(embedded, token_ids, token_of_base, global_ids)

    def read(self, features: Tensor) -> HeadOutputs:
        """All heads on the trunk's features."""
        return HeadOutputs({name: head(features) for name, head in self.heads.items()}, self.config.heads)

    def forward(self, bases: Tensor, token_ids: Tensor, token_of_base: Tensor, global_ids: Tensor) -> HeadOutputs:
        """All heads on bases, the arguments of :meth:`embed` and :meth:`features` (a ``TokenBatch``)."""
        return self.read(self.features(self.embed(bases), token_ids, token_of_base, global_ids))


class MaskedBaseModel(BigBroPreTrainedModel):
    """The trunk with a layer that predicts masked bases, which it sees as N."""

    base_model_prefix = "trunk"

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(config)
        self.naming = nn.Linear(self.trunk.channels, N_CODE)
        self.post_init()

    @property
    def encoder(self) -> BigBroEncoder:
        return self.trunk.encoder

    def forward(self, inputs: TokenBatch, positions: Tensor) -> Tensor:
        """Logits (len(positions), 4) at the int64 ``positions`` of the flattened (batch, length) grid."""
        features = self.trunk(self.trunk.embed(inputs.bases), *inputs[1:])
        return self.naming(features.flatten(0, 1)[positions])


class FullPrecision(nn.Module):
    """A head that accepts half-precision input and returns full precision."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = copy.deepcopy(head).float()

    def forward(self, features: Tensor) -> Tensor:
        return self.head(features.float())


def for_inference(
    model: AnnotationModel, heads: Sequence[str], device: torch.device, dtype: torch.dtype
) -> AnnotationModel:
    """A copy for inference with only the named heads, which stay in float32; the model is not changed."""
    network = copy.deepcopy(model).eval().requires_grad_(False)
    wanted = {name: FullPrecision(network.heads[name]) for name in heads}
    network.to(device, dtype)
    network.heads = nn.ModuleDict(wanted).to(device)
    return network
