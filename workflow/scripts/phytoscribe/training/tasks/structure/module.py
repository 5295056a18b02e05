"""The training step of the structure task, for Lightning."""

from __future__ import annotations

import copy
from typing import Any

import torch

from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.training.loop.module import TrainedModule
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.structure.loss import LossSettings, label_weights, structure_loss
from phytoscribe.training.tasks.structure.sequence_loss import SequenceLoss
from phytoscribe.training.tasks.structure.windows import StructureBatch


class StructureModule(TrainedModule):
    """Training step, optimizer and weight average around :class:`AnnotationModel`.

    Args:
        average: decay of the weight average, which is what validation sees and what is kept; 0 for the weights
            themselves.  The first steps count for less: the decay is at most ``step / (step + 10)``.
        encoder_rate: factor of the learning rate for the encoder.
        sequence: the decoder's likelihood as a further term; batches then hold both strands of each window.
        sequence_weight: its weight.
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
        super().__init__(settings, {"model.trunk.encoder.": encoder_rate})
        self.model = model
        self.loss = loss
        self.decay = average
        self.average = copy.deepcopy(model).eval().requires_grad_(False) if average else None
        self.sequence: SequenceLoss | None = None
        self.sequence_weight = sequence_weight
        self.register_buffer("per_label", label_weights(loss), persistent=False)

    @property
    def chosen(self) -> AnnotationModel:
        """The weights that validation sees."""
        return self.average or self.model

    def training_step(self, batch: StructureBatch, batch_idx: int) -> torch.Tensor:
        output = self.model(*batch.inputs)
        with torch.autocast(self.device.type, enabled=False):
            loss = structure_loss(output, batch.targets, batch.weights, batch.sites, self.per_label, self.loss)
            if self.sequence:
                term, _ = self.sequence(output.states, batch.weights, batch.places)
                # The term's own value means nothing: only its gradient joins the loss.
                loss = loss + self.sequence_weight * (term - term.detach())
            return loss + self.model.encoder.balance_loss()

    def on_train_batch_end(self, outputs: Any, batch: StructureBatch, batch_idx: int) -> None:
        if self.average is None:
            return
        step = self.trainer.global_step
        decay = min(self.decay, step / (step + 10))
        pairs = [
            (kept, learnt.detach())
            for kept, learnt in zip(self.average.parameters(), self.model.parameters(), strict=True)
            if learnt.requires_grad
        ]
        torch._foreach_lerp_([kept for kept, _ in pairs], [learnt for _, learnt in pairs], 1 - decay)
