"""The gradient-reversal layer: it passes on what it gets, and turns the gradient."""

import pytest
import torch
from torch.func import grad, vmap

from mtlib.adversarial import reverse


@pytest.mark.parametrize("weight", [0.3, 0.0, -1.0, 2.0])
def test_sign_and_scale_of_the_gradient(weight):
    h = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    passed = reverse(h, weight)
    assert torch.equal(passed, h)
    (passed * torch.tensor([1.0, 10.0])).sum().backward()
    assert torch.allclose(h.grad, torch.tensor([[-weight, -10 * weight]] * 2))


def test_two_layers_turn_it_back():
    h = torch.randn(3, 2, requires_grad=True)
    reverse(reverse(h, 0.5), 0.5).sum().backward()
    assert torch.allclose(h.grad, torch.full_like(h, 0.25))


def test_the_weight_gets_no_gradient():
    h, weight = torch.randn(3, 2, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    reverse(h, weight).sum().backward()
    assert weight.grad is None


def test_the_same_as_detaching_by_hand_in_double_precision():
    h = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    w = torch.randn(3, dtype=torch.double)
    turned = -0.7 * h
    by_hand = turned + (h - turned).detach()
    one, other = (torch.autograd.grad(((x @ w).sigmoid() ** 2).sum(), h)[0] for x in (reverse(h, 0.7), by_hand))
    torch.testing.assert_close(one, other)


def test_a_batch_of_networks_with_weights_of_their_own():
    h, weights = torch.randn(4, 3), torch.tensor([0.0, 0.5, -1.0, 2.0])

    def loss(own, weight):
        return (reverse(own, weight) ** 2).sum()

    batched = vmap(grad(loss))(h, weights)
    torch.testing.assert_close(batched, -weights.unsqueeze(1) * 2 * h)
