"""The model sizes that config.yaml names, and their check; free of PyTorch, so that it runs before any job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phytoscribe.errors import ConfigError

#: Numbers behind ``model.size``; single ones can be overridden in config.yaml.
SIZES: dict[str, dict[str, int]] = {
    "tiny": {
        "hidden_size": 32,
        "layer_count": 3,
        "head_count": 2,
        "block_size": 32,
        "stem_channels": 16,
        "stem_layers": 1,
        "spread_channels": 8,
        "head_layers": 1,
        "content_length": 4,
    },
    "small": {
        "hidden_size": 256,
        "layer_count": 6,
        "head_count": 4,
        "block_size": 64,
        "stem_channels": 64,
        "stem_layers": 2,
        "spread_channels": 32,
        "head_layers": 2,
        "content_length": 8,
    },
    "base": {
        "hidden_size": 384,
        "layer_count": 9,
        "head_count": 6,
        "block_size": 128,
        "stem_channels": 96,
        "stem_layers": 3,
        "spread_channels": 48,
        "head_layers": 3,
        "content_length": 8,
    },
}


def numbers_of_model(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a model, from the ``model`` section of config.yaml.

    Args:
        settings: ``{"size": name, **overrides}``.

    Raises:
        ConfigError: unknown size, or a width that the heads do not divide: rotary positions turn pairs of channels,
            so each head needs an even number of them.
    """
    size = settings.get("size", "small")
    if size not in SIZES:
        raise ConfigError(f"model.size: {size!r} is unknown; choose one of {', '.join(SIZES)}")
    numbers = {**SIZES[size], **{key: value for key, value in settings.items() if key != "size"}}
    width, heads = numbers["hidden_size"], numbers["head_count"]
    if width % (2 * heads):
        below, above = width - width % (2 * heads), width + -width % (2 * heads)
        nearest = f"{below} or {above}" if below else above
        raise ConfigError(
            f"model.hidden_size: {width} must be a multiple of twice model.head_count ({heads}), for example {nearest}"
        )
    return numbers
