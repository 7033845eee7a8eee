"""GradNorm (Chen et al. 2018): one step by hand, its slope by autograd, and where the weights go."""

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask, SingleTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.tasks import Batch, Split, Task
from mtlib.updates import Descend, GradNorm

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
BATCH = Batch(torch.zeros(1, 1), {})


class Lines(Method):
    """Task i is 10 + g_i . w, of gradient g_i at the features w; the extra term is 7 w_2."""

    def __init__(self, slopes, base=10.0):
        super().__init__()
        self.tasks = (Task("line", "binary", len(slopes)),)
        self.register_buffer("slopes", torch.tensor(slopes, dtype=torch.double))
        self.register_buffer("base", torch.as_tensor(base, dtype=torch.double))
        self.w = nn.Parameter(torch.zeros(self.slopes.shape[1], dtype=torch.double))

    def losses(self, batch):
        features = 1 * self.w
        return Losses(self.base + self.slopes @ features, {"tilt": 7 * self.w[1]}, features)


def after(method, steps=1, recipe=SGD, **options):
    """The update after some steps."""
    update = GradNorm(**options)
    update.start(method, recipe)
    for _ in range(steps):
        update(BATCH)
    return update


def test_one_step_by_hand():
    method = Lines([[1.0, 0.0], [0.0, 3.0]])
    update = after(method)
    # the weights are 1 when the method moves: -0.1 (g_1 + g_2 + 7 e_2)
    assert method.w.tolist() == pytest.approx([-0.1, -1.0])
    # norms 1 and 3, mean 2, all rates alike: slopes -1 and +3, so 1 + 0.025 and 1 - 0.075, brought to sum 2
    assert update.weights.tolist() == pytest.approx([2 * 1.025 / 1.95, 2 * 0.925 / 1.95])


def test_a_task_that_lags_behind_is_to_have_a_longer_gradient():
    """Second step, alpha = 1: losses 10 -> 8 and 10 -> 10 with equal norms: rates 8/9 and 10/9."""
    method = Lines([[2.0, 0.0], [0.0, 2.0]])
    update = after(method, alpha=1.0)
    assert update.weights.tolist() == [1, 1]
    with torch.no_grad():
        method.w.copy_(torch.tensor([-1.0, 0.0]))
    update(BATCH)  # G = (2, 2), targets 2 * 8/9 and 2 * 10/9: slopes +2 and -2
    assert update.weights.tolist() == pytest.approx([0.95, 1.05])


def test_the_slope_is_autograds():
    draw = torch.Generator().manual_seed(0)
    norms, values = (torch.rand(5, generator=draw, dtype=torch.double) + 0.5 for _ in range(2))
    update = after(Lines([[1.0, 0.0]] * 5, base=[1.0, 2, 3, 4, 5]), alpha=0.7)
    first = update.first.clone()
    sizes = update.weights * norms
    speeds = values / first
    targets = (sizes.mean() * (speeds / speeds.mean()) ** 0.7).detach()
    (slope,) = torch.autograd.grad((sizes - targets).abs().sum(), update.weights)
    torch.testing.assert_close(update._slope(norms, values), slope)
    assert first.tolist() == [1, 2, 3, 4, 5]


def test_without_a_preference_all_gradients_come_to_one_length_whatever_the_units():
    for unit in (1.0, 4.0):
        update = after(Lines([[1.0, 0.0], [0.0, 3.0 * unit]]), 600, alpha=0.0, rate=2e-3 / unit / 3)
        sizes = update.weights.detach() * torch.tensor([1.0, 3.0 * unit])
        assert (sizes.max() / sizes.min()).item() == pytest.approx(1, abs=0.05)


def test_the_order_of_the_tasks_does_not_matter_and_the_sum_stays():
    slopes = [[1.0, 0.0], [0.0, 3.0], [2.0, -2.0]]
    plain, turned = (after(Lines([slopes[i] for i in order]), 20).weights for order in ((0, 1, 2), (2, 0, 1)))
    torch.testing.assert_close(turned, plain[[2, 0, 1]])
    assert plain.sum().item() == pytest.approx(3)
    assert plain.std() > 0.1


def test_weights_do_not_fall_below_0_and_come_back():
    update = after(Lines([[1.0, 0.0], [0.0, 30.0]]), 1, rate=0.2)
    assert update.weights.tolist() == [2, 0]
    update(BATCH)
    assert update.weights[1] > 0


def test_one_task_alone_is_plain_descent():
    ends = []
    for update in (GradNorm(), Descend()):
        method = Lines([[1.0, 2.0]])
        update.start(method, SGD)
        for _ in range(5):
            update(BATCH)
        ends.append(method.w.detach())
    assert torch.equal(*ends)


TASK = Task("t", "binary", 3)


def batches(n):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(n, 8, 4, generator=draw, dtype=torch.double)
    y = (x[..., :3] > 0).long()
    y[0, :, 1] = -1  # no label in the first batch
    y[-1, :, 2] = -1  # nor in the last
    return [Split(a, {"t": b}).take(torch.arange(8)) for a, b in zip(x, y, strict=True)]


@pytest.mark.parametrize("chunk", [1, 2])
def test_rows_one_by_one_or_in_parts_are_the_rows_at_once(chunk):
    ends = []
    for part in (None, chunk):
        torch.manual_seed(0)
        method, update = MultiTask(mlp(4, 5), 5, [TASK]).double(), GradNorm(chunk=part)
        update.start(method, SGD)
        for batch in batches(6):
            update(batch)
        ends.append(update.weights.detach())
    torch.testing.assert_close(*ends, rtol=1e-12, atol=0)


def test_batches_without_a_label_are_borne_and_the_first_loss_is_the_first_there_is():
    method, update = MultiTask(mlp(4, 5), 5, [TASK]).double(), GradNorm()
    update.start(method, SGD)
    first, *others = batches(6)
    update(first)
    assert (update.first > 0).tolist() == [True, False, True]
    second = method.losses(others[0]).tasks
    for batch in others:
        update(batch)
    assert update.first[1].item() == pytest.approx(second[1].item())
    assert update.weights.isfinite().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradNorm(alpha=-1), "alpha must be finite and 0 or more: -1"),
        (lambda: GradNorm(rate=0), "rate must be finite and above 0: 0"),
        (lambda: GradNorm(chunk=0), "chunk must be a whole number of 1 or more, or None, got 0"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(make, message):
    with pytest.raises(ValueError, match=message):
        make().start(Lines([[1.0]]), SGD)


def test_a_compiled_program_cannot_be_cut():
    with pytest.raises(ValueError, match="compiled program"):
        GradNorm().start(Lines([[1.0]]), Recipe(steps=1, compile=True))


def test_a_method_that_shares_nothing_is_refused():
    method, update = SingleTask(lambda: mlp(4, 5), 5, [TASK]).double(), GradNorm()
    update.start(method, SGD)
    with pytest.raises(ValueError, match="give no features"):
        update(batches(1)[0])


def test_frozen_features_are_refused():
    method, update = MultiTask(mlp(4, 5), 5, [TASK]).double(), GradNorm()
    method.trunk.requires_grad_(False)
    update.start(method, SGD)
    with pytest.raises(ValueError, match="nothing is shared"):
        update(batches(1)[0])
