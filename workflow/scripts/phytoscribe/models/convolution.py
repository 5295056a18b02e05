"""Convolution along a sequence whose channels lie side by side in memory."""

from __future__ import annotations

from torch import Tensor, nn


class SequenceConvolution(nn.Conv2d):
    """A convolution along the sequence, (batch, length, channels) to the same layout."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, dilation: int = 1) -> None:
        super().__init__(
            channels_in, channels_out, (1, kernel), padding=(0, dilation * (kernel // 2)), dilation=(1, dilation)
        )

    def forward(self, features: Tensor) -> Tensor:
        # The view below is a contiguous channels-last image of height one: nothing is copied.
        image = features.contiguous().transpose(1, 2).unsqueeze(2)
        return super().forward(image).squeeze(2).transpose(1, 2)
