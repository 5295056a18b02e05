"""Block-sparse attention with rotary positions: each token sees its neighbourhood and a few global tokens.

The pattern is the local and global part of BigBird (Zaheer et al. 2020, arXiv:2007.14062); cost is linear in length.
Rotary positions follow Su et al. 2021 (arXiv:2104.09864); between tokens they enter only as differences.  Global tokens
are placed in the middle of each block, so a token's position in its block matters, but the window's position in the
contig does not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phytoscribe.models.configuration import BigBroConfig

ROTARY_BASE = 10_000.0
#: Added to scores that must not count: far under all others, and finite in every precision.
MASKED_SCORE = -1e4


def rotary_angles(positions: Tensor, head_size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine, each float32 of shape (len(positions), head_size / 2)."""
    steps = torch.arange(0, head_size, 2, device=positions.device, dtype=torch.float32) / head_size
    angles = positions.float()[:, None] * ROTARY_BASE**-steps
    return angles.cos(), angles.sin()


def rotate(values: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate feature pairs (first half with second half) of ``values`` (..., head_size)."""
    first, second = values.chunk(2, dim=-1)
    cos, sin = cos.to(values.dtype), sin.to(values.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def attend(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor) -> Tensor:
    """Softmax attention, (..., n, size); ``attn_mask`` bool, broadcast to (..., n, m).

    On CPUs plain products are used: with blocks this short they are more than twice as fast as PyTorch's fused kernel,
    forward and backward (benchmarks/README.md).
    """
    if query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=attn_mask)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    hidden = torch.zeros_like(attn_mask, dtype=scores.dtype).masked_fill(~attn_mask, MASKED_SCORE)
    return (scores + hidden).softmax(-1) @ value


class BlockSparseAttention(nn.Module):
    """Self-attention of tokens and global tokens.

    A token attends to its own block, the blocks before and after it and all global tokens; a global token attends to
    everything.
    """

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__()
        self.heads = config.head_count
        self.head_size = config.hidden_size // config.head_count
        self.block = config.block_size
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.output = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, hidden: Tensor, valid: Tensor, global_count: int) -> Tensor:
        """
        Args:
            hidden: (batch, global_count + tokens, hidden); tokens is a multiple of the block size.
            valid: bool (batch, tokens), False on padding.
        """
        batch, length, width = hidden.shape
        tokens = length - global_count
        blocks = tokens // self.block
        query, key, value = (
            part.view(batch, length, self.heads, self.head_size).transpose(1, 2)
            for part in self.query_key_value(hidden).chunk(3, dim=-1)
        )
        everything = torch.cat([valid.new_ones(batch, global_count), valid], dim=1)
        global_out = attend(query[:, :, :global_count], key, value, attn_mask=everything[:, None, None, :])

        # Positions count from the middle of each block: only differences matter.
        inner = torch.arange(self.block, device=hidden.device) - self.block // 2
        wide = torch.arange(3 * self.block, device=hidden.device) - self.block - self.block // 2
        shape = (batch, self.heads, blocks, self.block, self.head_size)
        local_query = rotate(query[:, :, global_count:].reshape(shape), *rotary_angles(inner, self.head_size))
        local_key = self._with_neighbours(key[:, :, global_count:].reshape(shape))
        local_key = rotate(local_key, *rotary_angles(wide, self.head_size))
        local_value = self._with_neighbours(value[:, :, global_count:].reshape(shape))
        global_shape = (batch, self.heads, blocks, global_count, self.head_size)
        local_key = torch.cat([local_key, key[:, :, None, :global_count].expand(global_shape)], dim=3)
        local_value = torch.cat([local_value, value[:, :, None, :global_count].expand(global_shape)], dim=3)
        seen = self._with_neighbours(valid.view(batch, 1, blocks, self.block, 1))[..., 0]
        seen = torch.cat([seen, seen.new_ones(batch, 1, blocks, global_count)], dim=3)

        def fold(part: Tensor) -> Tensor:
            """(batch, heads, blocks, n, size) -> (batch * blocks, heads, n, size)."""
            return part.transpose(1, 2).reshape(batch * blocks, part.shape[1], part.shape[3], -1)

        local = attend(
            fold(local_query),
            fold(local_key),
            fold(local_value),
            attn_mask=seen.transpose(1, 2).reshape(batch * blocks, 1, 1, -1),
        )
        local = local.view(batch, blocks, self.heads, self.block, self.head_size).transpose(2, 3)
        local = local.reshape(batch, tokens, width)
        global_out = global_out.transpose(1, 2).reshape(batch, global_count, width)
        return self.output(torch.cat([global_out, local], dim=1))

    @staticmethod
    def _with_neighbours(blocks: Tensor) -> Tensor:
        """(b, h, blocks, n, d) -> (b, h, blocks, 3n, d): the block before, the block, the block after."""
        padded = F.pad(blocks, (0, 0, 0, 0, 1, 1))
        return torch.cat([padded[:, :, :-2], padded[:, :, 1:-1], padded[:, :, 2:]], dim=3)
