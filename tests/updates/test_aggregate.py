"""Aggregated gradients: two conflicting slopes by hand, what is shared and what is not, what cannot work."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask, SingleTask
from mtlib.method import Losses, Method
from mtlib.networks import lenet5, mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Aggregate, Descend

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
EMPTY = Batch(torch.zeros(1, 1), {})


class Slopes(Method):
    """Task i is g_i . w, of gradient g_i; the extra term is 7 w_2. ``cut``: w is shared, as features."""

    def __init__(self, slopes, cut=True):
        super().__init__()
        self.tasks = (Task("slope", "binary", len(slopes)),)
        self.register_buffer("slopes", torch.tensor(slopes, dtype=torch.double))
        self.w = nn.Parameter(torch.zeros(self.slopes.shape[1], dtype=torch.double))
        self.cut = cut

    def losses(self, batch):
        features = 1 * self.w
        return Losses(self.slopes @ features, {"tilt": 7 * self.w[1]}, features if self.cut else None)


def direction(aggregator, slopes, cut=True, seed=0):
    """What the aggregator makes of the tasks' gradients, without the extra term's."""
    method, update = Slopes(slopes, cut), Aggregate(aggregator, seed=seed)
    update.start(method, SGD)
    update(EMPTY)
    return (-method.w.detach() / 0.1 - torch.eye(method.w.numel())[1] * 7).tolist()


CONFLICT = [[1.0, 0.0], [-1.0, 1.0]]  # g1 . g2 = -1


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(
    ("aggregator", "expected"),
    [
        ("Sum", [0, 1]),
        ("Mean", [0, 0.5]),
        # g1 - (g1.g2 / g2.g2) g2 = (1/2, 1/2); g2 - (g2.g1 / g1.g1) g1 = (0, 1)
        ("PCGrad", [0.5, 1.5]),
        # the shortest a g1 + (1 - a) g2: a = 3/5, equally good for both: its product with each is 1/5
        ("MGDA", [0.2, 0.4]),
        (lambda jacobian: jacobian.max(0).values, [1, 1]),
    ],
)
def test_two_conflicting_tasks_by_hand_with_the_extra_term_added_as_it_is(aggregator, expected, cut):
    assert direction(aggregator, CONFLICT, cut) == pytest.approx(expected, abs=1e-6)


def test_without_conflict_surgery_changes_nothing():
    assert direction("PCGrad", [[1.0, 0.0], [1.0, 1.0]]) == pytest.approx([2, 1])


def test_the_order_of_the_tasks_does_not_matter():
    slopes = [[1.0, 0.0, 2.0], [-1.0, 1.0, 0.5], [0.0, -1.0, 1.0]]
    for aggregator, error in (("MGDA", 1e-2), ("IMTLG", 1e-9), ("AlignedMTL", 1e-9)):  # MGDA iterates to 1e-3
        turned = direction(aggregator, [slopes[i] for i in (2, 0, 1)])
        assert turned == pytest.approx(direction(aggregator, slopes), abs=error)
        assert turned != pytest.approx([0, 0, 3.5], abs=0.1)  # the sum


def test_drawn_orders_follow_the_seed_and_leave_the_global_generator_alone():
    slopes = [[1.0, 0.0, 0.3], [-1.0, 0.5, -1.0], [0.2, -1.0, 0.1], [-0.5, -0.4, 1.0]]
    torch.manual_seed(1)
    state = torch.get_rng_state()
    ways = [direction("PCGrad", slopes, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert torch.equal(torch.get_rng_state(), state)
    assert ways[0] == ways[1]
    assert any(way != ways[0] for way in ways[2:])


# ------------------------------------------------------------------ real methods


def build(model):
    with seeded("weights", 0):
        return {
            "MT": lambda: MultiTask(mlp(2, 6, 4), 4, toy.TASKS),
            "SOS": lambda: SOS(mlp(2, 6), 6, toy.TASKS, 4, 2),
            "ST": lambda: SingleTask(lambda: mlp(2, 6, 4), 4, toy.TASKS),
        }[model]().double()


@pytest.fixture(scope="module")
def batch():
    batch = toy.make(8, 64, 8).train.take(torch.arange(32))
    return Batch(batch.x.double(), batch.y)


def after(update, method, batch, steps=3, recipe=SGD):
    update.start(method, recipe)
    for _ in range(steps):
        update(batch)
    return dict(method.named_parameters())


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.parametrize("model", ["MT", "SOS", "ST"])
def test_the_sum_of_the_gradients_is_plain_descent(model, chunk, batch):
    plain = after(Descend(), build(model), batch)
    aggregated = after(Aggregate("Sum", chunk=chunk), build(model), batch)
    for name, value in plain.items():
        torch.testing.assert_close(aggregated[name], value, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_gradient_laid_out_in_another_order_moves_the_same_weights(optimiser):
    """Channels-last filters, and gradients that are not: the fused optimisers would not notice."""
    draw, task = torch.Generator().manual_seed(0), Task("digit", "classes", 2, classes=3)
    x = torch.randn(8, 3, 28, 28, generator=draw)
    split = Split(x, {"digit": torch.randint(0, 3, (8, 2), generator=draw)})
    recipe = Recipe(steps=3, batch=8, rate=0.01, channels_last=True, optimiser=optimiser)
    ends = []
    for update in (Descend(), Aggregate("Sum")):
        with seeded("lenet"):
            method = MultiTask(lenet5(channels=3), 84, [task])
        fit(method, Dataset("images", (task,), split, split), recipe, update)
        ends.append(torch.cat([value.detach().flatten() for value in method.parameters()]))
    torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-5)


def test_only_shared_parameters_are_aggregated(batch):
    before = dict(build("MT").named_parameters())
    plain, halved = (after(update, build("MT"), batch, steps=1) for update in (Descend(), Aggregate("Mean")))
    heads = len(build("MT").losses(batch).tasks)
    for name, value in before.items():
        share = heads if name.startswith("trunk") else 1
        torch.testing.assert_close((halved[name] - value) * share, plain[name] - value, rtol=1e-9, atol=1e-13)


def test_sos_without_specific_spaces_is_still_plain_multi_task(batch):
    """Its common space is shared and not a task's own: cut at the trunk, MGDA would differ."""
    with seeded("weights", 0):
        sos = SOS(mlp(2, 6), 6, toy.TASKS, 4, 0).double()
    plain = MultiTask(nn.Sequential(mlp(2, 6), nn.Linear(6, 4), nn.ReLU()), 4, toy.TASKS).double()
    plain.trunk[0].load_state_dict(sos.trunk.state_dict())
    plain.trunk[1].load_state_dict(sos.spaces.state_dict())
    for mine, its in zip(plain.heads, sos.heads, strict=True):
        mine.weight.data, mine.bias.data = its.common.detach().clone(), its.bias.detach().clone()
    after(Aggregate("MGDA"), sos, batch)
    after(Aggregate("MGDA"), plain, batch)
    torch.testing.assert_close(sos.spaces.weight, plain.trunk[1].weight, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(sos.heads[0].common, plain.heads[0].weight, rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------ what cannot work


@pytest.mark.parametrize(
    ("aggregator", "message"),
    [
        ("PCGard", "torchjd.aggregation has no aggregator 'PCGard'"),
        ("Aggregator", "Aggregator cannot be made by its name alone"),
        ("Krum", "Krum cannot be made by its name alone"),
        ("GradVac", "GradVac remembers earlier batches"),
        (3, "a name or a function of .T, P., got 3"),
    ],
)
def test_an_aggregator_that_cannot_work_is_refused_at_the_start(aggregator, message):
    with pytest.raises(ValueError, match=message):
        Aggregate(aggregator).start(Slopes(CONFLICT), SGD)


def test_without_torchjd_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(ValueError, match="pip install 'torchjd"):
        Aggregate("Sum").start(Slopes(CONFLICT), SGD)


def test_a_compiled_program_cannot_be_cut():
    with pytest.raises(ValueError, match="compiled program"):
        Aggregate("Sum").start(Slopes(CONFLICT), Recipe(steps=1, compile=True))


def test_frozen_features_share_nothing(batch):
    method = build("MT")
    method.trunk.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing is shared"):
        after(Aggregate("Sum"), method, batch)


def test_nobody_else_loads_torchjd():
    code = "import sys, mtlib.training, mtlib.updates; print('torchjd' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
