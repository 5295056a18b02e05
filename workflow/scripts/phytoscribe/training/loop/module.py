"""Shared base of the tasks' Lightning modules: optimizer, learning rate and gradient clipping.

It also chooses the trained weights: all, those outside the encoder, or low-rank adapters of the encoder.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as lightning
import torch

from phytoscribe.errors import ConfigError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.loading import trainable_parameters
from phytoscribe.training.loop.settings import RunSettings, cosine_schedule

logger = logging.getLogger(__name__)

#: Gradients are scaled down to this norm.
CLIPPED_NORM = 1.0

FULL, FROZEN, LORA = MODES = ("full", "frozen", "lora")
#: A fine-tuning in which no weight learns, only the decoder.
DECODER = "decoder"
#: A fine-tuning on genes that the model itself predicted.
SELF = "self"
#: Linear layers of the encoder that get adapters.
_ADAPTED = r"trunk\.encoder\.layers\.\d+\.(attention\.(query_key_value|output)|feed_forward\.(0|2))"
#: Parts that learn in full beside the adapters: small, and the last before the decision.
_LEARNT_BESIDE = ("trunk.output_norm.", "heads.")
LORA_RANK = 8
LORA_ALPHA = 16


class TrainedModule(lightning.LightningModule):
    """Base of the tasks' modules, which add ``training_step``.

    Args:
        rates: learning rate factors by prefix of parameter names; other parameters have 1.
    """

    def __init__(self, settings: RunSettings, rates: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.settings, self.rates = settings, dict(rates or {})

    @property
    def chosen(self) -> Any:
        """The weights used in validation: the model's own."""
        return self.model

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW without decay on vectors, with the cosine schedule per step."""
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                factor = next((f for prefix, f in self.rates.items() if name.startswith(prefix)), 1.0)
                decay = self.settings.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((factor, decay), []).append(parameter)
        optimizer = torch.optim.AdamW(
            [
                {"params": parameters, "weight_decay": decay, "lr": self.settings.learning_rate * factor}
                for (factor, decay), parameters in groups.items()
            ],
            betas=(0.9, 0.98),
            fused=self.device.type in ("cpu", "cuda"),
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine_schedule(step, self.settings))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip gradients directly: Lightning's own clipping rejects the fused optimizer, fearing scaled gradients."""
        torch.nn.utils.clip_grad_norm_(self.parameters(), CLIPPED_NORM)


class AveragedModule(TrainedModule):
    """The same with a running average of the weights (:func:`follow`), if it is asked for.

    Args:
        average: decay of the average, which is validated and kept; 0 for the weights themselves.
    """

    def __init__(
        self, model: torch.nn.Module, settings: RunSettings, average: float, rates: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(settings, rates)
        self.model, self.decay = model, average
        self.average = copy.deepcopy(model).eval().requires_grad_(False) if average else None

    @property
    def chosen(self) -> Any:
        """The weights used in validation."""
        return self.average or self.model

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.average is not None:
            follow(self.average, self.model, self.decay, self.trainer.global_step)


def follow(average: torch.nn.Module, model: torch.nn.Module, decay: float, step: int) -> None:
    """Move the running average of a model's weights, in place, towards the weights after a step.

    Args:
        decay: share of the average that is kept; the first steps count less: it is at most ``step / (step + 10)``.
    """
    pairs = [
        (kept, learnt.detach())
        for kept, learnt in zip(average.parameters(), model.parameters(), strict=True)
        if learnt.requires_grad
    ]
    share = 1 - min(decay, step / (step + 10))
    torch._foreach_lerp_([kept for kept, _ in pairs], [learnt for _, learnt in pairs], share)


def adapt(model: AnnotationModel, mode: str) -> None:
    """Prepare ``model``, in place, for fine-tuning in this mode.

    ``lora`` adds adapters of rank 8 (Hu et al. 2021, arXiv:2106.09685, by ``peft``); :func:`merge_adapters` turns it
    back into a plain model.

    Raises:
        ConfigError: unknown mode.
    """
    if mode not in MODES:
        raise ConfigError(f"finetune.mode: {mode!r} is unknown; choose {', '.join((*MODES, DECODER, SELF))}")
    if mode == FROZEN:
        model.encoder.requires_grad_(False)
    if mode == LORA:
        from peft import LoraConfig, inject_adapter_in_model

        settings = LoraConfig(r=LORA_RANK, lora_alpha=LORA_ALPHA, target_modules=_ADAPTED)
        inject_adapter_in_model(settings, model)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_("lora_" in name or name.startswith(_LEARNT_BESIDE))
    logger.info("fine-tuning, mode %s: %d numbers learn", mode, trainable_parameters(model))


def merge_adapters(model: AnnotationModel) -> None:
    """Merge the adapters into the weights that they adapt, and remove them; does nothing without adapters."""
    from peft.tuners.lora import LoraLayer

    adapted = [name for name, module in model.named_modules() if isinstance(module, LoraLayer)]
    for name in adapted:
        parent, _, child = name.rpartition(".")
        layer = model.get_submodule(name)
        layer.merge()
        setattr(model.get_submodule(parent), child, layer.get_base_layer())
