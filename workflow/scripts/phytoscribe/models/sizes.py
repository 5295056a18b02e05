"""The model sizes named in config.yaml, and their check; it needs no PyTorch, so it runs before any job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phytoscribe.errors import ConfigError

_TABLE = """
size            tiny  small  base
hidden_size       32    256   384
layer_count        3      6     9
head_count         2      4     6
block_size        32     64   128
stem_channels     16     64    96
stem_layers        1      2     3
spread_channels    8     32    48
head_layers        1      2     3
content_length     4      8     8
"""
_HEADER, *_ROWS = (line.split() for line in _TABLE.strip().splitlines())
#: Numbers behind ``model.size``; single ones can be overridden in config.yaml.
SIZES = {size: {row[0]: int(row[column]) for row in _ROWS} for column, size in enumerate(_HEADER) if column}


def numbers_of_model(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The dimensions of a model, from the ``model`` section of config.yaml.

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
