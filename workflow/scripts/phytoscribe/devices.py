"""The device and the precision to compute with: what was asked for, what there is, and what it is fast with."""

from __future__ import annotations

import logging

import torch

from phytoscribe.errors import ConfigError

logger = logging.getLogger(__name__)

#: What numbers outside the integer products are computed in, by the precision's name.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "int8": torch.bfloat16}
#: Private operators of PyTorch (torch.ops.onednn) that compute products of bytes.
_BYTE_OPERATORS = ("qlinear_pointwise", "qlinear_prepack", "qconv_pointwise", "qconv_prepack")


def choose_device(wanted: str) -> torch.device:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``mps`` stands for.

    Raises:
        ConfigError: the named device is not there: it is never replaced in silence.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    name = next((d for d in ("cuda", "mps", "cpu") if there[d]), "cpu") if wanted == "auto" else wanted
    if name not in there:
        raise ConfigError(f"device: {wanted!r} is unknown; choose auto, {', '.join(there)}")
    if not there[name]:
        raise ConfigError(
            f"device: {name} was asked for, but PyTorch finds none; use 'auto' or 'cpu', or check the node"
        )
    logger.info("device: %s (asked for: %s)", name, wanted)
    return torch.device(name)


def choose_precision(wanted: str, device: torch.device) -> str:
    """The name in :data:`PRECISIONS` that ``auto`` stands for, or the wanted one.

    Raises:
        ConfigError: int8 on a device that does not compute it.
    """
    bytes_are_fast = device.type == "cpu" and int8_is_fast()
    if wanted == "int8" and not bytes_are_fast:
        raise ConfigError(
            f"predict.precision: int8 was asked for, but this {device.type} has no fast products of bytes and "
            "bfloat16; use 'auto', 'bfloat16' or 'float32'"
        )
    if wanted != "auto":
        return wanted
    return "int8" if bytes_are_fast else "bfloat16" if bfloat16_is_fast(device) else "float32"


def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether the device computes bfloat16 faster than float32, on processors through oneDNN."""
    if device.type == "cpu":
        supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
        return supported is not None and supported()
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def int8_is_fast() -> bool:
    """Whether this processor is fast with products of bytes, and with bfloat16 beside them, and PyTorch knows both."""
    known = all(hasattr(torch.ops.onednn, name) for name in _BYTE_OPERATORS)
    return known and torch.cpu._is_vnni_supported() and bfloat16_is_fast(torch.device("cpu"))
