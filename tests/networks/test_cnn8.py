"""CNN8 as the SOS paper prints it and S-23 completes it."""

import pytest
import torch
from torch import nn

from mtlib.networks import cnn8


def layers_of(trunk, kind):
    return [layer for layer in trunk.modules() if isinstance(layer, kind)]


def test_the_layers_are_the_printed_ones_with_the_strides_of_s_23():
    with torch.device("meta"):
        trunk = cnn8()
    convolutions = layers_of(trunk, nn.Conv2d)
    assert [each.out_channels for each in convolutions] == [32, 64, 64, 128, 128, 256, 256, 512]
    assert [place for place, each in enumerate(convolutions, 1) if each.stride == (2, 2)] == [1, 3, 5, 7, 8]
    assert {each.kernel_size for each in convolutions} == {(3, 3)}
    names = [type(layer).__name__ for layer in trunk.body]
    assert names == ["Pixels", *["Conv2d", "BatchNorm2d", "ReLU"] * 8]
    assert trunk.spatial(torch.empty(2, 1, 128, 128, device="meta")).shape == (2, 512, 4, 4)
    (last,) = layers_of(trunk, nn.Linear)
    assert last.weight.shape == (1024, 512 * 4 * 4)
    assert last.weight.numel() == 8_388_608  # "8.4 M parameters with five stride-2 layers"


def test_with_four_strides_of_two_the_last_layer_is_four_times_as_large():  # "33.6 M with four"
    with torch.device("meta"):
        trunk = cnn8(strides=(2, 1, 2, 1, 2, 1, 2, 1))
    (last,) = layers_of(trunk, nn.Linear)
    assert last.weight.numel() == 4 * 8_388_608


@pytest.mark.parametrize(("channels", "size"), [(3, 64), (1, 32)])
def test_smaller_images_and_other_widths(channels, size):
    trunk = cnn8(channels, size, features=5)
    assert trunk.spatial(torch.rand(2, channels, size, size)).shape == (2, 512, size // 32, size // 32)
    assert trunk(torch.rand(2, channels, size, size)).shape == (2, trunk.features) == (2, 5)


@pytest.mark.parametrize("size", [0, 16, 112, 130])
def test_a_size_that_the_strides_do_not_divide_is_refused(size):
    with pytest.raises(ValueError, match=f"images are of a multiple of 32 pixels, got {size}"):
        cnn8(size=size)


def test_eight_strides_of_two_leave_nothing_of_128_pixels():
    with pytest.raises(ValueError, match="multiple of 256 pixels, got 128"):
        cnn8(strides=(2,) * 8)


@pytest.mark.parametrize("strides", [(2,) * 7, (2, 1, 2, 1, 2, 1, 2, 0), (2, 1, 2, 1, 2, 1, 2, 1.5)])
def test_strides_that_are_none_are_refused(strides):
    with pytest.raises(ValueError, match="strides are 8 whole numbers of 1 or more, got"):
        cnn8(strides=strides)
