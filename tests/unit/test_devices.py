"""Device and precision: what is asked for is used or refused, and ``auto`` takes what the machine is fast with."""

from __future__ import annotations

import pytest
import torch

from phytoscribe import devices
from phytoscribe.devices import choose_device, choose_precision
from phytoscribe.errors import ConfigError


def test_a_device_that_is_not_there_is_never_replaced():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="cuda was asked for"):
        choose_device("cuda")
    assert choose_device("auto").type in ("cpu", "mps")


def test_bytes_are_refused_where_they_are_not_fast(monkeypatch):
    monkeypatch.setattr(devices, "int8_is_fast", lambda: False)
    assert choose_precision("auto", torch.device("cpu")) != "int8"
    with pytest.raises(ConfigError, match=r"predict.precision: int8 .* use 'auto', 'bfloat16' or 'float32'"):
        choose_precision("int8", torch.device("cpu"))
    with pytest.raises(ConfigError, match="this cuda has no fast products of bytes"):
        choose_precision("int8", torch.device("cuda"))
