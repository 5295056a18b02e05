"""The hurdle loss: what was not measured has no gradient, and by hand on two genes."""

import math

import pytest
import torch

from phytoscribe.models.expression import ExpressionConfig, ExpressionHead, ExpressionOutput
from phytoscribe.training.tasks.expression.module import LOSSES, expression_loss

MISSING = math.nan


@pytest.fixture(scope="module")
def head():
    sizes = {"pieces": 1, "piece": 50, "filters": 4, "width": 4}
    return ExpressionHead(ExpressionConfig(("a", "b", "c"), (4.0, 5.0, 3.0), (0.1, 0.2, 0.3), 2.0, **sizes))


def output() -> ExpressionOutput:
    torch.manual_seed(3)
    level, deviation, expressed = torch.randn(4), torch.randn(4, 3), torch.randn(4, 3)
    return ExpressionOutput(*(x.requires_grad_() for x in (level, deviation, expressed)))


@pytest.mark.parametrize("kind", LOSSES)
def test_missing_cells_have_no_gradient(head, kind):
    log = torch.tensor([[5.0, MISSING, 2.0], [MISSING, 0.2, MISSING], [0.0, 0.0, 0.1], [MISSING] * 3])
    found = output()
    expression_loss(head, found, log, 1.0, kind).backward()
    missing = torch.isnan(log)
    assert (found.deviation.grad[missing] == 0).all()
    assert (found.expressed.grad[missing] == 0).all()
    assert (found.expressed.grad[~missing] != 0).all()
    assert found.level.grad[3] == 0
    assert found.level.grad[0] != 0
    if kind == "hurdle":
        assert (found.level.grad[1:] == 0).all(), "silent genes teach no level"
        assert (found.deviation.grad[2] == 0).all(), "a silent gene has no tissue that it prefers"


def test_by_hand(head):
    log = torch.tensor([[6.0, 5.0, 0.0]])
    level, deviation = torch.tensor([0.25]), torch.tensor([[0.5, 0.0, -0.5]])
    given = ExpressionOutput(level, deviation, torch.tensor([[2.0, 0.0, -1.0]]))
    entropy = (math.log1p(math.exp(-2)) + math.log(2) + math.log1p(math.exp(-1))) / 3
    # Wanted in units of deviation: 1, 0, -1.5; of the two expressed cells, 0.75 and 0.25 are predicted.
    levels = (0.5 * 0.25**2 + 0.5 * 0.25**2) / 2
    wanted = [1 + 0.5 / 3, 0.5 / 3, -1.5 + 0.5 / 3]
    apart = sum(0.5 * (a - b) ** 2 for a, b in zip(wanted, [0.5, 0.0, -0.5], strict=True)) / 3
    found = float(expression_loss(head, given, log, 1.0, "hurdle"))
    assert found == pytest.approx(entropy + levels + 0.5 * apart, rel=1e-5)
    squared = float(((head.expected(given) - log) ** 2).mean()) / 4
    assert float(expression_loss(head, given, log, 1.0, "mse")) == pytest.approx(entropy + squared, rel=1e-5)


def test_one_tissue_has_no_deviation(head):
    sizes = {"pieces": 1, "piece": 50, "filters": 4, "width": 4}
    lonely = ExpressionHead(ExpressionConfig(("a",), (4.0,), (0.1,), 2.0, **sizes))
    found = lonely(torch.zeros(2, 1, 50, dtype=torch.int64))
    assert (found.deviation == 0).all()
    loss = expression_loss(lonely, found, torch.tensor([[5.0], [0.0]]), 1.0, "hurdle")
    assert torch.isfinite(loss)
