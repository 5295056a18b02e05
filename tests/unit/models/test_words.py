"""Short words of bases of which some have faded, as attribution asks about them."""

from __future__ import annotations

import itertools

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.models.words import LONGEST, words_at, words_in_cells

fading = st.floats(0, 1, width=32)


def table(numbers: torch.Tensor, shares: torch.Tensor, length: int) -> torch.Tensor:
    """How much of each word begins at each base: (batch, places, 4 ** length)."""
    return torch.zeros(*numbers.shape[:2], 4**length).scatter_add(2, numbers, shares)


def whole(one_hot: torch.Tensor, length: int) -> torch.Tensor:
    """The same, by looking at all words at each base."""
    found = []
    for word in itertools.product(range(4), repeat=length):
        there = sum(one_hot[:, n : one_hot.shape[1] - length + 1 + n, base] for n, base in enumerate(word))
        found.append(torch.relu(there - (length - 1)))
    return torch.stack(found, dim=2)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=40), st.integers(1, 4), st.integers(0, 3), fading)
def test_each_word_is_there_as_much_as_its_faded_base(codes, length, first, faded):
    bases = torch.tensor([codes])
    one_hot = torch.nn.functional.one_hot(bases, 5)[..., :4].float()
    asked = torch.arange(bases.shape[1]) % 4 == first
    others = (one_hot.sum(dim=2, keepdim=True) - one_hot) / 3
    one_hot = torch.where(asked[:, None], (1 - faded) * one_hot + faded * others, one_hot)
    found = table(*words_at(one_hot, length), length)
    assert torch.allclose(found, whole(one_hot, length), atol=1e-6)


def test_a_faded_base_has_a_gradient_for_each_of_the_four():
    bases = torch.randint(0, 4, (2, 30), generator=torch.manual_seed(1))
    hot = torch.nn.functional.one_hot(bases, 4).float()
    asked = (torch.arange(30) % 5 == 2)[:, None]
    weights = torch.randn(4**LONGEST, generator=torch.manual_seed(2))
    gradients = []
    for counted in (lambda x: words_in_cells(x, 10), lambda x: whole(x, LONGEST)):
        mixed = torch.where(asked, 0.4 * hot + 0.2 * (1 - hot), hot).requires_grad_()
        ((counted(mixed).sum(dim=1) @ weights) ** 2).sum().backward()
        gradients.append(mixed.grad[:, asked[:, 0]])
    assert gradients[0].abs().min() > 0
    assert torch.allclose(*gradients, rtol=1e-4, atol=1e-4)
