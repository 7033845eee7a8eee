"""Parameters and multiplications: by hand, and as the networks' papers have them."""

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.networks import Cost, Pixels, cost, mlp, trunk
from mtlib.tasks import Task


def test_a_convolution_by_hand():
    # A map of 8 x 4 x 4, every place of it a product with 3 x 3 x 3 weights; the biases are parameters.
    layer = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    assert cost(layer, (3, 8, 8)) == Cost(parameters=8 * 27 + 8, multiplications=8 * 16 * 27)


def test_layers_by_hand():
    assert cost(mlp(10, 4, 2), (10,)) == Cost(44 + 10, 40 + 8)
    assert cost(nn.Conv2d(4, 8, 1, groups=2), (4, 5, 5)) == Cost(8 * 2 + 8, 8 * 2 * 25)
    assert cost(nn.Sequential(Pixels(), nn.ReLU()), (3, 4, 4)) == Cost(0, 0)
    method = MultiTask(mlp(10, 4), 4, [Task("b", "binary", 3)])
    assert cost(method, (10,)) == Cost(44 + 15, 40 + 12)


COUNTED = {  # parameters, multiplications of one image
    ("lenet5", 1, 28): (60_856, 415_680),
    ("tiny", 3, 32): (71_520, 667_648),
    ("tiny", 3, 64): (71_520, 2_473_984),
    ("small", 3, 64): (688_216, 8_265_728),
    ("averaged", 3, 32): (112_920, 7_317_504),
    ("cnn8", 1, 128): (10_733_664, 368_181_248),
    ("cnn8", 3, 64): (4_442_784, 92_635_136),
    ("vgg16", 3, 224): (14_714_688, 15_346_630_656),
    ("resnet18", 3, 224): (11_176_512, 1_813_561_344),
    ("resnet50", 3, 224): (23_508_032, 4_087_136_256),
    ("densenet121", 3, 224): (6_953_856, 2_833_137_664),
}


@pytest.mark.parametrize(("name", "channels", "size"), COUNTED)
def test_networks_cost_what_they_did(name, channels, size):
    with torch.device("meta"):
        network = trunk(name, channels, size)
    assert cost(network, (channels, size, size)) == Cost(*COUNTED[name, channels, size])


def test_the_counts_are_those_of_torchvisions_pages():
    # torchvision's model pages: parameters and GFLOPS (multiply-adds) of the whole network; its classifier is ours to
    # add: 1000 classes from the features.
    from mtlib import vision

    vision.torchvision()
    from torchvision import models

    for name, size in (("resnet18", 512), ("resnet50", 2048), ("densenet121", 1024)):
        page = models.get_model_weights(name).DEFAULT.meta
        parameters, multiplications = COUNTED[name, 3, 224]
        assert parameters + 1000 * (size + 1) == page["num_params"]
        assert (multiplications + 1000 * size) / 1e9 == pytest.approx(page["_ops"], abs=5e-4)


def test_the_network_is_left_as_it_was():
    with torch.random.fork_rng():
        network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten(), nn.Linear(8, 2))
        network.train()
        network[2].eval()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        random = torch.get_rng_state()
        cost(network, (1, 4, 4))
        assert torch.equal(torch.get_rng_state(), random)
    assert [layer.training for layer in network] == [True, True, False, True, True]
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_network_that_fails_is_left_as_it_was_too():
    network = nn.Sequential(nn.Linear(2, 2)).train()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        cost(network, (3,))
    assert network[0].training


@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        ((11_176_512, 1_813_561_344), "11.18 M parameters, 1.81 G multiply-adds"),
        ((71_520, 667_648), "71.52 k parameters, 667.65 k multiply-adds"),
        ((999, 0), "999 parameters, 0 multiply-adds"),
    ],
)
def test_costs_are_printed_in_three_or_more_digits(counts, printed):
    assert str(Cost(*counts)) == printed
