"""The BigBro encoder over tokens, and its head for masked-language-model pretraining."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from phytoscribe.models.attention import BlockSparseAttention
from phytoscribe.models.batches import TokenBatch
from phytoscribe.models.configuration import BigBroConfig

INITIAL_DEVIATION = 0.02
MIXING_KERNEL = 3
WIDEST_DILATION = 32


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


def feed_forward(width: int, inner: int) -> nn.Sequential:
    """Two linear layers with a GELU between them."""
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))


class ExpertFeedForward(nn.Module):
    """A mixture of experts instead of a feed-forward layer: two of many experts process each token.

    Top-2 routing (Shazeer et al. 2017, arXiv:1701.06538) without a capacity limit: no token is dropped, so a window's
    result does not depend on its neighbours in the batch.

    Attributes:
        balance: after a forward pass, the load-balance term of Fedus et al. 2022 (arXiv:2101.03961, equation 4): one
            when tokens are spread evenly over the experts, the number of experts when one gets them all. None before,
            and once it has been added to the loss.
    """

    CHOSEN = 2

    def __init__(self, width: int, inner: int, experts: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(feed_forward(width, inner) for _ in range(experts))
        self.balance: Tensor | None = None

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, tokens, width) to the same shape."""
        tokens = hidden.flatten(0, 1)
        probabilities = self.router(tokens).float().softmax(-1)
        weights, chosen = probabilities.topk(min(self.CHOSEN, len(self.experts)), dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        result = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            rows, places = (chosen == number).nonzero(as_tuple=True)
            given = expert(tokens[rows]) * weights[rows, places, None].to(tokens.dtype)
            result = result.index_add(0, rows, given.to(result.dtype))
        share = F.one_hot(chosen[:, 0], len(self.experts)).float().mean(0)
        self.balance = len(self.experts) * (share * probabilities.mean(0)).sum()
        return result.view_as(hidden)


class EncoderLayer(nn.Module):
    """Pre-norm convolution over neighbouring tokens, attention in some layers, and feed-forward.

    Adjacent tokens determine what a piece of DNA can be (a merged pair never occurs as two adjacent tokens, a codon or
    a splice site may span two tokens); attention alone takes long to learn this.  The convolution's dilation doubles
    from layer to layer, up to :data:`WIDEST_DILATION`, so that together they span a long exon.
    """

    def __init__(self, config: BigBroConfig, number: int) -> None:
        super().__init__()
        width = config.hidden_size
        self.mixing_norm = nn.LayerNorm(width)
        self.mixing = SequenceConvolution(width, width, MIXING_KERNEL, min(2**number, WIDEST_DILATION))
        self.attends = number % config.attention_every == config.attention_every - 1
        if self.attends:
            self.attention_norm = nn.LayerNorm(width)
            self.attention = BlockSparseAttention(config)
        self.feed_forward_norm = nn.LayerNorm(width)
        inner = config.feed_forward_factor * width
        experts = config.expert_count
        self.feed_forward = ExpertFeedForward(width, inner, experts) if experts else feed_forward(width, inner)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, global_tokens: Tensor, tokens: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """
        Args:
            global_tokens: (batch, globals, width).
            tokens: (batch, tokens, width).
            valid: bool (batch, tokens), False on padding.
        """
        tokens = tokens + self.mixing(self.mixing_norm(tokens) * valid[..., None])
        if self.attends:
            count = global_tokens.shape[1]
            hidden = torch.cat([global_tokens, tokens], dim=1)
            hidden = hidden + self.dropout(self.attention(self.attention_norm(hidden), valid, count))
            global_tokens, tokens = hidden[:, :count], hidden[:, count:]
            global_tokens = global_tokens + self._fed_forward(global_tokens)
        return global_tokens, tokens + self._fed_forward(tokens)

    def _fed_forward(self, hidden: Tensor) -> Tensor:
        return self.dropout(self.feed_forward(self.feed_forward_norm(hidden)))


class BigBroPreTrainedModel(PreTrainedModel):
    """Loading, saving and weight initialisation shared by all PhytoScribe models.

    Attributes:
        former_names: pairs of a regular expression and its replacement that convert tensor names of earlier versions to
            current ones; the first that matches applies.
    """

    config_class = BigBroConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    former_names: tuple[tuple[str, str], ...] = ()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


class BigBroEncoder(BigBroPreTrainedModel):
    """Tokens and global tokens (species, lineage) to contextual vectors."""

    base_model_prefix = ""

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(EncoderLayer(config, number) for number in range(config.layer_count))
        self.final_norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def balance_loss(self) -> Tensor:
        """``expert_balance`` times the load-balance terms of the last forward pass; zero without experts.

        The layers forget their terms: they hold the graph of the pass, with which a model cannot be copied.
        """
        layers = [module for module in self.modules() if isinstance(module, ExpertFeedForward)]
        terms = [layer.balance for layer in layers if layer.balance is not None]
        for layer in layers:
            layer.balance = None
        return self.config.expert_balance * torch.stack(terms).sum() if terms else torch.zeros(())

    def forward(self, token_ids: Tensor, global_ids: Tensor, added: Tensor | None = None) -> Tensor:
        """
        Args:
            token_ids: int64 (batch, tokens), ``pad_token_id`` behind the end.
            global_ids: int64 (batch, globals): ids of the species and lineage tokens.
            added: (batch, tokens, hidden) added to the token embeddings, for example pooled base features.

        Returns:
            (batch, tokens, hidden)
        """
        tokens = token_ids.shape[1]
        missing = -tokens % self.config.block_size
        padded = F.pad(token_ids, (0, missing), value=self.config.pad_token_id)
        valid = padded != self.config.pad_token_id
        hidden = self.embedding(padded)
        if added is not None:
            hidden = hidden + F.pad(added, (0, 0, 0, missing))
        global_tokens = self.embedding(global_ids)
        for layer in self.layers:
            global_tokens, hidden = layer(global_tokens, hidden, valid)
        return self.final_norm(hidden[:, :tokens])


class MaskedTokenModel(BigBroPreTrainedModel):
    """The encoder with a head that predicts masked tokens (weights tied to the embedding)."""

    def __init__(self, config: BigBroConfig) -> None:
        super().__init__(config)
        self.encoder = BigBroEncoder(config)
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.transform_norm = nn.LayerNorm(config.hidden_size)
        self.token_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.post_init()

    def forward(self, inputs: TokenBatch, positions: Tensor) -> Tensor:
        """Logits (len(positions), vocabulary) at the int64 ``positions`` of the flattened (batch, tokens) grid."""
        hidden = self.encoder(inputs.token_ids, inputs.global_ids).flatten(0, 1)[positions]
        hidden = self.transform_norm(F.gelu(self.transform(hidden)))
        return hidden @ self.encoder.embedding.weight.T + self.token_bias
