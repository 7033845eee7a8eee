"""Task Routing and AdaShare: masks and policies by hand, what reaches what, their terms, that they train."""

import math

import pytest
import torch
from torch import nn

from mtlib.recipe import Recipe
from mtlib.sharing import AdaShare, TaskRouting
from mtlib.sharing.adashare import sharing, sparsity
from mtlib.sharing.task_routing import masks
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit

TASKS = (Task("kind", "classes", ("kind",), classes=3), Task("looks", "binary", 4))


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def routing(shared=0.5, tasks=TASKS):
    torch.manual_seed(0)
    pieces = [nn.Sequential(conv(3, 8), nn.ReLU()), nn.Sequential(conv(8, 12), nn.ReLU())]
    return TaskRouting(pieces, (8, 12), pooled(), 12, tasks, shared=shared)


def pooled():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def adashare(**settings):
    torch.manual_seed(0)
    blocks = [(conv(6, 6), nn.Identity()), (conv(6, 6), nn.Identity()), (conv(6, 6), nn.Identity())]
    return AdaShare(conv(3, 6), blocks, pooled(), 6, TASKS, **settings)


def batch(n=16, progress=0.5):
    torch.manual_seed(1)
    y = {"kind": torch.randint(-1, 3, (n, 1)), "looks": torch.randint(-1, 2, (n, 4))}
    return Batch(torch.randn(n, 3, 8, 8), y, progress=torch.tensor(progress))


# ------------------------------------------------------------------ task routing


def test_masks_share_some_channels_and_deal_out_the_others():
    found = masks(3, 10, 0.4, seed=0, place=1)
    uses = found.sum(0)
    assert (uses == 3).sum() == 4
    assert (uses == 1).sum() == 6
    assert found.sum(1).tolist() == [6, 6, 6]
    assert torch.equal(found, masks(3, 10, 0.4, seed=0, place=1))
    assert not torch.equal(found, masks(3, 10, 0.4, seed=1, place=1))


def test_with_all_channels_shared_it_is_plain_multi_task_learning():
    model, x = routing(shared=1.0), batch().x
    h = model.neck(model.pieces[1](model.pieces[0](x)))
    assert torch.allclose(model(x)["looks"], model.heads[1](h))
    assert torch.allclose(model(x)["kind"].squeeze(1), model.heads[0](h))


def test_a_loss_reaches_its_own_channels_alone():
    model = routing(shared=0.0)
    own = model.losses(batch()).tasks[0]
    gradient = torch.autograd.grad(own, model.pieces[0][0].weight)[0].flatten(1).abs().sum(1)
    assert torch.equal(gradient > 0, (model.mask0[0] > 0) & (gradient > 0))
    assert (gradient[model.mask0[1] > 0] == 0).all()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"shared": 1.5}, "0 to 1, got 1.5"),
        ({"shared": 0.0, "tasks": tuple(Task(f"t{i}", "binary", 1) for i in range(9))}, "8 channels with 0 shared"),
    ],
)
def test_bad_routes_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        routing(**settings)


def test_channels_must_fit_the_pieces():
    with pytest.raises(ValueError, match="one number of channels per piece, got 1 and 2"):
        TaskRouting([conv(3, 8)], (8, 8), pooled(), 8, TASKS)


# ------------------------------------------------------------------ adashare


def test_a_skipped_block_is_its_shortcut():
    model, x = adashare(), batch().x
    u = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    h = model.stem(x)
    kind = torch.relu(torch.relu(torch.relu(h + model.branches[0](h))))
    found = model.routed(x, u)
    assert torch.allclose(found["kind"].squeeze(1), model.heads[0](model.neck(kind)), atol=1e-6)
    assert torch.allclose(found["looks"], model.heads[1](model.neck(torch.relu(h))), atol=1e-6)


def test_before_policies_are_learned_every_block_is_taken():
    model = adashare()
    with torch.no_grad():
        model.policy[..., 0] = -3.0  # would skip
    plain = model.routed(batch().x, torch.ones(2, 3))
    early, late = model.losses(batch(progress=0.0)), model.losses(batch(progress=0.9))
    same = torch.nn.functional.cross_entropy(plain["kind"].squeeze(1), batch().y["kind"].squeeze(1), ignore_index=-1)
    assert torch.allclose(early.tasks[0], same)
    assert [term.item() for term in early.extra.values()] == [0.0, 0.0]
    assert not torch.allclose(early.tasks, late.tasks)
    assert torch.allclose(late.tasks, model.losses(batch(progress=0.9)).tasks)  # nothing is drawn any more


def test_terms_by_hand():
    a = torch.tensor([[0.5, 0.25], [0.5, 0.75]])  # P(select), two tasks and two blocks
    policy = torch.stack([a.log(), (1 - a).log()], -1)
    assert sparsity(policy).item() == pytest.approx(math.log(0.5 * 0.25 * 0.5 * 0.75))
    assert sharing(policy).item() == pytest.approx(1 / 2 * 0.5)  # the second of two blocks counts half
    assert sharing(policy.flip(0)).item() == pytest.approx(sharing(policy).item())
    assert sharing(policy.flip(1)).item() == pytest.approx(0.5)


def test_policies_get_gradients_while_they_are_learned_and_move_at_their_own_rate():
    model = adashare(rate=7.0)
    model.losses(batch(progress=0.5)).total().backward()
    assert model.policy.grad.abs().sum() > 0
    model.zero_grad()
    losses = model.losses(batch(progress=0.9))
    (losses.tasks.sum() + sum(losses.extra.values())).backward()
    assert model.policy.grad is None or model.policy.grad.abs().sum() == 0
    assert [group["rate"] for group in model.groups()] == [1.0, 7.0]
    assert model.likeliest.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sparsity": -1.0}, "sparsity must be a finite weight of 0 or more, got -1"),
        ({"temperature": 0.0}, "must be above 0"),
        ({"learned": (0.8, 0.2)}, r"between two shares of training, got \(0.8, 0.2\)"),
    ],
)
def test_bad_settings_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        adashare(**settings)


def test_it_needs_a_block():
    with pytest.raises(ValueError, match="one or more residual blocks"):
        AdaShare(conv(3, 6), [], pooled(), 6, TASKS)


# ------------------------------------------------------------------ both


@pytest.mark.parametrize("make", [routing, adashare])
def test_it_trains(make):
    model, some = make(), batch(64)
    split = Split(some.x, some.y)
    result = fit(model, Dataset("tiny", TASKS, split, split), Recipe(steps=60, batch=32, rate=1e-2), seed=0)
    assert list(result.history[0])[1:3] == ["kind", "looks"]
    first, last = (sum(row[name] for name in ("kind", "looks")) for row in (result.history[0], result.history[-1]))
    assert last < first
