"""Spatial pyramids: which grids, which blocks, what is kept."""

import pytest
import torch
import torch.nn.functional as F

from mtlib.dmm import Pyramid, sides


def test_the_printed_size_is_that_of_the_cumulative_pyramid():
    assert sides(1) == (1,)
    assert sides(3) == (1, 2, 3)
    assert sides(3, "blocks") == (3,)
    assert 2048 * Pyramid(sides(3)).blocks == 28_672  # the sentence's own n x n would be 18 432 (D-3)
    assert 2048 * Pyramid(sides(3, "blocks")).blocks == 18_432


def test_a_map_by_hand():
    x = torch.arange(1.0, 10.0).view(1, 1, 3, 3)  # rows 1 2 3, 4 5 6, 7 8 9
    # Of three rows in two blocks, both have the middle one: rows 0 to 1 and 1 to 2.
    assert Pyramid((1, 2, 3))(x).tolist() == [[9, 5, 6, 8, 9, *range(1, 10)]]
    assert Pyramid((1,), "mean")(x).tolist() == [[5]]


def test_any_size_gives_one_length():
    pyramid = Pyramid(sides(3))
    for height, width in ((3, 3), (4, 7), (13, 5)):
        assert pyramid(torch.randn(2, 6, height, width)).shape == (2, 6 * 14)


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_blocks_are_those_of_adaptive_pooling(pool):
    x = torch.randn(2, 3, 7, 5)
    function = {"max": F.adaptive_max_pool2d, "mean": F.adaptive_avg_pool2d}[pool]
    expected = torch.cat([function(x, side).flatten(1) for side in (1, 2, 3)], 1)
    torch.testing.assert_close(Pyramid((1, 2, 3), pool)(x), expected)


def test_one_level_forgets_the_place_and_three_do_not():
    x = torch.zeros(1, 1, 6, 6)
    x[..., 0, 0] = 1
    moved = x.flip(-1)
    assert Pyramid((1,))(x).equal(Pyramid((1,))(moved))
    assert not Pyramid(sides(3))(x).equal(Pyramid(sides(3))(moved))


def test_the_gradient_goes_to_the_largest_place_of_every_block():
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0]]).view(1, 1, 2, 2).requires_grad_()
    Pyramid((1,))(x).sum().backward()
    assert x.grad.flatten().tolist() == [0, 0, 0, 1]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="map is 2 x 5; a pyramid with a grid of 3 x 3"):
        Pyramid(sides(3))(torch.randn(1, 1, 2, 5))
    for wrong in (0, True, 1.5):
        with pytest.raises(ValueError, match="1 level or more"):
            sides(wrong)
    with pytest.raises(ValueError, match="'cumulative' or 'blocks'"):
        sides(3, "both")
    with pytest.raises(ValueError, match="side 1 or more"):
        Pyramid(())
    with pytest.raises(ValueError, match="'max' or 'mean'"):
        Pyramid((1,), "sum")
