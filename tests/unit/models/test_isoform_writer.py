"""The pointer network: word by word as all at once, whatever stands beside it; and its files."""

from __future__ import annotations

import pytest
import torch
from writers import random_network

from phytoscribe.errors import ModelError
from phytoscribe.models import WRITER_FILES
from phytoscribe.models.isoform_writer import load_writer, save_writer
from phytoscribe.sentences.site_evidence import EVIDENCE
from phytoscribe.sentences.writing import WORDS

FIXED = len(WORDS)


def made(sites: int = 9, words: int = 6) -> tuple[torch.Tensor, ...]:
    """Evidence, kinds and padding of one gene, and a sentence that points at its sites."""
    generator = torch.Generator().manual_seed(sites)
    evidence = torch.randn(1, sites, EVIDENCE, generator=generator, dtype=torch.float64)
    kinds = torch.randint(5, (1, sites), generator=generator)
    tokens = torch.randint(FIXED + sites, (1, words), generator=generator)
    return evidence, kinds, torch.zeros(1, sites, dtype=torch.bool), tokens


@torch.no_grad()
def test_word_by_word_is_as_all_at_once():
    network = random_network()
    evidence, kinds, padded, tokens = made()
    whole = network(evidence, kinds, padded, tokens)
    memory, before, steps = network.read(evidence, kinds, padded), None, []
    for k in range(tokens.shape[1]):
        scores, before = network.write(tokens[:, k : k + 1], memory, before)
        steps.append(scores)
    assert torch.allclose(torch.cat(steps, dim=1), whole, atol=1e-10)
    # No word looks at those behind it.
    assert torch.allclose(network(evidence, kinds, padded, tokens[:, :3]), whole[:, :3], atol=1e-10)


@torch.no_grad()
def test_neither_padding_nor_the_order_of_sites_counts():
    network = random_network()
    evidence, kinds, padded, tokens = made()
    whole = network(evidence, kinds, padded, tokens)
    more = torch.cat([evidence, torch.full((1, 4, EVIDENCE), 7.0, dtype=torch.float64)], dim=1)
    wide = network(more, torch.cat([kinds, kinds[:, :4]], dim=1), torch.arange(13)[None] >= 9, tokens)
    assert torch.allclose(wide[..., : FIXED + 9], whole, atol=1e-10)
    assert (wide[..., FIXED + 9 :] < -1e8).all()
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    places = torch.cat([torch.arange(FIXED), FIXED + order.argsort()])
    moved = network(evidence[:, order], kinds[:, order], padded, places[tokens])
    assert torch.allclose(moved[..., places], whole, atol=1e-10)


@torch.no_grad()
def test_a_network_is_what_was_saved(tmp_path):
    network = random_network()
    network.mean.fill_(1e6)  # more than half precision holds
    save_writer(network, {"model": "abc"}, tmp_path)
    found, report = load_writer(tmp_path)
    assert report["model"] == "abc"
    assert found.config == network.config
    given = made()
    assert torch.allclose(found(*given), network(*given), atol=0.05)
    assert found(*given).dtype == torch.float64
    (tmp_path / WRITER_FILES[1]).write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"isoform_writer\.safetensors: cannot be read"):
        load_writer(tmp_path)
    (tmp_path / WRITER_FILES[0]).unlink()
    with pytest.raises(ModelError, match=r"isoform_writer\.json: missing, so isoforms cannot be generated"):
        load_writer(tmp_path)
