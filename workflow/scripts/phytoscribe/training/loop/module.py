"""What the Lightning modules of all tasks share: optimizer, learning rate and gradient clipping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as lightning
import torch

from phytoscribe.training.loop.settings import RunSettings, cosine_schedule

#: Gradients are scaled down to this norm.
CLIPPED_NORM = 1.0


class TrainedModule(lightning.LightningModule):
    """Base of the tasks' modules, which add ``training_step``.

    Args:
        rates: factors of the learning rate, by prefix of the parameters' names; other parameters have 1.
    """

    def __init__(self, settings: RunSettings, rates: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.settings, self.rates = settings, dict(rates or {})

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
        """Lightning's own clipping refuses the fused optimizer, fearing scaled gradients, of which there are none."""
        torch.nn.utils.clip_grad_norm_(self.parameters(), CLIPPED_NORM)
