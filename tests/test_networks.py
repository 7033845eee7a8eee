"""Networks: shapes, and the sizes that were printed."""

import pytest
import torch
from torch import nn

from mtlib.networks import lenet5, mlp


def test_an_mlp_ends_in_a_relu():
    network = mlp(2, 20, 10)
    assert [type(layer) for layer in network] == [nn.Linear, nn.ReLU] * 2
    assert (network(torch.randn(7, 2)) >= 0).all()


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (1, 32), (3, 32)])
def test_lenet5_makes_84_features_of_every_image(channels, size):
    assert lenet5(channels, size)(torch.randn(5, channels, size, size)).shape == (5, 84)


def test_lenet5_has_the_layers_of_1998():
    # LeCun et al. 1998: C1 has 156 trainable parameters, C5 48 120, F6 10 164. C3 was sparse there; whole it has
    # (6 * 25 + 1) * 16. The average pooling had weights of its own.
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in lenet5() if list(layer.parameters())]
    assert sizes == [156, 2416, 48_120, 10_164]


def test_lenet5_refuses_other_sizes():
    with pytest.raises(ValueError, match="28 or 32 pixels, got 64"):
        lenet5(3, 64)
