"""Task Routing as networks within a network: what a task computes, what it can change, and how tasks may be ordered."""

import pytest
import torch
from torch import nn

from mtlib.sharing import TaskRouting
from mtlib.sharing.task_routing import masks
from mtlib.tasks import Batch, Task

TASKS = (Task("kind", "classes", ("kind",), classes=3), Task("looks", "binary", 4))


def routing(shared, tasks=TASKS):
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1)
    pieces = [nn.Sequential(first, nn.ReLU()), nn.Sequential(second, nn.ReLU())]
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return TaskRouting(pieces, (8, 12), neck, 12, tasks, shared=shared).double()


def batch(n=6):
    torch.manual_seed(1)
    y = {"kind": torch.randint(0, 3, (n, 1)), "looks": torch.randint(0, 2, (n, 4))}
    return Batch(torch.randn(n, 3, 8, 8, dtype=torch.double), y)


@pytest.mark.parametrize(("shared", "common", "own"), [(0.0, 0, 6), (0.3, 4, 4), (0.5, 6, 3), (1.0, 12, 0)])
def test_a_route_has_the_common_channels_and_as_many_of_its_own_as_the_others(shared, common, own):
    found = masks(2, 12, shared, seed=3, place=0)
    assert found.prod(0).sum() == common
    assert [(found[t] * (1 - found[1 - t])).sum().item() for t in (0, 1)] == [own, own]
    # An even rest is dealt out to the last channel: nobody gets more, and none is idle.
    assert found.sum(1).tolist() == [common + own] * 2
    assert (found.sum(0) > 0).all()


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_a_route_is_a_smaller_network_with_the_other_channels_cut_out(shared):
    model, x = routing(shared), batch().x
    for t, name in enumerate(("kind", "looks")):
        first, second = (getattr(model, f"mask{place}")[t].bool() for place in (0, 1))
        conv1, conv2 = model.pieces[0][0], model.pieces[1][0]
        h = torch.conv2d(x, conv1.weight[first], conv1.bias[first], padding=1).relu()
        h = torch.conv2d(h, conv2.weight[second][:, first], conv2.bias[second], padding=1).relu()
        head = model.heads[t]
        by_hand = h.mean((2, 3)) @ head.weight[:, second].T + head.bias
        torch.testing.assert_close(model(x)[name].flatten(1), by_hand)


def test_without_common_channels_a_loss_reaches_its_own_units_and_nothing_else():
    model = routing(0.0)
    for t in (0, 1):
        model.zero_grad()
        model.losses(batch()).tasks[t].backward()
        for place in (0, 1):
            own = getattr(model, f"mask{place}")[t].bool()
            conv = model.pieces[place][0]
            assert conv.weight.grad[own].any()
            assert not conv.weight.grad[~own].any()
            assert not conv.bias.grad[~own].any()
        inner = model.pieces[1][0].weight.grad
        assert not inner[:, ~model.mask0[t].bool()].any()  # not even weights that read another's channels
        assert model.heads[t].weight.grad.any()
        assert not model.heads[1 - t].weight.grad.any()


def test_tasks_in_another_order_with_their_own_masks_and_heads_lose_the_same():
    model, turned = routing(0.5), routing(0.5, TASKS[::-1])
    state = model.state_dict()
    state |= {name: state[name].flip(0) for name in ("mask0", "mask1")}
    state |= {f"heads.{t}.{part}": model.heads[1 - t].state_dict()[part] for t in (0, 1) for part in ("weight", "bias")}
    turned.load_state_dict(state)
    assert turned.loss_names == model.loss_names[::-1]
    torch.testing.assert_close(turned.losses(batch()).tasks, model.losses(batch()).tasks.flip(0))


def test_masks_are_kept_with_the_weights_and_are_never_learned():
    model = routing(0.5)
    assert {"mask0", "mask1"} <= set(model.state_dict())
    assert not any("mask" in name for name, _ in model.named_parameters())


def test_a_block_without_labels_loses_nothing_and_moves_nothing():
    model, some = routing(0.5), batch()
    some.y["looks"] = torch.full_like(some.y["looks"], -1)
    losses = model.losses(some)
    assert losses.tasks[1] == 0
    losses.tasks[1].backward()
    assert not any(p.grad.any() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("channels", [(8, 11), (1, 12)])
def test_pieces_that_give_other_channels_are_refused(channels):
    pieces = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1)]
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = TaskRouting(pieces, channels, neck, 12, TASKS, shared=1.0)
    with pytest.raises(ValueError, match="channels, not"):
        model(torch.zeros(2, 3, 8, 8))
