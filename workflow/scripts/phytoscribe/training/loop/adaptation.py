"""Which weights a fine-tuning may change: all, those outside the encoder, or low-rank adapters of the encoder."""

from __future__ import annotations

import logging

from phytoscribe.errors import ConfigError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.loading import trainable_parameters

logger = logging.getLogger(__name__)

FULL, FROZEN, LORA = MODES = ("full", "frozen", "lora")
#: A fine-tuning in which no weight learns, only the decoder.
DECODER = "decoder"
#: Linear layers of the encoder that get adapters.
_ADAPTED = r"trunk\.encoder\.layers\.\d+\.(attention\.(query_key_value|output)|feed_forward\.(0|2))"
#: Parts that learn in full beside the adapters: small, and the last before the decision.
_LEARNT_BESIDE = ("trunk.output_norm.", "heads.")
LORA_RANK = 8
LORA_ALPHA = 16


def adapt(model: AnnotationModel, mode: str) -> None:
    """Prepare ``model``, in place, for a fine-tuning of this mode.

    ``lora`` adds adapters of rank 8 (Hu et al. 2021, arXiv:2106.09685, by ``peft``); :func:`merge_adapters` makes a
    plain model of it again.

    Raises:
        ConfigError: unknown mode.
    """
    if mode not in MODES:
        raise ConfigError(f"finetune.mode: {mode!r} is unknown; choose {', '.join((*MODES, DECODER))}")
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
    """Put what the adapters have learnt into the weights that they adapt, and take them off; no-op without any."""
    from peft.tuners.lora import LoraLayer

    adapted = [name for name, module in model.named_modules() if isinstance(module, LoraLayer)]
    for name in adapted:
        parent, _, child = name.rpartition(".")
        layer = model.get_submodule(name)
        layer.merge()
        setattr(model.get_submodule(parent), child, layer.get_base_layer())
