"""The Lightning training step of the structure task, and its loss, which weights what the decoder needs most."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from phytoscribe.labels.states import (
    ACCEPTOR_BIT,
    BOUNDARY_STATES,
    CODING_STATES,
    DONOR_BIT,
    LABEL_COUNT,
    NON_CODING_STATES,
    UNKNOWN_SITE_BIT,
)
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.heads import HeadOutputs
from phytoscribe.training.loop.module import AveragedModule
from phytoscribe.training.loop.ranks import divisors
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.structure.sequence_loss import SequenceLoss
from phytoscribe.training.tasks.structure.windows import StructureBatch


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the loss terms.

    Attributes:
        boundary_weight: weight of bases whose state is a boundary (start, stop, first, last), relative to others.
        f1_weight: weight of ``1 - soft F1`` of coding bases, per window with coding bases.
        empty_weight: weight of the mean coding probability on windows without coding bases.
        site_weight: weight of the mean cross-entropy of the splice sites; sites are so rare that the network would not
            learn them with a weight of one.
    """

    boundary_weight: float = 5.0
    f1_weight: float = 0.3
    empty_weight: float = 0.3
    site_weight: float = 10.0


def label_weights(settings: LossSettings) -> Tensor:
    """Cross-entropy weight of each label, float32 (LABEL_COUNT,)."""
    weights = torch.ones(LABEL_COUNT)
    weights[list(BOUNDARY_STATES)] = settings.boundary_weight
    return weights


def structure_loss(
    output: HeadOutputs, targets: Tensor, weights: Tensor, sites: Tensor, per_label: Tensor, settings: LossSettings
) -> Tensor:
    """Cross-entropy with soft targets + coding F1 + false positives on empty windows + splice sites.

    Args:
        output: logits of states (batch, length, STATE_COUNT) and sites (batch, length, 2).
        targets: float (batch, length, LABEL_COUNT), rows sum to one.
        weights: float (batch, length), 0 where the state is not known: such bases contribute to no state term.
        sites: uint8 (batch, length), bits of :mod:`phytoscribe.labels.states`; bases whose sites are unknown contribute
            to no site term.
        per_label: from :func:`label_weights`.

    Returns:
        scalar; zero if nothing is known.  The mean over ranks is the loss of their common batch.
    """
    log_probabilities = F.log_softmax(output.states.float(), dim=-1)
    non_coding = log_probabilities[..., list(NON_CODING_STATES)].logsumexp(-1, keepdim=True)
    base_weight = weights * (targets @ per_label)
    entropy = -(targets * torch.cat([log_probabilities, non_coding], dim=-1)).sum(-1)

    coding = list(CODING_STATES)
    predicted = log_probabilities[..., coding].exp().sum(-1) * weights
    wanted = targets[..., coding].sum(-1) * weights
    together, total = (predicted * wanted).sum(1), predicted.sum(1) + wanted.sum(1)
    known = weights.sum(1)
    filled = wanted.sum(1) > 0
    empty = ~filled & (known > 0)
    site_entropy, known_sites = site_loss(output.sites, sites)

    sums = torch.stack(
        [
            (entropy * base_weight).sum(),
            settings.f1_weight * (1 - 2 * together[filled] / total[filled]).sum(),
            settings.empty_weight * (predicted[empty].sum(1) / known[empty]).sum(),
            settings.site_weight * site_entropy,
        ]
    )
    amounts = torch.stack([base_weight.sum(), filled.sum().float(), empty.sum().float(), known_sites])
    return (sums / divisors(amounts)).sum()


def site_loss(logits: Tensor, sites: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the binary cross-entropy of donors and acceptors where sites are known, and how many those are."""
    wanted = torch.stack([(sites & DONOR_BIT) > 0, (sites & ACCEPTOR_BIT) > 0], dim=-1).float()
    counted = ((sites & UNKNOWN_SITE_BIT) == 0).float()[..., None].expand_as(wanted)
    entropy = F.binary_cross_entropy_with_logits(logits.float(), wanted, weight=counted, reduction="sum")
    return entropy, counted.sum()


class StructureModule(AveragedModule):
    """Training step, optimizer and weight average around :class:`AnnotationModel`.

    Args:
        encoder_rate: factor of the learning rate for the encoder.
        sequence_weight: of the decoder's likelihood as a further term, once ``sequence`` is set; batches then hold both
            strands of each window.
    """

    def __init__(
        self,
        model: AnnotationModel,
        settings: RunSettings,
        loss: LossSettings,
        average: float = 0.0,
        encoder_rate: float = 1.0,
        sequence_weight: float = 0.0,
    ) -> None:
        super().__init__(model, settings, average, {"model.trunk.encoder.": encoder_rate})
        self.loss = loss
        self.sequence: SequenceLoss | None = None
        self.sequence_weight = sequence_weight
        self.register_buffer("per_label", label_weights(loss), persistent=False)

    def training_step(self, batch: StructureBatch, batch_idx: int) -> torch.Tensor:
        output = self.model(*batch.inputs)
        with torch.autocast(self.device.type, enabled=False):
            loss = structure_loss(output, batch.targets, batch.weights, batch.sites, self.per_label, self.loss)
            if self.sequence:
                term, _ = self.sequence(output.states, batch.inputs.bases, batch.weights, batch.places)
                # The term's own value means nothing: only its gradient joins the loss.
                loss = loss + self.sequence_weight * (term - term.detach())
            return loss + self.model.encoder.balance_loss()
